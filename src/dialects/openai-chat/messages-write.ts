import { createHash } from 'node:crypto'
import { unsupported } from '../../core/failure.ts'
import { compact, type Json, type JsonObject } from '../../core/json.ts'
import type { Part, Prompt, TextPart, ThinkingPart, ToolCallPart, ToolResultPart, Turn } from '../../core/prompt.ts'
import type { Model } from '../../core/vendor.ts'
import { writeUserParts } from './content-write.ts'

/** OpenAI refuses longer ids of tool calls. */
const callIdLengthMax = 64

/** The whole conversation as messages. */
export function writeMessages(prompt: Prompt, model: Model): JsonObject[] {
  // OpenAI's reasoning models know instructions as `developer`; all other models and vendors as `system`.
  const role = model.vendor === 'openai' && model.thinking !== 'none' ? 'developer' : 'system'
  const messages: JsonObject[] = []
  const system = joined(prompt.system)
  if (system !== '') messages.push({ role, content: system })
  const turns = prompt.turns.filter((turn) => turn.parts.length > 0)
  refusePrefill(turns.at(-1), model)
  let at = 0
  while (at < turns.length) {
    const begun = at
    while (turns[at]?.role === 'assistant') at += 1
    messages.push(...writeAssistants(turns.slice(begun, at), model))
    const answered = at
    while (at < turns.length && turns[at]?.role !== 'assistant') at += 1
    messages.push(...writeAnswers(turns.slice(answered, at), { role, model }))
  }
  return messages
}

/**
 * Neighbouring turns of the assistant: those with tool calls are one message with all that follows, since the results of
 * all calls come behind the last.
 */
function writeAssistants(turns: readonly Turn[], model: Model): JsonObject[] {
  const first = turns.findIndex((turn) => turn.parts.some((part) => part.type === 'tool-call'))
  const apart = first === -1 ? turns : turns.slice(0, first)
  const calling = first === -1 ? [] : turns.slice(first).flatMap((turn) => turn.parts)
  return [...apart.flatMap((turn) => writeAssistant(turn.parts, model)), ...writeAssistant(calling, model)]
}

/** OpenAI's format has no answer that the caller begins: the model would start a new one. */
function refusePrefill(turn: Turn | undefined, model: Model): void {
  const begun = turn?.role === 'assistant' && turn.parts.some((part) => part.type === 'text')
  if (turn === undefined || !begun || turn.parts.some((part) => part.type === 'tool-call')) return
  throw unsupported(turn.path, 'an answer that the caller begins (prefill)', model.id)
}

function joined(parts: readonly TextPart[]): string {
  return parts.flatMap((part) => (part.text === '' ? [] : [part.text])).join('\n\n')
}

/** An assistant's parts: one message, or none where nothing is said. */
function writeAssistant(parts: readonly Part[], model: Model): JsonObject[] {
  let text = ''
  let refusal = ''
  const thoughts: ThinkingPart[] = []
  const calls: Json[] = []
  for (const part of parts) {
    switch (part.type) {
      case 'text':
        // Only OpenAI itself keeps refusals apart.
        if (part.refusal && model.vendor === 'openai') refusal += part.text
        else text += part.text
        break
      case 'thinking':
        thoughts.push(part)
        break
      case 'tool-call':
        calls.push(writeCall(part, model))
        break
      default:
        throw unsupported(part.path, `${nameOf(part)} in an assistant's turn`, model.id)
    }
  }
  if (text === '' && refusal === '' && calls.length === 0) return []
  const message = compact({
    role: 'assistant',
    content: text === '' ? null : text,
    reasoning_content: reasoningContent(thoughts, calls.length > 0, model),
    refusal: refusal === '' ? undefined : refusal,
    tool_calls: calls.length === 0 ? undefined : calls,
  })
  return [message]
}

/**
 * DeepSeek alone takes thoughts back, and demands the field on turns with tool calls, whoever thought them:
 * "The `reasoning_content` in the thinking mode must be passed back to the API."
 */
function reasoningContent(thoughts: readonly ThinkingPart[], called: boolean, model: Model): string | undefined {
  if (model.vendor !== 'deepseek') return undefined
  const own = thoughts.filter(({ state }) => called || state === undefined || state.vendor === 'deepseek')
  const text = own.map((thought) => thought.text).join('')
  return text === '' && !called ? undefined : text
}

function writeCall(part: ToolCallPart, model: Model): JsonObject {
  const { id, name, state } = part
  const own = state?.vendor === 'google' && model.vendor === 'google' ? state.data : undefined
  return compact({
    id: callId(id),
    type: 'function',
    function: { name, arguments: part.arguments === '' ? '{}' : part.arguments },
    extra_content: own === undefined ? undefined : { google: { thought_signature: own } },
  })
}

/** The id as it is, or for one that is too long a shorter one that is the same for the call and its result. */
function callId(id: string): string {
  if (id.length <= callIdLengthMax) return id
  return `${id.slice(0, 47)}_${createHash('sha256').update(id).digest('hex').slice(0, 16)}`
}

/**
 * What comes between two turns of the assistant: results first, since they must follow their calls, then what came with
 * them, then what the user and the system say.
 */
function writeAnswers(turns: readonly Turn[], { role, model }: { role: string; model: Model }): JsonObject[] {
  const results = turns.flatMap((turn) => turn.parts.filter((part) => part.type === 'tool-result'))
  const said = turns.flatMap((turn) => (turn.role === 'system' ? writeSystem(turn, role) : writeUser(turn, model)))
  return [...results.map(writeResult), ...results.flatMap((result) => writeResultMedia(result, model)), ...said]
}

function writeSystem(turn: Turn, role: string): JsonObject[] {
  const content = joined(turn.parts.filter((part) => part.type === 'text'))
  return content === '' ? [] : [{ role, content }]
}

function writeUser(turn: Turn, model: Model): JsonObject[] {
  const parts = turn.parts.filter((part) => part.type !== 'tool-result')
  const content = writeUserParts(parts, model)
  const [only] = content
  if (only === undefined) return []
  const plain = content.length === 1 && only['type'] === 'text' ? only['text'] : undefined
  return [{ role: 'user', content: plain ?? content }]
}

function writeResult(result: ToolResultPart): JsonObject {
  const texts = result.parts.filter((part) => part.type === 'text')
  const apart = texts.length === 0 && result.parts.length > 0
  const text = apart ? 'The result is in the next user message.' : texts.map((part) => part.text).join('\n')
  return { role: 'tool', tool_call_id: callId(result.callId), content: result.failed ? `Error: ${text}` : text }
}

/** A tool message holds text alone: images and documents follow as a user's message that says whose they are. */
function writeResultMedia(result: ToolResultPart, model: Model): JsonObject[] {
  const media = result.parts.filter((part) => part.type !== 'text')
  if (media.length === 0) return []
  const label = `${media.every((part) => part.type === 'image') ? 'Image' : 'Content'} of tool call ${callId(result.callId)}:`
  return [{ role: 'user', content: [{ type: 'text', text: label }, ...writeUserParts(media, model)] }]
}

function nameOf(part: Part): string {
  switch (part.type) {
    case 'image':
      return 'an image'
    case 'document':
      return 'a document'
    case 'audio':
      return 'a sound'
    default:
      return 'a tool result'
  }
}
