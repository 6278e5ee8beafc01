import type { IncomingHttpHeaders } from 'node:http'
import { openaiChat } from '../../dialects/openai-chat/index.ts'
import { openaiResponses } from '../../dialects/openai-responses/index.ts'
import type { Refusal } from '../refusal.ts'
import { openaiChatRules } from '../rules/openai-chat.ts'
import { gptFacts } from '../rules/openai-models.ts'
import { openaiResponsesRules } from '../rules/openai-responses.ts'
import { invalid } from '../rules/openai.ts'
import { bearerOf, thinks, wrongKey, type SimulatedVendor } from '../vendor.ts'

const models = ['gpt-6-sol', 'gpt-5.6', 'gpt-5.4-mini', 'gpt-5', 'gpt-4.1', 'gpt-4o-mini', 'o3']

/** OpenAI, simulated. */
export const openaiVendor: SimulatedVendor = {
  name: 'openai',
  routes: [
    { does: 'reply', path: /^\/v1\/chat\/completions$/, dialect: openaiChat, rules: openaiChatRules },
    { does: 'reply', path: /^\/v1\/responses$/, dialect: openaiResponses, rules: openaiResponsesRules },
    { does: 'count', path: /^\/v1\/responses\/input_tokens$/, dialect: openaiResponses, rules: openaiResponsesRules },
    { does: 'models', path: /^\/v1\/models$/ },
  ],
  knows: (model) => /^(ft:)?(gpt-|o\d|chatgpt-|chat-latest|codex-)/.test(model),
  models: () => ({
    object: 'list',
    data: models.map((id) => ({ id, object: 'model', created: 1_767_225_600, owned_by: 'openai' })),
  }),
  authorize: authorizeOpenai,
  refuse: {
    path: (method, path) => ({ ...invalid(`Invalid URL (${method} ${path})`), status: 404 }),
    method: (method, path) => ({
      ...invalid(`Not allowed to ${method} on ${path}.`, undefined, 'method_not_supported'),
      status: 405,
    }),
    body: () =>
      invalid(
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
      ),
    size: () => ({ ...invalid('Request body too large.'), status: 413 }),
    model: (model) => ({
      ...invalid(
        `The model \`${model}\` does not exist or you do not have access to it.`,
        undefined,
        'model_not_found',
      ),
      status: 404,
    }),
    request: (message) => invalid(message),
    tokens(model, tokens) {
      const { window } = gptFacts(model)
      if (tokens <= window) return undefined
      const message = `This model's maximum context length is ${window} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`
      return invalid(message, 'messages', 'context_length_exceeded')
    },
  },
  write: writeOpenai,
  requestId: (count) => `req_sandbox${String(count).padStart(21, '0')}`,
  headers: (requestId) => ({
    'x-request-id': requestId,
    'openai-organization': 'sandbox-organization',
    'openai-project': 'proj_sandbox',
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-reset-requests': '6ms',
    'x-ratelimit-limit-tokens': '2000000',
    'x-ratelimit-remaining-tokens': '1999000',
    'x-ratelimit-reset-tokens': '12ms',
    'cf-ray': '9a5db0c50000sand-AMS',
    'set-cookie': '__cf_bm=sandbox; path=/; HttpOnly; Secure',
  }),
  thinking(prompt, dialect) {
    const { reasons, efforts } = gptFacts(prompt.model)
    if (!reasons || !thinks(prompt, !efforts.includes('none'))) return 'none'
    if (dialect === 'openai-chat') return 'counted'
    return prompt.thinking?.show === true ? 'shown' : 'sealed'
  },
  callIds: 'call_sandbox',
}

/** OpenAI's error object: all four keys, null where there is nothing to say. */
export function writeOpenai({ message, type = 'invalid_request_error', param, code }: Refusal) {
  return { error: { message, type, param: param ?? null, code: code ?? null } }
}

function authorizeOpenai(headers: IncomingHttpHeaders): Refusal | undefined {
  const key = bearerOf(headers)
  const type = 'invalid_request_error'
  if (key === undefined || key === '') {
    const message =
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API from your browser and are prompted for a username and password. You can obtain an API key from https://platform.openai.com/account/api-keys."
    return { status: 401, type, message }
  }
  if (key !== wrongKey) return undefined
  const message = `Incorrect API key provided: ${key}. You can find your API key at https://platform.openai.com/account/api-keys.`
  return { status: 401, type, code: 'invalid_api_key', message }
}
