import type { Dialect, Emit, EventReader, EventWriter, Meter, ReplyContext } from '../../core/dialect.ts'
import { noUsage, type ReplyEvent, type Usage } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, type JsonObject, listOf, objectOf, parseJson, textOf } from '../../core/json.ts'
import { eachEvent, utf8 } from '../../core/sse.ts'
import { ChunkReader } from './chunk.ts'
import { errorIn, failureIn } from './failure.ts'
import { PartWriter } from './parts.ts'
import { readUsage, writeUsage } from './usage.ts'

/** Streamed replies (`alt=sse`): each event is a GenerateContentResponse, and there is no last word but a finishReason. */
export const stream: Dialect['stream'] = {
  reader: (vendor) => new StreamReader(vendor),
  writer: (context) => new StreamWriter(context),
  meter: () => new StreamMeter(),
  // No comment: Google's Python client takes a line that is not `data: ` for JSON, and its JavaScript client drops the
  // event that a comment stands before. Both pass over an empty line.
  ping: '\n',
}

class StreamReader implements EventReader {
  readonly #chunks: ChunkReader

  constructor(vendor: string) {
    this.#chunks = new ChunkReader(vendor)
  }

  read(_name: string, data: string, emit: Emit): void {
    this.#chunks.take(objectIn(data), emit)
  }

  end(rest: string, emit: Emit): void {
    const text = rest.trim()
    // Google ends a failing stream with a bare error object, which is no event at all (js-genai looks for it, too).
    const bare = /^[[{]/m.exec(text)?.index ?? text.length
    eachEvent(text.slice(0, bare), (_name, data) => {
      const json = parseJson(data)
      if (isObject(json)) this.#chunks.take(json, emit)
    })
    const error = errorIn(parseJson(text.slice(bare)))
    if (error !== undefined) this.#chunks.take({ error }, emit)
    this.#chunks.end(emit)
  }
}

class StreamWriter implements EventWriter {
  readonly #parts = new PartWriter()
  readonly #context: ReplyContext
  #usage = ''
  #names: string

  constructor(context: ReplyContext) {
    this.#context = context
    this.#names = names(context.model, context.id)
  }

  write(event: ReplyEvent): string {
    switch (event.type) {
      case 'start':
        if (event.model !== '') this.#names = names(event.model, this.#context.id)
        return ''
      case 'usage':
        this.#usage = `"usageMetadata":${JSON.stringify(writeUsage(event.usage))},`
        return ''
      case 'ping':
        return stream.ping
      case 'end':
        return this.#chunk('{"text":""}', oneLine(JSON.stringify(this.#parts.tail(event)).slice(1, -1)))
      default: {
        const part = this.#parts.take(event)
        return part === undefined ? '' : this.#chunk(oneLine(JSON.stringify(part)), '"index":0')
      }
    }
  }

  #chunk(part: string, tail: string): string {
    const content = `{"parts":[${part}],"role":"model"}`
    return `data: {"candidates":[{"content":${content},${tail}}],${this.#usage}${this.#names}}\n\n`
  }
}

/** Chunks are few and each has the usage so far: every one is parsed. */
class StreamMeter implements Meter {
  begun = false
  complete = false
  failure: Failure | undefined
  usage: Usage = { ...noUsage }
  model: string | undefined
  readonly drop = false

  event(_name: string, data: string): void {
    const chunk = objectIn(data)
    if (errorIn(chunk) !== undefined) {
      this.failure ??= failureIn(objectOf(errorIn(parseJson(utf8(data)))), 'google')
      return
    }
    this.usage = readUsage(chunk['usageMetadata']) ?? this.usage
    this.model = textOf(chunk['modelVersion']) ?? this.model
    const candidates = listOf(chunk['candidates']).map(objectOf)
    const blocked = objectOf(chunk['promptFeedback'])['blockReason'] !== undefined
    this.complete ||= blocked || candidates.some((candidate) => candidate['finishReason'] !== undefined)
    this.begun ||= this.complete || candidates.some((one) => listOf(objectOf(one['content'])['parts']).length > 0)
  }
}

function objectIn(data: string): JsonObject {
  const json = parseJson(data)
  if (isObject(json)) return json
  const error = errorIn(json)
  if (error !== undefined) return { error }
  throw new Failure('vendor-unreadable', 'The vendor sent an event that is no JSON object.')
}

/** Google's Python client reads with httpx, which takes these for line ends; Google's own JSON escapes them. */
function oneLine(json: string): string {
  return json.replace(/[\u0085\u2028\u2029]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function names(model: string, id: string): string {
  return `"modelVersion":${JSON.stringify(model)},"responseId":${JSON.stringify(id)}`
}
