import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import OpenAI from 'openai'
import type { ReplyContext } from '../../core/dialect.ts'
import type { ReplyEvent } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { objectOf, textOf, type JsonObject } from '../../core/json.ts'
import { eachEvent } from '../../core/sse.ts'
import { Passthrough, Translation } from '../../core/transcoder.ts'
import { openaiResponses } from './index.ts'

const { stream, reply } = openaiResponses
const context: ReplyContext = { id: 'abc', model: 'gpt-5.5', createdMs: 0, request: {}, streamUsage: false }

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../../test/fixtures/openai-responses/${name}`, import.meta.url))
}

function parse(text: string): JsonObject[] {
  const events: JsonObject[] = []
  eachEvent(text, (name, data) => {
    const json = JSON.parse(data) as JsonObject
    assert.equal(json['type'], name)
    events.push(json)
  })
  return events
}

function typeOf(json: JsonObject): string {
  return textOf(json['type']) ?? ''
}

function readAll(events: readonly JsonObject[]): ReplyEvent[] {
  const reader = stream.reader('openai')
  const out: ReplyEvent[] = []
  const emit = (event: ReplyEvent): void => {
    out.push(event)
  }
  for (const json of events) reader.read(typeOf(json), JSON.stringify(json), emit)
  reader.end('', emit)
  return out
}

/** Neighbouring deltas as one, as a whole reply has them. */
function merged(events: readonly ReplyEvent[]): ReplyEvent[] {
  const out: ReplyEvent[] = []
  for (const event of events) {
    const last = out.at(-1)
    if (event.type === 'text' && last?.type === 'text') last.text += event.text
    else if (event.type === 'thinking' && last?.type === 'thinking') last.text += event.text
    else if (event.type === 'tool-delta' && last?.type === 'tool-delta') last.json += event.json
    else out.push({ ...event })
  }
  return out
}

function item(type: 'added' | 'done', index: number, item: JsonObject): JsonObject {
  return { type: `response.output_item.${type}`, output_index: index, item }
}

const created = { type: 'response.created', response: { id: 'resp_1', model: 'grok-4', output: [] } }
const completed = { type: 'response.completed', response: { id: 'resp_1', model: 'grok-4', status: 'completed' } }

/** Without states: OpenAI encrypts anew for each event, so the same item's contents differ. */
function bare(list: ReplyEvent[]): ReplyEvent[] {
  return list.map((event) => (event.type === 'thinking-end' ? { type: event.type } : event))
}

const callOf = (index: number): JsonObject => ({ type: 'function_call', call_id: `c${index}`, name: `f${index}` })

function argumentsDelta(index: number, delta: string): JsonObject {
  return { type: 'response.function_call_arguments.delta', output_index: index, delta }
}

function summaryDelta(part: number, delta: string): JsonObject {
  return { type: 'response.reasoning_summary_text.delta', output_index: 0, summary_index: part, delta }
}

function endsWith(rest: string): boolean {
  let ended = false
  stream.reader('xai').end(rest, (event) => {
    if (event.type === 'end') ended = true
  })
  return ended
}

describe('a stream is read', () => {
  for (const name of ['reasoning-tool.sse', 'text.sse']) {
    test(`${name} gives what its last event holds as a whole`, () => {
      const events = parse(fixture(name).toString())
      const whole = reply.unfold(objectOf(events.at(-1)?.['response']), 'openai')
      const streamed = merged(readAll(events))
      if (name === 'text.sse') {
        assert.deepEqual(streamed, whole)
      } else {
        assert.deepEqual(bare(streamed), bare(whole))
      }
    })
  }

  test('the state of reasoning is that of its finished item', () => {
    const events = parse(fixture('reasoning-tool.sse').toString())
    const done = objectOf(events.find(({ type }) => type === 'response.output_item.done')?.['item'])
    const end = readAll(events).find(({ type }) => type === 'thinking-end')
    assert.deepEqual(end, {
      type: 'thinking-end',
      state: { vendor: 'openai', data: done['encrypted_content'], id: done['id'] },
    })
  })

  test('an error event is a failure, and nothing comes after it', () => {
    const events = readAll(parse(fixture('error.sse').toString()))
    assert.deepEqual(
      events.map(({ type }) => type),
      ['start', 'failure'],
    )
    const failure = events[1]?.type === 'failure' ? events[1].failure : undefined
    assert.equal(failure?.kind, 'vendor-refuses')
    assert.equal(failure.vendor, 'openai')
  })

  const errors: readonly (readonly [string, JsonObject, string])[] = [
    [
      'flat',
      { type: 'error', code: 'server_error', message: 'Oops', param: null, sequence_number: 1 },
      'vendor-broken',
    ],
    ['nested', { type: 'error', error: { type: 'x', code: 'rate_limit_exceeded', message: 'Slow' } }, 'vendor-limit'],
    [
      'a failed response',
      { type: 'response.failed', response: { error: { code: 'invalid_prompt', message: 'Bad' } } },
      'request-invalid',
    ],
    [
      'one too long',
      { type: 'response.failed', response: { error: { code: 'context_length_exceeded', message: 'Long' } } },
      'prompt-too-long',
    ],
    ['one without a word', { type: 'response.failed', response: { error: null } }, 'vendor-broken'],
  ]
  for (const [name, event, kind] of errors) {
    test(`an error told ${name} is ${kind}`, () => {
      const last = readAll([created, event]).at(-1)
      assert.equal(last?.type === 'failure' && last.failure.kind, kind)
      const meter = stream.meter(context)
      meter.event(typeOf(event), JSON.stringify(event))
      assert.equal(meter.failure?.kind, kind)
    })
  }

  test('calls that interleave come one after the other', () => {
    const events = readAll([
      created,
      item('added', 0, callOf(0)),
      item('added', 1, callOf(1)),
      argumentsDelta(1, '{"b"'),
      argumentsDelta(0, '{"a"'),
      argumentsDelta(1, ':2}'),
      item('done', 1, { ...callOf(1), arguments: '{"b":2}' }),
      argumentsDelta(0, ':1}'),
      item('done', 0, { ...callOf(0), arguments: '{"a":1}' }),
      completed,
    ])
    assert.deepEqual(merged(events).slice(1, -2), [
      { type: 'tool-start', id: 'c0', name: 'f0' },
      { type: 'tool-delta', json: '{"a":1}' },
      { type: 'tool-end' },
      { type: 'tool-start', id: 'c1', name: 'f1' },
      { type: 'tool-delta', json: '{"b":2}' },
      { type: 'tool-end' },
    ])
  })

  test('what only the finished item holds is given then', () => {
    const message = { type: 'message', content: [{ type: 'output_text', text: 'Hello' }] }
    const call = { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' }
    const events = readAll([
      created,
      item('added', 0, { type: 'message', content: [] }),
      { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Hel' },
      item('done', 0, message),
      { type: 'response.function_call_arguments.delta', output_index: 1, delta: '{' },
      item('done', 1, call),
      completed,
    ])
    assert.deepEqual(merged(events).slice(1, -2), [
      { type: 'text', text: 'Hello' },
      { type: 'tool-start', id: 'c1', name: 'f' },
      { type: 'tool-delta', json: '{}' },
      { type: 'tool-end' },
    ])
  })

  test('summary parts are set apart as in a whole reply', () => {
    const summary = ['One.', 'Two.'].map((text) => ({ type: 'summary_text', text }))
    const events = readAll([
      created,
      item('added', 0, { type: 'reasoning', id: 'rs_1', summary: [] }),
      summaryDelta(0, 'One.'),
      summaryDelta(1, 'Tw'),
      summaryDelta(1, 'o.'),
      item('done', 0, { type: 'reasoning', id: 'rs_1', summary, encrypted_content: 'gAAA' }),
      completed,
    ])
    assert.deepEqual(merged(events).slice(1, 3), [
      { type: 'thinking', text: 'One.\n\nTwo.' },
      { type: 'thinking-end', state: { vendor: 'openai', data: 'gAAA', id: 'rs_1' } },
    ])
  })

  test('an item whose end did not come is closed at the end; unknown events and empty reasoning are passed over', () => {
    const events = readAll([
      created,
      { type: 'response.web_search_call.searching', output_index: 0 },
      item('added', 0, { type: 'web_search_call' }),
      item('added', 1, { type: 'reasoning', id: 'rs_1', summary: [] }),
      item('done', 1, { type: 'reasoning', id: 'rs_1', summary: [] }),
      item('added', 2, { type: 'function_call', call_id: 'c1', name: 'f' }),
      { type: 'response.brand_new', output_index: 2 },
      completed,
    ])
    assert.deepEqual(
      events.map(({ type }) => type),
      ['start', 'tool-start', 'tool-end', 'usage', 'end'],
    )
  })

  test('a cut stream has no end', () => {
    const events = parse(fixture('text.sse').toString()).slice(0, -1)
    assert.equal(
      readAll(events).some(({ type }) => type === 'end'),
      false,
    )
  })

  test('a last event without its blank line counts, half of one does not', () => {
    const data = `data: ${JSON.stringify(completed)}`
    assert.equal(endsWith(data), true)
    assert.equal(endsWith(data.slice(0, -9)), false)
  })

  test('data that is no object is unreadable', () => {
    for (const data of ['{"type":', '[]', 'null', '<html>']) {
      assert.throws(() => stream.reader('openai').read('x', data, () => {}), { kind: 'vendor-unreadable' })
    }
    for (const data of ['{"type":', '[]', '<html>']) {
      assert.throws(() => stream.meter(context).event('x', data), { kind: 'vendor-unreadable' })
    }
  })
})

describe('a stream passes in any pieces', () => {
  const bytes = fixture('text.sse')
  const sizes = [1, 2, 7, 97, 1021, bytes.length]
  for (const size of sizes) {
    test(`of ${size} bytes, through the meter and through reader and writer`, () => {
      const pass = new Passthrough(openaiResponses, context)
      const translation = new Translation(openaiResponses, openaiResponses, 'openai', context)
      const passed: Buffer[] = []
      let translated = ''
      for (let at = 0; at < bytes.length; at += size) {
        const chunk = bytes.subarray(at, at + size)
        passed.push(Buffer.from(pass.push(chunk)))
        translated += translation.push(chunk)
      }
      passed.push(Buffer.from(pass.end()))
      translated += translation.end()
      assert.deepEqual(Buffer.concat(passed), bytes)
      for (const coder of [pass, translation]) {
        assert.deepEqual([coder.begun, coder.complete, coder.failure], [true, true, undefined])
        assert.equal(coder.model, 'gpt-5.1-codex-max')
        assert.equal(coder.usage.output, 12)
        assert.equal(coder.usage.input, 299)
      }
      assert.deepEqual(merged(readAll(parse(translated))).slice(1), merged(readAll(parse(bytes.toString()))).slice(1))
    })
  }

  test('nothing has begun before the first delta', () => {
    const meter = stream.meter(context)
    for (const event of parse(bytes.toString())) {
      assert.equal(meter.begun, Number(event['sequence_number']) > 4)
      meter.event('message', JSON.stringify(event))
    }
    assert.equal(meter.complete, true)
  })
})

const events: ReplyEvent[] = [
  { type: 'start', model: 'claude-opus-5' },
  { type: 'thinking', text: 'Hm' },
  { type: 'ping' },
  { type: 'thinking', text: ' “so”.' },
  { type: 'thinking-end', state: { vendor: 'anthropic', data: 'sig' } },
  { type: 'text', text: 'Sure,\u2028' },
  { type: 'text', text: ' look.' },
  { type: 'citation', url: 'https://example.com', title: 'Example' },
  { type: 'refusal', text: 'No.' },
  { type: 'tool-start', id: 'call_1', name: 'add', state: { vendor: 'google', data: 'gem' } },
  { type: 'tool-delta', json: '{"a":1}' },
  { type: 'tool-end' },
  {
    type: 'usage',
    usage: { input: 5, output: 3, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 1 },
  },
  { type: 'end', reason: 'tool' },
]

function written(list: readonly ReplyEvent[]): string {
  const writer = stream.writer(context)
  return list.map((event) => writer.write(event)).join('')
}

describe('a stream is written', () => {
  test('all events in the API’s order, numbered without a gap', () => {
    const json = parse(written(events))
    assert.deepEqual(
      json.map((event) => typeOf(event).replace('response.', '')),
      [
        'created',
        'in_progress',
        'output_item.added',
        'reasoning_summary_part.added',
        'reasoning_summary_text.delta',
        'reasoning_summary_text.delta',
        'reasoning_summary_text.done',
        'reasoning_summary_part.done',
        'output_item.done',
        'output_item.added',
        'content_part.added',
        'output_text.delta',
        'output_text.delta',
        'output_text.annotation.added',
        'output_text.done',
        'content_part.done',
        'content_part.added',
        'refusal.delta',
        'refusal.done',
        'content_part.done',
        'output_item.done',
        'output_item.added',
        'output_item.done',
        'output_item.added',
        'function_call_arguments.delta',
        'function_call_arguments.done',
        'output_item.done',
        'completed',
      ],
    )
    assert.deepEqual(
      json.map((event) => event['sequence_number']),
      json.map((_, index) => index),
    )
    assert.deepEqual(json.at(-1)?.['response'], reply.fold(events, context))
  })

  test('a ping is a comment with one newline', () => {
    assert.equal(stream.writer(context).write({ type: 'ping' }), ': keep-alive\n')
    assert.equal(stream.ping, ': keep-alive\n')
  })
})

function client(body: string): OpenAI {
  const headers = { 'content-type': 'text/event-stream' }
  return new OpenAI({ apiKey: 'test', maxRetries: 0, fetch: () => Promise.resolve(new Response(body, { headers })) })
}

describe('OpenAI’s own SDK', () => {
  test('folds a written stream into the final response', async () => {
    const response = await client(written(events)).responses.stream({ model: 'm', input: 'Hi' }).finalResponse()
    assert.equal(response.output_text, 'Sure,\u2028 look.')
    assert.deepEqual(
      response.output.map(({ type }) => type),
      ['reasoning', 'message', 'reasoning', 'function_call'],
    )
    assert.equal(response.usage?.total_tokens, 8)
  })

  test('takes an answer that was cut short', async () => {
    const cut = written([...events.slice(0, 7), { type: 'end', reason: 'length' }])
    const response = await client(cut).responses.stream({ model: 'm', input: 'Hi' }).finalResponse()
    assert.equal(response.incomplete_details?.reason, 'max_output_tokens')
    assert.equal(response.output_text, 'Sure,\u2028 look.')
  })

  test('throws at an error event', async () => {
    const failure = new Failure('vendor-cut', 'The answer broke off.')
    const body = written(events.slice(0, 7)) + openaiResponses.failure.writeEvent(failure, 'req_1')
    const iterate = async (): Promise<void> => {
      for await (const _ of await client(body).responses.create({ model: 'm', input: 'Hi', stream: true }));
    }
    await assert.rejects(iterate, (error: unknown) => {
      assert.ok(error instanceof OpenAI.APIError)
      assert.match(error.message, /The answer broke off/)
      assert.equal(error.code, 'bad_gateway')
      return true
    })
  })
})
