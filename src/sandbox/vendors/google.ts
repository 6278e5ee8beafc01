import { isObject } from '../../core/json.ts'
import { gemini } from '../../dialects/gemini/index.ts'
import { geminiFacts } from '../rules/gemini-models.ts'
import { invalid } from '../rules/google-names.ts'
import { googleRules } from '../rules/google.ts'
import { thinks, wrongKey, type SimulatedVendor } from '../vendor.ts'

const models = ['gemini-3.8-flash', 'gemini-3.1-pro-preview', 'gemini-2.5-pro', 'gemini-2.5-flash']

/** Google's Gemini API, simulated. */
export const googleVendor: SimulatedVendor = {
  name: 'google',
  routes: [
    // The newest SDKs ask for v1, all others for v1beta.
    {
      does: 'reply',
      path: /^\/v1(beta)?\/models\/[^/:]+:(generateContent|streamGenerateContent)$/,
      dialect: gemini,
      rules: googleRules,
    },
    {
      does: 'count',
      path: /^\/v1(beta)?\/models\/[^/:]+:countTokens$/,
      dialect: gemini,
      rules: googleRules,
      unwrap: (json) => (isObject(json['generateContentRequest']) ? json['generateContentRequest'] : json),
    },
    { does: 'models', path: /^\/v1(beta)?\/models$/ },
  ],
  knows: (model) => /^(gemini|gemma)-/.test(model),
  models: () => ({
    models: models.map((id) => ({
      name: `models/${id}`,
      version: '001',
      displayName: id,
      inputTokenLimit: geminiFacts(id).window,
      outputTokenLimit: geminiFacts(id).outputMax,
      supportedGenerationMethods: ['generateContent', 'countTokens'],
    })),
  }),
  authorize(headers, query) {
    const header = headers['x-goog-api-key']
    const key = typeof header === 'string' && header !== '' ? header : query.get('key')
    if (key === null || key === '') {
      const message =
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."
      return { status: 403, type: 'PERMISSION_DENIED', message }
    }
    if (key !== wrongKey) return undefined
    return {
      ...invalid('API key not valid. Please pass a valid API key.'),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'API_KEY_INVALID',
          domain: 'googleapis.com',
          metadata: { service: 'generativelanguage.googleapis.com' },
        },
      ],
    }
  },
  refuse: {
    path: () => ({ status: 404, type: 'NOT_FOUND', message: 'Requested entity was not found.' }),
    method: () => ({ status: 404, type: 'NOT_FOUND', message: 'Requested entity was not found.' }),
    body: (cause) => invalid(`Invalid JSON payload received. ${cause}`),
    size: () => invalid('Request payload size exceeds the limit: 33554432 bytes.'),
    model: (model) => ({
      status: 404,
      type: 'NOT_FOUND',
      message: `models/${model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`,
    }),
    request: invalid,
    tokens(model, tokens) {
      const { window } = geminiFacts(model)
      if (tokens <= window) return undefined
      return invalid(`The input token count (${tokens}) exceeds the maximum number of tokens allowed (${window}).`)
    },
  },
  write: ({ status, message, type = 'INVALID_ARGUMENT', details }) => ({
    error: { code: status, message, status: type, ...(details !== undefined && { details }) },
  }),
  requestId: (count) => `sandbox${count}`,
  headers: () => ({
    vary: 'Origin, X-Origin, Referer',
    server: 'scaffolding on HTTPServer2',
    'x-xss-protection': '0',
    'x-frame-options': 'SAMEORIGIN',
    'x-content-type-options': 'nosniff',
    'server-timing': 'gfet4t7; dur=12',
    'alt-svc': 'h3=":443"; ma=2592000',
  }),
  thinking(prompt) {
    const facts = geminiFacts(prompt.model)
    const budgetOff = prompt.thinking?.budgetTokens === 0
    if (!facts.thinks || budgetOff || !thinks(prompt, !prompt.model.includes('2.5-flash-lite'))) return 'none'
    return prompt.thinking?.show === true ? 'shown' : 'counted'
  },
  signsCalls: true,
  callIds: 'sandbox',
}
