import type { ReplyEvent } from '../../core/event.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
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
 * What the caller gets of the thoughts. `all`: asked for. `omitted`: asked for with `display: "omitted"`, their proofs
 * only. `unasked`: some vendors think all the same; thoughts then come only right before a tool call, where they must
 * be sent back with it, and a plain answer is plain text, as callers who read `content[0].text` expect.
 */
export type Thoughts = 'all' | 'omitted' | 'unasked'

/** How much of the thoughts a request asks for. */
export function thoughtsAsked(request: JsonObject): Thoughts {
  const { thinking } = request
  if (!isObject(thinking) || thinking.type === 'disabled') return 'unasked'
  return thinking.display === 'omitted' ? 'omitted' : 'all'
}

/**
 * Turns events into content blocks, for whole replies and streams alike. A block opens with its first content, and
 * never two at once. Citations are left out: Anthropic's need encrypted fields that no other vendor has.
 */
export class BlockWriter {
  readonly #sink: BlockSink
  readonly #thoughts: Thoughts
  #open: Block['type'] | undefined
  /** Thoughts that nobody asked for, until a tool call needs them. */
  #unasked: ReplyEvent[] = []

  constructor(sink: BlockSink, thoughts: Thoughts) {
    this.#sink = sink
    this.#thoughts = thoughts
  }

  write(event: ReplyEvent): void {
    if (this.#thoughts !== 'unasked') this.#write(event)
    else if (event.type === 'thinking' || event.type === 'thinking-end') this.#unasked.push(event)
    else {
      if (event.type === 'tool-start') {
        for (const thought of this.#unasked) this.#write(thought)
        this.#unasked = []
      }
      this.#write(event)
    }
  }

  #write(event: ReplyEvent): void {
    switch (event.type) {
      case 'text':
      case 'refusal':
        this.#demand('text')
        this.#sink.delta('text', event.text)
        return
      case 'thinking':
        this.#demand('thinking')
        if (this.#thoughts !== 'omitted') this.#sink.delta('thinking', event.text)
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
