import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { refuses, takes, type Model } from '../src/core/vendor.ts'
import { models } from '../src/vendors/index.ts'
import { fetchRaw } from './support/client.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const closed = { ...schema, additionalProperties: false }

/** What every model must answer, as callers of OpenAI's dialect ask it. */
const chat = {
  tools: [
    { type: 'function', function: { name: 'weather', parameters: schema } },
    { type: 'function', function: { name: 'now' } },
  ],
  loop: [
    { role: 'user', content: 'Weather?' },
    {
      role: 'assistant',
      content: '',
      tool_calls: [
        { id: 'functions.weather:0', type: 'function', function: { name: 'weather', arguments: '{"city":"Ulm"}' } },
        { id: 'functions.now:1', type: 'function', function: { name: 'now', arguments: '' } },
      ],
    },
    { role: 'tool', tool_call_id: 'functions.now:1', content: 'noon' },
    { role: 'tool', tool_call_id: 'functions.weather:0', content: '' },
    { role: 'developer', content: 'Be brief.' },
  ],
}

/** The same as callers of Anthropic's dialect ask it. */
const messages = {
  tools: [
    { name: 'weather', input_schema: schema },
    { name: 'now', input_schema: { type: 'object', properties: {} } },
  ],
  loop: [
    { role: 'user', content: [{ type: 'text', text: 'Weather?', cache_control: { type: 'ephemeral' } }] },
    {
      role: 'assistant',
      content: [
        { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Ulm' } },
        { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_2', content: 'no clock', is_error: true },
        { type: 'tool_result', tool_use_id: 'toolu_1' },
        { type: 'text', text: 'Go on.' },
      ],
    },
  ],
}

type Ask = (model: Model) => object | undefined

const asks: [name: string, path: string, ask: Ask][] = [
  ['chat', '/v1/chat/completions', () => ({ n: 1, stop: null, response_format: { type: 'text' } })],
  ['chat of one token', '/v1/chat/completions', () => ({ max_completion_tokens: 1 })],
  [
    'chat with tools',
    '/v1/chat/completions',
    (model) => (takes(model, 'tools') ? { tools: chat.tools, messages: chat.loop } : undefined),
  ],
  [
    'chat by a schema',
    '/v1/chat/completions',
    (model) => {
      const json_schema = { name: 'place', schema }
      return takes(model, 'schema') ? { response_format: { type: 'json_schema', json_schema } } : undefined
    },
  ],
  ['a message', '/v1/messages', () => ({ max_tokens: 64 })],
  ['a message of one token', '/v1/messages', () => ({ max_tokens: 1 })],
  [
    'a message with tools',
    '/v1/messages',
    (model) => {
      return takes(model, 'tools') ? { max_tokens: 64, tools: messages.tools, messages: messages.loop } : undefined
    },
  ],
  [
    'a message with thought',
    '/v1/messages',
    (model) => {
      const adaptive = model.vendor !== 'anthropic' || model.thinking === 'adaptive'
      const thinking = adaptive ? { type: 'adaptive' } : { type: 'enabled', budget_tokens: 1024 }
      return { max_tokens: 2048, thinking }
    },
  ],
  [
    'a message by a schema',
    '/v1/messages',
    (model) => {
      const format = { type: 'json_schema', schema: closed }
      return takes(model, 'schema') ? { max_tokens: 64, output_config: { format } } : undefined
    },
  ],
]

suite('every model of the catalogue', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
  })
  after(() => gateway.close())

  async function status(path: string, body: object): Promise<{ status: number; text: string }> {
    const answer = await fetchRaw(gateway.url + path, {
      headers: { authorization: `Bearer ${gateway.key}` },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Weather?' }], ...body }),
    })
    return { status: answer.status, text: answer.body.toString() }
  }

  for (const [name, path, ask] of asks) {
    test(`answers ${name}`, async () => {
      for (const model of models) {
        const body = ask(model)
        if (body === undefined) continue
        const answer = await status(path, { model: model.id, ...body })
        assert.equal(answer.status, 200, `${model.id}: ${answer.text}`)
      }
      assert.deepEqual(gateway.faults, [])
    })
  }

  test('that refuses to be forced to call a tool says so by name', async () => {
    const stubborn = models.filter((model) => refuses(model, 'forced-tool'))
    assert.ok(stubborn.length > 0)
    for (const model of stubborn) {
      const answer = await status('/v1/chat/completions', {
        model: model.id,
        tools: chat.tools,
        tool_choice: 'required',
      })
      assert.equal(answer.status, 400)
      assert.match(answer.text, /"param":"tool_choice"/)
    }
  })
})
