import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { fetchRaw } from './support/client.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

suite('faults on demand, and pages on errors', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
  })
  after(async () => {
    await gateway.close()
    assert.deepEqual(gateway.faults, [])
  })

  const call = (model: string, headers: Record<string, string> = {}, path = 'messages'): ReturnType<typeof fetchRaw> =>
    fetchRaw(`${gateway.url}/v1/${path}`, {
      headers: { 'x-api-key': gateway.key, ...headers },
      body: JSON.stringify({ model, max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] }),
    })

  test('the list of faults needs no key, and its examples work as model names', async () => {
    const list = (await fetchRaw(`${gateway.url}/sandbox/faults`, { method: 'GET' })).json<{
      data: { model: string; name: string; about: string }[]
    }>()
    assert.ok(list.data.length > 30)
    assert.ok(list.data.every((one) => one.about !== '' && one.model.startsWith('sandbox/')))
    assert.equal((await call('sandbox/ok')).status, 200)
    assert.equal((await call('sandbox/429', {}, 'chat/completions')).status, 429)
  })

  test('a fault by header befalls any model, and every failure tells what was tried and where to read on', async () => {
    const { status, headers } = await call('gemini-3.8-flash', { 'x-keyrung-fault': '529' })
    assert.equal(status, 529)
    assert.equal(headers['x-keyrung-simulated'], 'true')
    assert.match(
      String(headers['x-keyrung-attempts']),
      /^"google\/gemini-3\.8-flash";status=503;outcome=vendor-overloaded;ms=\d+$/,
    )
    assert.equal(headers.link, '</errors/529>; rel="help"')
  })

  test('the link keeps the mount that the call came in by, and leads to a page', async () => {
    const answer = await fetchRaw(`${gateway.url}/api/proxy/v1/messages`, { body: '{}' })
    const target = /<(.*)>/.exec(String(answer.headers.link))?.[1] ?? ''
    assert.equal(target, '/api/proxy/errors/401')
    const page = await fetchRaw(gateway.url + target, { method: 'GET' })
    assert.equal(page.status, 200)
    assert.match(String(page.headers['content-type']), /text\/html/)
    assert.match(page.body.toString(), /<h1[^>]*>401/)
    assert.match((await fetchRaw(`${gateway.url}/errors`, { method: 'GET' })).body.toString(), /href="errors\/429"/)
    assert.equal((await fetchRaw(`${gateway.url}/errors/nothing`, { method: 'GET' })).status, 404)
  })

  test('an unknown fault is a 400 that names the nearest', async () => {
    const answer = await call('sandbox/592')
    assert.equal(answer.status, 400)
    assert.match(answer.body.toString(), /There is no fault '592'\. The nearest are /)
  })

  test('a fault that goes away is gone at the second call', async () => {
    assert.equal((await call('sandbox/500-then-ok')).status, 500)
    assert.equal((await call('sandbox/500-then-ok')).status, 200)
  })

  test('the caller’s own id of a call is kept', async () => {
    await call('sandbox/ok', { 'x-client-request-id': 'mine-1' })
    gateway.flush()
    assert.equal(gateway.store.receipts(1)[0]?.client_id, 'mine-1')
  })

  for (const [path, hint] of [
    ['/messages', /Did you mean POST \/v1\/messages\?/],
    ['/api/v1/messages', /Did you mean POST \/v1\/messages\?/],
    ['/v1/chat/completion', /Did you mean POST \/v1\/chat\/completions\?/],
    ['/v1/responses', /The Responses API is not offered here/],
    ['/v1/embeddings', /not offered here/],
  ] as const) {
    test(`the path ${path} is told with what would be right`, async () => {
      const answer = await fetchRaw(gateway.url + path, { body: '{}', headers: { 'x-api-key': gateway.key } })
      assert.equal(answer.status, 404)
      assert.match(answer.body.toString(), hint)
    })
  }

  for (const [sentence, body, message] of [
    ['no max_tokens', { messages: [{ role: 'user', content: 'x' }] }, /max_tokens: Field required/],
    ['no messages', { max_tokens: 1 }, /messages: Field required/],
    ['no content', { max_tokens: 1, messages: [{ role: 'user' }] }, /messages\.0\.content: Field required/],
    [
      'an orphan result',
      { max_tokens: 1, messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x' }] }] },
      /unexpected `tool_use_id`/,
    ],
    [
      'too many tokens',
      { max_tokens: 10_000_000, messages: [{ role: 'user', content: 'x' }] },
      /10000000 > \d+, which is the maximum/,
    ],
  ] as const) {
    test(`a request with ${sentence} is refused in Anthropic’s words before anybody is asked`, async () => {
      const before = gateway.sandbox?.seen.length
      const answer = await fetchRaw(`${gateway.url}/v1/messages`, {
        headers: { 'x-api-key': gateway.key },
        body: JSON.stringify({ model: 'claude-sonnet-5', ...body }),
      })
      assert.equal(answer.status, 400)
      assert.match(answer.body.toString(), message)
      assert.equal(gateway.sandbox?.seen.length, before)
    })
  }

  test('bytes that are no UTF-8 are refused and not changed', async () => {
    const answer = await fetchRaw(`${gateway.url}/v1/messages`, {
      headers: { 'x-api-key': gateway.key },
      body: Buffer.from(
        '{"model":"claude-sonnet-5","max_tokens":1,"messages":[{"role":"user","content":"\xe9"}]}',
        'latin1',
      ),
    })
    assert.equal(answer.status, 400)
    assert.match(answer.body.toString(), /not valid UTF-8/)
  })

  test('what only OpenAI refuses is not refused for a guest in its dialect', async () => {
    const stop = ['1', '2', '3', '4', '5', '6', '7', '8']
    const body = (model: string): string => JSON.stringify({ model, stop, messages: [{ role: 'user', content: 'Hi' }] })
    const ask = (model: string): ReturnType<typeof fetchRaw> =>
      fetchRaw(`${gateway.url}/v1/chat/completions`, { headers: { 'x-api-key': gateway.key }, body: body(model) })
    const seen = gateway.sandbox?.seen.length ?? 0
    assert.equal((await ask('gpt-4.1')).status, 400)
    assert.equal(gateway.sandbox?.seen.length, seen)
    await ask('deepseek-flash')
    assert.equal(gateway.sandbox?.seen.length, seen + 1)
  })

  test('a vendor without a model’s name behind it is no model', async () => {
    assert.equal((await call('anthropic/', {}, 'chat/completions')).status, 404)
  })

  test('a fault asked of an estimate is refused, not left out', async () => {
    const answer = await call('grok-4.7', { 'x-keyrung-fault': '529' }, 'messages/count_tokens')
    assert.equal(answer.status, 400)
  })
})
