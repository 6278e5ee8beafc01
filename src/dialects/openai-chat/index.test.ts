import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import OpenAI, { APIError, RateLimitError } from 'openai'
import type { ChatCompletionMessageParam } from 'openai/resources'
import type { ReplyContext } from '../../core/dialect.ts'
import type { ReplyEvent } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { openaiChat } from './index.ts'

const context: ReplyContext = { id: 'abc', model: 'm', createdMs: 1_700_000_000_000, request: {}, streamUsage: true }

const reply: ReplyEvent[] = [
  { type: 'start', model: 'claude' },
  { type: 'thinking', text: 'First ' },
  { type: 'thinking', text: 'this.' },
  { type: 'thinking-end', state: { vendor: 'anthropic', data: 'sig' } },
  { type: 'thinking-end', state: { vendor: 'anthropic', data: 'blob' }, redacted: true },
  { type: 'text', text: 'Let me ' },
  { type: 'ping' },
  { type: 'text', text: 'look.' },
  { type: 'tool-start', id: 't1', name: 'f', state: { vendor: 'google', data: 'S' } },
  { type: 'tool-delta', json: '{"x":1}' },
  { type: 'tool-end' },
  { type: 'usage', usage: { input: 5, output: 9, cacheRead: 3, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 4 } },
  { type: 'end', reason: 'tool' },
]

function streamed(events: readonly ReplyEvent[]): string {
  const writer = openaiChat.stream.writer(context)
  return events.map((event) => writer.write(event)).join('')
}

function sdk(answer: () => Response): OpenAI {
  return new OpenAI({ apiKey: 'k', maxRetries: 0, fetch: () => Promise.resolve(answer()) })
}

const question: ChatCompletionMessageParam = { role: 'user', content: 'Hi' }

/** What the model is told of an assistant message that the caller sends back. */
function sentBack(message: object): unknown {
  const messages = [question, message, { role: 'tool', tool_call_id: 't1', content: '42' }] as JsonObject[]
  const prompt = openaiChat.request.read({ model: 'm', messages }, { model: 'm', stream: false })
  assert.deepEqual(prompt.extras, [])
  return prompt.turns[1]?.parts
}

const path = 'messages[1]'
const carried = [
  { type: 'thinking', text: 'First this.', state: { vendor: 'anthropic', data: 'sig' }, path },
  { type: 'thinking', text: '', state: { vendor: 'anthropic', data: 'blob' }, redacted: true, path },
  { type: 'text', text: 'Let me look.', path },
  {
    type: 'tool-call',
    id: 't1',
    name: 'f',
    arguments: '{"x":1}',
    state: { vendor: 'google', data: 'S' },
    path: `${path}.tool_calls[0]`,
  },
]

describe("OpenAI's own SDK", () => {
  test('gathers a stream, and its message can be sent back with all state', async () => {
    const client = sdk(() => new Response(streamed(reply), { headers: { 'content-type': 'text/event-stream' } }))
    const stream = client.chat.completions.stream({ model: 'm', messages: [question] })
    const completion = await stream.finalChatCompletion()
    assert.equal(completion.usage?.total_tokens, 17)
    const message = completion.choices[0]?.message
    assert.ok(message)
    assert.deepEqual(sentBack(message), carried)
  })

  test('reads a whole reply, and its message can be sent back with all state', async () => {
    const client = sdk(() => Response.json(openaiChat.reply.fold(reply, context)))
    const completion = await client.chat.completions.create({ model: 'm', messages: [question] })
    const message = completion.choices[0]?.message
    assert.ok(message)
    assert.deepEqual(sentBack(message), carried)
  })

  test('throws the class and code of an error', async () => {
    const body = openaiChat.failure.write(new Failure('vendor-limit', 'Too fast.'), 'req_1')
    const client = sdk(() => Response.json(body, { status: 429 }))
    await assert.rejects(client.chat.completions.create({ model: 'm', messages: [question] }), (thrown) => {
      return thrown instanceof RateLimitError && thrown.code === 'rate_limit_exceeded'
    })
  })

  test('throws the error in the middle of a stream', async () => {
    const event = openaiChat.failure.writeEvent(new Failure('vendor-cut', 'It broke off.'), 'req_1')
    const client = sdk(() => new Response(streamed(reply.slice(0, 6)) + event))
    const stream = await client.chat.completions.create({ model: 'm', messages: [question], stream: true })
    await assert.rejects(
      async () => {
        for await (const chunk of stream) assert.equal(chunk.id, 'chatcmpl-abc')
      },
      (thrown) => thrown instanceof APIError && thrown.code === 'bad_gateway' && /It broke off/.test(thrown.message),
    )
  })
})
