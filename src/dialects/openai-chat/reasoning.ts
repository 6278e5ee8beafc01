import { compact, isObject, listOf, textOf, type JsonObject } from '../../core/json.ts'
import { isSealed, open, seal } from '../../core/opaque.ts'
import type { OpaqueState } from '../../core/prompt.ts'

/**
 * A run of thinking. OpenAI's chat format has no field for it: its text travels as DeepSeek's and xAI's
 * `reasoning_content`, its state as one of OpenRouter's `reasoning_details`, which clients know to send back as they
 * came. A detail holds its own text, so that several runs in one message stay apart.
 */
export interface Thought {
  text: string
  state?: OpaqueState
  redacted?: true
}

/** The vendor whose opaque states this dialect carries as they are. */
const native = 'openai'

/** The detail that carries a run's state back to us; undefined where there is nothing to carry. */
export function writeDetail(thought: Thought, index: number): JsonObject | undefined {
  const { text, state, redacted } = thought
  if (state === undefined || (state.data === '' && redacted === undefined)) return undefined
  const sealed = seal(state, native)
  return text === ''
    ? compact({ type: 'reasoning.encrypted', data: sealed, index, redacted })
    : { type: 'reasoning.text', text, signature: sealed, index }
}

/** One detail as a run of thinking; undefined for what is none. */
export function readDetail(json: unknown): Thought | undefined {
  if (!isObject(json)) return undefined
  const format = textOf(json['format'])
  switch (json['type']) {
    case 'reasoning.encrypted': {
      const thought: Thought = { text: '', ...stateOf(textOf(json['data']), format) }
      if (json['redacted'] === true) thought.redacted = true
      return thought.state === undefined ? undefined : thought
    }
    case 'reasoning.text':
      return { text: textOf(json['text']) ?? '', ...stateOf(textOf(json['signature']), format) }
    case 'reasoning.summary':
      return { text: textOf(json['summary']) ?? '' }
    default:
      return undefined
  }
}

/** All thinking of a whole message, a request's or a reply's. */
export function readThoughts(message: JsonObject): Thought[] {
  const content = textOf(message['reasoning_content']) ?? ''
  const thoughts = listOf(message['reasoning_details']).flatMap((detail) => readDetail(detail) ?? [])
  const told = thoughts.some((thought) => thought.text !== '')
  return content === '' || told ? thoughts : [{ text: content }, ...thoughts]
}

/** A state we sealed, or one that another gateway passed on: its `format` (`anthropic-claude-v1`) tells whose it is. */
function stateOf(text: string | undefined, format: string | undefined): { state?: OpaqueState } {
  if (text === undefined) return {}
  if (isSealed(text) || format === undefined) return { state: open(text, native) }
  const vendor = /^(anthropic|google|openai|xai)\b/.exec(format)?.[1]
  return vendor === undefined ? {} : { state: { vendor, data: text } }
}
