import { createHash } from 'node:crypto'
import { unsupported } from '../../core/failure.ts'
import { compact, textOf, type JsonObject } from '../../core/json.ts'
import type {
  DocumentPart,
  ImagePart,
  Part,
  Prompt,
  TextPart,
  ThinkingPart,
  ToolResultPart,
  Turn,
} from '../../core/prompt.ts'
import { takes, type Model } from '../../core/vendor.ts'
import { titled } from '../titled.ts'
import { native } from './state.ts'

/** The turns as items of `input`. Throws `unsupported` at the part that the model or the API cannot take. */
export function writeInput(prompt: Prompt, model: Model): JsonObject[] {
  return prompt.turns.flatMap((turn) => {
    switch (turn.role) {
      case 'user':
        return userItems(turn, model)
      case 'assistant':
        return assistantItems(turn, model)
      case 'system':
        return message(systemRole(model), turn.parts, model)
      default:
        return turn.role satisfies never
    }
  })
}

/** OpenAI knows instructions as `developer`, xAI as `system`. */
export function systemRole(model: Model): 'developer' | 'system' {
  return model.vendor === native ? 'developer' : 'system'
}

/** An id of at most 64 characters, which is all that OpenAI takes: a longer one is cut and told apart by its hash. */
export function shortId(id: string): string {
  if (id.length <= 64) return id
  return `${id.slice(0, 47)}_${createHash('sha256').update(id).digest('hex').slice(0, 16)}`
}

/** Outputs of calls come first, right behind the calls; the rest is one message. */
function userItems(turn: Turn, model: Model): JsonObject[] {
  const items: JsonObject[] = []
  const rest: Part[] = []
  for (const part of turn.parts) {
    if (part.type === 'tool-result') items.push(output(part, model))
    else rest.push(part)
  }
  return [...items, ...message('user', rest, model)]
}

function message(role: string, parts: readonly Part[], model: Model): JsonObject[] {
  const content: JsonObject[] = []
  for (const part of parts) {
    if (part.type === 'text' || part.type === 'image' || part.type === 'document') {
      if (!isEmpty(part)) content.push(inputPart(part, model))
    } else if (part.type === 'audio') {
      throw unsupported(part.path, 'audio input', model.id)
    } else {
      throw unsupported(part.path, `a ${part.type} part in a ${role} turn`, model.id)
    }
  }
  return content.length === 0 ? [] : [{ type: 'message', role, content }]
}

function isEmpty(part: Part): boolean {
  return part.type === 'text' && part.text === ''
}

function inputPart(part: TextPart | ImagePart | DocumentPart, model: Model): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image':
      return imagePart(part, model)
    case 'document':
      return documentPart(part, model)
    default:
      return part satisfies never
  }
}

function imagePart(part: ImagePart, model: Model): JsonObject {
  const { source } = part
  if (source.type === 'text' || !takes(model, 'image')) throw unsupported(part.path, 'an image', model.id)
  const url = source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`
  return { type: 'input_image', image_url: url, detail: part.detail ?? 'auto' }
}

function documentPart(part: DocumentPart, model: Model): JsonObject {
  const { source } = part
  if (source.type === 'text') return { type: 'input_text', text: titled(part.title, source.text) }
  if (!takes(model, 'pdf')) throw unsupported(part.path, 'a document', model.id)
  if (source.type === 'url') return { type: 'input_file', file_url: source.url }
  return {
    type: 'input_file',
    filename: filename(part.title, source.mediaType),
    file_data: `data:${source.mediaType};base64,${source.data}`,
  }
}

/** OpenAI demands a name beside the bytes and looks at its ending. */
function filename(title: string | undefined, mediaType: string): string {
  const name = title === undefined || title === '' ? 'document' : title
  return mediaType === 'application/pdf' && !/\.pdf$/i.test(name) ? `${name}.pdf` : name
}

function output(part: ToolResultPart, model: Model): JsonObject {
  const parts = part.parts.filter((inner) => !isEmpty(inner)).map((inner) => inputPart(inner, model))
  const text = parts.length === 0 ? '' : parts.length === 1 ? parts[0]?.['text'] : undefined
  const item = { type: 'function_call_output', call_id: shortId(part.callId) }
  // There is no flag for a failed call: the words must say it.
  if (typeof text === 'string') return { ...item, output: part.failed ? `Error: ${text}`.trimEnd() : text }
  return { ...item, output: part.failed ? [{ type: 'input_text', text: 'Error: ' }, ...parts] : parts }
}

function assistantItems(turn: Turn, model: Model): JsonObject[] {
  const items: JsonObject[] = []
  let content: JsonObject[] = []
  const closeMessage = (): void => {
    if (content.length > 0) items.push({ type: 'message', role: 'assistant', content: plain(content) ?? content })
    content = []
  }
  for (const part of turn.parts) {
    if (part.type === 'text') {
      if (part.text !== '') content.push(assistantText(part, model))
    } else if (part.type === 'thinking') {
      const item = reasoningItem(part, model)
      if (item === undefined) continue
      closeMessage()
      items.push(item)
    } else if (part.type === 'tool-call') {
      closeMessage()
      const call_id = shortId(part.id)
      items.push({ type: 'function_call', call_id, name: part.name, arguments: part.arguments || '{}' })
    } else {
      throw unsupported(part.path, `a ${part.type} part in an assistant turn`, model.id)
    }
  }
  closeMessage()
  // OpenAI refuses a reasoning item "without its required following item": what was thought there led to nothing.
  while (items.at(-1)?.['type'] === 'reasoning') items.pop()
  return items
}

/** Text alone is written as such: parts of a message that this API gave itself would have to bring its id. */
function plain(content: readonly JsonObject[]): string | undefined {
  return content.every(({ type }) => type === 'output_text')
    ? content.map(({ text }) => textOf(text)).join('')
    : undefined
}

function assistantText(part: TextPart, model: Model): JsonObject {
  if (part.refusal === true && model.vendor === native) return { type: 'refusal', refusal: part.text }
  return { type: 'output_text', text: part.text }
}

/** The vendor's own thoughts only, and only with their proof: with `store: false` it keeps nothing under an id. */
function reasoningItem(part: ThinkingPart, model: Model): JsonObject | undefined {
  const { state, text } = part
  if (state === undefined || state.vendor !== model.vendor || state.data === '') return undefined
  const summary = text === '' ? [] : [{ type: 'summary_text', text }]
  return compact({ type: 'reasoning', id: state.id, summary, encrypted_content: state.data })
}
