import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Meter, ReplyContext } from '../../core/dialect.ts'
import { Failure } from '../../core/failure.ts'
import { eachEvent } from '../../core/sse.ts'
import { Passthrough } from '../../core/transcoder.ts'
import { openaiChat } from './index.ts'

const context: ReplyContext = { id: 'abc', model: 'asked', createdMs: 0, request: {}, streamUsage: false }

function recorded(name: string): Buffer {
  return readFileSync(new URL(`../../../test/fixtures/openai-chat/${name}.sse`, import.meta.url))
}

function chunk(delta: object, finish: string | null = null, more: object = {}): string {
  return JSON.stringify({
    id: 'c',
    model: 'm',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...more,
  })
}

function metered(...events: string[]): Meter {
  const meter = openaiChat.stream.meter(context)
  for (const data of events) meter.event('message', data)
  return meter
}

const finish = chunk({}, 'stop')

describe('recorded streams', () => {
  const cases = [
    ['openai-text', 'gpt-4.1-nano-2025-04-14', [16, 300, 0, 0]],
    ['deepseek-text', 'deepseek-chat', [13, 400, 0, 0]],
    ['deepseek-reasoning', 'deepseek-reasoner', [18, 219, 0, 205]],
    ['xai-text', 'grok-3-mini', [1, 342, 11, 340]],
    ['xai-tool-call', 'grok-3-mini', [1, 253, 306, 227]],
  ] as const
  for (const [name, model, counts] of cases) {
    test(`${name}: model, usage and end are found as it passes`, () => {
      const meter = openaiChat.stream.meter(context)
      eachEvent(recorded(name).toString('latin1'), (event, data) => meter.event(event, data))
      const { usage } = meter
      assert.equal(meter.model, model)
      assert.deepEqual([usage.input, usage.output, usage.cacheRead, usage.thinking], counts)
      assert.equal(meter.complete, true)
      assert.equal(meter.failure, undefined)
    })
  }

  test('only the usage chunk is kept from a caller who did not ask for it, in every cut of the stream', () => {
    const bytes = recorded('openai-text')
    const expected = bytes
      .toString()
      .split('\n\n')
      .filter((event) => !event.includes('"choices":[]'))
      .join('\n\n')
    for (const size of [5, 400, 5000, bytes.length]) {
      const passthrough = new Passthrough(openaiChat, context)
      let out = ''
      for (let at = 0; at < bytes.length; at += size) out += String(passthrough.push(bytes.subarray(at, at + size)))
      assert.equal(out + String(passthrough.end()), expected)
    }
  })

  test('a caller who asked for usage gets every byte', () => {
    const passthrough = new Passthrough(openaiChat, { ...context, streamUsage: true })
    const bytes = recorded('openai-text')
    assert.equal(passthrough.push(bytes), bytes)
  })
})

describe('content has begun', () => {
  const cases: [string, string, boolean][] = [
    ['not with the role alone', chunk({ role: 'assistant', content: '', refusal: null }), false],
    ["not with DeepSeek's empty opening", chunk({ role: 'assistant', content: null, reasoning_content: '' }), false],
    ['not with an empty list of calls', chunk({ role: 'assistant', tool_calls: [] }), false],
    ['with text', chunk({ content: 'A' }), true],
    ['with text that is a quote', chunk({ content: '"' }), true],
    ['with thinking', chunk({ reasoning_content: 'A', content: null }), true],
    ['with a tool call', chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '' } }] }), true],
    ['with a refusal', chunk({ refusal: 'No.' }), true],
    ['with the finish of an empty answer', chunk({ content: '' }, 'length'), true],
    ['with text beside usage', chunk({ content: 'A' }, null, { usage: { prompt_tokens: 1 } }), true],
    ['not with usage beside nothing', chunk({ content: '' }, null, { usage: { prompt_tokens: 1 } }), false],
    ['with text in JSON that has spaces', '{"model": "m", "choices": [{"index": 0, "delta": {"content": "A"}}]}', true],
  ]
  for (const [name, data, begun] of cases) test(name, () => assert.equal(metered(data).begun, begun))
})

describe('the end', () => {
  test('is [DONE] after a finish reason', () => {
    const meter = metered(chunk({ content: 'A' }), finish, '[DONE]')
    assert.deepEqual([meter.complete, meter.drop], [true, false])
  })

  test('is not [DONE] alone, which the caller does not get to see', () => {
    const meter = metered(chunk({ content: 'A' }), '[DONE]')
    assert.deepEqual([meter.complete, meter.drop], [false, true])
  })

  test('is not a finish reason that stands in a text', () => {
    assert.equal(metered(chunk({ content: '"finish_reason":"stop"' }), '[DONE]').complete, false)
  })
})

describe('failures', () => {
  const cases: [string, string, string][] = [
    [
      'an error object',
      '{"error":{"message":"Overloaded","type":"server_error","param":null,"code":null}}',
      'vendor-overloaded',
    ],
    ["xAI's error text", '{"code":"x","error":"It broke."}', 'vendor-broken'],
    [
      'an error beside choices',
      chunk({ content: '' }, null, { error: { message: 'rate limit', code: 429 } }),
      'vendor-limit',
    ],
    ["DeepSeek's insufficient_system_resource", chunk({}, 'insufficient_system_resource'), 'vendor-broken'],
  ]
  for (const [name, data, kind] of cases) {
    test(`${name} is seen`, () => assert.equal(metered(chunk({ content: 'A' }), data).failure?.kind, kind))
  }

  test('an event by the name of error is one', () => {
    const meter = openaiChat.stream.meter(context)
    meter.event('error', '{"message":"It broke."}')
    assert.equal(meter.failure?.kind, 'vendor-broken')
  })

  test('an error that is null, or the word in a text, is none', () => {
    assert.equal(metered(chunk({ content: '"error":{' }, null, { error: null })).failure, undefined)
  })

  test('data that is no JSON object is unreadable', () => {
    for (const data of ['<html>', '{"id":', '', '[1]', '{"usage":{}']) {
      assert.throws(
        () => metered(data),
        (thrown) => thrown instanceof Failure && thrown.kind === 'vendor-unreadable',
      )
    }
  })
})
