import type { ReplyEvent } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'

const events = {
  text: { delta: 'response.output_text.delta', done: 'response.output_text.done' },
  refusal: { delta: 'response.refusal.delta', done: 'response.refusal.done' },
} as const

/** One content part of a message while it is written: its text so far, its sources, and the fields of its events. */
export class ContentPart {
  readonly kind: 'text' | 'refusal'
  /** What every event of the part begins with. */
  readonly fields: string
  readonly #annotations: JsonObject[] = []
  #text = ''
  /** The stretch of text that the last sources were given for. */
  #citedFrom = 0
  #citedTo = 0

  constructor(kind: 'text' | 'refusal', fields: string) {
    this.kind = kind
    this.fields = fields
  }

  get deltaEvent(): string {
    return events[this.kind].delta
  }

  get doneEvent(): string {
    return events[this.kind].done
  }

  get json(): JsonObject {
    if (this.kind === 'refusal') return { type: 'refusal', refusal: this.#text }
    return { type: 'output_text', annotations: this.#annotations, logprobs: [], text: this.#text }
  }

  delta(text: string): string {
    this.#text += text
    const logprobs = this.kind === 'text' ? ',"logprobs":[]' : ''
    return `${this.fields},"delta":${JSON.stringify(text)}${logprobs}`
  }

  done(): string {
    const text = JSON.stringify(this.#text)
    if (this.kind === 'refusal') return `${this.fields},"refusal":${text}`
    return `${this.fields},"text":${text},"logprobs":[]`
  }

  /** A source of the text since the last source: several may be given for one stretch. */
  annotation(event: Extract<ReplyEvent, { type: 'citation' }>): string {
    if (this.#text.length !== this.#citedTo) {
      this.#citedFrom = this.#citedTo
      this.#citedTo = this.#text.length
    }
    const annotation = {
      type: 'url_citation',
      url: event.url,
      title: event.title ?? '',
      start_index: this.#citedFrom,
      end_index: this.#citedTo,
    }
    this.#annotations.push(annotation)
    const index = this.#annotations.length - 1
    return `${this.fields},"annotation_index":${index},"annotation":${JSON.stringify(annotation)}`
  }
}
