import type { Emit } from '../../core/dialect.ts'
import type { EndReason, ReplyEvent } from '../../core/event.ts'
import { listOf, numberOf, objectOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import type { OpaqueState } from '../../core/prompt.ts'
import { readFailure } from './failure.ts'
import { readUsage } from './usage.ts'

type ItemType = 'message' | 'reasoning' | 'function_call'

/** An output item that is not yet whole. */
interface OpenItem {
  type: ItemType
  id: string | undefined
  /** What came while an earlier item was still open. */
  held: ReplyEvent[]
  done: boolean
  /** Characters (annotations) already given, by the part they belong to. */
  given: Map<string, number>
  /** Reasoning: the part of the last delta, and whether summaries or the thoughts themselves are read. */
  part?: number
  source?: 'summary' | 'content'
  started?: true
}

/**
 * Turns the API's events into the core's. A whole reply goes the same way, as items that are done at once: what a
 * finished item holds beyond its deltas is given then, so both ways come out the same.
 */
export class ReplyReader {
  readonly #vendor: string
  /** Items in the order they opened: the first gives its events at once, the others hold theirs. */
  readonly #open = new Map<number, OpenItem>()
  readonly #done = new Set<number>()
  #started = false
  #called = false
  #refused = false
  #over = false

  constructor(vendor: string) {
    this.#vendor = vendor
  }

  take(type: string, json: JsonObject, emit: Emit): void {
    if (this.#over) return
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        this.#start(objectOf(json['response']), emit)
        return
      case 'response.completed':
      case 'response.incomplete':
        this.#end(objectOf(json['response']), type === 'response.incomplete', emit)
        return
      case 'response.failed':
      case 'response.cancelled':
      case 'error':
        this.#over = true
        emit({ type: 'failure', failure: readFailure(json, this.#vendor) })
        return
      case 'keepalive':
        emit({ type: 'ping' })
        return
      default:
        this.#itemEvent(type, json, emit)
    }
  }

  #itemEvent(type: string, json: JsonObject, emit: Emit): void {
    const index = numberOf(json['output_index']) ?? 0
    const delta = textOf(json['delta']) ?? ''
    const content = numberOf(json['content_index']) ?? 0
    switch (type) {
      case 'response.output_item.added':
        this.#added(index, objectOf(json['item']), emit)
        return
      case 'response.output_item.done':
        this.#finish(index, objectOf(json['item']), emit)
        return
      case 'response.output_text.delta':
        this.#delta(index, 'message', `text ${content}`, { type: 'text', text: delta }, delta.length, emit)
        return
      case 'response.refusal.delta':
        this.#delta(index, 'message', `text ${content}`, { type: 'refusal', text: delta }, delta.length, emit)
        return
      case 'response.output_text.annotation.added': {
        const event = citation(json['annotation'])
        if (event !== undefined) this.#delta(index, 'message', `notes ${content}`, event, 1, emit)
        return
      }
      case 'response.reasoning_summary_text.delta':
        this.#thought(index, 'summary', numberOf(json['summary_index']) ?? 0, delta, emit)
        return
      case 'response.reasoning_text.delta':
        this.#thought(index, 'content', content, delta, emit)
        return
      case 'response.function_call_arguments.delta':
        // Without its `added` event the call has no name yet: then all of it comes when it is done.
        if (this.#open.get(index)?.started === true) {
          this.#delta(index, 'function_call', 'json', { type: 'tool-delta', json: delta }, delta.length, emit)
        }
        return
      default:
      // Hosted tools' progress, the `done` events that repeat what came, and whatever is added one day.
    }
  }

  #start(response: JsonObject, emit: Emit): void {
    if (this.#started) return
    this.#started = true
    const id = textOf(response['id'])
    emit({ type: 'start', model: textOf(response['model']) ?? '', ...(id !== undefined && { id }) })
  }

  /** The open item at `index`; undefined for what is over or not ours (hosted tools). */
  #item(index: number, type: string | undefined, emit: Emit): OpenItem | undefined {
    const known = this.#open.get(index)
    if (known !== undefined || this.#done.has(index)) return known
    if (type !== 'message' && type !== 'reasoning' && type !== 'function_call') return undefined
    this.#start({}, emit)
    const item: OpenItem = { type, id: undefined, held: [], done: false, given: new Map() }
    this.#open.set(index, item)
    return item
  }

  #give(item: OpenItem, event: ReplyEvent, emit: Emit): void {
    const [first] = this.#open.values()
    if (item === first) emit(event)
    else item.held.push(event)
  }

  #added(index: number, json: JsonObject, emit: Emit): void {
    const item = this.#item(index, textOf(json['type']), emit)
    if (item === undefined) return
    item.id = textOf(json['id'])
    if (item.type === 'function_call') this.#call(item, json, emit)
  }

  #call(item: OpenItem, json: JsonObject, emit: Emit): void {
    if (item.started === true) return
    item.started = true
    this.#called = true
    const id = textOf(json['call_id']) ?? textOf(json['id']) ?? ''
    this.#give(item, { type: 'tool-start', id, name: textOf(json['name']) ?? '' }, emit)
  }

  #delta(index: number, type: ItemType, part: string, event: ReplyEvent, length: number, emit: Emit): void {
    const item = this.#item(index, type, emit)
    if (item === undefined || item.type !== type || length === 0) return
    item.given.set(part, (item.given.get(part) ?? 0) + length)
    if (event.type === 'refusal') this.#refused = true
    this.#give(item, event, emit)
  }

  #thought(index: number, source: 'summary' | 'content', part: number, delta: string, emit: Emit): void {
    const item = this.#item(index, 'reasoning', emit)
    if (item === undefined || delta === '' || (item.source ?? source) !== source) return
    item.source = source
    const text = item.part !== undefined && item.part !== part ? `\n\n${delta}` : delta
    item.part = part
    this.#delta(index, 'reasoning', 'text', { type: 'thinking', text }, text.length, emit)
  }

  /** The item is whole: gives what its deltas did not, and its end. */
  #finish(index: number, json: JsonObject, emit: Emit): void {
    const item = this.#item(index, textOf(json['type']), emit)
    this.#done.add(index)
    if (item === undefined) return
    switch (item.type) {
      case 'message':
        this.#finishMessage(index, json, emit)
        break
      case 'reasoning':
        this.#finishReasoning(index, item, json, emit)
        break
      case 'function_call': {
        this.#call(item, json, emit)
        const rest = restOf(item, 'json', textOf(json['arguments']) ?? '')
        this.#delta(index, 'function_call', 'json', { type: 'tool-delta', json: rest }, rest.length, emit)
        this.#give(item, { type: 'tool-end' }, emit)
        break
      }
      default:
        item.type satisfies never
    }
    item.done = true
    this.#settle(emit)
  }

  #finishMessage(index: number, json: JsonObject, emit: Emit): void {
    listOf(json['content']).forEach((value, at) => {
      const part = objectOf(value)
      const item = this.#open.get(index)
      if (item === undefined) return
      const type = part['type'] === 'refusal' ? 'refusal' : 'text'
      const text = restOf(item, `text ${at}`, textOf(part[type]) ?? '')
      this.#delta(index, 'message', `text ${at}`, { type, text }, text.length, emit)
      const notes = listOf(part['annotations']).flatMap((note) => citation(note) ?? [])
      for (const event of notes.slice(item.given.get(`notes ${at}`) ?? 0)) this.#give(item, event, emit)
    })
  }

  #finishReasoning(index: number, item: OpenItem, json: JsonObject, emit: Emit): void {
    const whole = (item.source !== 'content' && partsText(json['summary'])) || partsText(json['content'])
    const text = restOf(item, 'text', whole)
    this.#delta(index, 'reasoning', 'text', { type: 'thinking', text }, text.length, emit)
    const state: OpaqueState = { vendor: this.#vendor, data: textOf(json['encrypted_content']) ?? '' }
    // Neither shown nor given back: nothing to tell.
    if (state.data === '' && !item.given.has('text')) return
    const id = textOf(json['id']) ?? item.id
    if (id !== undefined) state.id = id
    this.#give(item, { type: 'thinking-end', state }, emit)
  }

  /** Lets go of the items that are done, in their order, and gives what the next one held. */
  #settle(emit: Emit): void {
    for (const [index, item] of this.#open) {
      for (const event of item.held) emit(event)
      item.held = []
      if (!item.done) return
      this.#open.delete(index)
    }
  }

  #end(response: JsonObject, incomplete: boolean, emit: Emit): void {
    this.#start(response, emit)
    const output = listOf(response['output'])
    if (this.#open.size === 0 && this.#done.size === 0) {
      output.forEach((item, index) => this.#finish(index, objectOf(item), emit))
    }
    // Items whose own end did not come.
    for (const [index, item] of this.#open) {
      const whole = objectOf(output[index])
      this.#finish(index, whole['type'] === item.type ? whole : {}, emit)
    }
    this.#over = true
    emit({ type: 'usage', usage: readUsage(response['usage']) })
    emit({ type: 'end', reason: this.#reason(response, incomplete) })
  }

  #reason(response: JsonObject, incomplete: boolean): EndReason {
    if (incomplete) {
      const reason = objectOf(response['incomplete_details'])['reason']
      return reason === 'content_filter' ? 'refusal' : 'length'
    }
    if (this.#called) return 'tool'
    return this.#refused ? 'refusal' : 'end'
  }
}

function restOf(item: OpenItem, part: string, whole: string): string {
  return whole.slice(item.given.get(part) ?? 0)
}

function partsText(parts: Json | undefined): string {
  return listOf(parts)
    .map((part) => textOf(objectOf(part)['text']) ?? '')
    .filter((text) => text !== '')
    .join('\n\n')
}

function citation(json: Json | undefined): ReplyEvent | undefined {
  const note = objectOf(json)
  const url = textOf(note['url'])
  if (note['type'] !== 'url_citation' || url === undefined) return undefined
  const title = textOf(note['title'])
  return { type: 'citation', url, ...(title !== undefined && title !== '' && { title }) }
}
