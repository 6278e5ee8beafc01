import type { ReplyEvent } from '../../core/event.ts'
import { isObject, type JsonObject, textOf } from '../../core/json.ts'
import type { OpaqueState } from '../../core/prompt.ts'
import { exactJson } from '../exact-json.ts'
import { finishReasons } from './finish.ts'
import { sealState } from './state.ts'

/** Writes events as the parts of a candidate: for a stream one by one, for a whole reply joined. */
export class PartWriter {
  readonly #sources: JsonObject[] = []
  #call: { id: string; name: string; state: OpaqueState | undefined; json: string } | undefined

  /** The part that this event gives or completes. */
  take(event: ReplyEvent): JsonObject | undefined {
    switch (event.type) {
      case 'text':
      case 'refusal':
        return event.text === '' ? undefined : { text: event.text }
      case 'thinking':
        return event.text === '' ? undefined : { text: event.text, thought: true }
      case 'thinking-end':
        return event.state === undefined ? undefined : statePart(event.state, event.redacted === true)
      case 'tool-start':
        this.#call = { id: event.id, name: event.name, state: event.state, json: '' }
        return undefined
      case 'tool-delta':
        if (this.#call !== undefined) this.#call.json += event.json
        return undefined
      case 'tool-end':
        return this.#endCall()
      case 'citation':
        this.#sources.push({
          web: { uri: event.url, ...(event.title === undefined ? {} : { title: event.title }) },
        })
        return undefined
      default:
        return undefined
    }
  }

  /** What the last chunk's candidate says beside its content. */
  tail(end: ReplyEvent & { type: 'end' }): JsonObject {
    return {
      finishReason: finishReasons[end.reason],
      index: 0,
      ...(end.explanation === undefined ? {} : { finishMessage: end.explanation }),
      ...(this.#sources.length === 0 ? {} : { groundingMetadata: { groundingChunks: this.#sources } }),
    }
  }

  #endCall(): JsonObject | undefined {
    const call = this.#call
    if (call === undefined) return undefined
    this.#call = undefined
    const args = call.json === '' ? {} : exactJson(call.json)
    const part: JsonObject = {
      // A model's broken JSON is kept where a reader can find it.
      functionCall: { id: call.id, name: call.name, args: isObject(args) ? args : { _raw: call.json } },
    }
    if (call.state !== undefined) part['thoughtSignature'] = sealState(call.state)
    return part
  }
}

/** The id under which Anthropic's redacted_thinking is sealed, since a part has no other place for the word. */
export const redactedId = 'redacted'

/** Google's own states stand on an empty text; those of others on a thought, which is what callers send back whole. */
function statePart(state: OpaqueState, redacted: boolean): JsonObject {
  if (redacted) return { text: '', thought: true, thoughtSignature: sealState({ ...state, id: redactedId }) }
  if (state.vendor === 'google') return { text: '', thoughtSignature: sealState(state) }
  return { text: '', thought: true, thoughtSignature: sealState(state) }
}

/** Adds a part to those of a whole reply: neighbouring pieces of one text become one part. */
export function joinPart(parts: JsonObject[], part: JsonObject): void {
  const last = parts.at(-1)
  const before = textOf(last?.['text'])
  const text = textOf(part['text'])
  const joins =
    before !== undefined &&
    text !== undefined &&
    last?.['thought'] === part['thought'] &&
    last?.['thoughtSignature'] === undefined &&
    (part['thoughtSignature'] === undefined || part['thought'] === true)
  if (joins) parts[parts.length - 1] = { ...last, ...part, text: before + text }
  else parts.push(part)
}
