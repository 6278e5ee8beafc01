import { crc32 } from 'node:zlib'
import { base62, randomId } from './id.ts'

const idLength = 8
const secretLength = 32
const checkLength = 6

/** What a caller's key is made of: prefix, public id, secret, checksum, all base62 after the prefix. */
export interface CallerKeyParts {
  /** Public: shown in logs, receipts and errors. */
  id: string
  /** The checksum fits: the key was not mistyped. */
  intact: boolean
}

/** The parts of a key of this form; undefined for text of any other. Looks nothing up. */
export function callerKeyParts(key: string, prefix: string): CallerKeyParts | undefined {
  if (!key.startsWith(prefix)) return undefined
  const body = key.slice(prefix.length)
  if (body.length !== idLength + secretLength + checkLength || !/^[0-9A-Za-z]+$/.test(body)) return undefined
  const check = body.slice(-checkLength)
  return { id: body.slice(0, idLength), intact: check === checksum(key.slice(0, -checkLength)) }
}

/** A fresh key: 190 bits of chance. It is shown once and kept as a digest only. With an id that there is, a new secret for it. */
export function newCallerKey(prefix: string, id = randomId(idLength)): { key: string; id: string } {
  const open = `${prefix}${id}${randomId(secretLength)}`
  return { key: open + checksum(open), id }
}

function checksum(text: string): string {
  return base62(crc32(text), checkLength)
}
