import { listOf, isObject, objectOf, type Json, type JsonObject } from '../core/json.ts'
import { unsupported } from '../core/failure.ts'
import type { Patch } from '../core/dialect.ts'
import type { Model, Vendor } from '../core/vendor.ts'

/** DeepSeek: OpenAI's chat format with differences, and Anthropic's for images. */
export const deepseek: Vendor = {
  name: 'deepseek',
  title: 'DeepSeek',
  origin: 'https://api.deepseek.com',
  keyNames: ['DEEPSEEK_API_KEY'],
  statusPage: { form: 'deepseek', url: 'https://status.deepseek.com' },
  models: /^deepseek-/,
  speaks: { 'openai-chat': '', anthropic: '/anthropic' },
  // Only the Anthropic format has image blocks (api-docs.deepseek.com, guides/anthropic_api); all else goes by chat, which
  // leaves less out in silence.
  choose: (_caller, _model, request) => (hasImages(request.messages) ? 'anthropic' : 'openai-chat'),
  rewrites: ['anthropic'],
  authorize: (secret) => ({ authorization: `Bearer ${secret}` }),
  adjust: (request, model, dialect) =>
    dialect === 'anthropic' ? messagesPatch(request, model) : chatPatch(request, model),
}

function hasImages(messages: Json | undefined): boolean {
  return listOf(messages).some((message) => isObject(message) && listOf(message.content).some((part) => isImage(part)))
}

/** An image of either dialect, also one in a tool result. */
function isImage(part: Json): boolean {
  if (!isObject(part)) return false
  return part.type === 'image' || part.type === 'image_url' || listOf(part.content).some((inner) => isImage(inner))
}

/** What DeepSeek's Anthropic endpoint would leave out in silence is refused instead. */
function messagesPatch(request: JsonObject, model: Model): Patch {
  if (request.top_k !== undefined) throw unsupported('top_k', 'it', model.id)
  const choice = objectOf(request.tool_choice)
  if (choice.type === 'any') throw unsupported('tool_choice', 'demanding a call of any tool beside images', model.id)
  return {}
}

function chatPatch(request: JsonObject, model: Model): Patch {
  const patch: Patch = {}
  if (isObject(request.response_format) && request.response_format.type === 'json_schema') {
    throw unsupported('response_format', 'a JSON schema for the answer (only json_object is)', model.id)
  }
  if (request.max_completion_tokens !== undefined) {
    patch.max_tokens = request.max_completion_tokens
    patch.max_completion_tokens = undefined
  }
  const messages = listOf(request.messages)
  const changed = messages.map((message) => chatMessage(message))
  if (changed.some((message, index) => message !== messages[index])) patch.messages = changed
  // Thinking is a switch of its own; `none` is no effort that DeepSeek knows.
  if (request.reasoning_effort === 'none') {
    patch.reasoning_effort = undefined
    patch.thinking = { type: 'disabled' }
  }
  return patch
}

/** There is no `developer` role; and a turn with tool calls must bring its reasoning back, if only an empty one. */
function chatMessage(message: Json): Json {
  if (!isObject(message)) return message
  if (message.role === 'developer') return { ...message, role: 'system' }
  const calls = message.role === 'assistant' && listOf(message.tool_calls).length > 0
  return calls && message.reasoning_content === undefined ? { ...message, reasoning_content: '' } : message
}
