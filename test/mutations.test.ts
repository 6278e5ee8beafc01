import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Json, JsonObject } from '../src/core/json.ts'
import { isObject } from '../src/core/json.ts'
import { fetchRaw } from './support/client.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}

/** Requests with much in them: each is asked of every vendor with one thing wrong at a time. */
const corpus: Record<string, JsonObject> = {
  messages: {
    max_tokens: 3000,
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    thinking: { type: 'adaptive' },
    output_config: { effort: 'low' },
    metadata: { user_id: 'u' },
    stop_sequences: [],
    tools: [{ name: 'weather', description: 'Tells it.', input_schema: schema }],
    tool_choice: { type: 'auto', disable_parallel_tool_use: false },
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'I see' },
          { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'rain' }], is_error: false },
          { type: 'text', text: 'and?' },
        ],
      },
    ],
  },
  'chat/completions': {
    max_completion_tokens: 3000,
    reasoning_effort: 'low',
    user: 'u',
    tools: [{ type: 'function', function: { name: 'weather', description: 'Tells it.', parameters: schema } }],
    tool_choice: 'auto',
    stream_options: { include_usage: true },
    stream: true,
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } },
        ],
      },
      {
        role: 'assistant',
        content: 'I see',
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
    ],
  },
}

const wrong: readonly Json[] = [
  null,
  true,
  -1,
  1.5,
  '',
  'x',
  [],
  {},
  [[]],
  [null],
  { type: 'x' },
  'constructor',
  '__proto__',
]

/** Names that every JavaScript object seems to have: a look-up that is not careful finds something there. */
const inherited = ['valueOf', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__', '__proto__']

/** Every place in a JSON value, as the steps that lead there. */
function* places(value: Json | undefined, path: (string | number)[] = []): Generator<(string | number)[]> {
  if (path.length > 0) yield path
  const entries = Array.isArray(value) ? value.entries() : isObject(value) ? Object.entries(value) : []
  for (const [key, inner] of entries) yield* places(inner, [...path, key])
}

/** Every object in a JSON value that is not a free form of the caller's (a schema, arguments). */
function* objects(value: Json | undefined, path: (string | number)[] = []): Generator<(string | number)[]> {
  if (isObject(value)) yield path
  for (const step of places(value)) {
    if (isObject(step.reduce<unknown>((at, key) => Reflect.get(at as object, key), value))) yield step
  }
}

/** A copy in which the value at `path` is another one, or gone. */
function changed(value: JsonObject, path: readonly (string | number)[], to: Json | undefined): JsonObject {
  const copy = structuredClone(value)
  let at: unknown = copy
  for (const step of path.slice(0, -1)) at = Reflect.get(at as object, step)
  const last = path.at(-1) as string | number
  if (to === undefined && !Array.isArray(at)) Reflect.deleteProperty(at as object, last)
  else if (to === undefined) (at as unknown[]).splice(Number(last), 1)
  else Object.defineProperty(at, last, { value: to, enumerable: true, configurable: true, writable: true })
  return copy
}

suite('a request with one thing wrong is never our fault, whoever is asked', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
  })
  after(() => gateway.close())

  for (const model of [
    'claude-sonnet-5',
    'claude-haiku-4-5',
    'gpt-5.6',
    'gpt-4.1',
    'gemini-3.8-flash',
    'grok-4.7',
    'deepseek-flash',
  ]) {
    for (const [path, request] of Object.entries(corpus)) {
      test(`${path} to ${model}`, async () => {
        const bodies: JsonObject[] = []
        let turn = 0
        for (const place of places(request)) {
          bodies.push(changed(request, place, undefined))
          // Three of the wrong values at each place, others at the next: all are met many times.
          for (let count = 0; count < 3; count += 1) bodies.push(changed(request, place, wrong[turn++ % wrong.length]))
        }
        for (const place of objects(request)) {
          for (const name of inherited) bodies.push(changed(request, [...place, name], 1))
        }
        const ask = async (body: JsonObject): Promise<void> => {
          const answer = await fetchRaw(`${gateway.url}/v1/${path}`, {
            headers: { 'x-api-key': gateway.key },
            body: JSON.stringify({ model, ...body }),
          })
          const shown = JSON.stringify(body).slice(0, 2000)
          assert.ok(
            answer.status === 200 || (answer.status >= 400 && answer.status < 500),
            `${answer.status} ${answer.body.toString().slice(0, 500)} for ${shown}`,
          )
          if (answer.status !== 200) assert.equal(answer.headers['x-keyrung-blame'], 'caller', shown)
          assert.deepEqual(gateway.faults, [], shown)
        }
        for (let at = 0; at < bodies.length; at += 16) {
          // eslint-disable-next-line no-await-in-loop -- sixteen at a time
          await Promise.all(bodies.slice(at, at + 16).map((body) => ask(body)))
        }
      })
    }
  }
})
