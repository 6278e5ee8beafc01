import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import type { ReplyContext } from '../../core/dialect.ts'
import { noUsage, type ReplyEvent } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import { seal } from '../../core/opaque.ts'
import { reply } from './reply.ts'

const context: ReplyContext = {
  id: 'abc',
  model: 'asked',
  createdMs: 0,
  request: { thinking: { type: 'adaptive' } },
  streamUsage: false,
}
const end: ReplyEvent = { type: 'end', reason: 'end' }

function fixture(name: string): JsonObject {
  const file = new URL(`../../../test/fixtures/anthropic/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as JsonObject
}

function contentOf(...events: ReplyEvent[]): unknown {
  return reply.fold([...events, end], context).content
}

for (const name of ['text', 'thinking', 'tool-no-arguments', 'refusal']) {
  test(`a recorded reply (${name}) is the same after unfolding and folding, but for the id and Anthropic's own fields`, () => {
    const recorded = fixture(name)
    const folded = reply.fold(reply.unfold(recorded, 'anthropic'), context)
    const { content, usage, ...rest } = folded
    const blocks = (content as JsonObject[]).map((block) => ({ ...block, citations: undefined, caller: undefined }))
    assert.deepEqual(JSON.parse(JSON.stringify(blocks)), recorded.content)
    const counters = { ...(recorded.usage as JsonObject), inference_geo: null }
    for (const [key, value] of Object.entries(counters)) assert.deepEqual((usage as JsonObject)[key], value, key)
    assert.equal(rest.model, recorded.model)
    assert.equal(rest.stop_reason, recorded.stop_reason)
    assert.equal(rest.id, 'msg_01abc')
  })
}

test('folds every key that SDKs demand', () => {
  const usage = { ...noUsage, input: 3, output: 9, cacheRead: 2, cacheWrite5m: 4, cacheWrite1h: 5, thinking: 6 }
  const events: ReplyEvent[] = [
    { type: 'start', model: '' },
    { type: 'text', text: 'Hel' },
    { type: 'text', text: 'lo' },
    { type: 'tool-start', id: 'call 1', name: 'f' },
    { type: 'tool-delta', json: '{"a":' },
    { type: 'tool-delta', json: '1}' },
    { type: 'tool-end' },
    { type: 'usage', usage },
    { type: 'end', reason: 'refusal', explanation: 'no' },
  ]
  assert.deepEqual(reply.fold(events, context), {
    model: 'asked',
    id: 'msg_01abc',
    type: 'message',
    role: 'assistant',
    content: [
      { type: 'text', text: 'Hello', citations: null },
      { type: 'tool_use', id: 'call_1_21c5c2a6', name: 'f', input: { a: 1 }, caller: { type: 'direct' } },
    ],
    stop_reason: 'refusal',
    stop_sequence: null,
    stop_details: { type: 'refusal', category: null, explanation: 'no' },
    container: null,
    diagnostics: null,
    usage: {
      input_tokens: 3,
      cache_creation_input_tokens: 9,
      cache_read_input_tokens: 2,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 6 },
      server_tool_use: null,
      cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 5 },
      service_tier: 'standard',
      inference_geo: null,
      speed: null,
    },
  })
})

test('carries foreign states as signatures: of thoughts, of calls, and of nothing at all', () => {
  const google = { vendor: 'google', data: 'g' }
  const thinking: ReplyEvent = { type: 'thinking', text: 'hm' }
  assert.deepEqual(contentOf(thinking, { type: 'thinking-end', state: google }), [
    { type: 'thinking', thinking: 'hm', signature: seal(google, 'anthropic') },
  ])
  assert.deepEqual(contentOf({ type: 'tool-start', id: 'a', name: 'f', state: google }, { type: 'tool-end' }), [
    { type: 'thinking', thinking: '', signature: seal(google, 'anthropic') },
    { type: 'tool_use', id: 'a', name: 'f', input: {}, caller: { type: 'direct' } },
  ])
  assert.deepEqual(contentOf(thinking, { type: 'thinking-end' }), [
    { type: 'thinking', thinking: 'hm', signature: seal({ vendor: 'unknown', data: '' }, 'anthropic') },
  ])
  assert.deepEqual(contentOf({ type: 'thinking-end', state: { vendor: 'anthropic', data: 'own' }, redacted: true }), [
    { type: 'redacted_thinking', data: 'own' },
  ])
})

test('keeps broken arguments of a model where the caller can see them', () => {
  const broken = contentOf(
    { type: 'tool-start', id: 'a', name: 'f' },
    { type: 'tool-delta', json: '{"a":' },
    { type: 'tool-end' },
  )
  assert.deepEqual((broken as JsonObject[])[0]?.input, { _raw: '{"a":' })
})

test('unfolds thoughts with their states, citations after their text, and passes over what it has no word for', () => {
  const message = {
    model: 'claude-x',
    content: [
      { type: 'redacted_thinking', data: 'r' },
      { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
      {
        type: 'text',
        text: 'So.',
        citations: [
          { type: 'web_search_result_location', url: 'https://a', title: 'A', cited_text: 'q', encrypted_index: 'e' },
          { type: 'char_location' },
        ],
      },
      { type: 'tool_use', id: 't', name: 'f', input: { big: [1] } },
    ],
    stop_reason: 'stop_sequence',
    stop_sequence: 'END',
    usage: null,
  }
  assert.deepEqual(reply.unfold(message, 'anthropic'), [
    { type: 'start', model: 'claude-x' },
    { type: 'thinking-end', state: { vendor: 'anthropic', data: 'r' }, redacted: true },
    { type: 'text', text: 'So.' },
    { type: 'citation', url: 'https://a', title: 'A', quote: 'q' },
    { type: 'tool-start', id: 't', name: 'f' },
    { type: 'tool-delta', json: '{"big":[1]}' },
    { type: 'tool-end' },
    { type: 'usage', usage: noUsage },
    { type: 'end', reason: 'stop', stop: 'END' },
  ])
})

test("keeps DeepSeek's unsigned thoughts apart from Anthropic's", () => {
  const message = { content: [{ type: 'thinking', thinking: 'hm', signature: '' }] }
  assert.deepEqual(reply.unfold(message, 'deepseek')[2], {
    type: 'thinking-end',
    state: { vendor: 'deepseek', data: '' },
  })
  assert.deepEqual(reply.unfold(message, 'anthropic')[2], { type: 'thinking-end' })
})

test('an error in a 200 is the failure that it tells of', () => {
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
  assert.throws(() => reply.unfold(error, 'anthropic'), { kind: 'vendor-overloaded', message: 'Overloaded' })
  assert.throws(() => reply.unfold({ error: 'bad' }, 'deepseek'), { kind: 'vendor-broken', vendor: 'deepseek' })
})

test('what is no message is unreadable', () => {
  assert.throws(() => reply.unfold({ ok: true }, 'anthropic'), { kind: 'vendor-unreadable' })
})

test('an id of 64 bits among the arguments stays what it is, whole as streamed', () => {
  const json = '{"id":1234567890123456789}'
  const events: ReplyEvent[] = [
    { type: 'tool-start', id: 'a', name: 'f' },
    { type: 'tool-delta', json },
    { type: 'tool-end' },
    { type: 'end', reason: 'tool' },
  ]
  assert.ok(JSON.stringify(reply.fold(events, context)).includes(`"input":${json}`))
})

suite('thoughts that nobody asked for', () => {
  const state = { vendor: 'xai', data: 'proof' }
  const thought: ReplyEvent[] = [
    { type: 'thinking', text: 'Hm.' },
    { type: 'thinking-end', state },
  ]
  const call: ReplyEvent[] = [
    { type: 'tool-start', id: 'call_1', name: 'weather' },
    { type: 'tool-delta', json: '{}' },
    { type: 'tool-end' },
  ]
  const folded = (events: ReplyEvent[], request: JsonObject): unknown => {
    const all: ReplyEvent[] = [
      { type: 'start', model: 'm' },
      ...events,
      { type: 'usage', usage: noUsage },
      { type: 'end', reason: 'end' },
    ]
    const content = reply.fold(all, { ...context, request }).content as JsonObject[]
    return content.map((block) => [block.type, block.text ?? block.thinking ?? block.name])
  }

  test('stay out of a plain answer, before it and after it', () => {
    assert.deepEqual(folded([...thought, { type: 'text', text: 'Yes.' }], {}), [['text', 'Yes.']])
    assert.deepEqual(folded([{ type: 'text', text: 'Yes.' }, ...thought], { thinking: { type: 'disabled' } }), [
      ['text', 'Yes.'],
    ])
  })

  test('come right before a tool call, where they must be sent back', () => {
    assert.deepEqual(folded([...thought, { type: 'text', text: 'Let me look.' }, ...call], {}), [
      ['text', 'Let me look.'],
      ['thinking', 'Hm.'],
      ['tool_use', 'weather'],
    ])
  })

  test('come as proofs alone where display is omitted', () => {
    const omitted = { thinking: { type: 'adaptive', display: 'omitted' } }
    assert.deepEqual(folded([...thought, { type: 'text', text: 'Yes.' }], omitted), [
      ['thinking', ''],
      ['text', 'Yes.'],
    ])
  })
})
