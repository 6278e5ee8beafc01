import { refuses, type Vendor } from '../core/vendor.ts'

/** Grok. Its Anthropic-compatible endpoint is deprecated, and chat/completions gives no reasoning state back. */
export const xai: Vendor = {
  name: 'xai',
  title: 'xAI',
  origin: 'https://api.x.ai',
  keyNames: ['XAI_API_KEY'],
  statusPage: { form: 'xai', url: 'https://status.x.ai' },
  models: /^grok-/,
  speaks: { 'openai-chat': '/v1', 'openai-responses': '/v1' },
  choose: (caller, model) => (caller === 'openai-chat' && !refuses(model, 'chat') ? 'openai-chat' : 'openai-responses'),
  authorize: (secret) => ({ authorization: `Bearer ${secret}` }),
  classify(error) {
    // A wrong key is a 400 and an empty account a 429 or a 403: only the words tell.
    if (/incorrect api key|all available credits|run out of credits|monthly spending limit/i.test(error.message)) {
      return 'vendor-refuses'
    }
    return undefined
  },
}
