import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { ReplyContext } from '../../core/dialect.ts'
import { noUsage, type ReplyEvent } from '../../core/event.ts'
import { Failure, type FailureKind } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { gemini } from './index.ts'

const context: ReplyContext = { id: 'r1', model: 'gemini-x', createdMs: 0, request: {}, streamUsage: true }

function fixture(name: string): JsonObject {
  return JSON.parse(readFileSync(new URL(`../../../test/fixtures/gemini/${name}`, import.meta.url), 'utf8'))
}

function failsAs(kind: FailureKind): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof Failure && thrown.kind === kind
}

test('a recorded text unfolds into its events, its state before it', () => {
  const events = gemini.reply.unfold(fixture('text.json'), 'google')
  assert.deepEqual(
    events.map((event) => event.type),
    ['start', 'thinking-end', 'text', 'usage', 'end'],
  )
  assert.deepEqual(events.at(-2), { type: 'usage', usage: { ...noUsage, input: 9, output: 28 + 244, thinking: 244 } })
})

test('a recorded tool call unfolds into a call and reason tool', () => {
  const events = gemini.reply.unfold(fixture('tool-call.json'), 'google')
  assert.deepEqual(
    events.map((event) => event.type),
    ['start', 'tool-start', 'tool-delta', 'tool-end', 'usage', 'end'],
  )
  assert.deepEqual(events.at(-1), { type: 'end', reason: 'tool' })
})

test('folding joins neighbouring pieces and keeps states with what they belong to', () => {
  const events: ReplyEvent[] = [
    { type: 'start', model: 'claude-x' },
    { type: 'thinking', text: 'h' },
    { type: 'thinking', text: 'm' },
    { type: 'thinking-end', state: { vendor: 'anthropic', data: 's' } },
    { type: 'text', text: 'a' },
    { type: 'text', text: 'b' },
    { type: 'citation', url: 'https://a.example', title: 'A' },
    { type: 'tool-start', id: 'c1', name: 'f', state: { vendor: 'google', data: 'G' } },
    { type: 'tool-delta', json: '{"x":' },
    { type: 'tool-delta', json: '1}' },
    { type: 'tool-end' },
    { type: 'usage', usage: { ...noUsage, input: 3, cacheRead: 2, cacheWrite1h: 1, output: 9, thinking: 4 } },
    { type: 'end', reason: 'tool' },
  ]
  const folded = gemini.reply.fold(events, context)
  const [candidate] = folded['candidates'] as { content: { parts: JsonObject[] }; finishReason: string }[]
  const parts = candidate?.content.parts
  assert.equal(parts?.length, 3)
  assert.equal(parts?.[0]?.['text'], 'hm')
  assert.match(parts?.[0]?.['thoughtSignature'] as string, /^fmtleXJ1bmd+[A-Za-z0-9+/]+=*$/)
  assert.deepEqual(parts?.[1], { text: 'ab' })
  assert.deepEqual(parts?.[2], { functionCall: { id: 'c1', name: 'f', args: { x: 1 } }, thoughtSignature: 'G' })
  assert.equal(candidate?.finishReason, 'STOP')
  assert.deepEqual(folded['usageMetadata'], {
    promptTokenCount: 6,
    candidatesTokenCount: 5,
    totalTokenCount: 15,
    cachedContentTokenCount: 2,
    thoughtsTokenCount: 4,
  })
  assert.equal(folded['modelVersion'], 'claude-x')
  assert.equal(folded['responseId'], 'r1')
})

for (const name of ['text.json', 'reasoning.json', 'tool-call.json']) {
  test(`${name} unfolds to the same after folding`, () => {
    const events = gemini.reply.unfold(fixture(name), 'google')
    const again = gemini.reply.unfold(gemini.reply.fold(events, context), 'google')
    assert.deepEqual(again.slice(1), events.slice(1))
  })
}

const refused: [string, JsonObject, FailureKind][] = [
  ['an error in a 200', { error: { code: 503, message: 'x', status: 'UNAVAILABLE' } }, 'vendor-overloaded'],
  ['no candidates', { hello: 1 }, 'vendor-unreadable'],
  ['no finishReason', { candidates: [{ content: { parts: [{ text: 'a' }] } }] }, 'vendor-cut'],
  ['a finishReason that is a failure', { candidates: [{ finishReason: 'MALFORMED_RESPONSE' }] }, 'vendor-broken'],
]
for (const [name, json, kind] of refused) {
  test(`an answer with ${name} is thrown as ${kind}`, () => {
    assert.throws(() => gemini.reply.unfold(json, 'google'), failsAs(kind))
  })
}

test('a candidate without content that ran out of tokens while thinking ends with length', () => {
  const json = { candidates: [{ finishReason: 'MAX_TOKENS', index: 0 }], usageMetadata: { thoughtsTokenCount: 9 } }
  const events = gemini.reply.unfold(json, 'google')
  assert.deepEqual(events.at(-1), { type: 'end', reason: 'length' })
})

test('odd shapes are passed over', () => {
  const parts = [null, 1, { inlineData: {} }, { executableCode: {} }, { text: 5 }, { text: 'a' }]
  const events = gemini.reply.unfold(
    { candidates: [null, { content: { parts }, finishReason: 'STOP' }], usageMetadata: [] },
    'google',
  )
  assert.deepEqual(
    events.map((event) => event.type),
    ['start', 'text', 'usage', 'end'],
  )
})
