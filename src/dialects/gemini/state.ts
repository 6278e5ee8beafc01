import { isSealed, open, opaqueMark, seal } from '../../core/opaque.ts'
import type { OpaqueState } from '../../core/prompt.ts'

const native = 'google'

/**
 * A state as a `thoughtSignature`. That field holds bytes, and Google's clients for Python and Go refuse what is no
 * base64: other vendors' sealed states are wrapped in it once more.
 */
export function sealState(state: OpaqueState): string {
  const text = seal(state, native)
  return isSealed(text) ? Buffer.from(text).toString('base64') : text
}

/** The state in a `thoughtSignature`: Google's own, or one that `sealState` wrapped. */
export function openState(signature: string): OpaqueState {
  return open(isWrapped(signature) ? Buffer.from(signature, 'base64').toString() : signature, native)
}

/** True for what `sealState` wrapped. */
export function isWrapped(signature: unknown): signature is string {
  return typeof signature === 'string' && signature.startsWith(wrappedMark)
}

/** The bytes that every wrapped state begins with: three of the mark give four of base64. */
export const wrappedMark = Buffer.from(opaqueMark.slice(0, opaqueMark.length - (opaqueMark.length % 3))).toString(
  'base64',
)
