import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../core/json.ts'
import { opaqueMark, seal } from '../../core/opaque.ts'
import { request } from './request.ts'

const own: JsonObject = { type: 'thinking', thinking: 'own', signature: 'EvQB' }
const openai: JsonObject = {
  type: 'thinking',
  thinking: 'gpt',
  signature: seal({ vendor: 'openai', data: 'e' }, 'anthropic'),
}
const deepseek: JsonObject = {
  type: 'thinking',
  thinking: 'ds',
  signature: seal({ vendor: 'deepseek', data: 'd' }, 'anthropic'),
}
const redacted: JsonObject = { type: 'redacted_thinking', data: seal({ vendor: 'openai', data: 'e' }, 'anthropic') }
const hollow: JsonObject = { type: 'thinking', thinking: '', signature: '' }
const answer: JsonObject = { type: 'text', text: 'Hello' }
const call: JsonObject = { type: 'tool_use', id: 'a', name: 'f', input: {} }
const question: JsonObject = { role: 'user', content: 'Hi' }

function said(...content: Json[]): JsonObject {
  return { role: 'assistant', content }
}

test('tells sealed states by their mark', () => {
  assert.deepEqual(request.marks, [opaqueMark])
})

test('takes thoughts that Anthropic did not sign out of a request to it, and turns left empty', () => {
  const messages = [question, said(own, openai, hollow, answer), said(openai, redacted), said(own, answer)]
  assert.deepEqual(request.purge({ messages }, 'anthropic'), {
    messages: [question, said(own, answer), said(own, answer)],
  })
})

test('changes nothing where all is its own', () => {
  assert.deepEqual(request.purge({ messages: [question, said(own, answer)] }, 'anthropic'), {})
  assert.deepEqual(request.purge({}, 'anthropic'), {})
})

test('gives DeepSeek its own thoughts back, and others only beside tool calls', () => {
  const messages = [question, said(own, deepseek, answer), said(openai, redacted, call), said(openai)]
  assert.deepEqual(request.purge({ messages }, 'deepseek'), {
    messages: [question, said({ ...deepseek, signature: 'd' }, answer), said({ ...openai, signature: '' }, call)],
  })
})

test('turns thinking off where the calls now answered lost the thoughts that Anthropic demands', () => {
  const results: JsonObject = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a' }] }
  const messages = [question, said(openai, call), results]
  const thinking = { type: 'enabled', budget_tokens: 1024 }
  assert.deepEqual(request.purge({ messages, thinking }, 'anthropic'), {
    messages: [question, said(call), results],
    thinking: { type: 'disabled' },
  })
  assert.deepEqual(request.purge({ messages, thinking: { type: 'adaptive' } }, 'anthropic'), {
    messages: [question, said(call), results],
  })
})
