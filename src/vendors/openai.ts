import type { Vendor } from '../core/vendor.ts'
import { refuses } from '../core/vendor.ts'

/** GPT. */
export const openai: Vendor = {
  name: 'openai',
  title: 'OpenAI',
  origin: 'https://api.openai.com',
  keyNames: ['OPENAI_API_KEY'],
  models: /^(gpt-|o\d|chatgpt-|chat-latest|codex-)/,
  speaks: { 'openai-chat': '/v1', 'openai-responses': '/v1' },
  choose(caller, model, request) {
    if (caller === 'openai-responses') return 'openai-responses'
    if (caller !== 'openai-chat') return model.thinking === 'none' ? 'openai-chat' : 'openai-responses'
    // Since gpt-5.4, function tools together with reasoning are a 400 on chat/completions, also where the caller names
    // no effort at all; the error text says to use /v1/responses.
    const tools = Array.isArray(request.tools) && request.tools.length > 0
    return tools && refuses(model, 'tools-on-chat') && request.reasoning_effort !== 'none'
      ? 'openai-responses'
      : 'openai-chat'
  },
  counts: 'openai-responses',
  authorize: (secret) => ({ authorization: `Bearer ${secret}` }),
  headers: { pass: /^openai-beta$/, defaults: {} },
}
