import { anthropic } from '../../dialects/anthropic/index.ts'
import { invalid } from '../rules/anthropic-messages.ts'
import { claudeFacts } from '../rules/anthropic-models.ts'
import { anthropicRules } from '../rules/anthropic.ts'
import { bearerOf, wrongKey, type SimulatedVendor } from '../vendor.ts'

const models = ['claude-opus-5', 'claude-sonnet-5', 'claude-fable-5-2', 'claude-sonnet-4-5', 'claude-haiku-4-5']

/** Anthropic, simulated. */
export const anthropicVendor: SimulatedVendor = {
  name: 'anthropic',
  routes: [
    { does: 'reply', path: /^\/v1\/messages$/, dialect: anthropic, rules: anthropicRules },
    { does: 'count', path: /^\/v1\/messages\/count_tokens$/, dialect: anthropic, rules: anthropicRules },
    { does: 'models', path: /^\/v1\/models$/ },
  ],
  knows: (model) => model.startsWith('claude-'),
  models: () => ({
    data: models.map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' })),
    has_more: false,
    first_id: models[0] ?? null,
    last_id: models.at(-1) ?? null,
  }),
  authorize(headers) {
    const key = headers['x-api-key']
    const bearer = bearerOf(headers)
    const message =
      key === undefined && bearer === undefined
        ? 'x-api-key header is required'
        : key !== undefined && bearer !== undefined && key !== bearer
          ? 'Only one credential may be given'
          : key === '' || key === wrongKey
            ? 'invalid x-api-key'
            : bearer === '' || bearer === wrongKey
              ? 'Invalid bearer token'
              : undefined
    return message === undefined ? undefined : { status: 401, type: 'authentication_error', message }
  },
  refuse: {
    path: () => ({ status: 404, type: 'not_found_error', message: 'Not Found' }),
    method: () => ({ status: 405, type: 'invalid_request_error', message: 'Method Not Allowed' }),
    body: (cause) => invalid(`The request body is not valid JSON: ${cause}`),
    size: () => ({ status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' }),
    model: (model) => ({ status: 404, type: 'not_found_error', message: `model: ${model}` }),
    request: invalid,
    tokens(model, tokens) {
      const { window } = claudeFacts(model)
      return tokens > window ? invalid(`prompt is too long: ${tokens} tokens > ${window} maximum`) : undefined
    },
  },
  write: ({ type = 'invalid_request_error', message, details }, requestId) => ({
    type: 'error',
    error: { type, message, ...(details !== undefined && { details }) },
    request_id: requestId,
  }),
  requestId: (count) => `req_011Sandbox${String(count).padStart(10, '0')}`,
  headers: (requestId, status) => ({
    'request-id': requestId,
    'anthropic-organization-id': '5a9db0c5-0000-4000-8000-000000000000',
    'anthropic-ratelimit-requests-limit': '4000',
    'anthropic-ratelimit-requests-remaining': '3999',
    'anthropic-ratelimit-requests-reset': '2026-11-23T12:00:00Z',
    'anthropic-ratelimit-input-tokens-limit': '2000000',
    'anthropic-ratelimit-input-tokens-remaining': '1999000',
    'anthropic-ratelimit-input-tokens-reset': '2026-11-23T12:00:00Z',
    'anthropic-ratelimit-output-tokens-limit': '400000',
    'anthropic-ratelimit-output-tokens-remaining': '399000',
    'anthropic-ratelimit-output-tokens-reset': '2026-11-23T12:00:00Z',
    'x-envoy-upstream-service-time': '12',
    'cf-ray': '9a5db0c50000sand-FRA',
    ...(status >= 400 && status < 500 && { 'x-should-retry': 'false' }),
  }),
  thinking(prompt) {
    const facts = claudeFacts(prompt.model)
    // Effort alone does not make Claude think; the models that cannot be kept from it always do.
    if (facts.thinkingOff && (prompt.thinking === undefined || prompt.thinking.type === 'off')) return 'none'
    const shown = prompt.thinking?.show ?? facts.budget
    return shown ? 'shown' : 'sealed'
  },
  callIds: 'toolu_01Sandbox',
  caches: true,
  keepAlive: { text: anthropic.stream.ping, after: 'first-event' },
}
