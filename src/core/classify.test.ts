import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classify } from './classify.ts'
import type { VendorError } from './dialect.ts'
import type { FailureKind } from './failure.ts'

const cases: [sentence: string, error: VendorError, kind: FailureKind][] = [
  [
    'Anthropic refuses the key',
    { status: 401, type: 'authentication_error', message: 'invalid x-api-key' },
    'vendor-refuses',
  ],
  [
    'Anthropic’s credit is used up, as a 400',
    {
      status: 400,
      type: 'invalid_request_error',
      message: 'Your credit balance is too low to access the Anthropic API.',
    },
    'vendor-refuses',
  ],
  [
    'Gemini refuses the key with a 400',
    {
      status: 400,
      type: 'INVALID_ARGUMENT',
      message: 'API key not valid. Please pass a valid API key.',
      reasons: ['API_KEY_INVALID'],
    },
    'vendor-refuses',
  ],
  [
    'DeepSeek’s balance is empty',
    { status: 402, type: 'unknown_error', message: 'Insufficient Balance' },
    'vendor-refuses',
  ],
  [
    'OpenAI’s quota is used up, as a 429',
    {
      status: 429,
      type: 'insufficient_quota',
      code: 'insufficient_quota',
      message: 'You exceeded your current quota.',
    },
    'vendor-refuses',
  ],
  ['xAI refuses the key with a 400', { status: 400, message: 'Incorrect API key provided: xa***.' }, 'vendor-refuses'],
  [
    'xAI’s credits are used up',
    { status: 429, message: 'Your team has either used all available credits or reached its limit.' },
    'vendor-refuses',
  ],
  [
    'a prompt against OpenAI’s content policy',
    { status: 400, code: 'content_policy_violation', message: 'Your request was rejected by our safety system.' },
    'content-refused',
  ],
  [
    'a prompt against xAI’s guidelines, as a 403',
    { status: 403, message: 'Content violates usage guidelines.' },
    'content-refused',
  ],
  [
    'Anthropic’s output filter',
    { status: 400, type: 'invalid_request_error', message: 'Output blocked by content filtering policy' },
    'content-refused',
  ],
  ['DeepSeek’s content rules', { status: 400, message: 'Content Exists Risk' }, 'content-refused'],
  [
    'Google’s empty prepayment, as a 429',
    { status: 429, type: 'RESOURCE_EXHAUSTED', message: 'Your prepayment credits are depleted.' },
    'vendor-refuses',
  ],
  [
    'a day’s quota at Google, which no short wait helps',
    {
      status: 429,
      type: 'RESOURCE_EXHAUSTED',
      message: 'You exceeded your current quota.',
      reasons: ['GenerateRequestsPerDayPerProjectPerModel'],
    },
    'vendor-refuses',
  ],
  [
    'a body over Google’s limit, as a 400',
    { status: 400, message: 'Request payload size exceeds the limit: 20971520 bytes.' },
    'body-too-large',
  ],
  ['a proxy’s page with a 404', { status: 404, message: 'an HTML page', foreign: true }, 'vendor-unreadable'],
  ['a proxy’s page with a 400', { status: 400, message: 'an HTML page', foreign: true }, 'vendor-unreadable'],
  ['a proxy’s page with a 503', { status: 503, message: 'an HTML page', foreign: true }, 'vendor-overloaded'],
  ['a conflict', { status: 409, type: 'conflict_error', message: 'x' }, 'conflict'],
  [
    'a region is refused',
    {
      status: 403,
      type: 'request_forbidden',
      code: 'unsupported_country_region_territory',
      message: 'Country not supported',
    },
    'vendor-refuses',
  ],
  ['a rate limit', { status: 429, type: 'rate_limit_error', message: 'slow down' }, 'vendor-limit'],
  ['Anthropic is overloaded', { status: 529, type: 'overloaded_error', message: 'Overloaded' }, 'vendor-overloaded'],
  [
    'Gemini is overloaded',
    { status: 503, type: 'UNAVAILABLE', message: 'The model is overloaded.' },
    'vendor-overloaded',
  ],
  [
    'an ordinary 400',
    { status: 400, type: 'invalid_request_error', message: 'max_tokens: Field required' },
    'request-invalid',
  ],
  ['an unprocessable request', { status: 422, message: 'invalid parameters' }, 'request-invalid'],
  [
    'a prompt over Anthropic’s window',
    { status: 400, message: 'prompt is too long: 208656 tokens > 200000 maximum' },
    'prompt-too-long',
  ],
  [
    'a prompt over OpenAI’s window',
    { status: 400, code: 'context_length_exceeded', message: 'too long' },
    'prompt-too-long',
  ],
  [
    'a prompt over Gemini’s window',
    { status: 400, message: 'The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).' },
    'prompt-too-long',
  ],
  ['an unknown model', { status: 404, type: 'not_found_error', message: 'model: claude-9' }, 'model-unknown'],
  [
    'a body over the vendor’s limit',
    { status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' },
    'body-too-large',
  ],
  ['a vendor’s bug', { status: 500, type: 'api_error', message: 'Internal server error' }, 'vendor-broken'],
  ['a bad gateway on the way', { status: 502, message: 'an HTML page' }, 'vendor-unreachable'],
  ['a vendor’s own timeout', { status: 504, message: 'x' }, 'vendor-slow'],
  [
    'an error event that says overloaded',
    { status: 200, type: 'overloaded_error', message: 'Overloaded' },
    'vendor-overloaded',
  ],
  [
    'xAI’s capacity in an error event',
    { status: 200, message: 'The service is at capacity, please try again later.' },
    'vendor-overloaded',
  ],
  ['DeepSeek’s busy service in an error event', { status: 200, message: 'Service is too busy.' }, 'vendor-overloaded'],
  ['an error event without a known type', { status: 200, type: 'weird', message: 'x' }, 'vendor-broken'],
]

for (const [sentence, error, kind] of cases) {
  test(`classify: ${sentence} is ${kind}`, () => assert.equal(classify(error), kind))
}
