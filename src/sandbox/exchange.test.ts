import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, suite, test } from 'node:test'
import { objectOf, type Json, type JsonObject } from '../core/json.ts'
import { startSandbox, type Sandbox, type SeenRequest } from './index.ts'

let sandbox: Sandbox
before(async () => {
  sandbox = await startSandbox()
})
after(() => sandbox.close())

const hi = { role: 'user', content: 'Hi' }
const message = { model: 'claude-sonnet-4-5', max_tokens: 1000, messages: [hi] }
const words = { role: 'user', content: '[sandbox: 100000 words]' }

suite('the vendors at their doors', () => {
  const refusals: { name: string; vendor: string; path: string; key?: string; status: number; says: string }[] = [
    {
      name: 'Anthropic without a key',
      vendor: 'anthropic',
      path: '/v1/models',
      status: 401,
      says: 'x-api-key header is required',
    },
    {
      name: 'Anthropic with a wrong one',
      vendor: 'anthropic',
      path: '/v1/models',
      key: 'wrong',
      status: 401,
      says: 'authentication_error',
    },
    {
      name: 'OpenAI without a key',
      vendor: 'openai',
      path: '/v1/models',
      status: 401,
      says: "You didn't provide an API key",
    },
    {
      name: 'OpenAI with a wrong one',
      vendor: 'openai',
      path: '/v1/models',
      key: 'wrong',
      status: 401,
      says: 'invalid_api_key',
    },
    {
      name: 'Google without a key',
      vendor: 'google',
      path: '/v1beta/models',
      status: 403,
      says: 'unregistered callers',
    },
    {
      name: 'Google with a wrong one',
      vendor: 'google',
      path: '/v1beta/models?key=wrong',
      status: 400,
      says: 'API_KEY_INVALID',
    },
    { name: 'xAI without a key', vendor: 'xai', path: '/v1/models', status: 401, says: 'authorization header' },
    { name: 'xAI with a wrong one', vendor: 'xai', path: '/v1/models', key: 'wrong', status: 400, says: 'wr***' },
    { name: 'DeepSeek without a key', vendor: 'deepseek', path: '/models', status: 401, says: 'should be Bearer' },
    {
      name: 'DeepSeek with a wrong one',
      vendor: 'deepseek',
      path: '/models',
      key: 'wrong',
      status: 401,
      says: 'is invalid',
    },
    {
      name: 'a path of Anthropic that is none',
      vendor: 'anthropic',
      path: '/v1/x',
      key: 'k',
      status: 404,
      says: 'not_found_error',
    },
    {
      name: 'a path of OpenAI that is none',
      vendor: 'openai',
      path: '/v1/x',
      key: 'k',
      status: 404,
      says: 'Invalid URL (GET /v1/x)',
    },
    {
      name: 'a path of Google that is none',
      vendor: 'google',
      path: '/v1/x',
      key: 'k',
      status: 404,
      says: 'NOT_FOUND',
    },
    {
      name: 'a method that the path has not',
      vendor: 'openai',
      path: '/v1/responses',
      key: 'k',
      status: 405,
      says: 'method_not_supported',
    },
    { name: 'a vendor that is none', vendor: 'acme', path: '/v1/x', status: 404, says: 'no such vendor' },
  ]
  for (const { name, vendor, path, key, status, says } of refusals) {
    test(`refuse ${name}`, async () => {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
      const response = await fetch(sandbox.origin(vendor) + path, { headers })
      const text = await response.text()
      assert.ok(text.includes(says), text)
      assert.equal(response.status, status)
    })
  }

  for (const [vendor, path] of [
    ['anthropic', '/v1/models'],
    ['openai', '/v1/models'],
    ['google', '/v1beta/models?key=sandbox'],
    ['xai', '/v1/models'],
    ['deepseek', '/models'],
  ] as const) {
    test(`${vendor} lists its models`, async () => {
      const response = await fetch(sandbox.origin(vendor) + path, { headers: { authorization: 'Bearer sandbox' } })
      const json = (await response.json()) as JsonObject
      assert.ok(Array.isArray(json['data'] ?? json['models']))
    })
  }

  for (const body of ['{"model":', '[]', '']) {
    test(`a body that is no object is refused: ${body}`, async () => {
      const response = await fetch(`${sandbox.origin('anthropic')}/v1/messages`, {
        method: 'POST',
        headers: { 'x-api-key': 'sandbox', 'anthropic-version': '2023-06-01' },
        body,
      })
      assert.equal(response.status, 400)
      assert.match(await response.text(), /The request body is not valid JSON/)
    })
  }

  test('answers carry the headers that must not reach a caller', async () => {
    const response = await post('anthropic', '/v1/messages', message)
    assert.match(response.headers.get('request-id') ?? '', /^req_/)
    assert.ok(response.headers.has('anthropic-organization-id'))
    assert.ok(response.headers.has('anthropic-ratelimit-requests-remaining'))
    assert.ok(response.headers.has('cf-ray'))
    const other = await post('openai', '/v1/chat/completions', { model: 'gpt-4o', messages: [hi] })
    assert.match(other.headers.get('x-request-id') ?? '', /^req_/)
    assert.ok(other.headers.has('openai-organization'))
  })
})

suite('answers', () => {
  test('tokens counted are tokens billed', async () => {
    const counted = await postJson('anthropic', '/v1/messages/count_tokens', { ...message, max_tokens: undefined })
    const answer = await postJson('anthropic', '/v1/messages', message)
    assert.equal(counted['input_tokens'], objectOf(answer['usage'])['input_tokens'])
    const openai = await postJson('openai', '/v1/responses/input_tokens', { model: 'gpt-5.6', input: 'Hi' })
    assert.deepEqual(openai, { object: 'response.input_tokens', input_tokens: counted['input_tokens'] })
    const google = await postJson('google', '/v1beta/models/gemini-2.5-pro:countTokens', {
      generateContentRequest: { model: 'models/gemini-2.5-pro', contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
    })
    assert.equal(google['totalTokens'], counted['input_tokens'])
  })

  test('a marked prefix is written to the cache, then read from it', async () => {
    const system = [{ type: 'text', text: 'Be kind. '.repeat(40), cache_control: { type: 'ephemeral', ttl: '1h' } }]
    const first = objectOf((await postJson('anthropic', '/v1/messages', { ...message, system }))['usage'])
    const second = objectOf((await postJson('anthropic', '/v1/messages', { ...message, system }))['usage'])
    assert.deepEqual(first['cache_creation'], { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 90 })
    assert.equal(first['cache_read_input_tokens'], 0)
    assert.equal(second['cache_read_input_tokens'], 90)
    assert.equal(second['input_tokens'], first['input_tokens'])
  })

  test('xAI counts reasoning beside the completion, streamed and whole', async () => {
    const asked = { model: 'grok-4.5', messages: [hi] }
    const whole = objectOf((await postJson('xai', '/v1/chat/completions', asked))['usage'])
    const details = objectOf(whole['completion_tokens_details'])
    const sum =
      Number(whole['prompt_tokens']) + Number(whole['completion_tokens']) + Number(details['reasoning_tokens'])
    assert.equal(whole['total_tokens'], sum)
    const streamed = await post('xai', '/v1/chat/completions', {
      ...asked,
      stream: true,
      stream_options: { include_usage: true },
    })
    assert.ok((await streamed.text()).includes(`"usage":${JSON.stringify(whole)}`))
  })

  test('a prompt over the window is refused', async () => {
    const long = { role: 'user', content: 'x'.repeat(900_000) }
    const response = await post('anthropic', '/v1/messages', { ...message, messages: [long] })
    assert.equal(response.status, 400)
    assert.match(await response.text(), /prompt is too long: 225003 tokens > 200000 maximum/)
  })

  test('Anthropic pings, DeepSeek comments', async () => {
    const pings = await post('anthropic', '/v1/messages', { ...message, stream: true })
    assert.match(await pings.text(), /^event: message_start\n[^]*\n\nevent: ping\ndata: {"type": "ping"}\n\n/)
    const deep = { model: 'deepseek-flash', messages: [hi] }
    const comments = await post('deepseek', '/chat/completions', { ...deep, stream: true })
    assert.match(await comments.text(), /^: keep-alive\n\ndata: /)
    const blank = await post('deepseek', '/chat/completions', deep)
    assert.match(await blank.text(), /^\n\{/)
  })

  test('OpenAI gives encrypted reasoning only to those who ask', async () => {
    const asked = { model: 'gpt-5', input: 'Hi', reasoning: { summary: 'auto' } }
    const without = await postJson('openai', '/v1/responses', asked)
    const included = await postJson('openai', '/v1/responses', { ...asked, include: ['reasoning.encrypted_content'] })
    assert.ok(!JSON.stringify(without).includes('"encrypted_content":"'))
    assert.ok(JSON.stringify(included).includes('"encrypted_content":"'))
  })
})

suite('streams', () => {
  test('a pace spreads the events', async () => {
    const started = performance.now()
    const forty = { role: 'user', content: '[sandbox: 40 words]' }
    const asked = { ...message, stream: true, messages: [forty] }
    const response = await post('anthropic', '/v1/messages', asked, { 'x-sandbox-pace-ms': '10' })
    await response.text()
    assert.ok(performance.now() - started > 80)
  })

  test('a client that leaves ends the answer', async () => {
    const leaving = new AbortController()
    const aborted = once(sandbox.events, 'aborted')
    const response = await fetch(`${sandbox.origin('anthropic')}/v1/messages`, {
      method: 'POST',
      headers: { ...credentials, 'x-sandbox-pace-ms': '20' },
      body: JSON.stringify({ ...message, stream: true, messages: [words] }),
      signal: leaving.signal,
    })
    await response.body?.getReader().read()
    leaving.abort()
    const [seen] = (await aborted) as [SeenRequest]
    assert.equal(seen.vendor, 'anthropic')
    assert.equal(seen.status, 200)
    assert.ok(seen.aborted && seen.endedMs > 0)
  })
})

suite('what was seen', () => {
  test('each request is written down', async () => {
    await postJson('anthropic', '/v1/messages?beta=true', message)
    const seen = sandbox.seen.at(-1)
    assert.equal(seen?.vendor, 'anthropic')
    assert.equal(seen.method, 'POST')
    assert.equal(seen.path, '/v1/messages?beta=true')
    assert.equal(seen.headers['x-api-key'], 'sandbox')
    assert.deepEqual(seen.json?.['messages'], [hi])
    assert.equal(seen.status, 200)
  })

  test('but only the last ones are kept', async () => {
    for (let count = 0; count < 300; count += 1) await (await fetch(sandbox.origin('acme'))).text()
    assert.equal(sandbox.seen.length, 256)
  })
})

const credentials = { 'x-api-key': 'sandbox', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' }

function post(vendor: string, path: string, json: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const key: Record<string, string> =
    vendor === 'anthropic'
      ? credentials
      : vendor === 'google'
        ? { 'x-goog-api-key': 'sandbox' }
        : { authorization: 'Bearer sandbox' }
  return fetch(sandbox.origin(vendor) + path, {
    method: 'POST',
    headers: { ...key, ...headers },
    body: JSON.stringify(json),
  })
}

async function postJson(vendor: string, path: string, json: unknown): Promise<JsonObject> {
  const response = await post(vendor, path, json)
  const answer = (await response.json()) as Json
  assert.equal(response.status, 200, JSON.stringify(answer))
  return objectOf(answer)
}
