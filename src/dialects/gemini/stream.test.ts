import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { ReplyContext } from '../../core/dialect.ts'
import type { ReplyEvent } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { eachEvent, normalLines, SseFramer } from '../../core/sse.ts'
import { Passthrough, Translation } from '../../core/transcoder.ts'
import { gemini } from './index.ts'

const context: ReplyContext = { id: 'r1', model: 'gemini-x', createdMs: 0, request: {}, streamUsage: true }

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../../test/fixtures/gemini/${name}`, import.meta.url))
}

/** The events of a stream that comes in these pieces. */
function readAll(pieces: readonly Buffer[]): ReplyEvent[] {
  const events: ReplyEvent[] = []
  const reader = gemini.stream.reader('google')
  const framer = new SseFramer()
  const emit = (event: ReplyEvent): number => events.push(event)
  for (const piece of pieces) {
    eachEvent(normalLines(framer.push(piece).toString()), (name, data) => reader.read(name, data, emit))
  }
  reader.end(normalLines(framer.rest().toString()), emit)
  return events
}

/** Minted ids differ from run to run. */
function withoutIds(events: readonly ReplyEvent[]): ReplyEvent[] {
  return events.map((event) => (event.type === 'tool-start' ? { ...event, id: 'ID' } : event))
}

function streamOf(...chunks: object[]): Buffer {
  return Buffer.from(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(''))
}

function chunk(parts: object[], more: object = {}): object {
  return { candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }], modelVersion: 'g', responseId: 'r' }
}

function unreadable(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.kind === 'vendor-unreadable'
}

/** What a caller sees of the answer. */
function shown(events: readonly ReplyEvent[]): ReplyEvent[] {
  return events.filter((event) => event.type !== 'usage' && event.type !== 'start')
}

function typesOf(events: readonly ReplyEvent[]): string[] {
  return events.map((event) => event.type)
}

test('reads a recorded text with its signature', () => {
  const events = readAll([fixture('text.sse')])
  assert.deepEqual(typesOf(events), ['start', 'text', 'usage', 'text', 'usage', 'thinking-end', 'usage', 'end'])
  assert.deepEqual(events[0], { type: 'start', model: 'gemini-3-pro-preview', id: 'bH6LaZW8Fp_3nsEPqtaSwQ4' })
  const state = events[5]
  assert.ok(state?.type === 'thinking-end' && state.state?.vendor === 'google' && state.state.data.startsWith('EqsF'))
  assert.deepEqual(events.at(-2), {
    type: 'usage',
    usage: { input: 9, output: 23 + 185, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 185 },
  })
  assert.deepEqual(events.at(-1), { type: 'end', reason: 'end' })
})

test('reads a recorded tool call: it comes whole, with a state, and ends with reason tool', () => {
  const events = readAll([fixture('tool-call.sse')])
  assert.deepEqual(typesOf(events), ['start', 'tool-start', 'tool-delta', 'tool-end', 'usage', 'usage', 'end'])
  const start = events[1]
  assert.ok(start?.type === 'tool-start')
  assert.match(start.id, /^call_[A-Za-z0-9]{24}$/)
  assert.equal(start.name, 'weather')
  assert.equal(start.state?.vendor, 'google')
  assert.deepEqual(events[2], { type: 'tool-delta', json: '{"location":"San Francisco"}' })
  assert.deepEqual(events.at(-1), { type: 'end', reason: 'tool' })
})

for (const name of ['text.sse', 'reasoning.sse', 'tool-call.sse']) {
  test(`reads ${name} the same in every split`, () => {
    const bytes = fixture(name)
    const whole = withoutIds(readAll([bytes]))
    for (let at = 1; at < bytes.length; at += 1) {
      assert.deepEqual(withoutIds(readAll([bytes.subarray(0, at), bytes.subarray(at)])), whole)
    }
    assert.deepEqual(withoutIds(readAll(Array.from(bytes, (byte) => Buffer.from([byte])))), whole)
  })
}

test('gives no end for a stream that was cut anywhere before its finishReason', () => {
  const bytes = fixture('reasoning.sse')
  const last = bytes.lastIndexOf('data: ')
  for (let at = 0; at <= last; at += 7) {
    assert.ok(!typesOf(readAll([bytes.subarray(0, at)])).includes('end'), `cut at ${at}`)
  }
})

test('takes a last event without its blank line', () => {
  const bytes = fixture('text.sse')
  assert.deepEqual(readAll([bytes.subarray(0, bytes.length - 2)]), readAll([bytes]))
})

test('waits for usage that comes after the finishReason', () => {
  const usage = { usageMetadata: { promptTokenCount: 10, cachedContentTokenCount: 4, candidatesTokenCount: 3 } }
  const events = readAll([streamOf(chunk([{ text: 'a' }], { finishReason: 'STOP' }), usage)])
  assert.deepEqual(typesOf(events), ['start', 'text', 'usage', 'end'])
  const last = events.at(-2)
  assert.ok(last?.type === 'usage' && last.usage.input === 6 && last.usage.cacheRead === 4)
})

test('tells thoughts, text and calls apart, one block after the other', () => {
  const events = readAll([
    streamOf(
      chunk([{ text: 'hm', thought: true }]),
      chunk([{ text: 'so', thought: true }]),
      chunk([{ text: 'Hi', thoughtSignature: 'S1' }]),
      chunk([
        { functionCall: { name: 'a', args: {}, id: '1' }, thoughtSignature: 'S2' },
        { functionCall: { name: 'b', args: { x: 1 }, id: '2' } },
      ]),
      chunk([{ text: '' }], { finishReason: 'STOP' }),
    ),
  ])
  assert.deepEqual(events.slice(1, -2), [
    { type: 'thinking', text: 'hm' },
    { type: 'thinking', text: 'so' },
    { type: 'thinking-end', state: { vendor: 'google', data: 'S1' } },
    { type: 'text', text: 'Hi' },
    { type: 'tool-start', id: '1', name: 'a', state: { vendor: 'google', data: 'S2' } },
    { type: 'tool-delta', json: '{}' },
    { type: 'tool-end' },
    { type: 'tool-start', id: '2', name: 'b' },
    { type: 'tool-delta', json: '{"x":1}' },
    { type: 'tool-end' },
  ])
})

test('keeps sources beside the text and tells each once', () => {
  const groundingMetadata = { groundingChunks: [{ web: { uri: 'https://a.example', title: 'A' } }] }
  const last = chunk([{ text: '', thoughtSignature: 'S' }], { finishReason: 'STOP', groundingMetadata })
  const events = readAll([streamOf(chunk([{ text: 'a' }], { groundingMetadata }), last)])
  assert.deepEqual(typesOf(events), ['start', 'text', 'citation', 'thinking-end', 'usage', 'end'])
})

const ends: [string, object, object][] = [
  ['MAX_TOKENS is length, calls or not', { finishReason: 'MAX_TOKENS' }, { type: 'end', reason: 'length' }],
  [
    'SAFETY is a refusal, with what Google says of it',
    { finishReason: 'SAFETY', finishMessage: 'Why' },
    { type: 'end', reason: 'refusal', explanation: 'Why' },
  ],
  [
    'IMAGE_RECITATION is a refusal',
    { finishReason: 'IMAGE_RECITATION' },
    { type: 'end', reason: 'refusal', explanation: 'The model stopped with IMAGE_RECITATION.' },
  ],
]
for (const [name, more, end] of ends) {
  test(`finishReason ${name}`, () => {
    assert.deepEqual(readAll([streamOf(chunk([{ text: 'a' }], more))]).at(-1), end)
  })
}

test('a blocked prompt ends as a refusal', () => {
  const blocked = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: { promptTokenCount: 3 } }
  const events = readAll([streamOf(blocked)])
  assert.deepEqual(typesOf(events), ['start', 'usage', 'end'])
  const end = events.at(-1)
  assert.ok(end?.type === 'end' && end.reason === 'refusal')
})

for (const reason of ['MALFORMED_FUNCTION_CALL', 'OTHER', 'MISSING_THOUGHT_SIGNATURE', 'SOMETHING_NEW']) {
  test(`finishReason ${reason} is a failure and no end`, () => {
    const events = readAll([streamOf(chunk([{ text: 'a' }], { finishReason: reason }))])
    const last = events.at(-1)
    assert.ok(last?.type === 'failure' && last.failure.kind === 'vendor-broken')
    assert.match(last.failure.message, new RegExp(reason))
  })
}

const overloaded = { error: { code: 503, message: 'The model is overloaded.\nMore', status: 'UNAVAILABLE' } }
const errors: [string, string][] = [
  ['an event', `data: ${JSON.stringify(overloaded)}\n\n`],
  ['an event in an array', `data: ${JSON.stringify([overloaded])}\n\n`],
  ['an event without its blank line', `data: ${JSON.stringify(overloaded)}`],
  ['a bare object', JSON.stringify(overloaded)],
  ['a bare object on many lines', `\n${JSON.stringify(overloaded, null, 2)}\n`],
  ['a bare array', JSON.stringify([overloaded])],
]
for (const [name, text] of errors) {
  test(`an error that comes as ${name} is a failure and no end`, () => {
    const bytes = Buffer.concat([streamOf(chunk([{ text: 'a' }])), Buffer.from(text)])
    for (let at = 1; at < bytes.length; at += 1) {
      const events = readAll([bytes.subarray(0, at), bytes.subarray(at)])
      assert.deepEqual(typesOf(events), ['start', 'text', 'failure'])
      const last = events.at(-1)
      assert.ok(last?.type === 'failure' && last.failure.kind === 'vendor-overloaded')
      assert.equal(last.failure.message, 'The model is overloaded.')
    }
  })
}

test('an error about our key does not reach the caller in words', () => {
  const error = { error: { code: 400, message: 'API key not valid. Project 1234', status: 'INVALID_ARGUMENT' } }
  const last = readAll([streamOf(error)]).at(-1)
  assert.ok(last?.type === 'failure' && last.failure.kind === 'vendor-refuses')
  assert.doesNotMatch(last.failure.message, /1234/)
})

test('data that is no JSON is unreadable', () => {
  assert.throws(() => readAll([Buffer.from('data: oh\n\n')]), unreadable)
  assert.throws(() => gemini.stream.meter(context).event('message', '{"candidates":['), unreadable)
})

test('what the writer writes is read back as the same events', () => {
  for (const name of ['text.sse', 'reasoning.sse', 'tool-call.sse']) {
    const events = readAll([fixture(name)])
    const writer = gemini.stream.writer(context)
    const again = readAll([Buffer.from(events.map((event) => writer.write(event)).join(''))])
    assert.deepEqual(shown(again), shown(events))
    assert.deepEqual(again.at(-2), events.at(-2))
  }
})

test('a state of another vendor stands sealed on a thought of its own', () => {
  const writer = gemini.stream.writer(context)
  const state = { vendor: 'anthropic', data: 'sig' }
  const text = writer.write({ type: 'thinking', text: 'hm' }) + writer.write({ type: 'thinking-end', state })
  assert.match(text, /"parts":\[\{"text":"hm","thought":true\}\]/)
  assert.match(text, /"parts":\[\{"text":"","thought":true,"thoughtSignature":"[A-Za-z0-9+/]+=*"\}\]/)
})

test('arguments that are no JSON object are kept under _raw', () => {
  const writer = gemini.stream.writer(context)
  writer.write({ type: 'tool-start', id: 'c', name: 'f' })
  writer.write({ type: 'tool-delta', json: '{"a":' })
  assert.match(writer.write({ type: 'tool-end' }), /"args":\{"_raw":"\{\\"a\\":"\}/)
})

test('line separators in a text do not end the event', () => {
  const writer = gemini.stream.writer(context)
  const written = writer.write({ type: 'text', text: 'a\u2028b\u0085c\r\nd' })
  assert.match(written, /^data: [^\u0085\u2028\r\n]+\n\n$/)
  assert.deepEqual(readAll([Buffer.from(written)])[1], { type: 'text', text: 'a\u2028b\u0085c\r\nd' })
})

test('passing through keeps the bytes and meters usage, model and completeness', () => {
  const bytes = fixture('text.sse')
  for (let at = 1; at < bytes.length; at += 13) {
    const through = new Passthrough(gemini, context)
    const out = [bytes.subarray(0, at), bytes.subarray(at)].map((piece) => Buffer.from(through.push(piece)))
    out.push(Buffer.from(through.end()))
    assert.deepEqual(Buffer.concat(out), bytes)
    assert.equal(through.complete, true)
    assert.equal(through.begun, true)
    assert.equal(through.model, 'gemini-3-pro-preview')
    assert.equal(through.usage.output, 208)
  }
})

test('the meter sees an error event, and no completeness in a cut stream', () => {
  const through = new Passthrough(gemini, context)
  through.push(streamOf(chunk([{ text: 'a' }])))
  assert.equal(through.begun, true)
  assert.equal(through.complete, false)
  through.push(streamOf({ error: { code: 429, message: 'Zu viel für heute', status: 'RESOURCE_EXHAUSTED' } }))
  assert.equal(through.failure?.kind, 'vendor-limit')
  assert.equal(through.failure?.message, 'Zu viel für heute')
})

test('a translated stream is complete only when its finishReason was seen', () => {
  const whole = new Translation(gemini, gemini, 'google', context)
  whole.push(fixture('text.sse'))
  whole.end()
  assert.equal(whole.complete, true)
  const cut = new Translation(gemini, gemini, 'google', context)
  cut.push(streamOf(chunk([{ text: 'a' }])))
  cut.end()
  assert.equal(cut.complete, false)
})
