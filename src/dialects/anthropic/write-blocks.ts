import type { ReplyEvent } from '../../core/event.ts'
import { seal } from '../../core/opaque.ts'
import type { OpaqueState } from '../../core/prompt.ts'
import { toolId } from './tool-id.ts'

export type Block =
  | { type: 'text' }
  | { type: 'thinking' }
  | { type: 'redacted_thinking'; data: string }
  | { type: 'tool_use'; id: string; name: string }

export type DeltaType = 'text' | 'thinking' | 'signature' | 'json'

/** What is done with the blocks of a reply: a stream sends them, a whole reply collects them. */
export interface BlockSink {
  open(block: Block): void
  delta(type: DeltaType, text: string): void
  close(): void
}

/**
 * Turns events into content blocks, for whole replies and streams alike. A block opens with its first content, and
 * never two at once. Citations are left out: Anthropic's need encrypted fields that no other vendor has.
 */
export class BlockWriter {
  readonly #sink: BlockSink
  #open: Block['type'] | undefined

  constructor(sink: BlockSink) {
    this.#sink = sink
  }

  write(event: ReplyEvent): void {
    switch (event.type) {
      case 'text':
      case 'refusal':
        this.#demand('text')
        this.#sink.delta('text', event.text)
        return
      case 'thinking':
        this.#demand('thinking')
        this.#sink.delta('thinking', event.text)
        return
      case 'thinking-end':
        if (event.redacted === true) this.#redacted(event.state)
        else if (event.state !== undefined || this.#open === 'thinking') this.#sign(event.state)
        return
      case 'tool-start':
        // There is no place for a state on a call: it goes before it, in a thinking block of its own (read-turns.ts).
        if (event.state !== undefined) {
          this.close()
          this.#sign(event.state)
        }
        this.close()
        this.#open = 'tool_use'
        this.#sink.open({ type: 'tool_use', id: toolId(event.id), name: event.name })
        return
      case 'tool-delta':
        this.#sink.delta('json', event.json)
        return
      case 'tool-end':
        this.close()
        return
      default:
    }
  }

  close(): void {
    if (this.#open === undefined) return
    this.#open = undefined
    this.#sink.close()
  }

  #demand(type: 'text' | 'thinking'): void {
    if (this.#open === type) return
    this.close()
    this.#open = type
    this.#sink.open({ type })
  }

  /** Thoughts without any proof are marked too, so that they are never sent to Anthropic as its own. */
  #sign(state: OpaqueState | undefined): void {
    this.#demand('thinking')
    this.#sink.delta('signature', sealed(state))
    this.close()
  }

  #redacted(state: OpaqueState | undefined): void {
    this.close()
    this.#sink.open({ type: 'redacted_thinking', data: sealed(state) })
    this.#sink.close()
  }
}

function sealed(state: OpaqueState | undefined): string {
  return seal(state ?? { vendor: 'unknown', data: '' }, 'anthropic')
}
