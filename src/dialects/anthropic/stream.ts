import type { Dialect, Emit, EventReader, EventWriter, ReplyContext } from '../../core/dialect.ts'
import { noUsage, type ReplyEvent, type Usage } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, objectOf, parseJson, textOf, type JsonObject } from '../../core/json.ts'
import { eachEvent } from '../../core/sse.ts'
import { errorIn, isError } from './failure.ts'
import { MessagesMeter } from './meter.ts'
import { BlockReader } from './read-blocks.ts'
import { readEnd, readStart, writeMessage } from './reply.ts'
import { readUsage, writeDeltaUsage, writeEnd, writeUsage } from './usage.ts'
import { BlockWriter, thoughtsAsked, type Block, type BlockSink, type DeltaType } from './write-blocks.ts'

/** Byte for byte what Anthropic sends. */
const ping = 'event: ping\ndata: {"type": "ping"}\n\n'

/** Streamed replies of the Messages API. */
export const stream: Dialect['stream'] = {
  reader: (vendor) => new MessagesReader(vendor),
  writer: (context) => new MessagesWriter(context),
  meter: () => new MessagesMeter(),
  ping,
}

class MessagesReader implements EventReader {
  readonly #vendor: string
  readonly #blocks: BlockReader
  #started = false
  #ended = false
  #usage: Usage = noUsage
  #end: JsonObject = {}

  constructor(vendor: string) {
    this.#vendor = vendor
    this.#blocks = new BlockReader(vendor)
  }

  read(name: string, data: string, emit: Emit): void {
    if (this.#ended) return
    const json = parseJson(data)
    if (!isObject(json)) throw this.#unreadable('an event that is not a JSON object')
    this.#event(textOf(json.type) ?? name, json, emit)
  }

  end(rest: string, emit: Emit): void {
    // A last event without its blank line counts if it is whole; half an event is a cut.
    eachEvent(rest, (name, data) => {
      if (isObject(parseJson(data))) this.read(name, data, emit)
    })
  }

  #event(type: string, json: JsonObject, emit: Emit): void {
    switch (type) {
      case 'message_start':
        this.#start(objectOf(json.message), emit)
        return
      case 'content_block_start':
        this.#demandStart(type)
        this.#blocks.start(objectOf(json.content_block), emit)
        return
      case 'content_block_delta':
        this.#demandStart(type)
        this.#blocks.delta(objectOf(json.delta), emit)
        return
      case 'content_block_stop':
        this.#blocks.stop(emit)
        return
      case 'message_delta': {
        this.#demandStart(type)
        const delta = objectOf(json.delta)
        // There may be several; the one that names a reason counts.
        if (textOf(delta.stop_reason) !== undefined) this.#end = delta
        this.#count(json, emit)
        return
      }
      case 'message_stop':
        this.#demandStart(type)
        this.#ended = true
        this.#blocks.stop(emit)
        emit(readEnd(this.#end))
        return
      case 'ping':
        emit({ type: 'ping' })
        return
      default:
        if (isError(json)) {
          this.#ended = true
          emit({ type: 'failure', failure: errorIn(json, this.#vendor) })
        }
    }
  }

  /** A reply that Anthropic continues on a second model has a second `message_start`: its counters go on. */
  #start(message: JsonObject, emit: Emit): void {
    if (!this.#started) emit(readStart(message))
    this.#started = true
    this.#count(message, emit)
  }

  #count(json: JsonObject, emit: Emit): void {
    this.#blocks.stop(emit)
    this.#usage = readUsage(this.#usage, objectOf(json.usage))
    emit({ type: 'usage', usage: this.#usage })
  }

  #demandStart(type: string): void {
    if (!this.#started) throw this.#unreadable(`${type} before message_start`)
  }

  #unreadable(what: string): Failure {
    return new Failure('vendor-unreadable', `The vendor's stream holds ${what}.`, { vendor: this.#vendor })
  }
}

class MessagesWriter implements EventWriter, BlockSink {
  readonly #context: ReplyContext
  readonly #blocks: BlockWriter
  #model = ''
  #usage: Usage = noUsage
  #begun = false
  #index = -1
  #out = ''

  constructor(context: ReplyContext) {
    this.#blocks = new BlockWriter(this, thoughtsAsked(context.request))
    // A stream may be open for long: the request is not kept for it.
    this.#context = { ...context, request: {} }
  }

  write(event: ReplyEvent): string {
    switch (event.type) {
      case 'start':
        this.#model = event.model
        return ''
      case 'usage':
        this.#usage = event.usage
        return ''
      case 'ping':
        return ping
      case 'end':
        this.#begin()
        this.#blocks.close()
        this.#finish(event)
        break
      default:
        this.#blocks.write(event)
    }
    const out = this.#out
    this.#out = ''
    return out
  }

  open(block: Block): void {
    this.#begin()
    this.#index += 1
    this.#send('content_block_start', `"index":${this.#index},"content_block":${JSON.stringify(blockStart(block))}`)
  }

  delta(type: DeltaType, text: string): void {
    this.#send('content_block_delta', `"index":${this.#index},"delta":${deltaStart[type]}${JSON.stringify(text)}}`)
  }

  close(): void {
    this.#send('content_block_stop', `"index":${this.#index}`)
  }

  /** Held back until there is content, since some vendors give their input tokens right after the start. */
  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    const message = writeMessage(this.#context, {
      model: this.#model,
      content: [],
      end: writeEnd(undefined),
      usage: writeUsage(this.#usage),
    })
    this.#send('message_start', `"message":${JSON.stringify(message)}`)
  }

  #finish(end: Extract<ReplyEvent, { type: 'end' }>): void {
    const delta = { ...writeEnd(end), container: null }
    const usage = writeDeltaUsage(this.#usage)
    this.#send('message_delta', `"delta":${JSON.stringify(delta)},"usage":${JSON.stringify(usage)}`)
    this.#out += 'event: message_stop\ndata: {"type":"message_stop"}\n\n'
  }

  #send(type: string, fields: string): void {
    this.#out += `event: ${type}\ndata: {"type":"${type}",${fields}}\n\n`
  }
}

const deltaStart: Readonly<Record<DeltaType, string>> = {
  text: '{"type":"text_delta","text":',
  thinking: '{"type":"thinking_delta","thinking":',
  signature: '{"type":"signature_delta","signature":',
  json: '{"type":"input_json_delta","partial_json":',
}

function blockStart(block: Block): JsonObject {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: '', citations: null }
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' }
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: {}, caller: { type: 'direct' } }
    default:
      return { type: 'redacted_thinking', data: block.data }
  }
}
