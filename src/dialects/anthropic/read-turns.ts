import { open } from '../../core/opaque.ts'
import { compact, isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { DocumentPart, Extra, ImagePart, Part, Source, TextPart, Turn } from '../../core/prompt.ts'
import { cacheMarkOf, given, invalid, listIn, objectIn, optionalTextIn, noteUnknown, textIn } from './fields.ts'

/** Reads `messages`. What the core has no word for goes to `extras` by its path. */
export function readTurns(messages: Json | undefined, extras: Extra[]): Turn[] {
  const list = listIn(messages, 'messages')
  if (list.length === 0) throw invalid('messages', 'at least one message is required')
  return list.map((item, index) => {
    const path = `messages.${index}`
    const message = objectIn(item, path)
    const { role } = message
    if (role !== 'user' && role !== 'assistant' && role !== 'system') {
      throw invalid(`${path}.role`, 'must be "user", "assistant" or "system"')
    }
    noteUnknown(message, ['role', 'content'], path, extras)
    return { role, parts: withToolStates(readParts(message.content, `${path}.content`, extras)), path }
  })
}

/** Reads `system` or the content of a system message: a text or text blocks. */
export function readTexts(content: Json, path: string, extras: Extra[]): TextPart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content, path }]
  return listIn(content, path).map((item, index) => {
    const blockPath = `${path}.${index}`
    const block = objectIn(item, blockPath)
    if (block.type !== 'text') throw invalid(`${blockPath}.type`, 'must be "text"')
    return readText(block, blockPath, extras)
  })
}

function readParts(content: Json | undefined, path: string, extras: Extra[]): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content, path }]
  return listIn(content, path).flatMap((item, index) => readBlock(item, `${path}.${index}`, extras) ?? [])
}

function readBlock(item: Json, path: string, extras: Extra[]): Part | undefined {
  const block = objectIn(item, path)
  switch (block.type) {
    case 'text':
      return readText(block, path, extras)
    case 'image':
      return readImage(block, path, extras)
    case 'document':
      return readDocument(block, path, extras)
    case 'thinking': {
      noteUnknown(block, ['type', 'thinking', 'signature', 'cache_control'], path, extras)
      const signature = optionalTextIn(block, 'signature', path) ?? ''
      const part: Part = { type: 'thinking', text: textIn(block, 'thinking', path), path }
      if (signature !== '') part.state = open(signature, 'anthropic')
      return part
    }
    case 'redacted_thinking':
      noteUnknown(block, ['type', 'data', 'cache_control'], path, extras)
      return { type: 'thinking', text: '', state: open(textIn(block, 'data', path), 'anthropic'), redacted: true, path }
    case 'tool_use': {
      noteUnknown(block, ['type', 'id', 'name', 'input', 'caller', 'cache_control'], path, extras)
      if (isObject(block.caller) && block.caller.type !== 'direct') {
        extras.push({ path: `${path}.caller`, what: 'a tool call made by a server tool' })
      }
      const input = objectIn(block.input, `${path}.input`)
      return marked(block, {
        type: 'tool-call' as const,
        id: textIn(block, 'id', path),
        name: textIn(block, 'name', path),
        arguments: JSON.stringify(input),
        path,
      })
    }
    case 'tool_result':
      return readToolResult(block, path, extras)
    default:
      extras.push({ path, what: `the block type ${textIn(block, 'type', path)}` })
      return undefined
  }
}

function readText(block: JsonObject, path: string, extras: Extra[]): TextPart {
  noteUnknown(block, ['type', 'text', 'cache_control', 'citations'], path, extras)
  return marked(block, { type: 'text', text: textIn(block, 'text', path), path })
}

function readImage(block: JsonObject, path: string, extras: Extra[]): ImagePart | undefined {
  noteUnknown(block, ['type', 'source', 'cache_control'], path, extras)
  const source = readSource(block.source, `${path}.source`, extras)
  return source && marked(block, { type: 'image', source, path })
}

function readDocument(block: JsonObject, path: string, extras: Extra[]): DocumentPart | undefined {
  noteUnknown(block, ['type', 'source', 'cache_control', 'title', 'citations'], path, extras)
  if (isObject(block.citations) && block.citations.enabled === true) {
    extras.push({ path: `${path}.citations`, what: 'citing a document' })
  }
  const source = readSource(block.source, `${path}.source`, extras)
  const title = optionalTextIn(block, 'title', path)
  return source && marked(block, compact({ type: 'document' as const, source, title, path }))
}

function readSource(value: Json | undefined, path: string, extras: Extra[]): Source | undefined {
  const source = objectIn(value, path)
  switch (source.type) {
    case 'base64':
      return { type: 'base64', mediaType: textIn(source, 'media_type', path), data: textIn(source, 'data', path) }
    case 'url':
      return { type: 'url', url: textIn(source, 'url', path) }
    case 'text':
      return { type: 'text', text: textIn(source, 'data', path) }
    case 'file':
      extras.push({ path, what: 'a file of the Files API' })
      return undefined
    case 'content':
      extras.push({ path, what: 'a document made of content blocks' })
      return undefined
    default:
      throw invalid(`${path}.type`, 'must be "base64", "url", "text", "content" or "file"')
  }
}

function readToolResult(block: JsonObject, path: string, extras: Extra[]): Part {
  noteUnknown(block, ['type', 'tool_use_id', 'content', 'is_error', 'cache_control'], path, extras)
  const parts: (TextPart | ImagePart | DocumentPart)[] = []
  if (given(block.content)) {
    for (const part of readParts(block.content, `${path}.content`, extras)) {
      if (part.type === 'text' || part.type === 'image' || part.type === 'document') parts.push(part)
      else throw invalid(part.path, 'a tool result takes text, image and document blocks')
    }
  }
  const callId = textIn(block, 'tool_use_id', path)
  return marked(block, { type: 'tool-result' as const, callId, parts, failed: block.is_error === true, path })
}

function marked<T extends Part>(block: JsonObject, part: T): T {
  const mark = cacheMarkOf(block)
  if (mark !== undefined) part.cacheMark = mark
  return part
}

/**
 * Gemini signs tool calls. This dialect has no place for it on a call, so replies carry it in an empty thinking block
 * right before the call (blocks.ts); here it goes back to where it belongs.
 */
function withToolStates(parts: Part[]): Part[] {
  const whole: Part[] = []
  for (const part of parts) {
    const last = whole.at(-1)
    if (part.type === 'tool-call' && last?.type === 'thinking' && last.text === '' && last.state?.vendor === 'google') {
      whole.pop()
      part.state = last.state
    }
    whole.push(part)
  }
  return whole
}
