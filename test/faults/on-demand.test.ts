import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { faultList } from '../../src/sandbox/index.ts'
import { fetchRaw } from '../support/client.ts'
import { startTestGateway } from '../support/gateway.ts'
import { kinds } from './kinds.ts'

const keys = ['one', 'two'].map((name) => ({ name, key: `key-of-caller-${name}` }))
const [first, second] = ['key-of-caller-one', 'key-of-caller-two'] as const
/** Anthropic and OpenAI are live, and cannot be reached; the others are simulated. */
const gateway = await startTestGateway({
  secrets: { anthropic: 'secret', openai: 'secret' },
  origins: { anthropic: 'http://127.0.0.1:1', openai: 'http://127.0.0.1:1' },
  declaredKeys: keys,
})
const off = await startTestGateway({ config: 'sandbox: { enabled: false }' })
after(async () => {
  await gateway.close()
  await off.close()
  assert.deepEqual([gateway.faults, off.faults], [[], []])
})

const { url, sandbox } = gateway
const messages = [{ role: 'user' as const, content: 'Hello' }]

describe('a fault asked for by header', () => {
  for (const [path, model] of [
    ['/v1/messages', 'claude-sonnet-5'],
    ['/v1/messages', 'gpt-4.1'],
    ['/v1/chat/completions', 'claude-sonnet-5'],
    ['/v1/chat/completions', 'grok-4.7'],
  ] as const) {
    test(`${path} to ${model} goes to the simulated vendor, live or not`, async () => {
      const answer = await fetchRaw(url + path, {
        headers: { 'x-api-key': first, 'x-keyrung-fault': '429-after-7' },
        body: JSON.stringify({ model, max_tokens: 10, messages }),
      })
      assert.equal(answer.status, 429, answer.body.toString())
      assert.equal(answer.headers['x-keyrung-simulated'], 'true')
      assert.equal(answer.headers['retry-after'], '7')
    })
  }

  test('without it a live vendor stays live', async () => {
    const answer = await fetchRaw(`${url}/v1/messages`, {
      headers: { 'x-api-key': first },
      body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 10, messages }),
    })
    assert.deepEqual([answer.status, answer.headers['x-keyrung-simulated']], [502, undefined])
  })

  test('callers have turns of their own', async () => {
    const statuses: number[] = []
    for (const key of [first, second, first, second]) {
      const headers = { 'x-api-key': key, 'x-keyrung-fault': '503-then-ok' }
      const body = JSON.stringify({ model: 'grok-4.7', max_tokens: 10, messages })
      // eslint-disable-next-line no-await-in-loop -- by turns
      statuses.push((await fetchRaw(`${url}/v1/messages`, { headers, body })).status)
    }
    assert.deepEqual(statuses, [529, 529, 200, 200])
  })
})

describe('a fault asked for as a model', () => {
  test('is the simulated vendor of the dialect, and by the SDK alone retried until it is over', async () => {
    const one = new Anthropic({ baseURL: url, apiKey: first })
    const before = sandbox?.seen.length ?? 0
    const message = await one.messages.create({ model: 'sandbox/529-2-times-then-ok', max_tokens: 100, messages })
    assert.match(JSON.stringify(message.content), /You said/)
    const other = new OpenAI({ baseURL: `${url}/v1`, apiKey: first })
    const completion = await other.chat.completions.create({ model: 'sandbox/429-after-ms-20-then-ok', messages })
    assert.match(completion.choices[0]?.message.content ?? '', /You said/)
    const vendors = sandbox?.seen.slice(before).map(({ vendor, status }) => `${vendor} ${status}`)
    assert.deepEqual(vendors, ['anthropic 529', 'anthropic 529', 'anthropic 200', 'openai 429', 'openai 200'])
  })

  test('is not retried by the SDKs where that cannot help, whatever the status', async () => {
    const before = sandbox?.seen.length ?? 0
    const one = new Anthropic({ baseURL: url, apiKey: first })
    const other = new OpenAI({ baseURL: `${url}/v1`, apiKey: first })
    await assert.rejects(
      one.messages.create({ model: 'sandbox/quota', max_tokens: 100, messages }),
      Anthropic.InternalServerError,
    )
    await assert.rejects(
      one.messages.create({ model: 'sandbox/429-after-3600', max_tokens: 100, messages }),
      Anthropic.RateLimitError,
    )
    await assert.rejects(other.chat.completions.create({ model: 'sandbox/401', messages }), OpenAI.InternalServerError)
    await assert.rejects(
      other.chat.completions.create({ model: 'sandbox/429-after-3600', messages }),
      OpenAI.RateLimitError,
    )
    assert.equal(sandbox?.seen.length, before + 4)
  })
})

test('without a sandbox there are no faults to ask for: a 403', async () => {
  for (const [model, headers] of [
    ['sandbox/529', {}],
    ['gpt-4.1', { 'x-keyrung-fault': '529' }],
  ] as const) {
    // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its request
    const answer = await fetchRaw(`${off.url}/v1/messages`, {
      headers: { 'x-api-key': off.key, ...headers },
      body: JSON.stringify({ model, max_tokens: 10, messages }),
    })
    assert.deepEqual([answer.status, answer.headers['x-keyrung-failure']], [403, 'not-allowed'])
  }
})

test('GET /sandbox/faults lists every fault with what it does', async () => {
  const answer = await fetchRaw(`${url}/sandbox/faults`, { method: 'GET' })
  assert.equal(answer.status, 200)
  const { data } = answer.json<{ data: { name: string; about: string }[] }>()
  for (const { name, about } of faultList())
    assert.ok(
      data.some((one) => one.name === name && one.about === about),
      name,
    )
})

test('the link of every failure leads to a page', async () => {
  const statuses = new Set([...Object.values(kinds).map(({ status }) => status), 401, 403, 405, 408, 415, 422, 503])
  for (const status of statuses) {
    // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its page
    const answer = await fetchRaw(`${url}/errors/${status}`, { method: 'GET' })
    assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'text/html; charset=utf-8'], String(status))
    assert.match(answer.body.toString(), new RegExp(`<h1[^>]*>${status} `))
  }
})
