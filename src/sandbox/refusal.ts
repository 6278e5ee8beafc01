import type { Json, JsonObject } from '../core/json.ts'

/** Why a simulated vendor says no, before it is written in the vendor's own shape. */
export interface Refusal {
  status: number
  message: string
  /** The vendor's name for the kind: Anthropic's and OpenAI's `type`, Google's `status`, xAI's `code`. */
  type?: string
  /** OpenAI's and DeepSeek's `code`. */
  code?: string
  /** OpenAI's `param`. */
  param?: string
  /** Google's list of `details`, Anthropic's object of them. */
  details?: JsonObject[] | JsonObject
}

/**
 * The rules of a vendor yield what is wrong with a request, in the vendor's own order. Only the first is ever asked
 * for: after a `yield` nothing more is checked, as with a `throw`.
 */
export type Rules = Generator<Refusal, void, undefined>

/** The first thing that is wrong, if any is. */
export function firstOf(rules: Rules): Refusal | undefined {
  const { value } = rules.next()
  return value ?? undefined
}

/** The first key that is not among the known ones. */
export function unknownKey(object: JsonObject, known: ReadonlySet<string>): string | undefined {
  return Object.keys(object).find((key) => !known.has(key))
}

/** A set of names written as words of one text. */
export function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter((word) => word !== ''))
}

/** Standard base64, padded, and not empty. */
export function isBase64(text: string): boolean {
  return text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
}

/** A value as a message names it: a text without its quotes. */
export function shown(value: Json | undefined): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
