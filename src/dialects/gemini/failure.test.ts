import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { classify } from '../../core/classify.ts'
import type { VendorError } from '../../core/dialect.ts'
import { Failure, type FailureKind, failures } from '../../core/failure.ts'
import { gemini } from './index.ts'

function read(status: number, body: string | Buffer, headers: Record<string, string> = {}): VendorError {
  return gemini.failure.read({ status, contentType: '', body: Buffer.from(body) }, headers)
}

test('a recorded 429 gives its quota and when to come back', () => {
  const body = readFileSync(new URL('../../../test/fixtures/gemini/429-retry-info.json', import.meta.url))
  const error = read(429, body)
  assert.deepEqual(error, {
    status: 429,
    message: 'You exceeded your current quota, please check your plan.',
    type: 'RESOURCE_EXHAUSTED',
    reasons: ['GenerateRequestsPerMinutePerProjectPerModel-FreeTier'],
    retryAfterMs: 34400,
  })
  assert.equal(classify(error), 'vendor-limit')
})

const rpc = (type: string, value: object): object => ({ '@type': `type.googleapis.com/google.rpc.${type}`, ...value })

test('a wrong key of ours is told by its reason, whatever the status', () => {
  const details = [rpc('ErrorInfo', { reason: 'API_KEY_INVALID', domain: 'googleapis.com' })]
  const error = read(400, JSON.stringify({ error: { code: 400, message: 'x', status: 'INVALID_ARGUMENT', details } }))
  assert.deepEqual(error.reasons, ['API_KEY_INVALID'])
  assert.equal(classify(error), 'vendor-refuses')
})

test('a broken field gives its path', () => {
  const details = [rpc('BadRequest', { fieldViolations: [{ field: 'contents[0].parts[0]', description: 'd' }] })]
  assert.equal(read(400, JSON.stringify({ error: { message: 'x', details } })).path, 'contents[0].parts[0]')
})

const bodies: [string, string | Buffer, string][] = [
  ['an array', '[{"error":{"code":404,"message":"m"}}]', 'm'],
  ['text in the place of the error', '{"error":"m"}', 'm'],
  ['an HTML page with a title', '<!DOCTYPE html><html><head><title>502 Bad</title></head></html>', '502 Bad'],
  ['an HTML page without one', '<html><body>secret</body></html>', 'an HTML page'],
  ['nothing', '', 'The vendor answered 500 without a message.'],
  ['an error without a message', '{"error":{}}', 'The vendor answered 500 without a message.'],
  ['no error', '{"oops":1}', '{"oops":1}'],
  ['plain text', 'upstream connect error', 'upstream connect error'],
  ['odd types', '{"error":{"message":"m","code":"x","status":5,"details":[null,3,{"@type":4}]}}', 'm'],
  ['an empty array', '[]', '[]'],
]
for (const [name, body, message] of bodies) {
  test(`a body of ${name} is read`, () => assert.equal(read(500, body).message, message))
}

test('bytes that are no text and long messages are bounded', () => {
  assert.ok(read(500, Buffer.from([255, 254, 0, 1])).message.length > 0)
  assert.equal(read(500, JSON.stringify({ error: { message: 'x'.repeat(5000) } })).message.length, 1000)
})

const waits: [Record<string, string>, number | undefined][] = [
  [{ 'retry-after': '2' }, 2000],
  [{ 'retry-after-ms': '1500.5' }, 1501],
  [{ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, undefined],
]
for (const [headers, milliseconds] of waits) {
  test(`${JSON.stringify(headers)} means ${milliseconds} ms`, () => {
    assert.equal(read(503, '', headers).retryAfterMs, milliseconds)
  })
}

test('every kind is written with its status and a word of google.rpc, message and fix together', () => {
  for (const kind of Object.keys(failures) as FailureKind[]) {
    const json = gemini.failure.write(new Failure(kind, 'What happened.'), 'req_1')
    const error = json['error'] as { code: number; status: string; message: string; details: { reason: string }[] }
    assert.equal(error.code, failures[kind].status)
    assert.match(error.status, /^[A-Z_]+$/)
    assert.equal(error.message, `What happened. ${failures[kind].fix}`)
    assert.equal(error.details[0]?.reason, kind.toUpperCase().replaceAll('-', '_'))
  }
})

test('path and waiting time come back as they were written', () => {
  const failure = new Failure('vendor-limit', 'Slow down.', { retryAfterMs: 1500, path: 'contents[0]' })
  const error = read(429, JSON.stringify(gemini.failure.write(failure, 'req_1')))
  assert.equal(error.retryAfterMs, 1500)
  assert.equal(error.path, 'contents[0]')
})

test('the error event is one event', () => {
  const text = gemini.failure.writeEvent(new Failure('vendor-cut', 'It broke off.'), 'req_1')
  assert.match(text, /^data: \{"error":\{"code":502,[^\n]*\}\n\n$/)
})
