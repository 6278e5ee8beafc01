import { Failure, unsupported } from '../../core/failure.ts'
import { compact, isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Part, Prompt, TextPart, ThinkingPart, ToolCallPart, ToolResultPart, Turn } from '../../core/prompt.ts'
import { refuses, type Model } from '../../core/vendor.ts'
import { exactJson } from '../exact-json.ts'
import { cacheControl } from './fields.ts'
import { toolId } from './tool-id.ts'
import { writeMedia } from './write-media.ts'

interface Message {
  role: 'user' | 'assistant'
  content: JsonObject[]
  /** The last turn that went into it. */
  path: string
}

/** Writes the turns as `messages`: neighbours of one role merged, tool results first, nothing empty. */
export function writeTurns(prompt: Prompt, model: Model): Json[] {
  const messages: Message[] = []
  for (const turn of prompt.turns) {
    const role = turn.role === 'assistant' ? 'assistant' : 'user'
    const content = turn.role === 'system' ? writeInstruction(turn) : writeParts(turn, model)
    if (content.length === 0) continue
    const last = messages.at(-1)
    if (last?.role === role) {
      last.content.push(...content)
      last.path = turn.path
    } else {
      messages.push({ role, content, path: turn.path })
    }
  }
  const last = messages.at(-1)
  if (last === undefined) throw unsupported('messages', 'a conversation without a user turn', model.id)
  if (last.role === 'assistant' && refuses(model, 'prefill')) {
    throw unsupported(last.path, 'a conversation that ends with an assistant turn (prefill)', model.id)
  }
  return messages.map(({ role, content }) => ({ role, content: role === 'user' ? resultsFirst(content) : content }))
}

/** Text blocks for `system` and other places that take text alone. Anthropic refuses blank ones. */
export function writeTexts(parts: readonly TextPart[]): JsonObject[] {
  return parts.map(writeText).filter((block) => block !== undefined)
}

/** Anthropic refuses a user turn that does not start with the results of the calls before it. */
function resultsFirst(content: readonly JsonObject[]): JsonObject[] {
  const results = content.filter((block) => block.type === 'tool_result')
  return [...results, ...content.filter((block) => block.type !== 'tool_result')]
}

/**
 * An instruction in mid-conversation stays where it stands, as a marked text of the user's: most models refuse the
 * role `system` there, and moving it up would change what it speaks of.
 */
function writeInstruction(turn: Turn): JsonObject[] {
  const texts = turn.parts.flatMap((part) => (part.type === 'text' ? part.text : []))
  const text = texts.join('\n')
  return text.trim() === '' ? [] : [{ type: 'text', text: `<system>${text}</system>` }]
}

function writeParts(turn: Turn, model: Model): JsonObject[] {
  const calls = turn.parts.some((part) => part.type === 'tool-call')
  const place = { model, role: turn.role, calls }
  return turn.parts.map((part) => writePart(part, place)).filter((block) => block !== undefined)
}

interface Place {
  model: Model
  role: Turn['role']
  /** The turn holds tool calls. */
  calls: boolean
}

function writePart(part: Part, place: Place): JsonObject | undefined {
  const { model } = place
  switch (part.type) {
    case 'text':
      return writeText(part)
    case 'image':
    case 'document':
      if (place.role === 'assistant') throw unsupported(part.path, `${aKind[part.type]} in an assistant turn`, model.id)
      return writeMedia(part, model)
    case 'audio':
      throw unsupported(part.path, 'audio', model.id)
    case 'thinking':
      return writeThinking(part, place)
    case 'tool-call':
      return writeCall(part)
    default:
      return writeResult(part, model)
  }
}

const aKind = { image: 'an image', document: 'a document' } as const

function writeText(part: TextPart): JsonObject | undefined {
  if (part.text.trim() === '') return undefined
  return compact({ type: 'text', text: part.text, cache_control: cacheControl(part.cacheMark) })
}

/**
 * Anthropic verifies its signatures, so only its own thoughts are sent back. Others that speak this dialect (DeepSeek)
 * verify nothing, but demand some thinking in every turn with tool calls, whoever thought it.
 */
function writeThinking(part: ThinkingPart, { model, calls }: Place): JsonObject | undefined {
  const own = part.state?.vendor === model.vendor ? part.state.data : undefined
  if (model.vendor === 'anthropic') {
    if (own === undefined) return undefined
    if (part.redacted === true) return { type: 'redacted_thinking', data: own }
    return { type: 'thinking', thinking: part.text, signature: own }
  }
  if (own === undefined && part.state !== undefined && !calls) return undefined
  return { type: 'thinking', thinking: part.text, signature: own ?? '' }
}

function writeCall(part: ToolCallPart): JsonObject {
  const input = part.arguments.trim() === '' ? {} : exactJson(part.arguments)
  if (!isObject(input)) {
    throw new Failure(
      'request-invalid',
      `${part.path}: the arguments of a tool call must be the JSON text of an object.`,
      {
        path: part.path,
      },
    )
  }
  const cache_control = cacheControl(part.cacheMark)
  return compact({ type: 'tool_use', id: toolId(part.id), name: part.name, input, cache_control })
}

function writeResult(part: ToolResultPart, model: Model): JsonObject {
  const blocks = part.parts.map((inner) => (inner.type === 'text' ? writeText(inner) : writeMedia(inner, model)))
  const content = blocks.filter((block) => block !== undefined)
  // "content cannot be empty if `is_error` is true"
  if (part.failed && content.length === 0) content.push({ type: 'text', text: 'Error' })
  return compact({
    type: 'tool_result',
    tool_use_id: toolId(part.callId),
    content: content.length === 0 ? undefined : content,
    is_error: part.failed ? true : undefined,
    cache_control: cacheControl(part.cacheMark),
  })
}
