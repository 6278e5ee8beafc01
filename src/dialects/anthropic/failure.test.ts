import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classify } from '../../core/classify.ts'
import { Failure, failures, type FailureKind } from '../../core/failure.ts'
import { failure } from './failure.ts'

type Headers = Record<string, string>

function read(status: number, body: string, headers: Headers = {}): ReturnType<typeof failure.read> {
  return failure.read({ status, contentType: '', body: Buffer.from(body) }, headers)
}

const readCases: [string, number, string, object][] = [
  [
    "Anthropic's own shape",
    400,
    '{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: Field required"},"request_id":"r"}',
    { status: 400, message: 'max_tokens: Field required', type: 'invalid_request_error', path: 'max_tokens' },
  ],
  [
    'an error_code',
    429,
    '{"type":"error","error":{"type":"rate_limit_error","message":"Spent.","details":{"error_code":"enforced_spend_limit_reached"}}}',
    { status: 429, message: 'Spent.', type: 'rate_limit_error', reasons: ['enforced_spend_limit_reached'] },
  ],
  [
    'the edge, without an outer type',
    403,
    '{"error":{"type":"forbidden","message":"Request not allowed"}}',
    { status: 403, message: 'Request not allowed', type: 'forbidden' },
  ],
  [
    "DeepSeek's shape",
    402,
    '{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}',
    { status: 402, message: 'Insufficient Balance', type: 'unknown_error', code: 'invalid_request_error' },
  ],
  ['a list', 500, '[{"error":{"message":"x"}}]', { status: 500, message: 'x' }],
  ['an error that is text', 500, '{"error":"broken"}', { status: 500, message: 'broken' }],
  ['a scalar', 500, '7', { status: 500, message: 'The vendor answered 500 without a message.', foreign: true }],
  [
    'an HTML page with a title',
    502,
    '<html><title>502\n Bad Gateway</title></html>',
    { status: 502, message: '502 Bad Gateway', foreign: true },
  ],
  ['an HTML page without one', 502, '<!DOCTYPE html><p>x', { status: 502, message: 'an HTML page', foreign: true }],
  ['plain text', 503, 'upstream connect error', { status: 503, message: 'upstream connect error', foreign: true }],
  ['nothing', 529, '', { status: 529, message: 'The vendor answered 529 without a message.', foreign: true }],
  [
    'a rate limit, without the organisation it names',
    429,
    '{"error":{"message":"exceeds the limit (org: 1234-ab, model: claude-x)"}}',
    { status: 429, message: 'exceeds the limit (model: claude-x)' },
  ],
]
for (const [name, status, body, expected] of readCases) {
  test(`reads ${name}`, () => assert.deepEqual(read(status, body), expected))
}

const retryCases: [string, number, Headers, number | undefined][] = [
  ['seconds', 429, { 'retry-after': '7' }, 7000],
  ['milliseconds first', 429, { 'retry-after': '7', 'retry-after-ms': '250' }, 250],
  [
    'a date by the clock of the vendor',
    529,
    { 'retry-after': 'Fri, 01 Jan 2027 00:00:10 GMT', date: 'Fri, 01 Jan 2027 00:00:00 GMT' },
    10_000,
  ],
  [
    'the last of the empty buckets',
    429,
    {
      date: 'Fri, 01 Jan 2027 00:00:00 GMT',
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2027-01-01T00:00:05Z',
      'anthropic-ratelimit-tokens-remaining': '12',
      'anthropic-ratelimit-tokens-reset': '2027-01-01T00:01:00Z',
    },
    5000,
  ],
  ['nothing where nothing is said', 429, {}, undefined],
]
for (const [name, status, headers, expected] of retryCases) {
  test(`retries after ${name}`, () => assert.equal(read(status, '', headers).retryAfterMs, expected))
}

test('what is read can be classified', () => {
  const credit =
    '{"error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}'
  assert.equal(classify(read(400, credit)), 'vendor-refuses')
  const long =
    '{"error":{"type":"invalid_request_error","message":"prompt is too long: 208656 tokens > 200000 maximum"}}'
  assert.equal(classify(read(400, long)), 'prompt-too-long')
})

const sdkTypes = [
  'invalid_request_error',
  'authentication_error',
  'permission_error',
  'not_found_error',
  'request_too_large',
  'rate_limit_error',
  'timeout_error',
  'api_error',
  'overloaded_error',
  'conflict_error',
  'billing_error',
]
function written(thrown: Failure): { type: string; message: string } {
  return failure.write(thrown, 'req_1').error as unknown as { type: string; message: string }
}

test('writes every kind under a name that SDKs know, with what to do', () => {
  for (const kind of Object.keys(failures) as FailureKind[]) {
    const error = written(new Failure(kind, 'It went wrong'))
    assert.ok(sdkTypes.includes(error.type), kind)
    assert.ok(error.message.endsWith(`It went wrong. ${failures[kind].fix}`), kind)
  }
})

function message(thrown: Failure): string {
  return written(thrown).message
}

test('says "prompt is too long" where it is, and says nothing twice', () => {
  assert.match(message(new Failure('prompt-too-long', 'Too many tokens.')), /^prompt is too long: Too many/)
  assert.equal(message(new Failure('vendor-slow', 'Slow. Wait.', { fix: 'Wait.' })), 'Slow. Wait.')
})

test('writes an error event that SDKs throw', () => {
  const event = failure.writeEvent(new Failure('vendor-cut', 'Cut.', { fix: 'Ask again.' }), 'req_1')
  assert.equal(
    event,
    'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Cut. Ask again."},"request_id":"req_1"}\n\n',
  )
})
