import type { Emit } from '../../core/dialect.ts'
import type { EndReason } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, listOf, numberOf, objectOf, parseJson, textOf, type JsonObject } from '../../core/json.ts'
import type { OpaqueState } from '../../core/prompt.ts'
import { readCitations } from './annotations.ts'
import { readDetail, readThoughts, type Thought } from './reasoning.ts'

interface Call {
  index: number | undefined
  id: string
  name: string
  json: string
  state: OpaqueState | undefined
  closed: boolean
}

/**
 * One assistant message as events, from its deltas or at once. Vendors may write several tool calls at the same time
 * and talk in between; the core's events never interleave, so what comes out of turn waits here.
 */
export class MessageEvents {
  readonly #vendor: string
  readonly #idPrefix: string
  #thinking = false
  /** Calls in the order of their first sign; those before `#open` are closed, those after it wait. */
  #calls: Call[] = []
  #open: Call | undefined
  /** What was said while a call was open whose arguments were not yet whole. */
  #held: JsonObject[] = []
  #refused = false

  /** `replyId` makes ids for the calls of vendors that give none. */
  constructor(vendor: string, replyId: string) {
    this.#vendor = vendor
    this.#idPrefix = `call_${replyId.replaceAll(/[^\w]/g, '').slice(-24)}_`
  }

  /** The next delta of a stream. */
  delta(delta: JsonObject, emit: Emit): void {
    if (says(delta)) {
      if (this.#open !== undefined && this.#calls.every((call) => call.closed || isWhole(call.json)))
        this.#closeCalls(emit)
      if (this.#open === undefined) this.#speak(delta, emit)
      else this.#held.push(delta)
    }
    for (const call of listOf(delta['tool_calls'])) this.#call(objectOf(call), undefined, emit)
  }

  /** All of a message that came whole. */
  whole(message: JsonObject, emit: Emit): void {
    for (const thought of readThoughts(message)) this.#thought(thought, emit)
    this.#say(message, emit)
    listOf(message['tool_calls']).forEach((call, position) => this.#call(objectOf(call), position, emit))
    this.finish(emit)
  }

  /** Closes what is open. */
  finish(emit: Emit): void {
    this.#closeCalls(emit)
    this.#closeThinking(emit)
  }

  /** Why it ended; undefined where OpenAI's word for it means a failure. */
  endReason(finish: string): EndReason | undefined {
    switch (finish) {
      case 'length':
        return 'length'
      case 'content_filter':
        return 'refusal'
      case 'insufficient_system_resource': // DeepSeek
      case 'error': // OpenRouter and others that pass a vendor's failure on
        return undefined
      default:
        // OpenAI says `stop` for a call of the one function that tool_choice named.
        if (this.#calls.length > 0) return 'tool'
        return this.#refused ? 'refusal' : 'end'
    }
  }

  #speak(delta: JsonObject, emit: Emit): void {
    const thinking = textOf(delta['reasoning_content'])
    if (thinking !== undefined && thinking !== '') this.#think(thinking, emit)
    for (const detail of listOf(delta['reasoning_details'])) {
      const thought = readDetail(detail)
      if (thought !== undefined) this.#detail(thought, emit)
    }
    this.#say(delta, emit)
  }

  #say(message: JsonObject, emit: Emit): void {
    const text = textOf(message['content'])
    if (text !== undefined && text !== '') {
      this.#closeThinking(emit)
      emit({ type: 'text', text })
    }
    const refusal = textOf(message['refusal'])
    if (refusal !== undefined && refusal !== '') {
      this.#closeThinking(emit)
      this.#refused = true
      emit({ type: 'refusal', text: refusal })
    }
    for (const citation of readCitations(message['annotations'])) {
      this.#closeThinking(emit)
      emit(citation)
    }
  }

  #think(text: string, emit: Emit): void {
    this.#thinking = true
    emit({ type: 'thinking', text })
  }

  /** A detail in a stream comes after the text that it belongs to, which it repeats. */
  #detail(thought: Thought, emit: Emit): void {
    if (!this.#thinking || thought.text === '') this.#thought(thought, emit)
    else if (thought.state !== undefined) this.#closeThinking(emit, thought.state)
  }

  #thought(thought: Thought, emit: Emit): void {
    this.#closeThinking(emit)
    if (thought.text !== '') this.#think(thought.text, emit)
    if (thought.text === '' && thought.state === undefined) return
    this.#thinking = false
    const state = thought.state ?? this.#ownState()
    emit({ type: 'thinking-end', state, ...(thought.redacted && { redacted: true }) })
  }

  #closeThinking(emit: Emit, state: OpaqueState = this.#ownState()): void {
    if (!this.#thinking) return
    this.#thinking = false
    emit({ type: 'thinking-end', state })
  }

  /** Thinking without proof, but whose it is. */
  #ownState(): OpaqueState {
    return { vendor: this.#vendor, data: '' }
  }

  #call(json: JsonObject, position: number | undefined, emit: Emit): void {
    const named = objectOf(json['function'])
    const id = textOf(json['id']) ?? ''
    const name = textOf(named['name']) ?? ''
    const piece = isObject(named['arguments']) ? JSON.stringify(named['arguments']) : (textOf(named['arguments']) ?? '')
    let call = this.#find(position ?? numberOf(json['index']), id, name)
    if (call === undefined) {
      call = { index: position ?? numberOf(json['index']), id, name, json: '', state: signature(json), closed: false }
      if (call.id === '') call.id = `${this.#idPrefix}${this.#calls.length}`
      this.#calls.push(call)
    } else if (call.name === '') call.name = name
    this.#give(call, piece, emit)
  }

  /**
   * The call that a delta goes on with. Gemini's compatible endpoint gives every call the index 0 but an id of its own;
   * others repeat the id, or leave the index out.
   */
  #find(index: number | undefined, id: string, name: string): Call | undefined {
    const found =
      index === undefined
        ? this.#calls.findLast((call) => id === '' || call.id === id)
        : this.#calls.findLast((call) => call.index === index)
    const other = found !== undefined && id !== '' && name !== '' && found.id !== id
    return other ? undefined : found
  }

  #give(call: Call, piece: string, emit: Emit): void {
    if (call.closed) {
      if (piece.trim() === '') return
      throw new Failure('vendor-unreadable', 'The vendor went on with a tool call that was already whole.')
    }
    call.json += piece
    if (call === this.#open) {
      if (piece !== '') emit({ type: 'tool-delta', json: piece })
      return
    }
    if (this.#open === undefined) this.#start(call, emit)
    else if (isWhole(this.#open.json)) this.#next(emit)
  }

  /** Opens a call once its name is known. */
  #start(call: Call, emit: Emit): void {
    if (call.name === '') return
    this.#closeThinking(emit)
    this.#open = call
    const { id, name, state } = call
    emit({ type: 'tool-start', id, name, ...(state !== undefined && { state }) })
    if (call.json !== '') emit({ type: 'tool-delta', json: call.json })
  }

  /** Closes the open call and opens the next that waits. */
  #next(emit: Emit): void {
    if (this.#open !== undefined) {
      emit({ type: 'tool-end' })
      this.#open.closed = true
      this.#open = undefined
    }
    const waiting = this.#calls.find((call) => !call.closed)
    if (waiting !== undefined) this.#start(waiting, emit)
  }

  #closeCalls(emit: Emit): void {
    while (this.#calls.some((call) => !call.closed)) {
      this.#next(emit)
      if (this.#open === undefined && this.#calls.some((call) => !call.closed)) {
        throw new Failure('vendor-unreadable', 'The vendor sent a tool call without a name.')
      }
    }
    const held = this.#held
    this.#held = []
    for (const delta of held) this.#speak(delta, emit)
  }
}

function says(delta: JsonObject): boolean {
  return (
    isText(delta['content']) ||
    isText(delta['reasoning_content']) ||
    isText(delta['refusal']) ||
    listOf(delta['reasoning_details']).length > 0 ||
    listOf(delta['annotations']).length > 0
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

/** Arguments that are a JSON object from end to end: nothing can follow. */
function isWhole(json: string): boolean {
  return json.trimEnd().endsWith('}') && isObject(parseJson(json))
}

/** Gemini's thought signature, where its compatible endpoint puts it. */
function signature(call: JsonObject): OpaqueState | undefined {
  const data = textOf(objectOf(objectOf(call['extra_content'])['google'])['thought_signature'])
  return data === undefined ? undefined : { vendor: 'google', data }
}
