import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { openaiChat } from './index.ts'

const { request } = openaiChat

describe('the head', () => {
  test('is the model and whether to stream', () => {
    assert.deepEqual(request.head({ model: 'm', stream: true }, ''), { model: 'm', stream: true })
    assert.deepEqual(request.head({ model: 'm', stream: null }, ''), { model: 'm', stream: false })
  })

  const cases: [string, JsonObject, string, string][] = [
    ['no model', {}, 'model', 'missing_required_parameter'],
    ['a model that is no text', { model: 5 }, 'model', 'invalid_type'],
    ['a stream that is no boolean', { model: 'm', stream: 'yes' }, 'stream', 'invalid_type'],
  ]
  for (const [name, json, path, code] of cases) {
    test(`${name} is a mistake`, () => {
      assert.throws(
        () => request.head(json, ''),
        (thrown) => thrown instanceof Failure && thrown.path === path && thrown.code === code,
      )
    })
  }
})

function asked(json: JsonObject, stream = true): unknown {
  return request.ask?.(json, { model: 'm', stream })
}

describe('a request that stays in the dialect', () => {
  const calls = [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }]
  const marked = [{ ...calls[0], extra_content: { google: { thought_signature: 'S' } } }]
  const body: JsonObject = {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: null, reasoning_content: 'Hm.', reasoning_details: [{}], tool_calls: marked },
    ],
  }
  const kept: Record<string, JsonObject> = {
    openai: { role: 'assistant', content: null, tool_calls: calls },
    xai: { role: 'assistant', content: null, reasoning_content: 'Hm.', tool_calls: calls },
    deepseek: { role: 'assistant', content: null, reasoning_content: 'Hm.', tool_calls: calls },
  }
  for (const [vendor, message] of Object.entries(kept)) {
    test(`loses for ${vendor} what it does not know`, () => {
      assert.deepEqual(request.purge(body, vendor), { messages: [{ role: 'user', content: 'Hi' }, message] })
    })
  }

  test('is left alone where there is nothing foreign in it', () => {
    assert.deepEqual(request.purge({ messages: [{ role: 'user', content: 'reasoning_content' }, 'odd'] }, 'openai'), {})
    assert.deepEqual(request.purge({}, 'openai'), {})
  })

  test('is marked by every field that is purged', () => {
    const text = JSON.stringify(body)
    assert.deepEqual(
      request.marks.map((mark) => text.includes(mark)),
      [true, true, true],
    )
  })

  test('asks for the usage of a stream, beside what else was asked', () => {
    assert.deepEqual(asked({}), { stream_options: { include_usage: true } })
    assert.deepEqual(asked({ stream_options: { include_usage: false, include_obfuscation: false } }), {
      stream_options: { include_usage: true, include_obfuscation: false },
    })
    assert.deepEqual(asked({ stream_options: { include_usage: true } }), {})
    assert.deepEqual(asked({}, false), {})
  })
})
