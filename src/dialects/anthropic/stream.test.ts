import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import type { ReplyContext } from '../../core/dialect.ts'
import { noUsage, type ReplyEvent } from '../../core/event.ts'
import type { Failure } from '../../core/failure.ts'
import { eachEvent } from '../../core/sse.ts'
import { Passthrough, Translation, type Transcoder } from '../../core/transcoder.ts'
import { anthropic } from './index.ts'

const context: ReplyContext = {
  id: 'abc',
  model: 'asked',
  createdMs: 0,
  request: { thinking: { type: 'adaptive' } },
  streamUsage: false,
}

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../../test/fixtures/anthropic/${name}.sse`, import.meta.url))
}

function sse(...events: { type: string; [key: string]: unknown }[]): Buffer {
  return Buffer.from(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
}

function read(bytes: Buffer, vendor = 'anthropic'): ReplyEvent[] {
  const reader = anthropic.stream.reader(vendor)
  const events: ReplyEvent[] = []
  eachEvent(bytes.toString(), (name, data) => reader.read(name, data, (event) => events.push(event)))
  reader.end('', (event) => events.push(event))
  return events
}

function write(events: readonly ReplyEvent[]): string {
  const writer = anthropic.stream.writer(context)
  return events.map((event) => writer.write(event)).join('')
}

function run(transcoder: Transcoder, chunks: Buffer[]): { out: string; state: object } {
  let out = ''
  for (const chunk of chunks) out += transcoder.push(chunk).toString()
  out += transcoder.end().toString()
  const { begun, complete, failure, usage, model } = transcoder
  return { out, state: { begun, complete, failure, usage, model } }
}

const start = { type: 'message_start', message: { model: 'claude-x', usage: { input_tokens: 5, output_tokens: 1 } } }
const textStart = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }
const textDelta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi\u2028é' } }
const blockStop = { type: 'content_block_stop', index: 0 }
const delta = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } }
const stop = { type: 'message_stop' }
const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_1' }

test('reads a recorded stream with thinking', () => {
  const events = read(fixture('thinking'))
  const thoughts = events.flatMap((event) => (event.type === 'thinking' ? event.text : []))
  assert.equal(thoughts.join(''), 'The previous result was 925. Now I need to divide that by 5.\n\n925 ÷ 5 = 185')
  const end = events.find((event) => event.type === 'thinking-end')
  assert.equal(end?.state?.vendor, 'anthropic')
  assert.match(end?.state?.data ?? '', /^EvQB/)
  assert.deepEqual(events.slice(-2), [
    { type: 'usage', usage: { ...noUsage, input: 69, output: 53 } },
    { type: 'end', reason: 'end' },
  ])
})

test('reads a recorded call without arguments', () => {
  const events = read(fixture('tool-no-arguments')).filter((event) => event.type.startsWith('tool'))
  assert.deepEqual(events, [
    { type: 'tool-start', id: 'toolu_01QE1WLsSVp5hy5Q3GmGTmjP', name: 'updateIssueList' },
    { type: 'tool-delta', json: '{}' },
    { type: 'tool-end' },
  ])
})

for (const name of ['text', 'thinking', 'tool-no-arguments', 'input-revised']) {
  test(`the official SDK makes of a written stream what folding makes of its events (${name})`, async () => {
    const events = read(fixture(name))
    assert.deepEqual(await bySdk(write(events)), anthropic.reply.fold(events, context))
  })
}

test('the official SDK reads a stream that another vendor wrote', async () => {
  const events: ReplyEvent[] = [
    { type: 'start', model: 'gemini-x' },
    { type: 'thinking', text: 'hm' },
    { type: 'thinking-end', state: { vendor: 'google', data: 's' } },
    { type: 'thinking-end', state: { vendor: 'anthropic', data: 'r' }, redacted: true },
    { type: 'text', text: 'So:' },
    { type: 'citation', url: 'https://a' },
    { type: 'tool-start', id: 'a:0', name: 'f', state: { vendor: 'google', data: 't' } },
    { type: 'tool-delta', json: '{"n":' },
    { type: 'ping' },
    { type: 'tool-delta', json: '1}' },
    { type: 'tool-end' },
    { type: 'tool-start', id: 'b', name: 'g' },
    { type: 'tool-end' },
    { type: 'usage', usage: { ...noUsage, input: 11, output: 5, cacheRead: 3, thinking: 2 } },
    { type: 'end', reason: 'tool' },
  ]
  const message = await bySdk(write(events))
  assert.deepEqual(message, anthropic.reply.fold(events, context))
  assert.equal(message.content.length, 6)
})

/** The message without the one field that the SDK puts there itself. */
async function bySdk(body: string): Promise<Anthropic.Message> {
  const client = new Anthropic({
    apiKey: 'x',
    fetch: async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
  })
  const params = { model: 'm', max_tokens: 9, messages: [{ role: 'user' as const, content: 'Hi' }] }
  const message = await client.messages.stream(params).finalMessage()
  return JSON.parse(JSON.stringify({ ...message, parsed_output: undefined })) as Anthropic.Message
}

test('writes pings and stops as Anthropic does, and nothing before there is content', () => {
  const writer = anthropic.stream.writer(context)
  assert.equal(writer.write({ type: 'ping' }), 'event: ping\ndata: {"type": "ping"}\n\n')
  assert.equal(writer.write({ type: 'start', model: 'x' }), '')
  assert.equal(writer.write({ type: 'usage', usage: { ...noUsage, input: 4 } }), '')
  assert.match(
    writer.write({ type: 'text', text: 'Hi' }),
    /^event: message_start\n.*"input_tokens":4,.*\n\nevent: content_block_start\n/,
  )
  assert.match(
    writer.write({ type: 'end', reason: 'stop', stop: 'E' }),
    /"stop_sequence":"E".*\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n$/,
  )
})

for (const name of ['thinking', 'tool-no-arguments']) {
  test(`a stream (${name}) is the same in every split, passed on and translated`, () => {
    const bytes = fixture(name)
    const passed = run(new Passthrough(anthropic, context), [bytes])
    const translated = run(new Translation(anthropic, anthropic, 'anthropic', context), [bytes])
    assert.equal(passed.out, bytes.toString())
    assert.deepEqual(passed.state, translated.state)
    for (let at = 1; at < bytes.length; at += 1) {
      const chunks = [bytes.subarray(0, at), bytes.subarray(at)]
      assert.deepEqual(run(new Passthrough(anthropic, context), chunks), passed)
      assert.deepEqual(run(new Translation(anthropic, anthropic, 'anthropic', context), chunks), translated)
    }
  })
}

test('meter and reader agree on usage, also where the end revises the input', () => {
  const { state } = run(new Passthrough(anthropic, context), [fixture('input-revised')])
  assert.deepEqual(state, {
    begun: true,
    complete: true,
    failure: undefined,
    usage: { ...noUsage, input: 61, output: 2 },
    model: 'claude-opus-4-5-20251101',
  })
})

test('the split of cache writes outlives a delta that gives only their sum', () => {
  const usage = {
    input_tokens: 1,
    cache_creation_input_tokens: 30,
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
  }
  const last = { ...delta, usage: { input_tokens: null, cache_creation_input_tokens: 30, output_tokens: 7 } }
  const events = read(sse({ type: 'message_start', message: { model: 'm', usage } }, last, stop))
  assert.deepEqual(events.at(-2), {
    type: 'usage',
    usage: { ...noUsage, input: 1, output: 7, cacheWrite5m: 10, cacheWrite1h: 20 },
  })
})

const beginnings: [string, { type: string }[], boolean][] = [
  ['an empty text block', [start, textStart], false],
  ['a delta', [start, textStart, textDelta], true],
  [
    'a tool call',
    [start, { ...textStart, content_block: { type: 'tool_use', id: 'a', name: 'f', input: {} } } as never],
    true,
  ],
  [
    'redacted thinking',
    [start, { ...textStart, content_block: { type: 'redacted_thinking', data: 'r' } } as never],
    true,
  ],
  ['the end of an empty answer', [start, delta, stop], true],
  ['a ping', [start, { type: 'ping' }], false],
]
for (const [name, events, begun] of beginnings) {
  test(`${name} ${begun ? 'is' : 'is not yet'} an answer that has begun`, () => {
    const bytes = [sse(...(events as never[]))]
    assert.equal((run(new Passthrough(anthropic, context), bytes).state as { begun: boolean }).begun, begun)
    assert.equal(
      (run(new Translation(anthropic, anthropic, 'anthropic', context), bytes).state as { begun: boolean }).begun,
      begun,
    )
  })
}

test('an error event is a failure for reader and meter, and nothing after it counts', () => {
  const bytes = [sse(start, textStart, textDelta, overloaded, blockStop, stop)]
  for (const transcoder of [
    new Passthrough(anthropic, context),
    new Translation(anthropic, anthropic, 'anthropic', context),
  ]) {
    const { failure } = run(transcoder, bytes).state as { failure?: Failure }
    assert.equal(failure?.kind, 'vendor-overloaded')
    assert.equal(failure?.message, 'Overloaded')
  }
})

test('an error in the shape of OpenAI, without an event name, is a failure too', () => {
  const bytes = Buffer.from('data: {"error":{"message":"Insufficient Balance","type":"unknown_error"}}\n\n')
  const [event] = read(bytes, 'deepseek')
  assert.equal(event?.type === 'failure' && event.failure.kind, 'vendor-refuses')
  assert.ok(!(event?.type === 'failure' && event.failure.message.includes('Balance')))
  const meter = anthropic.stream.meter(context)
  meter.event('message', '{"error":{"message":"x"}}')
  assert.equal(meter.failure?.kind, 'vendor-broken')
})

test('a stream that is cut has no end, wherever the cut', () => {
  const whole = sse(start, textStart, textDelta, blockStop, delta, stop)
  const cut = whole.subarray(0, whole.length - 12)
  const { out, state } = run(new Translation(anthropic, anthropic, 'anthropic', context), [cut])
  assert.equal((state as { complete: boolean }).complete, false)
  assert.ok(!out.includes('message_stop'))
})

test('a last event without its blank line still counts', () => {
  const whole = sse(start, textStart, textDelta, blockStop, delta, stop)
  const { state } = run(new Translation(anthropic, anthropic, 'anthropic', context), [whole.subarray(0, -2)])
  assert.equal((state as { complete: boolean }).complete, true)
})

test('a second message_start and unknown events are tolerated', () => {
  const again = { type: 'message_start', message: { model: 'claude-y', usage: { input_tokens: 9 } } }
  const types = read(
    sse(start, textStart, textDelta, again, { type: 'novelty' }, { ...textStart, index: 1 }, textDelta, delta, stop),
  )
  assert.deepEqual(
    types.map((event) => event.type),
    ['start', 'usage', 'text', 'usage', 'text', 'usage', 'end'],
  )
})

test('what is no event of this dialect is unreadable', () => {
  const reader = anthropic.stream.reader('anthropic')
  assert.throws(() => reader.read('message_start', '{"type":', () => {}), { kind: 'vendor-unreadable' })
  assert.throws(() => reader.read('message_stop', '{"type":"message_stop"}', () => {}), { kind: 'vendor-unreadable' })
  assert.throws(() => anthropic.stream.meter(context).event('ping', '{"type":'), { kind: 'vendor-unreadable' })
})
