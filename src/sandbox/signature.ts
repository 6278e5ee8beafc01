import { createHash } from 'node:crypto'

/**
 * The sandbox's opaque reasoning states: proofs that this vendor thought this thought, base64 as the real ones are.
 * They need no memory: whoever sends one back is checked by computing it again.
 */
export function sign(vendor: string, thought: string): string {
  const thoughtHash = hash(thought)
  return Buffer.from(`sandbox.${vendor}.${thoughtHash}.${seal(vendor, thoughtHash)}`).toString('base64')
}

/** Did this vendor sign it? Where the thought itself is given (and not left out), it must be the signed one. */
export function signed(vendor: string, signature: string, thought = ''): boolean {
  const [prefix, by, thoughtHash = '', proof] = Buffer.from(signature, 'base64').toString().split('.')
  if (prefix !== 'sandbox' || by !== vendor || proof !== seal(vendor, thoughtHash)) return false
  return thought === '' || hash(thought) === thoughtHash
}

function seal(vendor: string, thoughtHash: string): string {
  return hash(`the sandbox's ${vendor} ${thoughtHash}`)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}
