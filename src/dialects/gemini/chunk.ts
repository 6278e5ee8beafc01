import { randomBytes } from 'node:crypto'
import type { Emit } from '../../core/dialect.ts'
import { noUsage, type ReplyEvent, type Usage } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, type JsonObject, listOf, objectOf, textOf } from '../../core/json.ts'
import { errorIn, failureIn } from './failure.ts'
import { readBlock, readFinish } from './finish.ts'
import { openState } from './state.ts'
import { readUsage } from './usage.ts'

/**
 * Reads GenerateContentResponses into events. A whole reply is one of them and a stream is many, each a delta: both
 * come through here, so that they cannot disagree.
 */
export class ChunkReader {
  readonly #vendor: string
  readonly #cited = new Set<string>()
  #started = false
  #thinking = false
  #called = false
  #failed = false
  #usage: Usage | undefined
  /** Usage may follow the chunk with the finishReason, so the end is told only when nothing more can come. */
  #end: ReplyEvent | undefined

  constructor(vendor: string) {
    this.#vendor = vendor
  }

  take(chunk: JsonObject, emit: Emit): void {
    if (this.#failed) return
    const error = errorIn(chunk)
    if (error !== undefined) {
      this.#fail(failureIn(error, this.#vendor), emit)
      return
    }
    if (!answers.some((name) => chunk[name] !== undefined)) return
    if (!this.#started) this.#start(chunk, emit)
    // Further candidates were asked for by callers of this dialect alone, whose bytes pass unread.
    const candidate = listOf(chunk['candidates'])
      .filter(isObject)
      .find((one) => (one['index'] ?? 0) === 0)
    if (candidate !== undefined) this.#content(candidate, emit)
    const usage = readUsage(chunk['usageMetadata'])
    if (usage !== undefined) {
      this.#usage = usage
      emit({ type: 'usage', usage })
    }
    this.#finish(objectOf(candidate), objectOf(chunk['promptFeedback']), emit)
  }

  /** No more chunks. True if the answer was whole. */
  end(emit: Emit): boolean {
    if (this.#failed || this.#end === undefined) return false
    this.#closeThinking(emit)
    if (this.#usage === undefined) emit({ type: 'usage', usage: { ...noUsage } })
    emit(this.#end)
    return true
  }

  #start(chunk: JsonObject, emit: Emit): void {
    this.#started = true
    const id = textOf(chunk['responseId'])
    emit({ type: 'start', model: textOf(chunk['modelVersion']) ?? '', ...(id === undefined ? {} : { id }) })
  }

  #content(candidate: JsonObject, emit: Emit): void {
    const parts = listOf(objectOf(candidate['content'])['parts']).filter(isObject)
    // The last chunk of a grounded answer has the sources and an empty text with a signature: sources stay by the text.
    if (!parts.some(hasText)) this.#cite(candidate, emit)
    for (const part of parts) this.#part(part, emit)
    this.#cite(candidate, emit)
  }

  /** Images, code that Google ran and parts still unknown are passed over: no request that Keyrung writes asks for them. */
  #part(part: JsonObject, emit: Emit): void {
    const text = textOf(part['text']) ?? ''
    const signature = textOf(part['thoughtSignature'])
    const call = part['functionCall']
    if (isObject(call)) {
      this.#closeThinking(emit)
      this.#call(call, signature, emit)
    } else if (part['thought'] === true) {
      if (text !== '') {
        this.#thinking = true
        emit({ type: 'thinking', text })
      }
      if (signature !== undefined) this.#closeThinking(emit, signature)
    } else {
      if (signature !== undefined || text !== '') this.#closeThinking(emit, signature)
      if (text !== '') emit({ type: 'text', text })
    }
  }

  #call(call: JsonObject, signature: string | undefined, emit: Emit): void {
    const name = textOf(call['name'])
    if (name === undefined) {
      throw new Failure('vendor-unreadable', 'The vendor sent a function call without a name.', {
        vendor: this.#vendor,
      })
    }
    this.#called = true
    const id = textOf(call['id']) || mintId()
    emit({ type: 'tool-start', id, name, ...(signature === undefined ? {} : { state: openState(signature) }) })
    emit({ type: 'tool-delta', json: JSON.stringify(objectOf(call['args'])) })
    emit({ type: 'tool-end' })
  }

  #cite(candidate: JsonObject, emit: Emit): void {
    for (const chunk of listOf(objectOf(candidate['groundingMetadata'])['groundingChunks'])) {
      const web = objectOf(objectOf(chunk)['web'])
      const url = textOf(web['uri'])
      // Later chunks repeat the sources of earlier ones.
      if (url === undefined || this.#cited.has(url)) continue
      this.#cited.add(url)
      const title = textOf(web['title'])
      emit({ type: 'citation', url, ...(title === undefined ? {} : { title }) })
    }
  }

  #finish(candidate: JsonObject, feedback: JsonObject, emit: Emit): void {
    const reason = textOf(candidate['finishReason'])
    const block = textOf(feedback['blockReason'])
    if (reason !== undefined && reason !== 'FINISH_REASON_UNSPECIFIED') {
      const message = textOf(candidate['finishMessage'])
      const end = readFinish({ reason, message, called: this.#called, vendor: this.#vendor })
      if (end.type === 'failure') this.#fail(end.failure, emit)
      else this.#end = end
    } else if (block !== undefined && block !== 'BLOCKED_REASON_UNSPECIFIED') {
      this.#end = readBlock(block, textOf(feedback['blockReasonMessage']))
    }
  }

  #closeThinking(emit: Emit, signature?: string): void {
    if (!this.#thinking && signature === undefined) return
    this.#thinking = false
    emit({ type: 'thinking-end', ...(signature === undefined ? {} : { state: openState(signature) }) })
  }

  #fail(failure: Failure, emit: Emit): void {
    this.#failed = true
    emit({ type: 'failure', failure })
  }
}

/** The fields by which a chunk is known. */
const answers = ['candidates', 'promptFeedback', 'usageMetadata', 'modelVersion', 'responseId']

function hasText(part: JsonObject): boolean {
  return part['thought'] !== true && (textOf(part['text']) ?? '') !== ''
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Older models give their calls no ids. */
function mintId(): string {
  return `call_${Array.from(randomBytes(24), (byte) => letters[byte % letters.length]).join('')}`
}
