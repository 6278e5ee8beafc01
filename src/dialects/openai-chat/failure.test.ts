import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { classify } from '../../core/classify.ts'
import { Failure, failures, type FailureKind } from '../../core/failure.ts'
import { openaiChat } from './index.ts'

type Headers = Record<string, string | string[]>

function read(body: string | object, status = 400, headers: Headers = {}): ReturnType<typeof openaiChat.failure.read> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return openaiChat.failure.read({ dialect: 'openai-chat', status, contentType: '', body: Buffer.from(text) }, headers)
}

function recorded(name: string): string {
  return readFileSync(new URL(`../../../test/fixtures/openai-chat/${name}.json`, import.meta.url), 'utf8')
}

describe('error answers of every shape are read', () => {
  const cases: [string, string | object, number, object][] = [
    [
      "OpenAI's",
      recorded('openai-unsupported-parameter'),
      400,
      {
        message:
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        type: 'invalid_request_error',
        code: 'unsupported_parameter',
        path: 'max_tokens',
      },
    ],
    [
      "DeepSeek's",
      { error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' } },
      402,
      { message: 'Insufficient Balance', type: 'unknown_error', code: 'invalid_request_error' },
    ],
    [
      "xAI's",
      { code: 'Some prose', error: 'Model not found' },
      404,
      { message: 'Model not found', code: 'Some prose' },
    ],
    ["xAI's short one", { error: 'Nope' }, 400, { message: 'Nope' }],
    [
      "Gemini's list",
      [
        {
          error: {
            code: 400,
            message: 'API key not valid.',
            status: 'INVALID_ARGUMENT',
            details: [{ '@type': 'x', reason: 'API_KEY_INVALID' }],
          },
        },
      ],
      400,
      { message: 'API key not valid.', type: 'INVALID_ARGUMENT', code: '400', reasons: ['API_KEY_INVALID'] },
    ],
    [
      "FastAPI's detail",
      { detail: [{ loc: ['body', 'model'], msg: 'field required' }] },
      422,
      { message: 'model: field required' },
    ],
    ['a message alone', { message: 'no Route matched' }, 404, { message: 'no Route matched', foreign: true }],
    ['plain text', 'upstream connect error', 503, { message: 'upstream connect error', foreign: true }],
    [
      'an HTML page with a title',
      '<html><head><title>502 Bad Gateway</title></head></html>',
      502,
      { message: '502 Bad Gateway', foreign: true },
    ],
    ['an HTML page', '<!DOCTYPE html><p>10.0.0.1</p>', 502, { message: 'an HTML page', foreign: true }],
    ['nothing', '', 500, { message: 'The vendor answered 500 without a message.', foreign: true }],
    ['odd JSON', '[[null]]', 500, { message: 'The vendor answered 500 without a message.', foreign: true }],
    [
      'fields of odd types',
      { error: { message: 5, type: [], code: {}, param: 7, details: 'x' } },
      500,
      { message: 'The vendor answered 500 without a message.' },
    ],
  ]
  for (const [name, body, status, expected] of cases) {
    test(name, () => assert.deepEqual(read(body, status), { status, ...expected }))
  }

  test('a numeric code inside a 200 is the status', () => {
    assert.equal(read([{ error: { code: 429, message: 'Slow down', status: 'RESOURCE_EXHAUSTED' } }], 200).status, 429)
  })

  test('bytes that are no text are no trouble', () => {
    const body = Buffer.from([0xff, 0xfe, 0, 0x80])
    assert.equal(
      openaiChat.failure.read({ dialect: 'openai-chat', status: 500, contentType: '', body }, {}).status,
      500,
    )
  })

  test('a message is at most 1000 characters, without keys and accounts', () => {
    assert.equal(read({ error: { message: 'x'.repeat(5000) } }).message.length, 1000)
    const { message } = read({
      error: {
        message:
          'Incorrect API key provided: sk-proj-abcdefgh1234. Rate limit in organization org-AbCdEfGh1234 on tokens',
      },
    })
    assert.equal(message, 'Incorrect API key provided: [key]. Rate limit on tokens')
  })

  test('refusals of our own account are known as such', () => {
    assert.equal(classify(read(recorded('openai-error'), 429)), 'vendor-refuses')
    assert.equal(classify(read({ code: 'x', error: 'Incorrect API key provided: xa***' }, 400)), 'vendor-refuses')
  })
})

describe('when to ask again', () => {
  const cases: [string, object, Headers, number | undefined][] = [
    ['retry-after-ms', {}, { 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    ['retry-after in seconds', {}, { 'retry-after': '1.5' }, 1500],
    [
      'retry-after as a date',
      {},
      { 'retry-after': 'Wed, 21 Oct 2026 07:28:10 GMT', date: 'Wed, 21 Oct 2026 07:28:00 GMT' },
      10_000,
    ],
    ['the message', { error: { message: 'Please try again in 1.2s. Visit' } }, {}, 1200],
    ['the message in minutes', { error: { message: 'Please try again in 6m0s.' } }, {}, 360_000],
    ['the message in milliseconds', { error: { message: 'Please try again in 350ms.' } }, {}, 350],
    ["Gemini's RetryInfo", [{ error: { message: 'x', details: [{ retryDelay: '34.4s' }] } }], {}, 34_400],
    [
      'the counter that is used up',
      {},
      {
        'x-ratelimit-remaining-requests': '5',
        'x-ratelimit-reset-requests': '9s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '1m2.5s',
      },
      62_500,
    ],
    ['no word of it', {}, { 'x-ratelimit-remaining-requests': '5', 'x-ratelimit-reset-requests': '9s' }, undefined],
    ['an unreadable header', {}, { 'retry-after': 'soon' }, undefined],
  ]
  for (const [name, body, headers, expected] of cases) {
    test(`by ${name}`, () => assert.equal(read(body, 429, headers).retryAfterMs, expected))
  }
})

describe('what a caller gets', () => {
  const kinds = Object.keys(failures) as FailureKind[]

  test('is OpenAI’s object with all four keys, for every kind', () => {
    for (const kind of kinds) {
      const { error } = openaiChat.failure.write(new Failure(kind, 'It broke'), 'req_1') as {
        error: Record<string, unknown>
      }
      assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code'])
      assert.equal(typeof error['type'], 'string')
      assert.ok(error['code'] === null || typeof error['code'] === 'string')
    }
  })

  const cases: [FailureKind, ConstructorParameters<typeof Failure>[2], object][] = [
    [
      'request-invalid',
      { path: 'messages', code: 'missing_required_parameter' },
      { param: 'messages', type: 'invalid_request_error', code: 'missing_required_parameter' },
    ],
    ['request-invalid', { vendor: 'google', code: '400' }, { param: null, type: 'invalid_request_error', code: null }],
    [
      'request-invalid',
      { vendor: 'deepseek', code: 'invalid_request_error' },
      { param: null, type: 'invalid_request_error', code: null },
    ],
    [
      'prompt-too-long',
      { vendor: 'x', code: 'string_above_max_length' },
      { param: null, type: 'invalid_request_error', code: 'context_length_exceeded' },
    ],
    [
      'vendor-limit',
      { vendor: 'google', code: '429' },
      { param: null, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
    ],
    ['vendor-overloaded', {}, { param: null, type: 'service_unavailable_error', code: 'server_is_overloaded' }],
    ['key-wrong', {}, { param: null, type: 'invalid_request_error', code: 'invalid_api_key' }],
  ]
  for (const [kind, details, expected] of cases) {
    test(`${kind} with ${JSON.stringify(details)}`, () => {
      const failure = new Failure(kind, 'It broke', { fix: 'Mend it.', ...details })
      assert.deepEqual(openaiChat.failure.write(failure, 'req_1'), {
        error: { message: 'It broke. Mend it.', ...expected },
      })
    })
  }

  test('says the fix once, and the request id where the operator needs it', () => {
    const failure = new Failure('gateway-fault', 'It broke. Mend it.', { fix: 'Mend it.' })
    const { error } = openaiChat.failure.write(failure, 'req_1') as { error: { message: string } }
    assert.equal(error.message, 'It broke. Mend it. (request id: req_1)')
  })

  test('is one event in a stream, without [DONE]', () => {
    const event = openaiChat.failure.writeEvent(new Failure('vendor-cut', 'It broke.', { fix: 'Ask again.' }), 'req_1')
    assert.equal(
      event,
      'data: {"error":{"message":"It broke. Ask again.","type":"server_error","param":null,"code":"bad_gateway"}}\n\n',
    )
  })
})
