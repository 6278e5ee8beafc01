import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { ReplyContext } from '../../core/dialect.ts'
import type { ReplyEvent, Usage } from '../../core/event.ts'
import { textOf, type JsonObject } from '../../core/json.ts'
import { open, seal } from '../../core/opaque.ts'
import { openaiResponses } from './index.ts'

const { reply } = openaiResponses

const context: ReplyContext = {
  id: 'abc',
  model: 'gpt-5.5',
  createdMs: 1_700_000_000_999,
  request: {
    model: 'x',
    input: 'Hi',
    instructions: 'Be kind.',
    tools: [{ type: 'function', name: 'add' }],
    store: true,
  },
  streamUsage: false,
}
const usage: Usage = { input: 10, output: 7, cacheRead: 3, cacheWrite5m: 1, cacheWrite1h: 1, thinking: 2 }

function fixture(name: string): JsonObject {
  const url = new URL(`../../../test/fixtures/openai-responses/${name}`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as JsonObject
}

function response(output: JsonObject[], rest: JsonObject = {}): JsonObject {
  return { id: 'resp_1', object: 'response', model: 'gpt-5.5', status: 'completed', error: null, output, ...rest }
}

/** The events between `start` and `usage`. */
function content(json: JsonObject): ReplyEvent[] {
  return reply.unfold(json, 'openai').slice(1, -2)
}

function endOf(json: JsonObject): ReplyEvent | undefined {
  return reply.unfold(json, 'openai').at(-1)
}

function incomplete(reason?: string): JsonObject {
  return response([], { status: 'incomplete', incomplete_details: { reason: reason ?? null } })
}

describe('a whole reply is read', () => {
  test('a recorded one with encrypted reasoning', () => {
    const events = reply.unfold(fixture('reasoning.json'), 'openai')
    assert.deepEqual(
      events.map(({ type }) => type),
      ['start', 'thinking', 'thinking-end', 'text', 'usage', 'end'],
    )
    const [start, thinking, thinkingEnd, , used, end] = events
    assert.deepEqual(start, {
      type: 'start',
      model: 'gpt-5-mini-2025-08-07',
      id: 'resp_0f35ed53160b395301693cc957829881909359e7f80cdd20b5',
    })
    assert.ok(thinking?.type === 'thinking' && thinking.text.startsWith('**Reporting final result**'))
    assert.ok(thinkingEnd?.type === 'thinking-end' && thinkingEnd.state?.data.startsWith('gAAAA') === true)
    assert.equal(thinkingEnd.state.id, 'rs_0f35ed53160b395301693cc95817ac8190b978637daea4987e')
    assert.deepEqual(used, {
      type: 'usage',
      usage: { input: 865, output: 163, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 128 },
    })
    assert.deepEqual(end, { type: 'end', reason: 'end' })
  })

  test('summary parts are set apart by a blank line; bare thoughts are read where there is no summary', () => {
    const summary = ['One.', 'Two.'].map((text) => ({ type: 'summary_text', text }))
    const bare = { type: 'reasoning', id: 'rs_2', summary: [], content: [{ type: 'reasoning_text', text: 'Raw.' }] }
    assert.deepEqual(content(response([{ type: 'reasoning', id: 'rs_1', summary }, bare])), [
      { type: 'thinking', text: 'One.\n\nTwo.' },
      { type: 'thinking-end', state: { vendor: 'openai', data: '', id: 'rs_1' } },
      { type: 'thinking', text: 'Raw.' },
      { type: 'thinking-end', state: { vendor: 'openai', data: '', id: 'rs_2' } },
    ])
  })

  test('texts, refusals and web sources; hosted tools are passed over', () => {
    const note = { type: 'url_citation', url: 'https://example.com', title: 'Example', start_index: 0, end_index: 3 }
    const parts = [
      { type: 'output_text', text: 'Sure.', annotations: [note, { type: 'file_citation' }] },
      { type: 'refusal', refusal: 'But no.' },
    ]
    const output = [
      { type: 'web_search_call', id: 'ws_1' },
      { type: 'message', content: parts },
    ]
    assert.deepEqual(content(response(output)), [
      { type: 'text', text: 'Sure.' },
      { type: 'citation', url: 'https://example.com', title: 'Example' },
      { type: 'refusal', text: 'But no.' },
    ])
  })

  test('a call ends the reply for its tool, its arguments as they were written', () => {
    const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'add', arguments: '{"a": 1.0' }
    assert.deepEqual(reply.unfold(response([call]), 'xai').slice(1), [
      { type: 'tool-start', id: 'call_1', name: 'add' },
      { type: 'tool-delta', json: '{"a": 1.0' },
      { type: 'tool-end' },
      {
        type: 'usage',
        usage: { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 0 },
      },
      { type: 'end', reason: 'tool' },
    ])
  })

  test('why it is incomplete', () => {
    assert.deepEqual(endOf(incomplete('max_output_tokens')), { type: 'end', reason: 'length' })
    assert.deepEqual(endOf(incomplete('content_filter')), { type: 'end', reason: 'refusal' })
    const content = [{ type: 'refusal', refusal: 'No.' }]
    const declined = { status: 'completed', output: [{ type: 'message', role: 'assistant', content }] }
    assert.deepEqual(endOf(declined), { type: 'end', reason: 'refusal' })
    assert.deepEqual(endOf(incomplete()), { type: 'end', reason: 'length' })
  })

  test('fields of unexpected types do not break the reading', () => {
    const odd = response(['x' as unknown as JsonObject, { type: 'message', content: 'text' }, { type: 7 }], {
      usage: [],
    })
    assert.deepEqual(content(odd), [])
  })

  const failures: readonly (readonly [string, JsonObject, string])[] = [
    [
      'a failed response',
      response([], { status: 'failed', error: { code: 'server_error', message: 'x' } }),
      'vendor-broken',
    ],
    [
      'a limit',
      response([], { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'x' } }),
      'vendor-limit',
    ],
    [
      'a bad prompt',
      response([], { status: 'failed', error: { code: 'invalid_prompt', message: 'x' } }),
      'request-invalid',
    ],
    ['an error body in a 200', { error: { message: 'x', type: 'server_error' } }, 'vendor-broken'],
    ['xAI’s error in a 200', { code: 'Client error', error: 'Incorrect API key provided: xa***' }, 'vendor-refuses'],
    ['an unfinished response', response([], { status: 'in_progress' }), 'vendor-broken'],
    ['something else', { object: 'list', data: [] }, 'vendor-unreadable'],
  ]
  for (const [name, json, kind] of failures) {
    test(`${name} is a failure`, () => assert.throws(() => reply.unfold(json, 'openai'), { kind }))
  }
})

const events: ReplyEvent[] = [
  { type: 'start', model: 'claude-opus-5' },
  { type: 'thinking', text: 'Hm.' },
  { type: 'thinking-end', state: { vendor: 'anthropic', data: 'sig' } },
  { type: 'text', text: 'Sure, ' },
  { type: 'text', text: 'look.' },
  { type: 'citation', url: 'https://example.com' },
  { type: 'tool-start', id: 'call_1', name: 'add', state: { vendor: 'google', data: 'gem' } },
  { type: 'tool-delta', json: '{"a"' },
  { type: 'tool-delta', json: ':1}' },
  { type: 'tool-end' },
  { type: 'tool-start', id: 'call_2', name: 'now' },
  { type: 'tool-end' },
  { type: 'usage', usage },
  { type: 'end', reason: 'tool' },
]

function cut(reason: 'length' | 'window' | 'refusal'): JsonObject {
  const list: ReplyEvent[] = [
    { type: 'start', model: '' },
    { type: 'text', text: 'So' },
    { type: 'end', reason },
  ]
  return reply.fold(list, context)
}

/** The item written for a thought with OpenAI's own state. */
function thought(id: string | undefined, text: string): JsonObject | undefined {
  const state = { vendor: 'openai', data: 'gAAA', ...(id !== undefined && { id }) }
  const list: ReplyEvent[] = [
    { type: 'thinking', text },
    { type: 'thinking-end', state },
    { type: 'end', reason: 'end' },
  ]
  return (reply.fold(list, context)['output'] as JsonObject[])[0]
}

describe('a whole reply is written', () => {
  test('with every item, foreign states sealed, Gemini’s before its call', () => {
    const folded = reply.fold(events, context)
    const note = { type: 'url_citation', url: 'https://example.com', title: '', start_index: 0, end_index: 11 }
    assert.deepEqual(folded['output'], [
      {
        id: 'rs_abc00',
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: seal({ vendor: 'anthropic', data: 'sig' }, 'openai'),
      },
      {
        id: 'msg_abc01',
        type: 'message',
        status: 'completed',
        content: [{ type: 'output_text', annotations: [note], logprobs: [], text: 'Sure, look.' }],
        role: 'assistant',
      },
      {
        id: 'rs_abc02',
        type: 'reasoning',
        summary: [],
        encrypted_content: seal({ vendor: 'google', data: 'gem' }, 'openai'),
      },
      {
        id: 'fc_abc03',
        type: 'function_call',
        status: 'completed',
        arguments: '{"a":1}',
        call_id: 'call_1',
        name: 'add',
      },
      { id: 'fc_abc04', type: 'function_call', status: 'completed', arguments: '{}', call_id: 'call_2', name: 'now' },
    ])
    assert.deepEqual(folded['usage'], {
      input_tokens: 15,
      input_tokens_details: { cached_tokens: 3, cache_write_tokens: 2 },
      output_tokens: 7,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 22,
    })
  })

  test('with every key that strict clients demand, the request’s settings repeated', () => {
    const folded = reply.fold(events, context)
    const keys =
      'id object created_at error incomplete_details instructions model tools output parallel_tool_calls metadata ' +
      'tool_choice temperature top_p status reasoning text truncation usage'
    for (const key of keys.split(' ')) assert.ok(key in folded, key)
    assert.equal(folded['id'], 'resp_abc')
    assert.equal(folded['created_at'], 1_700_000_000)
    assert.equal(folded['model'], 'claude-opus-5')
    assert.equal(folded['instructions'], 'Be kind.')
    assert.deepEqual(folded['tools'], [{ type: 'function', name: 'add', parameters: null, strict: false }])
    assert.equal(folded['store'], false)
  })

  test('an answer that was cut short is incomplete', () => {
    assert.equal(cut('length')['status'], 'incomplete')
    assert.equal(cut('length')['model'], 'gpt-5.5')
    assert.equal((cut('length')['output'] as JsonObject[])[0]?.['status'], 'incomplete')
    assert.deepEqual(cut('window')['incomplete_details'], { reason: 'max_output_tokens' })
    assert.deepEqual(cut('refusal')['incomplete_details'], { reason: 'content_filter' })
  })

  test('an own state goes as it is; under another id it keeps its own, sealed', () => {
    assert.equal(thought(undefined, 'Hm.')?.['encrypted_content'], 'gAAA')
    assert.deepEqual(thought('rs_1', ''), { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAA' })
    const sealed = textOf(thought('rs_1', 'Hm.')?.['encrypted_content']) ?? ''
    assert.deepEqual(open(sealed, 'openai'), { vendor: 'openai', data: 'gAAA', id: 'rs_1' })
  })

  test('redacted thinking comes back from the caller as redacted', () => {
    const state = { vendor: 'anthropic', data: 'blob' }
    const list: ReplyEvent[] = [
      { type: 'thinking-end', state, redacted: true },
      { type: 'text', text: 'Hi' },
      { type: 'end', reason: 'end' },
    ]
    const json = { model: 'x', input: reply.fold(list, context)['output'] as JsonObject[] }
    const [part] = openaiResponses.request.read(json, { model: 'x', stream: false }).turns[0]?.parts ?? []
    assert.deepEqual(part, { type: 'thinking', text: '', path: 'input[0]', redacted: true, state })
  })

  test('what was written is read the same', () => {
    const plain: ReplyEvent[] = [
      { type: 'start', model: 'm', id: 'resp_abc' },
      { type: 'thinking', text: 'Hm.' },
      { type: 'thinking-end', state: { vendor: 'openai', data: 'gAAA', id: 'rs_abc00' } },
      { type: 'text', text: 'Sure.' },
      { type: 'citation', url: 'https://example.com', title: 'Example' },
      { type: 'refusal', text: 'No.' },
      { type: 'tool-start', id: 'call_1', name: 'add' },
      { type: 'tool-delta', json: '{"a":1}' },
      { type: 'tool-end' },
      { type: 'usage', usage: { ...usage, cacheWrite1h: 0 } },
      { type: 'end', reason: 'tool' },
    ]
    assert.deepEqual(reply.unfold(reply.fold(plain, context), 'openai'), plain)
  })
})
