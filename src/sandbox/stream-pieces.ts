import type { Dialect, ReplyContext } from '../core/dialect.ts'
import type { ReplyEvent } from '../core/event.ts'
import { isObject, parseJson, type JsonObject } from '../core/json.ts'
import type { Piece } from './faults/fault.ts'
import type { SimulatedVendor } from './vendor.ts'

/** A reply as the vendor streams it, with what it sends to keep the connection alive and its own way of counting. */
export function* streamPieces(
  vendor: SimulatedVendor,
  dialect: Dialect,
  events: readonly ReplyEvent[],
  context: ReplyContext,
): Generator<Piece> {
  const writer = dialect.stream.writer(context)
  const { keepAlive, accent } = vendor
  let waiting = keepAlive
  if (waiting?.after === 'headers') {
    yield { text: waiting.text, kind: 'other' }
    waiting = undefined
  }
  for (const event of events) {
    const text = writer.write(event)
    if (text === '') continue
    yield {
      text: accent === undefined ? text : accented(text, (json) => accent(json, dialect.name)),
      kind: kindOf(event),
    }
    if (waiting !== undefined) yield { text: waiting.text, kind: 'other' }
    waiting = undefined
  }
}

function kindOf({ type }: ReplyEvent): Piece['kind'] {
  if (type === 'end') return 'end'
  return ['text', 'refusal', 'thinking', 'tool-start', 'tool-delta'].includes(type) ? 'content' : 'other'
}

/** The events that carry usage, with the vendor's own way of counting. */
function accented(text: string, accent: (json: JsonObject) => JsonObject): string {
  if (!text.includes('"usage":{')) return text
  return text.replace(/^data: (\{.*\})$/gm, (line, data: string) => {
    const json = parseJson(data)
    return isObject(json) && isObject(json['usage']) ? `data: ${JSON.stringify(accent(json))}` : line
  })
}
