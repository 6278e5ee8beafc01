import type { Emit, EventReader, EventWriter, ReplyContext } from '../../core/dialect.ts'
import { noUsage, type ReplyEvent, type Usage } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, objectOf, parseJson, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { eachEvent } from '../../core/sse.ts'
import { isOpenaiError, openaiEventFailure } from '../openai-failure.ts'
import { TextSpans } from './annotations.ts'
import { MessageEvents } from './message-events.ts'
import { writeDetail } from './reasoning.ts'
import { brokenOff, extraContent, finishReason, firstChoice } from './reply.ts'
import { readUsage, writeUsage } from './usage.ts'

/** ONE line end: a blank line would make openai-go and openai-python dispatch an empty event. */
export const ping = ': keep-alive\n'

/** Reads the chunks of OpenAI, xAI and DeepSeek. */
export function reader(vendor: string): EventReader {
  return new ChunkReader(vendor)
}

class ChunkReader implements EventReader {
  readonly #vendor: string
  #message: MessageEvents | undefined
  #finish: string | undefined
  #usage: Usage | undefined
  #usageTold = false
  /** [DONE] or an error came: nothing after it counts. */
  #done = false

  constructor(vendor: string) {
    this.#vendor = vendor
  }

  read(name: string, data: string, emit: Emit): void {
    if (this.#done) return
    if (data === '[DONE]') {
      this.#complete(emit)
      return
    }
    const json = parseJson(data)
    const chunk = Array.isArray(json) ? json[0] : json
    if (!isObject(chunk)) throw new Failure('vendor-unreadable', 'The vendor sent a chunk that is no JSON object.')
    if (name === 'error' || isOpenaiError(chunk)) this.#fail(openaiEventFailure(chunk, this.#vendor), emit)
    else this.#chunk(chunk, emit)
  }

  end(rest: string, emit: Emit): void {
    const text = rest.trim()
    if (this.#done || text === '') return
    const json = parseJson(text)
    // A bare error body, as Gemini ends a failing stream.
    const error = objectOf(Array.isArray(json) ? json[0] : json)
    if (isOpenaiError(error)) {
      this.#fail(openaiEventFailure(error, this.#vendor), emit)
      return
    }
    // A last event without its blank line counts; half an event is a cut.
    eachEvent(rest, (name, data) => {
      if (data === '[DONE]' || parseJson(data) !== undefined) this.read(name, data, emit)
    })
  }

  #chunk(chunk: JsonObject, emit: Emit): void {
    const choice = firstChoice(chunk)
    if (this.#message === undefined && Array.isArray(chunk['choices'])) this.#start(chunk, emit)
    if (isObject(chunk['usage'])) {
      this.#usage = readUsage(chunk['usage'])
      this.#usageTold = false
    }
    if (choice !== undefined) {
      this.#message?.delta(objectOf(choice['delta']), emit)
      const finish = textOf(choice['finish_reason'])
      if (finish !== undefined && finish !== '') this.#finished(finish, emit)
    }
    // Not before the finish: it might stand inside a tool call or a run of thinking.
    if (this.#finish !== undefined && !this.#done) this.#tellUsage(emit)
  }

  #start(chunk: JsonObject, emit: Emit): void {
    const id = textOf(chunk['id'])
    this.#message = new MessageEvents(this.#vendor, id ?? '')
    emit({ type: 'start', model: textOf(chunk['model']) ?? '', ...(id !== undefined && { id }) })
  }

  #finished(finish: string, emit: Emit): void {
    this.#message?.finish(emit)
    this.#finish = finish
    if (this.#message?.endReason(finish) === undefined) this.#fail(brokenOff(this.#vendor), emit)
  }

  #tellUsage(emit: Emit): void {
    if (this.#usage === undefined || this.#usageTold) return
    this.#usageTold = true
    emit({ type: 'usage', usage: this.#usage })
  }

  /** [DONE] without a finish reason is no end: the vendor gave up half-way. */
  #complete(emit: Emit): void {
    this.#done = true
    const reason = this.#finish === undefined ? undefined : this.#message?.endReason(this.#finish)
    if (reason === undefined) return
    // Closes what was said after the finish reason.
    this.#message?.finish(emit)
    this.#usage ??= { ...noUsage }
    this.#tellUsage(emit)
    emit({ type: 'end', reason })
  }

  #fail(failure: Failure, emit: Emit): void {
    this.#done = true
    emit({ type: 'failure', failure })
  }
}

/** Writes chunks as OpenAI frames them, and `[DONE]` only after a true end. */
export function writer(context: ReplyContext): EventWriter {
  return new ChunkWriter(context)
}

class ChunkWriter implements EventWriter {
  readonly #context: ReplyContext
  readonly #tail: string
  /** What stands before the choices of every chunk. */
  #head: string
  readonly #spans = new TextSpans()
  #usage: Readonly<Usage> = noUsage
  #thought = ''
  #detailsWritten = 0
  /** Details of neighbouring runs go out in one chunk: openai-node's stream helper keeps only the last list it sees. */
  #details: JsonObject[] = []
  /** The place of the open call among the tool calls, which is all that OpenAI's index counts. */
  #call = -1
  #argued = false
  #refused = false

  constructor(context: ReplyContext) {
    // A stream may be open for long: the request is not kept for it.
    this.#context = { ...context, request: {} }
    this.#tail = context.streamUsage ? ',"usage":null}\n\n' : '}\n\n'
    this.#head = this.#headOf(context.model)
  }

  write(event: ReplyEvent): string {
    if (event.type === 'thinking-end') {
      this.#thinkingEnd(event)
      return ''
    }
    return this.#details.length === 0 ? this.#event(event) : this.#writeDetails() + this.#event(event)
  }

  #event(event: Exclude<ReplyEvent, { type: 'thinking-end' }>): string {
    switch (event.type) {
      case 'start':
        this.#head = this.#headOf(event.model || this.#context.model)
        return this.#delta('{"role":"assistant","content":"","refusal":null}')
      case 'text':
        if (event.text === '') return ''
        this.#spans.text(event.text)
        return this.#delta(`{"content":${JSON.stringify(event.text)}}`)
      case 'refusal':
        this.#refused = true
        return this.#delta(`{"refusal":${JSON.stringify(event.text)}}`)
      case 'thinking':
        if (event.text === '') return ''
        this.#thought += event.text
        return this.#delta(`{"reasoning_content":${JSON.stringify(event.text)}}`)
      case 'tool-start':
        return this.#toolStart(event)
      case 'tool-delta':
        if (event.json === '') return ''
        this.#argued = true
        return this.#arguments(event.json)
      case 'tool-end':
        return this.#argued ? '' : this.#arguments('{}')
      case 'citation':
        return this.#delta(JSON.stringify({ annotations: [this.#spans.annotation(event)] }))
      case 'usage':
        this.#usage = event.usage
        return ''
      case 'end':
        return this.#end(event)
      case 'ping':
        return ping
      default:
        // A failure is never written here.
        return ''
    }
  }

  #headOf(model: string): string {
    const { id, createdMs } = this.#context
    const created = Math.floor(createdMs / 1000)
    return `data: {"id":"chatcmpl-${id}","object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)},"choices":[`
  }

  #delta(delta: string, finish = 'null'): string {
    return `${this.#head}{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]${this.#tail}`
  }

  #thinkingEnd(event: Extract<ReplyEvent, { type: 'thinking-end' }>): void {
    const detail = writeDetail({ ...event, text: this.#thought }, this.#detailsWritten)
    this.#thought = ''
    if (detail === undefined) return
    this.#detailsWritten += 1
    this.#details.push(detail)
  }

  #writeDetails(): string {
    const details = this.#details
    this.#details = []
    return this.#delta(JSON.stringify({ reasoning_details: details }))
  }

  #toolStart(event: Extract<ReplyEvent, { type: 'tool-start' }>): string {
    this.#call += 1
    this.#argued = false
    const extra = extraContent(event)
    const call: Json = {
      index: this.#call,
      id: event.id,
      type: 'function',
      function: { name: event.name, arguments: '' },
      ...(extra !== undefined && { extra_content: extra }),
    }
    return this.#delta(JSON.stringify({ tool_calls: [call] }))
  }

  #arguments(json: string): string {
    return this.#delta(`{"tool_calls":[{"index":${this.#call},"function":{"arguments":${JSON.stringify(json)}}}]}`)
  }

  #end(event: Extract<ReplyEvent, { type: 'end' }>): string {
    const { reason, explanation } = event
    const told = reason === 'refusal' && !this.#refused && explanation !== undefined && explanation !== ''
    const refusal = told ? this.#delta(`{"refusal":${JSON.stringify(explanation)}}`) : ''
    const finish = this.#delta('{}', `"${finishReason(reason, this.#refused)}"`)
    const usage = this.#context.streamUsage
      ? `${this.#head}],"usage":${JSON.stringify(writeUsage(this.#usage))}}\n\n`
      : ''
    return `${refusal}${finish}${usage}data: [DONE]\n\n`
  }
}
