import type { OpaqueState } from './prompt.ts'
import type { Failure } from './failure.ts'

/**
 * What an answer is made of. A streamed reply is these events as they come; a whole reply is the same list at once.
 *
 * Every reader keeps this order, so that writers may rely on it:
 * `start`, then any of the rest, then `usage` at least once, then `end`; nothing after `end` or `failure`.
 * Blocks never interleave: from `tool-start` to its `tool-end` there is nothing but its `tool-delta`s (and pings); an
 * unbroken run of `thinking` ends with one `thinking-end`; neighbouring `text` events are one text.
 * `end` is given only where the vendor's own last event was seen: a cut stream has none.
 */
export type ReplyEvent =
  | { type: 'start'; model: string; id?: string }
  | { type: 'text'; text: string }
  /** OpenAI's `refusal`: the model declines in words. */
  | { type: 'refusal'; text: string }
  | { type: 'thinking'; text: string }
  /** Closes a run of thinking; comes alone where only the state was sent. `redacted`: Anthropic's redacted_thinking. */
  | { type: 'thinking-end'; state?: OpaqueState; redacted?: true }
  | { type: 'tool-start'; id: string; name: string; state?: OpaqueState }
  /** A piece of the JSON text of the arguments of the open call. */
  | { type: 'tool-delta'; json: string }
  | { type: 'tool-end' }
  /** A source of the text just given. */
  | { type: 'citation'; url: string; title?: string; quote?: string }
  /** Cumulative: the last one counts. */
  | { type: 'usage'; usage: Usage }
  | { type: 'end'; reason: EndReason; stop?: string; explanation?: string }
  | { type: 'ping' }
  /** The vendor's own error event, in mid-stream. */
  | { type: 'failure'; failure: Failure }

/**
 * Why an answer ended. `window`: the model's context window was full; `refusal`: the vendor or model declined;
 * `pause`: Anthropic's pause_turn (server tools), to be sent back as it is.
 */
export type EndReason = 'end' | 'stop' | 'length' | 'tool' | 'refusal' | 'window' | 'pause'

/** Tokens. `input` is what was neither read from nor written to a cache; `output` includes `thinking`. */
export interface Usage {
  input: number
  output: number
  cacheRead: number
  cacheWrite5m: number
  cacheWrite1h: number
  thinking: number
}

export const noUsage: Readonly<Usage> = Object.freeze({
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  thinking: 0,
})

/** All input tokens, cached ones included: OpenAI's and Gemini's way of counting. */
export function inputAll(usage: Usage): number {
  return usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h
}
