import { numberOf, objectOf, type JsonObject } from '../../core/json.ts'
import { anthropic } from '../../dialects/anthropic/index.ts'
import { openaiChat } from '../../dialects/openai-chat/index.ts'
import { deepseekAnthropicRules, deepseekChatRules, invalid } from '../rules/deepseek.ts'
import { bearerOf, thinks, wrongKey, type SimulatedVendor } from '../vendor.ts'
import { writeOpenai } from './openai.ts'

const models = ['deepseek-v4-pro', 'deepseek-flash']
const window = 1_000_000

/** DeepSeek, simulated. Both of its endpoints refuse in OpenAI's shape. */
export const deepseekVendor: SimulatedVendor = {
  name: 'deepseek',
  routes: [
    { does: 'reply', path: /^(\/v1)?\/chat\/completions$/, dialect: openaiChat, rules: deepseekChatRules },
    { does: 'reply', path: /^\/anthropic\/v1\/messages$/, dialect: anthropic, rules: deepseekAnthropicRules },
    { does: 'models', path: /^(\/v1)?\/models$/ },
  ],
  // Claude's names are taken for its own on the endpoint that is made for Claude's clients.
  knows: (model, dialect) => model.startsWith('deepseek-') || (dialect === 'anthropic' && model.startsWith('claude-')),
  models: () => ({ object: 'list', data: models.map((id) => ({ id, object: 'model', owned_by: 'deepseek' })) }),
  authorize(headers) {
    const bearer = bearerOf(headers)
    const key = bearer ?? headers['x-api-key']
    const refusal = { status: 401, type: 'authentication_error', code: 'invalid_request_error' }
    if (bearer === '' || key === undefined || key === '') {
      return { ...refusal, message: 'Authentication Fails (auth header format should be Bearer sk-...)' }
    }
    if (key !== wrongKey) return undefined
    return { ...refusal, message: 'Authentication Fails, Your api key: ****rong is invalid' }
  },
  refuse: {
    path: () => ({ ...invalid('Not Found'), status: 404 }),
    method: () => ({ ...invalid('Method Not Allowed'), status: 405 }),
    body: (cause) => invalid(`Failed to parse the request body as JSON: ${cause}`),
    size: () => ({ ...invalid('Failed to buffer the request body: length limit exceeded'), status: 413 }),
    model: () => invalid(`The supported API model names are ${models.join(' or ')}, but you passed another one.`),
    request: invalid,
    tokens(_model, tokens) {
      if (tokens <= window) return undefined
      return invalid(
        `This model's maximum context length is ${window} tokens. However, you requested ${tokens} tokens in the messages. Please reduce the length of the messages.`,
      )
    },
  },
  write: writeOpenai,
  requestId: (count) => `5a9db0c50000400080000000${String(count).padStart(8, '0')}`,
  headers: (requestId) => ({
    'x-ds-trace-id': requestId,
    server: 'elb',
    via: '1.1 sandbox.cloudfront.net (CloudFront)',
    'x-amz-cf-pop': 'FRA60-P1',
    'strict-transport-security': 'max-age=31536000; includeSubDomains; preload',
  }),
  thinking: (prompt) => (thinks(prompt, true) ? 'shown' : 'none'),
  callIds: 'call_00_sandbox',
  keepAlive: { text: ': keep-alive\n\n', after: 'headers' },
  accent(reply, dialect) {
    return dialect === 'openai-chat' ? withCacheCounts(reply) : reply
  },
}

/** DeepSeek tells hits and misses of its prompt cache apart. */
function withCacheCounts(reply: JsonObject): JsonObject {
  const usage = objectOf(reply['usage'])
  const prompt = numberOf(usage['prompt_tokens'])
  if (prompt === undefined) return reply
  const cached = numberOf(objectOf(usage['prompt_tokens_details'])['cached_tokens']) ?? 0
  return {
    ...reply,
    usage: { ...usage, prompt_cache_hit_tokens: cached, prompt_cache_miss_tokens: prompt - cached },
  }
}
