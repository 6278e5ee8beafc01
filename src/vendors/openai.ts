import { isObject, listOf } from '../core/json.ts'
import { refuses, type Model, type Vendor } from '../core/vendor.ts'

/** GPT. */
export const openai: Vendor = {
  name: 'openai',
  title: 'OpenAI',
  origin: 'https://api.openai.com',
  keyNames: ['OPENAI_API_KEY'],
  statusPage: { form: 'statuspage', url: 'https://status.openai.com' },
  models: /^(gpt-|o\d|chatgpt-|chat-latest|codex-)/,
  speaks: { 'openai-chat': '/v1', 'openai-responses': '/v1' },
  choose(caller, model, request) {
    if (caller === 'openai-responses' || responsesOnly(model)) return 'openai-responses'
    if (caller !== 'openai-chat') return reasons(model) ? 'openai-responses' : 'openai-chat'
    // Since gpt-5.4, function tools together with reasoning are a 400 on chat/completions, also where the caller names
    // no effort at all; the error text says to use /v1/responses.
    const tools = listOf(request.tools).some((tool) => isObject(tool) && tool.type === 'function')
    return tools && refuses(model, 'tools-on-chat') && request.reasoning_effort !== 'none'
      ? 'openai-responses'
      : 'openai-chat'
  },
  counts: 'openai-responses',
  authorize: (secret) => ({ authorization: `Bearer ${secret}` }),
  headers: { pass: /^openai-beta$/, defaults: {} },
}

/** "This is not a chat model": where the catalogue does not know the model, its name tells. */
function responsesOnly(model: Model): boolean {
  return refuses(model, 'chat') || (model.thinking === undefined && /-pro\b|codex|deep-research/.test(model.id))
}

/** Responses hands reasoning back; to a model that has none, asking for it there is a 400. */
function reasons(model: Model): boolean {
  return model.thinking === undefined ? !/^(gpt-[34]|chatgpt-4o)/.test(model.id) : model.thinking !== 'none'
}
