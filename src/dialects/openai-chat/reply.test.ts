import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { ReplyContext } from '../../core/dialect.ts'
import type { ReplyEvent } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { fold, unfold } from './reply.ts'

const context: ReplyContext = {
  id: 'abc',
  model: 'asked',
  createdMs: 1_700_000_000_123,
  request: {},
  streamUsage: false,
}

function recorded(name: string): JsonObject {
  const url = new URL(`../../../test/fixtures/openai-chat/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as JsonObject
}

function replyOf(message: object, finish: string | null = 'stop', more: object = {}): JsonObject {
  return { id: 'c-1', model: 'm', choices: [{ index: 0, message, finish_reason: finish }], ...more } as JsonObject
}

describe('recorded replies are read', () => {
  const cases = [
    ['openai-text', 'openai', ['start', 'text', 'usage', 'end'], 'end', [16, 363, 0, 0]],
    ['deepseek-text', 'deepseek', ['start', 'text', 'usage', 'end'], 'length', [13, 300, 0, 0]],
    [
      'deepseek-reasoning',
      'deepseek',
      ['start', 'thinking', 'thinking-end', 'text', 'usage', 'end'],
      'end',
      [18, 345, 0, 315],
    ],
    ['xai-text', 'xai', ['start', 'thinking', 'thinking-end', 'text', 'usage', 'end'], 'end', [10, 322, 2, 320]],
    [
      'xai-tool-call',
      'xai',
      ['start', 'thinking', 'thinking-end', 'tool-start', 'tool-delta', 'tool-end', 'usage', 'end'],
      'tool',
      [63, 281, 244, 255],
    ],
  ] as const
  for (const [name, vendor, kinds, reason, counts] of cases) {
    test(name, () => {
      const events = unfold(recorded(name), vendor)
      assert.deepEqual(
        events.map((event) => event.type),
        kinds,
      )
      assert.equal(events.at(-1)?.type === 'end' && (events.at(-1) as { reason: string }).reason, reason)
      const usage = events.findLast((event) => event.type === 'usage')?.usage
      assert.deepEqual([usage?.input, usage?.output, usage?.cacheRead, usage?.thinking], counts)
    })
  }
})

describe('usage', () => {
  const cases: [string, object, number[]][] = [
    [
      'counts cached and written tokens apart from the rest',
      {
        prompt_tokens: 10,
        completion_tokens: 4,
        total_tokens: 14,
        prompt_tokens_details: { cached_tokens: 3, cache_write_tokens: 2 },
      },
      [5, 4, 3, 2, 0],
    ],
    [
      "reads DeepSeek's cache hits",
      { prompt_tokens: 10, completion_tokens: 4, prompt_cache_hit_tokens: 6, prompt_cache_miss_tokens: 4 },
      [4, 4, 6, 0, 0],
    ],
    [
      "adds the reasoning that xAI's completion leaves out",
      {
        prompt_tokens: 10,
        completion_tokens: 4,
        total_tokens: 34,
        completion_tokens_details: { reasoning_tokens: 20 },
      },
      [10, 24, 0, 0, 20],
    ],
    [
      "leaves the reasoning that OpenAI's completion holds",
      {
        prompt_tokens: 10,
        completion_tokens: 24,
        total_tokens: 34,
        completion_tokens_details: { reasoning_tokens: 20 },
      },
      [10, 24, 0, 0, 20],
    ],
    ['takes nothing for what is missing', {}, [0, 0, 0, 0, 0]],
  ]
  for (const [name, usage, expected] of cases) {
    test(name, () => {
      const event = unfold(replyOf({ content: 'A' }, 'stop', { usage }), 'xai').find((each) => each.type === 'usage')
      const read = event?.type === 'usage' ? event.usage : undefined
      assert.deepEqual([read?.input, read?.output, read?.cacheRead, read?.cacheWrite5m, read?.thinking], expected)
    })
  }
})

describe('what is no reply is a failure', () => {
  const cases: [string, JsonObject, string][] = [
    ['an error body', recorded('openai-error'), 'vendor-refuses'],
    ["xAI's error text", { code: 'Internal', error: 'It broke.' }, 'vendor-broken'],
    ['no choices', { id: 'c-1', choices: [] }, 'vendor-unreadable'],
    ['a choice without a message', { choices: [{ index: 0 }] }, 'vendor-unreadable'],
    [
      "DeepSeek's insufficient_system_resource",
      replyOf({ content: 'A' }, 'insufficient_system_resource'),
      'vendor-broken',
    ],
    [
      'a tool call without a name',
      replyOf({ tool_calls: [{ id: 'a', function: { arguments: '{}' } }] }),
      'vendor-unreadable',
    ],
  ]
  for (const [name, json, kind] of cases) {
    test(name, () => {
      assert.throws(
        () => unfold(json, 'openai'),
        (thrown) => thrown instanceof Failure && thrown.kind === kind,
      )
    })
  }
})

describe('odd replies are read all the same', () => {
  test('a call without an id gets one that is its own', () => {
    const [first, second] = unfold(
      replyOf({
        tool_calls: [{ function: { name: 'f', arguments: '' } }, { function: { name: 'g', arguments: { x: 1 } } }],
      }),
      'xai',
    ).filter((event) => event.type === 'tool-start')
    assert.deepEqual([first?.id, second?.id], ['call_c1_0', 'call_c1_1'])
  })

  test('a stop with calls, and no finish reason at all, end as calls', () => {
    for (const finish of ['stop', null]) {
      const events = unfold(
        replyOf({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] }, finish),
        'openai',
      )
      assert.deepEqual(events.at(-1), { type: 'end', reason: 'tool' })
    }
  })
})

const usage = { input: 5, output: 9, cacheRead: 3, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 4 }

describe('a reply is written', () => {
  test('with every key that strict SDKs require', () => {
    const events: ReplyEvent[] = [
      { type: 'start', model: 'claude' },
      { type: 'text', text: 'A' },
      { type: 'usage', usage },
      { type: 'end', reason: 'end' },
    ]
    assert.deepEqual(fold(events, context), {
      id: 'chatcmpl-abc',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'claude',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'A', refusal: null, annotations: [] },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 8,
        completion_tokens: 9,
        total_tokens: 17,
        prompt_tokens_details: { cached_tokens: 3, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 4,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
    })
  })

  test('and reads back as the same events', () => {
    const events: ReplyEvent[] = [
      { type: 'start', model: 'claude', id: 'chatcmpl-abc' },
      { type: 'thinking', text: 'First.' },
      { type: 'thinking-end', state: { vendor: 'anthropic', data: 'sig1' } },
      { type: 'thinking-end', state: { vendor: 'anthropic', data: 'blob' }, redacted: true },
      { type: 'thinking', text: 'Second.' },
      { type: 'thinking-end', state: { vendor: 'openai', data: 'enc', id: 'rs_1' } },
      { type: 'text', text: 'AB' },
      { type: 'citation', url: 'https://a.example', title: 'T' },
      { type: 'tool-start', id: 't1', name: 'f', state: { vendor: 'google', data: 'S' } },
      { type: 'tool-delta', json: '{"x":1.0}' },
      { type: 'tool-end' },
      { type: 'usage', usage },
      { type: 'end', reason: 'tool' },
    ]
    assert.deepEqual(unfold(fold(events, context), 'anthropic'), events)
  })

  test('with thinking text but no details where there is no state to carry', () => {
    const events: ReplyEvent[] = [
      { type: 'thinking', text: 'Hm.' },
      { type: 'thinking-end', state: { vendor: 'deepseek', data: '' } },
      { type: 'end', reason: 'end' },
    ]
    const { choices } = fold(events, context) as { choices: { message: JsonObject }[] }
    assert.deepEqual(choices[0]?.message, {
      role: 'assistant',
      content: '',
      refusal: null,
      annotations: [],
      reasoning_content: 'Hm.',
    })
  })

  test('with null content beside tool calls, and {} for no arguments', () => {
    const events: ReplyEvent[] = [
      { type: 'tool-start', id: 'a', name: 'f' },
      { type: 'tool-end' },
      { type: 'end', reason: 'tool' },
    ]
    const { choices } = fold(events, context) as { choices: { message: JsonObject; finish_reason: string }[] }
    assert.equal(choices[0]?.finish_reason, 'tool_calls')
    assert.equal(choices[0]?.message['content'], null)
    assert.deepEqual(choices[0]?.message['tool_calls'], [
      { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } },
    ])
  })

  test('with the place of each citation in the text', () => {
    const events: ReplyEvent[] = [
      { type: 'text', text: 'One' },
      { type: 'citation', url: 'https://a.example' },
      { type: 'citation', url: 'https://b.example', title: 'B' },
      { type: 'text', text: ' and' },
      { type: 'text', text: ' two' },
      { type: 'citation', url: 'https://c.example', title: 'C' },
      { type: 'end', reason: 'end' },
    ]
    const { choices } = fold(events, context) as { choices: { message: { annotations: { url_citation: object }[] } }[] }
    assert.deepEqual(
      choices[0]?.message.annotations.map((annotation) => annotation.url_citation),
      [
        { start_index: 0, end_index: 3, url: 'https://a.example', title: 'https://a.example' },
        { start_index: 0, end_index: 3, url: 'https://b.example', title: 'B' },
        { start_index: 3, end_index: 11, url: 'https://c.example', title: 'C' },
      ],
    )
  })

  const reasons = [
    ['end', 'stop'],
    ['stop', 'stop'],
    ['pause', 'stop'],
    ['length', 'length'],
    ['window', 'length'],
    ['tool', 'tool_calls'],
    ['refusal', 'content_filter'],
  ] as const
  for (const [reason, finish] of reasons) {
    test(`the end "${reason}" is OpenAI's "${finish}"`, () => {
      const { choices } = fold([{ type: 'end', reason }], context) as { choices: { finish_reason: string }[] }
      assert.equal(choices[0]?.finish_reason, finish)
    })
  }

  test('a failure among the events is thrown', () => {
    const failure = new Failure('vendor-broken', 'It broke.')
    assert.throws(() => fold([{ type: 'failure', failure }], context), failure)
  })
})
