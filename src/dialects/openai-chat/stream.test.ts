import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { ReplyContext } from '../../core/dialect.ts'
import type { ReplyEvent } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { eachEvent } from '../../core/sse.ts'
import { Translation } from '../../core/transcoder.ts'
import { openaiChat } from './index.ts'

const context: ReplyContext = {
  id: 'abc',
  model: 'asked',
  createdMs: 1_700_000_000_123,
  request: {},
  streamUsage: true,
}

function recorded(name: string): string {
  return readFileSync(new URL(`../../../test/fixtures/openai-chat/${name}`, import.meta.url), 'utf8')
}

function read(text: string, vendor = 'openai', rest = ''): ReplyEvent[] {
  const events: ReplyEvent[] = []
  const reader = openaiChat.stream.reader(vendor)
  eachEvent(text, (name, data) => reader.read(name, data, (event) => events.push(event)))
  reader.end(rest, (event) => events.push(event))
  return events
}

function write(events: readonly ReplyEvent[], streamUsage = true): string {
  const writer = openaiChat.stream.writer({ ...context, streamUsage })
  return events.map((event) => writer.write(event)).join('')
}

/** Chunks from deltas, as a vendor frames them. */
function chunks(...deltas: (object | string)[]): string {
  const lines = deltas.map((delta) => {
    const choice =
      typeof delta === 'string'
        ? { index: 0, delta: {}, finish_reason: delta }
        : { index: 0, delta, finish_reason: null }
    return `data: ${JSON.stringify({ id: 'c-1', object: 'chat.completion.chunk', model: 'm', choices: [choice] })}\n\n`
  })
  return lines.join('')
}

const done = 'data: [DONE]\n\n'

function call(index: number, json: string, id?: string, name?: string): object {
  return {
    tool_calls: [{ index, ...(id && { id, type: 'function' }), function: { ...(name && { name }), arguments: json } }],
  }
}

/** Neighbouring pieces put together: what a reply says, however it was cut. */
function merged(events: readonly ReplyEvent[]): ReplyEvent[] {
  const out: ReplyEvent[] = []
  for (const event of events) {
    const last = out.at(-1)
    if (last?.type === 'text' && event.type === 'text') last.text += event.text
    else if (last?.type === 'thinking' && event.type === 'thinking') last.text += event.text
    else if (last?.type === 'tool-delta' && event.type === 'tool-delta') last.json += event.json
    else out.push({ ...event })
  }
  return out
}

describe('recorded streams', () => {
  const cases = [
    ['openai-text', 'openai', 'gpt-4.1-nano-2025-04-14', 'end', [16, 300, 0, 0]],
    ['deepseek-text', 'deepseek', 'deepseek-chat', 'length', [13, 400, 0, 0]],
    ['deepseek-reasoning', 'deepseek', 'deepseek-reasoner', 'end', [18, 219, 0, 205]],
    ['xai-text', 'xai', 'grok-3-mini', 'end', [1, 342, 11, 340]],
    ['xai-tool-call', 'xai', 'grok-3-mini', 'tool', [1, 253, 306, 227]],
  ] as const
  for (const [name, vendor, model, reason, [input, output, cacheRead, thinking]] of cases) {
    test(`${name} is read whole, in order, with its usage`, () => {
      const events = merged(read(recorded(`${name}.sse`), vendor))
      const usage = { input, output, cacheRead, cacheWrite5m: 0, cacheWrite1h: 0, thinking }
      assert.equal(events[0]?.type === 'start' && events[0].model, model)
      assert.deepEqual(events.slice(-2), [
        { type: 'usage', usage },
        { type: 'end', reason },
      ])
      const kinds = events.map((event) => event.type)
      const thought = thinking > 0 ? ['thinking', 'thinking-end'] : []
      const said = reason === 'tool' ? ['tool-start', 'tool-delta', 'tool-end'] : ['text']
      assert.deepEqual(kinds, ['start', ...thought, ...said, 'usage', 'end'])
    })

    test(`${name} says the same however the network cuts it`, () => {
      const bytes = Buffer.from(recorded(`${name}.sse`))
      const whole = translated(bytes, bytes.length)
      for (const size of [1, 7, 333, 4096]) assert.equal(translated(bytes, size), whole)
    })
  }

  test("the thinking of a vendor is marked as that vendor's", () => {
    const end = read(recorded('deepseek-reasoning.sse'), 'deepseek').find((event) => event.type === 'thinking-end')
    assert.deepEqual(end, { type: 'thinking-end', state: { vendor: 'deepseek', data: '' } })
  })

  test('nothing but the cut is missing from a stream that is cut at any event', () => {
    const events = recorded('xai-tool-call.sse').split('\n\n').slice(0, -1)
    for (let kept = 0; kept < events.length; kept += 1) {
      const got = read(
        events
          .slice(0, kept)
          .map((event) => `${event}\n\n`)
          .join(''),
        'xai',
      )
      assert.equal(
        got.some((event) => event.type === 'end'),
        false,
      )
    }
  })
})

function translated(bytes: Buffer, size: number): string {
  const transcoder = new Translation(openaiChat, openaiChat, 'xai', context)
  let out = ''
  for (let at = 0; at < bytes.length; at += size) out += transcoder.push(bytes.subarray(at, at + size))
  out += transcoder.end()
  assert.equal(transcoder.complete, true)
  return out
}

function ending(reason: string): object[] {
  const usage = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 0 }
  return [
    { type: 'usage', usage },
    { type: 'end', reason },
  ]
}

/** A chunk that counts, as all of xAI's may. */
function counted(completion: number, choice: object): string {
  const usage = { prompt_tokens: 5, completion_tokens: completion }
  return `data: ${JSON.stringify({ model: 'm', choices: [choice], usage })}\n\n`
}

describe('the order of events', () => {
  const start = { type: 'start', model: 'm', id: 'c-1' }
  const callA = [
    { type: 'tool-start', id: 'a', name: 'f' },
    { type: 'tool-delta', json: '{"x":1}' },
    { type: 'tool-end' },
  ]
  const callB = [
    { type: 'tool-start', id: 'b', name: 'g' },
    { type: 'tool-delta', json: '{"y":2}' },
    { type: 'tool-end' },
  ]
  const cases: [string, string, object[]][] = [
    [
      'parallel calls that interleave come one after the other',
      chunks(
        call(0, '', 'a', 'f'),
        call(1, '', 'b', 'g'),
        call(0, '{"x"'),
        call(1, '{"y"'),
        call(0, ':1}'),
        call(1, ':2}'),
        'tool_calls',
      ),
      [...callA, ...callB, ...ending('tool')],
    ],
    [
      'two whole calls in one chunk are both read',
      chunks(
        {
          tool_calls: [
            { index: 0, id: 'a', function: { name: 'f', arguments: '{"x":1}' } },
            { index: 1, id: 'b', function: { name: 'g', arguments: '{"y":2}' } },
          ],
        },
        'tool_calls',
      ),
      [...callA, ...callB, ...ending('tool')],
    ],
    [
      'calls that all have the index 0 are told apart by their ids',
      chunks(call(0, '{"x":1}', 'a', 'f'), call(0, '{"y":2}', 'b', 'g'), 'stop'),
      [...callA, ...callB, ...ending('tool')],
    ],
    [
      'the index of a content block instead of a call is no trouble',
      chunks({ content: 'Hm.' }, call(1, '{"x":1}', 'a', 'f'), 'tool_calls'),
      [{ type: 'text', text: 'Hm.' }, ...callA, ...ending('tool')],
    ],
    [
      'an id that is repeated with every piece is the same call',
      chunks(call(0, '{"x"', 'a', 'f'), call(0, ':1}', 'a', 'f'), 'tool_calls'),
      [...callA, ...ending('tool')],
    ],
    [
      'text between the pieces of a call waits for its end',
      chunks(call(0, '{"x"', 'a', 'f'), { content: 'Done.' }, call(0, ':1}'), 'tool_calls'),
      [...callA, { type: 'text', text: 'Done.' }, ...ending('tool')],
    ],
    [
      'text after a whole call is not held back',
      chunks(call(0, '{"x":1}', 'a', 'f'), { content: 'Done.' }, 'tool_calls'),
      [...callA, { type: 'text', text: 'Done.' }, ...ending('tool')],
    ],
    [
      'thinking after text is a run of its own',
      chunks({ reasoning_content: 'A' }, { content: 'B' }, { reasoning_content: 'C' }, { content: 'D' }, 'stop'),
      [
        { type: 'thinking', text: 'A' },
        { type: 'thinking-end', state: { vendor: 'openai', data: '' } },
        { type: 'text', text: 'B' },
        { type: 'thinking', text: 'C' },
        { type: 'thinking-end', state: { vendor: 'openai', data: '' } },
        { type: 'text', text: 'D' },
        ...ending('end'),
      ],
    ],
    [
      'a refusal in words ends as a refusal',
      chunks({ refusal: 'No.' }, 'stop'),
      [{ type: 'refusal', text: 'No.' }, ...ending('refusal')],
    ],
    [
      'a content filter is a refusal',
      chunks({ content: 'A' }, 'content_filter'),
      [{ type: 'text', text: 'A' }, ...ending('refusal')],
    ],
    [
      "Gemini's signature stays on its call",
      chunks(
        {
          tool_calls: [
            {
              index: 0,
              id: 'a',
              function: { name: 'f', arguments: '{}' },
              extra_content: { google: { thought_signature: 'S' } },
            },
          ],
        },
        'tool_calls',
      ),
      [
        { type: 'tool-start', id: 'a', name: 'f', state: { vendor: 'google', data: 'S' } },
        { type: 'tool-delta', json: '{}' },
        { type: 'tool-end' },
        ...ending('tool'),
      ],
    ],
    [
      'sources of a text become citations',
      chunks(
        { content: 'A' },
        {
          annotations: [
            {
              type: 'url_citation',
              url_citation: { url: 'https://a.example', title: 'T', start_index: 0, end_index: 1 },
            },
          ],
        },
        'stop',
      ),
      [{ type: 'text', text: 'A' }, { type: 'citation', url: 'https://a.example', title: 'T' }, ...ending('end')],
    ],
  ]
  for (const [name, text, expected] of cases) {
    test(name, () => assert.deepEqual(merged(read(text + done)), [start, ...expected]))
  }

  test('usage comes once, after the finish, though xAI counts in every chunk', () => {
    const text =
      counted(1, { index: 0, delta: { role: 'assistant', content: 'A' } }) +
      counted(2, { index: 0, delta: { role: 'assistant', content: 'B' }, finish_reason: 'stop' })
    const usages = read(text + done, 'xai').filter((event) => event.type === 'usage')
    assert.equal(usages.length, 1)
    assert.equal(usages[0]?.usage.output, 2)
  })

  test('a last event without its blank line counts', () => {
    assert.equal(read(chunks({ content: 'A' }, 'stop'), 'openai', 'data: [DONE]').at(-1)?.type, 'end')
  })

  test('comments and blank lines are passed over', () => {
    const text = `\n\n: keep-alive\n\n${chunks({ content: 'A' })}: keep-alive\n${chunks('stop')}\n${done}`
    assert.deepEqual(
      read(text, 'deepseek').map((event) => event.type),
      ['start', 'text', 'usage', 'end'],
    )
  })
})

describe('a stream that does not end well has no end', () => {
  const failures: [string, string, string, string][] = [
    [
      "OpenAI's error",
      `${chunks({ content: 'A' })}data: {"error":{"message":"Over","type":"server_error","param":null,"code":"server_is_overloaded"}}\n\n${done}`,
      '',
      'vendor-overloaded',
    ],
    ["xAI's error, which is a text", 'data: {"code":"Internal","error":"It broke."}\n\n', '', 'vendor-broken'],
    [
      "Gemini's bare error at the end of the stream",
      chunks({ content: 'A' }),
      '[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]',
      'vendor-overloaded',
    ],
    ['an error by the name of its event', 'event: error\ndata: {"message":"rate limit"}\n\n', '', 'vendor-limit'],
    [
      'a refusal of our account',
      'data: {"error":{"message":"You exceeded your quota, org-secretsecret","type":"insufficient_quota","code":"insufficient_quota"}}\n\n',
      '',
      'vendor-refuses',
    ],
    [
      "DeepSeek's insufficient_system_resource",
      chunks({ content: 'A' }, 'insufficient_system_resource') + done,
      '',
      'vendor-broken',
    ],
  ]
  for (const [name, text, rest, kind] of failures) {
    test(`${name} is a failure`, () => {
      const last = read(text, 'xai', rest).at(-1)
      assert.equal(last?.type === 'failure' && last.failure.kind, kind)
      assert.equal(last?.type === 'failure' && last.failure.message.includes('org-'), false)
    })
  }

  const cuts: [string, string, string][] = [
    ['no [DONE]', chunks({ content: 'A' }, 'stop'), ''],
    ['[DONE] without a finish reason', chunks({ content: 'A' }) + done, ''],
    ['half an event at the end', chunks({ content: 'A' }), 'data: {"id":"c-1","cho'],
    ['nothing at all', '', ''],
  ]
  for (const [name, text, rest] of cuts) {
    test(`${name} is a cut`, () => {
      const types = read(text, 'openai', rest).map((event) => event.type)
      assert.equal(types.includes('end') || types.includes('failure'), false)
    })
  }

  test('data that is no JSON object is unreadable', () => {
    for (const data of ['<html>', '"text"', '{"id":', 'null', '']) {
      assert.throws(
        () => openaiChat.stream.reader('openai').read('message', data, () => {}),
        (thrown) => thrown instanceof Failure && thrown.kind === 'vendor-unreadable',
      )
    }
  })
})

const reply: ReplyEvent[] = [
  { type: 'start', model: 'claude', id: 'msg_1' },
  { type: 'thinking', text: 'Hm' },
  { type: 'thinking', text: 'm.' },
  { type: 'thinking-end', state: { vendor: 'anthropic', data: 'sig' } },
  { type: 'thinking-end', state: { vendor: 'anthropic', data: 'blob' }, redacted: true },
  { type: 'text', text: 'Look \u2028"here"' },
  { type: 'citation', url: 'https://a.example', title: 'A' },
  { type: 'tool-start', id: 't1', name: 'f', state: { vendor: 'google', data: 'S' } },
  { type: 'tool-delta', json: '{"x":' },
  { type: 'tool-delta', json: '1}' },
  { type: 'tool-end' },
  { type: 'tool-start', id: 't2', name: 'g' },
  { type: 'tool-end' },
  { type: 'usage', usage: { input: 5, output: 9, cacheRead: 3, cacheWrite5m: 2, cacheWrite1h: 0, thinking: 4 } },
  { type: 'end', reason: 'tool' },
]

describe('what is written', () => {
  test('reads back as the same events', () => {
    const expected = merged(reply)
    expected[0] = { type: 'start', model: 'claude', id: 'chatcmpl-abc' }
    // A call without arguments is given its empty object.
    expected.splice(expected.findIndex((event) => event.type === 'tool-start' && event.id === 't2') + 1, 0, {
      type: 'tool-delta',
      json: '{}',
    })
    assert.deepEqual(merged(read(write(reply), 'anthropic')), expected)
  })

  test('has the framing, ids and closing of OpenAI', () => {
    const lines = write(reply).split('\n\n')
    assert.equal(lines.at(-1), '')
    assert.equal(lines.at(-2), 'data: [DONE]')
    const parsed = lines.slice(0, -2).map((line) => JSON.parse(line.slice('data: '.length)) as Record<string, unknown>)
    for (const chunk of parsed) {
      assert.equal(chunk['id'], 'chatcmpl-abc')
      assert.equal(chunk['created'], 1_700_000_000)
      assert.equal(chunk['model'], 'claude')
      assert.equal('error' in chunk, false)
    }
    assert.deepEqual(parsed[0]?.['choices'], [
      { index: 0, delta: { role: 'assistant', content: '', refusal: null }, logprobs: null, finish_reason: null },
    ])
    assert.deepEqual(parsed.at(-2)?.['choices'], [{ index: 0, delta: {}, logprobs: null, finish_reason: 'tool_calls' }])
    assert.deepEqual(
      parsed.slice(0, -1).map((chunk) => chunk['usage']),
      parsed.slice(0, -1).map(() => null),
    )
    assert.deepEqual(parsed.at(-1)?.['choices'], [])
    assert.deepEqual(parsed.at(-1)?.['usage'], {
      prompt_tokens: 10,
      completion_tokens: 9,
      total_tokens: 19,
      prompt_tokens_details: { cached_tokens: 3, audio_tokens: 0, cache_write_tokens: 2 },
      completion_tokens_details: {
        reasoning_tokens: 4,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    })
  })

  test('tells no usage to a caller who did not ask for it', () => {
    assert.equal(write(reply, false).includes('"usage"'), false)
  })

  test('counts tool calls from 0, whatever stood before them', () => {
    const indexes = [...write(reply).matchAll(/"tool_calls":\[\{"index":(\d)/g)].map((match) => match[1])
    assert.deepEqual(indexes, ['0', '0', '0', '1', '1'])
  })

  test('is named by the model asked for where the vendor named none', () => {
    assert.match(write([{ type: 'start', model: '' }]), /"model":"asked"/)
  })

  test('has no [DONE] before a true end', () => {
    assert.equal(write(reply.slice(0, -1)).includes('[DONE]'), false)
  })

  test('carries the explanation of a refusal', () => {
    const text = write([{ type: 'end', reason: 'refusal', explanation: 'Not this.' }])
    assert.match(text, /"delta":\{"refusal":"Not this\."\}.*"finish_reason":"content_filter"/s)
  })

  test('has keep-alive comments of one line end', () => {
    assert.equal(openaiChat.stream.ping, ': keep-alive\n')
    assert.equal(write([{ type: 'ping' }]), ': keep-alive\n')
  })

  test('closes a run of thinking without state in silence', () => {
    assert.equal(write([{ type: 'thinking-end', state: { vendor: 'deepseek', data: '' } }]), '')
  })
})
