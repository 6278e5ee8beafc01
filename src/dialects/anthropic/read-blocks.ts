import type { Emit } from '../../core/dialect.ts'
import type { ReplyEvent } from '../../core/event.ts'
import { isObject, listOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { open } from '../../core/opaque.ts'

/**
 * Turns content blocks into events, for whole replies (a block is complete at its start) and for streams (its content
 * follows in deltas) alike. Blocks that the core has no word for are passed over.
 */
export class BlockReader {
  readonly #vendor: string
  #type: Json | undefined
  #thought = false
  #signature = ''
  #input: Json | undefined
  #inputSeen = false
  #citations: ReplyEvent[] = []

  constructor(vendor: string) {
    this.#vendor = vendor
  }

  start(block: JsonObject, emit: Emit): void {
    this.stop(emit)
    this.#type = block.type
    switch (block.type) {
      case 'text':
        this.#text(block.text, emit)
        listOf(block.citations).forEach((citation) => this.#cite(citation))
        return
      case 'thinking':
        this.#thinking(block.thinking, emit)
        this.#signature = textOf(block.signature) ?? ''
        return
      case 'redacted_thinking':
        emit({ type: 'thinking-end', state: open(textOf(block.data) ?? '', this.#vendor), redacted: true })
        return
      case 'tool_use':
        this.#input = block.input
        this.#inputSeen = false
        emit({ type: 'tool-start', id: textOf(block.id) ?? '', name: textOf(block.name) ?? '' })
        return
      default:
    }
  }

  delta(delta: JsonObject, emit: Emit): void {
    switch (delta.type) {
      case 'text_delta':
        if (this.#type === 'text') this.#text(delta.text, emit)
        return
      case 'thinking_delta':
        if (this.#type === 'thinking') this.#thinking(delta.thinking, emit)
        return
      case 'signature_delta':
        this.#signature += textOf(delta.signature) ?? ''
        return
      case 'input_json_delta': {
        const json = textOf(delta.partial_json) ?? ''
        if (this.#type !== 'tool_use' || json === '') return
        this.#inputSeen = true
        emit({ type: 'tool-delta', json })
        return
      }
      case 'citations_delta':
        this.#cite(delta.citation)
        return
      default:
    }
  }

  /** Closes the open block, if there is one. */
  stop(emit: Emit): void {
    const type = this.#type
    this.#type = undefined
    if (type === 'text') {
      this.#citations.forEach(emit)
      this.#citations = []
    } else if (type === 'thinking') {
      this.#endThinking(emit)
    } else if (type === 'tool_use') {
      // Without arguments there comes only an empty delta, or none.
      if (!this.#inputSeen) emit({ type: 'tool-delta', json: JSON.stringify(this.#input ?? {}) })
      emit({ type: 'tool-end' })
    }
  }

  #text(text: Json | undefined, emit: Emit): void {
    if (typeof text === 'string' && text !== '') emit({ type: 'text', text })
  }

  #thinking(text: Json | undefined, emit: Emit): void {
    if (typeof text !== 'string' || text === '') return
    this.#thought = true
    emit({ type: 'thinking', text })
  }

  #endThinking(emit: Emit): void {
    const signature = this.#signature
    const nothing = signature === '' && !this.#thought
    this.#signature = ''
    this.#thought = false
    if (nothing) return
    // DeepSeek may sign nothing, and yet wants its thoughts back: they must still be told from others'.
    const unsigned = signature === '' && this.#vendor === 'anthropic'
    emit(unsigned ? { type: 'thinking-end' } : { type: 'thinking-end', state: open(signature, this.#vendor) })
  }

  /** Held back until the block ends: in a stream they may come before the text they belong to. */
  #cite(citation: Json | undefined): void {
    if (!isObject(citation) || citation.type !== 'web_search_result_location') return
    const url = textOf(citation.url)
    const title = textOf(citation.title)
    const quote = textOf(citation.cited_text)
    if (url === undefined) return
    this.#citations.push({
      type: 'citation',
      url,
      ...(title !== undefined && { title }),
      ...(quote !== undefined && { quote }),
    })
  }
}
