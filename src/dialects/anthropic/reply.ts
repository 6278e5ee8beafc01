import type { Dialect, ReplyContext } from '../../core/dialect.ts'
import { noUsage, type ReplyEvent } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, listOf, objectOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { exactJson } from '../exact-json.ts'
import { errorIn, isError } from './failure.ts'
import { BlockReader } from './read-blocks.ts'
import { readStopReason, readUsage, writeEnd, writeUsage } from './usage.ts'
import { BlockWriter, thoughtsAsked, type Block, type BlockSink, type DeltaType } from './write-blocks.ts'

/** Whole replies of the Messages API. */
export const reply: Dialect['reply'] = { unfold, fold }

function unfold(json: JsonObject, vendor: string): ReplyEvent[] {
  if (isError(json)) throw errorIn(json, vendor)
  if (!Array.isArray(json.content)) {
    throw new Failure('vendor-unreadable', 'The vendor answered with something other than a message.', { vendor })
  }
  const events: ReplyEvent[] = []
  const emit = (event: ReplyEvent): void => void events.push(event)
  emit(readStart(json))
  const blocks = new BlockReader(vendor)
  for (const block of listOf(json.content)) blocks.start(objectOf(block), emit)
  blocks.stop(emit)
  emit({ type: 'usage', usage: readUsage(noUsage, objectOf(json.usage)) })
  emit(readEnd(json))
  return events
}

/** The start of a reply, from a message or the beginning of one. */
export function readStart(message: JsonObject): ReplyEvent {
  const id = textOf(message.id)
  const model = textOf(message.model) ?? ''
  return id === undefined ? { type: 'start', model } : { type: 'start', model, id }
}

/** The end of a reply, from a message or the delta that closes one. */
export function readEnd(json: JsonObject): ReplyEvent {
  const stop = textOf(json.stop_sequence)
  const explanation = textOf(objectOf(json.stop_details).explanation)
  return {
    type: 'end',
    reason: readStopReason(json.stop_reason),
    ...(stop !== undefined && { stop }),
    ...(explanation !== undefined && { explanation }),
  }
}

function fold(events: readonly ReplyEvent[], context: ReplyContext): JsonObject {
  const content = new Content()
  const blocks = new BlockWriter(content, thoughtsAsked(context.request))
  let model = ''
  let usage = noUsage
  let end: Extract<ReplyEvent, { type: 'end' }> | undefined
  for (const event of events) {
    if (event.type === 'failure') throw event.failure
    if (event.type === 'start') model = event.model
    else if (event.type === 'usage') usage = event.usage
    else if (event.type === 'end') end = event
    else blocks.write(event)
  }
  blocks.close()
  return writeMessage(context, { model, content: content.blocks, end: writeEnd(end), usage: writeUsage(usage) })
}

interface MessageParts {
  model: string
  content: JsonObject[]
  end: JsonObject
  usage: JsonObject
}

/** A message with every key that the strictest SDKs demand. */
export function writeMessage(context: ReplyContext, { model, content, end, usage }: MessageParts): JsonObject {
  return {
    model: model === '' ? context.model : model,
    id: `msg_01${context.id}`,
    type: 'message',
    role: 'assistant',
    content,
    ...end,
    container: null,
    diagnostics: null,
    usage,
  }
}

/** Collects the blocks of a whole reply. */
class Content implements BlockSink {
  readonly blocks: JsonObject[] = []
  #block: Block | undefined
  #text = ''
  #signature = ''

  open(block: Block): void {
    this.#block = block
    this.#text = ''
    this.#signature = ''
  }

  delta(type: DeltaType, text: string): void {
    if (type === 'signature') this.#signature += text
    else this.#text += text
  }

  close(): void {
    const block = this.#block
    switch (block?.type) {
      case 'text':
        this.blocks.push({ type: 'text', text: this.#text, citations: null })
        return
      case 'thinking':
        this.blocks.push({ type: 'thinking', thinking: this.#text, signature: this.#signature })
        return
      case 'tool_use': {
        const { type, id, name } = block
        this.blocks.push({ type, id, name, input: inputOf(this.#text), caller: { type: 'direct' } })
        return
      }
      case 'redacted_thinking':
        this.blocks.push({ type: 'redacted_thinking', data: block.data })
        return
      default:
    }
  }
}

/** A model may write broken JSON: what it wrote is kept where the caller can see it. */
function inputOf(text: string): Json {
  if (text.trim() === '') return {}
  const input = exactJson(text)
  return isObject(input) ? input : { _raw: text }
}
