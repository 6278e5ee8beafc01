import { numberOf, objectOf, type JsonObject } from '../../core/json.ts'
import { openaiChat } from '../../dialects/openai-chat/index.ts'
import { openaiResponses } from '../../dialects/openai-responses/index.ts'
import { grokFacts, invalid, xaiChatRules, xaiResponsesRules } from '../rules/xai.ts'
import { bearerOf, thinks, wrongKey, type SimulatedVendor } from '../vendor.ts'

const models = ['grok-4.7', 'grok-4.5', 'grok-4.3', 'grok-4.20-non-reasoning']
const noRoute = 'The requested resource was not found. Please check the URL and try again.'

/** xAI, simulated. */
export const xaiVendor: SimulatedVendor = {
  name: 'xai',
  routes: [
    { does: 'reply', path: /^\/v1\/chat\/completions$/, dialect: openaiChat, rules: xaiChatRules },
    { does: 'reply', path: /^\/v1\/responses$/, dialect: openaiResponses, rules: xaiResponsesRules },
    { does: 'models', path: /^\/v1\/models$/ },
  ],
  knows: (model) => model.startsWith('grok-'),
  models: () => ({
    object: 'list',
    data: models.map((id) => ({ id, object: 'model', created: 1_767_225_600, owned_by: 'xai' })),
  }),
  authorize(headers) {
    const key = bearerOf(headers)
    if (key === undefined || key === '') {
      return {
        status: 401,
        type: 'Unauthenticated',
        message: 'No authorization header or an invalid one was provided.',
      }
    }
    if (key !== wrongKey) return undefined
    // A wrong key is a 400 here, and the message holds the beginning of it.
    return invalid(
      `Incorrect API key provided: ${key.slice(0, 2)}***. You can obtain an API key from https://console.x.ai.`,
    )
  },
  refuse: {
    path: () => ({ status: 404, type: 'The requested resource was not found', message: noRoute }),
    method: () => ({ status: 405, type: 'Method not allowed', message: 'Method not allowed.' }),
    body: (cause) => ({
      status: 400,
      type: 'The request body is not valid',
      message: `Failed to parse the request body as JSON: ${cause}`,
    }),
    size: () => ({
      status: 413,
      type: 'The request body is too large',
      message: 'Failed to buffer the request body: length limit exceeded',
    }),
    model: (model) => ({
      status: 404,
      type: 'Some requested entity was not found',
      message: `The model ${model} does not exist or your team does not have access to it. Please ensure you're using the correct API key.`,
    }),
    request: invalid,
    tokens(model, tokens) {
      const { window } = grokFacts(model)
      if (tokens <= window) return undefined
      return invalid(
        `This model's maximum prompt length is ${window} but the request contains ${tokens} tokens; it exceeds the maximum context length.`,
      )
    },
  },
  write: ({ type = 'Client specified an invalid argument', message }) => ({ code: type, error: message }),
  requestId: (count) => `5a9db0c5-0000-4000-9000-${String(count).padStart(12, '0')}`,
  headers: (requestId) => ({
    'x-request-id': requestId,
    'x-zero-data-retention': 'false',
    'x-ratelimit-limit-requests': '480',
    'x-ratelimit-remaining-requests': '479',
    'x-ratelimit-limit-tokens': '4000000',
    'x-ratelimit-remaining-tokens': '3999000',
    'x-metrics-e2e-ms': '12',
    'cf-ray': '9a5db0c50000sand-IAD',
  }),
  thinking(prompt, dialect) {
    const facts = grokFacts(prompt.model)
    if (!facts.thinks || !thinks(prompt, true)) return 'none'
    return dialect === 'openai-chat' || prompt.thinking?.show === true ? 'shown' : 'sealed'
  },
  callIds: 'call_',
  accent(reply, dialect) {
    return dialect === 'openai-chat' ? withReasoningApart(reply) : reply
  },
}

/** xAI counts reasoning beside `completion_tokens`, not in it; the total is the sum of all three. */
function withReasoningApart(reply: JsonObject): JsonObject {
  const usage = objectOf(reply['usage'])
  const reasoning = numberOf(objectOf(usage['completion_tokens_details'])['reasoning_tokens']) ?? 0
  const completion = numberOf(usage['completion_tokens'])
  if (completion === undefined) return reply
  return {
    ...reply,
    usage: { ...usage, completion_tokens: completion - reasoning, num_sources_used: 0, cost_in_usd_ticks: 1 },
  }
}
