import { listOf, isObject, type Json, type JsonObject } from '../core/json.ts'
import { unsupported } from '../core/failure.ts'
import type { Patch } from '../core/dialect.ts'
import type { Model, Vendor } from '../core/vendor.ts'

/** DeepSeek: OpenAI's chat format with differences, and Anthropic's for those who speak it and for images. */
export const deepseek: Vendor = {
  name: 'deepseek',
  title: 'DeepSeek',
  origin: 'https://api.deepseek.com',
  keyNames: ['DEEPSEEK_API_KEY'],
  models: /^deepseek-/,
  speaks: { 'openai-chat': '', anthropic: '/anthropic' },
  choose(caller, _model, request) {
    if (caller === 'anthropic') return 'anthropic'
    // Only the Anthropic format has image blocks (api-docs.deepseek.com, guides/anthropic_api).
    return JSON.stringify(request.messages ?? null).includes('"image_url"') ? 'anthropic' : 'openai-chat'
  },
  authorize: (secret) => ({ authorization: `Bearer ${secret}` }),
  headers: { pass: /^anthropic-(beta|version)$/, defaults: {} },
  adjust: (request, model, dialect) =>
    dialect === 'anthropic' ? messagesPatch(request, model) : chatPatch(request, model),
}

/** What DeepSeek's Anthropic endpoint would leave out in silence is refused instead. */
function messagesPatch(request: JsonObject, model: Model): Patch {
  for (const field of ['top_k', 'container', 'mcp_servers']) {
    if (request[field] !== undefined && request[field] !== null) throw unsupported(field, 'it', model.id)
  }
  listOf(request.messages).forEach((message, index) => {
    if (!isObject(message)) return
    listOf(message.content).forEach((block, place) => {
      if (isObject(block) && block.type === 'document')
        throw unsupported(`messages.${index}.content.${place}`, 'a document', model.id)
    })
  })
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
  // There is no `developer` role.
  const messages = listOf(request.messages)
  if (messages.some((message) => isObject(message) && message.role === 'developer')) {
    patch.messages = messages.map((message): Json => {
      return isObject(message) && message.role === 'developer' ? { ...message, role: 'system' } : message
    })
  }
  // Thinking is a switch of its own; `none` is no effort that DeepSeek knows.
  if (request.reasoning_effort === 'none') {
    patch.reasoning_effort = undefined
    patch.thinking = { type: 'disabled' }
  }
  return patch
}
