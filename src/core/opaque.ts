import { parseJson, textOf } from './json.ts'
import type { OpaqueState } from './prompt.ts'

/**
 * How one vendor's opaque reasoning state travels through another vendor's dialect: as text with a mark in front. A
 * state in its own vendor's dialect stays as it came. The mark begins with a character that is rare in requests, so that looking for it in
 * 200 KB costs 4 us and not 80.
 */
const mark = '~keyrung~'

/** The bytes that tell a body may carry foreign state. */
export const opaqueMark = mark

/** The state as one text field of a dialect whose own states belong to `native`. */
export function seal(state: OpaqueState, native: string): string {
  if (state.vendor === native && state.id === undefined) return state.data
  const payload = JSON.stringify([state.vendor, state.data, state.id])
  return mark + Buffer.from(payload).toString('base64url')
}

/** The state that `text` holds: a sealed one, or the native vendor's own. */
export function open(text: string, native: string): OpaqueState {
  if (!text.startsWith(mark)) return { vendor: native, data: text }
  const payload = parseJson(Buffer.from(text.slice(mark.length), 'base64url').toString())
  if (!Array.isArray(payload)) return { vendor: 'unknown', data: '' }
  const [vendor, data, id] = payload
  const state: OpaqueState = { vendor: textOf(vendor) ?? 'unknown', data: textOf(data) ?? '' }
  if (typeof id === 'string') state.id = id
  return state
}

/** True for text that `seal` made for another dialect. */
export function isSealed(text: unknown): boolean {
  return typeof text === 'string' && text.startsWith(mark)
}
