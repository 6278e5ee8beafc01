import type { EventWriter, ReplyContext } from '../../core/dialect.ts'
import { noUsage, type ReplyEvent, type Usage } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import type { OpaqueState } from '../../core/prompt.ts'
import { ContentPart } from './content-part.ts'
import { responseObject } from './response-object.ts'
import { encrypted } from './state.ts'
import { writeUsage } from './usage.ts'

/** Sent while nothing else is: one newline only, since a blank line would end an empty event. */
export const ping = ': keep-alive\n'

interface Place {
  id: string
  index: number
  /** `"item_id":…,"output_index":…`, as every event of the item has it. */
  fields: string
}
type OpenItem =
  | (Place & { type: 'message'; content: JsonObject[]; part: ContentPart | undefined })
  | (Place & { type: 'reasoning'; text: string })
  | (Place & { type: 'call'; callId: string; name: string; json: string })

/** The opening of an item's id, as the API's own. */
const prefixes = { message: 'msg', reasoning: 'rs', call: 'fc' } as const

/** Writes a reply's events as the API's, numbered without a gap, and builds the response that the last one carries. */
export class ReplyWriter implements EventWriter {
  readonly #context: ReplyContext
  readonly #output: JsonObject[] = []
  #response: JsonObject
  #item: OpenItem | undefined
  #items = 0
  #sequence = 0
  #usage: Usage = noUsage
  #refused = false
  #out = ''

  constructor(context: ReplyContext) {
    this.#context = context
    this.#response = responseObject(context, context.model)
  }

  /** The response so far; complete after `end`. */
  get response(): JsonObject {
    return this.#response
  }

  write(event: ReplyEvent): string {
    this.#out = ''
    this.#take(event)
    return this.#out
  }

  #take(event: ReplyEvent): void {
    switch (event.type) {
      case 'start':
        this.#response = responseObject(this.#context, event.model)
        this.#lifecycle('response.created')
        this.#lifecycle('response.in_progress')
        return
      case 'text':
      case 'refusal':
        this.#refused ||= event.type === 'refusal'
        this.#text(event.type, event.text)
        return
      case 'citation':
        this.#send('response.output_text.annotation.added', this.#part('text').annotation(event))
        return
      case 'thinking':
        this.#thinking(event.text)
        return
      case 'thinking-end':
        this.#thinkingEnd(event.state, event.redacted === true)
        return
      case 'tool-start':
        this.#close()
        if (event.state !== undefined) this.#thinkingEnd(event.state, false)
        this.#openCall(event.id, event.name)
        return
      case 'tool-delta':
        this.#arguments(event.json)
        return
      case 'tool-end':
        this.#close()
        return
      case 'usage':
        this.#usage = event.usage
        return
      case 'end':
        this.#end(event)
        return
      case 'ping':
        this.#out = ping
        return
      case 'failure':
        return
      default:
        event satisfies never
    }
  }

  #text(kind: 'text' | 'refusal', text: string): void {
    if (text === '') return
    const part = this.#part(kind)
    this.#send(part.deltaEvent, part.delta(text))
  }

  /** The open part of the open message, if it is of this kind; opens what is missing. */
  #part(kind: 'text' | 'refusal'): ContentPart {
    if (this.#item?.type !== 'message')
      this.#open({ type: 'message', content: [], part: undefined, ...this.#place('message') })
    const item = this.#item as Extract<OpenItem, { type: 'message' }>
    if (item.part?.kind === kind) return item.part
    this.#closePart(item)
    item.part = new ContentPart(kind, `${item.fields},"content_index":${item.content.length}`)
    this.#send('response.content_part.added', `${item.part.fields},"part":${JSON.stringify(item.part.json)}`)
    return item.part
  }

  #closePart(item: Extract<OpenItem, { type: 'message' }>): void {
    const { part } = item
    if (part === undefined) return
    this.#send(part.doneEvent, part.done())
    this.#send('response.content_part.done', `${part.fields},"part":${JSON.stringify(part.json)}`)
    item.content.push(part.json)
    item.part = undefined
  }

  #thinking(text: string): void {
    if (text === '') return
    if (this.#item?.type !== 'reasoning') {
      this.#open({ type: 'reasoning', text: '', ...this.#place('reasoning') })
      const part = '"part":{"type":"summary_text","text":""}'
      this.#send('response.reasoning_summary_part.added', `${this.#summaryFields()},${part}`)
    }
    const item = this.#item as Extract<OpenItem, { type: 'reasoning' }>
    item.text += text
    this.#send('response.reasoning_summary_text.delta', `${this.#summaryFields()},"delta":${JSON.stringify(text)}`)
  }

  #summaryFields(): string {
    return `${this.#item?.fields},"summary_index":0`
  }

  #thinkingEnd(state: OpaqueState | undefined, redacted: boolean): void {
    const proof = state === undefined || state.data === '' ? undefined : state
    if (this.#item?.type === 'reasoning') {
      this.#closeReasoning(this.#item, proof, redacted)
    } else if (proof !== undefined) {
      // An own state that comes alone keeps its own id, which OpenAI checks.
      const id = proof.vendor === 'openai' ? proof.id : undefined
      this.#open({ type: 'reasoning', text: '', ...this.#place('reasoning', id) })
      this.#closeReasoning(this.#item as unknown as Extract<OpenItem, { type: 'reasoning' }>, proof, redacted)
    }
  }

  #closeReasoning(
    item: Extract<OpenItem, { type: 'reasoning' }>,
    state: OpaqueState | undefined,
    redacted: boolean,
  ): void {
    const { text } = item
    if (text !== '') {
      const json = JSON.stringify(text)
      const fields = this.#summaryFields()
      this.#send('response.reasoning_summary_text.done', `${fields},"text":${json}`)
      this.#send('response.reasoning_summary_part.done', `${fields},"part":{"type":"summary_text","text":${json}}`)
    }
    const whole: JsonObject = {
      id: item.id,
      type: 'reasoning',
      summary: text === '' ? [] : [{ type: 'summary_text', text }],
    }
    if (state !== undefined) whole['encrypted_content'] = encrypted(state, item.id, redacted)
    this.#finish(item, whole)
  }

  #openCall(callId: string, name: string): void {
    this.#open({ type: 'call', callId, name, json: '', ...this.#place('call') })
  }

  #arguments(json: string): void {
    if (this.#item?.type !== 'call' || json === '') return
    this.#item.json += json
    this.#send('response.function_call_arguments.delta', `${this.#item.fields},"delta":${JSON.stringify(json)}`)
  }

  #place(type: OpenItem['type'], own?: string): Place {
    const index = this.#items
    const id = own ?? `${prefixes[type]}_${this.#context.id}${String(index).padStart(2, '0')}`
    return { id, index, fields: `"item_id":${JSON.stringify(id)},"output_index":${index}` }
  }

  #open(item: OpenItem): void {
    this.#close()
    this.#items += 1
    this.#item = item
    const json = JSON.stringify(itemObject(item, 'in_progress'))
    this.#send('response.output_item.added', `"output_index":${item.index},"item":${json}`)
  }

  #close(status: 'completed' | 'incomplete' = 'completed'): void {
    const item = this.#item
    switch (item?.type) {
      case 'message':
        this.#closePart(item)
        this.#finish(item, itemObject(item, status))
        return
      case 'reasoning':
        this.#closeReasoning(item, undefined, false)
        return
      case 'call': {
        if (item.json === '') item.json = '{}'
        const fields = `${item.fields},"name":${JSON.stringify(item.name)},"arguments":${JSON.stringify(item.json)}`
        this.#send('response.function_call_arguments.done', fields)
        this.#finish(item, itemObject(item, status))
        return
      }
      default:
    }
  }

  #finish(item: OpenItem, json: JsonObject): void {
    this.#item = undefined
    this.#output.push(json)
    this.#send('response.output_item.done', `"output_index":${item.index},"item":${JSON.stringify(json)}`)
  }

  #end(event: Extract<ReplyEvent, { type: 'end' }>): void {
    // A model that declines in words of its own has completed its answer.
    const declined = event.reason === 'refusal' && this.#refused
    const reason = declined ? undefined : incompleteReason(event.reason)
    const status = reason === undefined ? 'completed' : 'incomplete'
    this.#close(status)
    Object.assign(this.#response, {
      status,
      incomplete_details: reason === undefined ? null : { reason },
      output: this.#output,
      usage: writeUsage(this.#usage),
    })
    this.#lifecycle(`response.${status}`)
  }

  #lifecycle(type: string): void {
    this.#send(type, `"response":${JSON.stringify(this.#response)}`)
  }

  #send(type: string, fields: string): void {
    this.#out += `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.#sequence},${fields}}\n\n`
    this.#sequence += 1
  }
}

function itemObject(item: OpenItem, status: string): JsonObject {
  const { id } = item
  switch (item.type) {
    case 'message':
      return { id, type: 'message', status, content: item.content, role: 'assistant' }
    case 'reasoning':
      return { id, type: 'reasoning', summary: [] }
    case 'call':
      return { id, type: 'function_call', status, arguments: item.json, call_id: item.callId, name: item.name }
    default:
      return item satisfies never
  }
}

function incompleteReason(reason: string): string | undefined {
  if (reason === 'length' || reason === 'window') return 'max_output_tokens'
  return reason === 'refusal' ? 'content_filter' : undefined
}
