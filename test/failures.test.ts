import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { newCallerKey } from '../src/core/key.ts'
import { fetchRaw, sendBytes, type RawAnswer } from './support/client.ts'
import { deadlinesOf, oneTry, startTestGateway, type TestGateway } from './support/gateway.ts'
import { startScriptedVendor, type Answer, type ScriptedVendor } from './support/vendor.ts'

interface Wanted {
  status: number
  anthropic: string
  openai: [type: string, code: string | null]
  message: RegExp
}

/** What went wrong, in whichever dialect it was told. */
function told(answer: RawAnswer): { type: string; code: unknown; param: unknown; message: string } {
  const body = answer.json<{ error: { type: string; code?: unknown; param?: unknown; message: string } }>()
  return { type: body.error.type, code: body.error.code, param: body.error.param, message: body.error.message }
}

const anthropicCall = '{"model":"claude-sonnet-5","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
const chatCall = '{"model":"claude-sonnet-5","messages":[{"role":"user","content":"hi"}]}'

suite('failures that the caller makes', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway({ config: 'server: { bodyBytesMax: 2000 }' })
  })
  after(async () => {
    await gateway.close()
    assert.deepEqual(gateway.faults, [])
  })

  const both = async (
    body: string,
    key: string | undefined,
    extra: Record<string, string> = {},
  ): Promise<[RawAnswer, RawAnswer]> => [
    await fetchRaw(`${gateway.url}/v1/messages`, {
      body,
      headers: { ...(key === undefined ? {} : { 'x-api-key': key }), ...extra },
    }),
    await fetchRaw(`${gateway.url}/v1/chat/completions`, {
      body,
      headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...extra },
    }),
  ]

  const good = (): string => gateway.key
  const typo = (): string => `${gateway.key.slice(0, -1)}${gateway.key.endsWith('a') ? 'b' : 'a'}`
  const cases: [
    sentence: string,
    body: string,
    key: () => string | undefined,
    wanted: Wanted,
    headers?: Record<string, string>,
  ][] = [
    [
      'no key',
      anthropicCall,
      () => undefined,
      {
        status: 401,
        anthropic: 'authentication_error',
        openai: ['invalid_request_error', 'invalid_api_key'],
        message: /No key was sent.*x-api-key/s,
      },
    ],
    [
      'a mistyped key',
      anthropicCall,
      typo,
      {
        status: 401,
        anthropic: 'authentication_error',
        openai: ['invalid_request_error', 'invalid_api_key'],
        message: /mistyped/,
      },
    ],
    [
      'a key of another service',
      anthropicCall,
      () => 'sk-ant-api03-abcdefghijklmnop',
      {
        status: 401,
        anthropic: 'authentication_error',
        openai: ['invalid_request_error', 'invalid_api_key'],
        message: /an Anthropic key/,
      },
    ],
    [
      'an unknown key',
      anthropicCall,
      () => 'something-else',
      {
        status: 401,
        anthropic: 'authentication_error',
        openai: ['invalid_request_error', 'invalid_api_key'],
        message: /\(14 characters\).*header/,
      },
    ],
    [
      'two different keys',
      anthropicCall,
      good,
      {
        status: 401,
        anthropic: 'authentication_error',
        openai: ['invalid_request_error', 'invalid_api_key'],
        message: /different keys/,
      },
      { 'x-goog-api-key': 'other' },
    ],
    [
      'malformed JSON',
      '{"model":\n  "x",,}',
      good,
      {
        status: 400,
        anthropic: 'invalid_request_error',
        openai: ['invalid_request_error', null],
        message: /not valid JSON: line 2, column 7/,
      },
    ],
    [
      'an empty body',
      '',
      good,
      { status: 400, anthropic: 'invalid_request_error', openai: ['invalid_request_error', null], message: /empty/ },
    ],
    [
      'a body that is a list',
      '[]',
      good,
      {
        status: 400,
        anthropic: 'invalid_request_error',
        openai: ['invalid_request_error', null],
        message: /must be a JSON object/,
      },
    ],
    [
      'an unknown model',
      '{"model":"cluade-sonnet-5","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}',
      good,
      {
        status: 404,
        anthropic: 'not_found_error',
        openai: ['invalid_request_error', 'model_not_found'],
        message: /Did you mean 'claude-sonnet-5'/,
      },
    ],
    [
      'a body over the limit',
      JSON.stringify({ model: 'x', text: 'x'.repeat(2000) }),
      good,
      {
        status: 413,
        anthropic: 'request_too_large',
        openai: ['invalid_request_error', 'request_too_large'],
        message: /larger than 2000 bytes/,
      },
    ],
    [
      'an encoding that is not read',
      anthropicCall,
      good,
      {
        status: 415,
        anthropic: 'invalid_request_error',
        openai: ['invalid_request_error', 'unsupported_content_type'],
        message: /content-encoding 'zip'/,
      },
      { 'content-encoding': 'zip' },
    ],
    [
      'no model',
      '{"max_tokens":1,"messages":[]}',
      good,
      {
        status: 400,
        anthropic: 'invalid_request_error',
        openai: ['invalid_request_error', 'missing_required_parameter'],
        message: /model/,
      },
    ],
  ]

  for (const [sentence, body, key, wanted, headers] of cases) {
    test(`${sentence} is a ${wanted.status} in both dialects`, async () => {
      const [anthropic, openai] = await both(body, key(), headers)
      assert.equal(anthropic.status, wanted.status)
      assert.equal(openai.status, wanted.status)
      assert.equal(told(anthropic).type, wanted.anthropic)
      assert.deepEqual([told(openai).type, told(openai).code], wanted.openai)
      assert.match(told(anthropic).message, wanted.message)
      assert.match(told(openai).message, wanted.message)
      assert.equal(anthropic.json().request_id, anthropic.headers['request-id'])
      assert.equal(anthropic.headers['x-should-retry'], 'false')
      assert.equal(anthropic.headers['x-keyrung-blame'], 'caller')
      assert.equal(anthropic.headers['retry-after'], undefined)
      const shown = key()
      if (shown !== undefined) assert.ok(!anthropic.body.toString().includes(shown), 'a key is never echoed')
    })
  }

  test('an unknown path is a 404 in the dialect that the request hints at', async () => {
    const anthropic = await fetchRaw(`${gateway.url}/v1/complete`, {
      body: '{}',
      headers: { 'x-api-key': gateway.key },
    })
    const openai = await fetchRaw(`${gateway.url}/v1/edits`, {
      body: '{}',
      headers: { authorization: `Bearer ${gateway.key}` },
    })
    assert.deepEqual([anthropic.status, told(anthropic).type], [404, 'not_found_error'])
    assert.deepEqual([openai.status, told(openai).type], [404, 'invalid_request_error'])
    assert.match(told(openai).message, /Invalid URL \(POST \/v1\/edits\)/)
  })

  test('a wrong method is a 405 that says which is right', async () => {
    const answer = await fetchRaw(`${gateway.url}/v1/messages`, {
      method: 'GET',
      headers: { 'x-api-key': gateway.key },
    })
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.allow, 'POST')
    assert.match(told(answer).message, /use POST/)
  })

  test('what is no HTTP is answered once, and the gateway lives on', async () => {
    for (const bytes of [
      'NONSENSE\r\n\r\n',
      'GET / HTTP/1.1\r\nbad header\r\n\r\n',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`,
      'POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
    ]) {
      // eslint-disable-next-line no-await-in-loop -- one connection after the other
      assert.match(await sendBytes(gateway.url, bytes), /^HTTP\/1\.1 4\d\d /)
    }
    assert.equal((await fetchRaw(`${gateway.url}/healthz`, { method: 'GET' })).status, 200)
  })

  test('a path has one spelling, and only the path decides', async () => {
    const targets: [target: string, status: number][] = [
      ['http://elsewhere.example/healthz', 200],
      ['http://elsewhere.example?x=/v1/models', 200],
      ['/%68ealthz', 404],
      ['/v1%2fmodels', 404],
      ['//healthz', 404],
      ['/v1/../healthz', 404],
      ['/healthz/', 404],
      ['/HEALTHZ', 404],
      ['/healthz;x', 404],
    ]
    for (const [target, status] of targets) {
      // eslint-disable-next-line no-await-in-loop -- one connection after the other
      const answer = await sendBytes(
        gateway.url,
        `GET ${target} HTTP/1.1\r\nhost: x\r\nx-original-url: /healthz\r\nconnection: close\r\n\r\n`,
      )
      assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), `${target}: ${answer.slice(0, 30)}`)
    }
  })

  test('a model’s name that can be none is unknown, and a receipt keeps its beginning only', async () => {
    for (const model of ['google/\ud800', `google/${'x'.repeat(500)}`]) {
      const body = JSON.stringify({ model, max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] })
      // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its body
      for (const answer of await both(body, gateway.key)) assert.equal(answer.status, 404)
    }
    gateway.flush()
    assert.equal(String(gateway.store.receipts(1)[0]?.model_asked).length, 200)
  })

  test('what cannot be written for the vendor is refused before it is tried', async () => {
    const body = '{"model":"claude-sonnet-5","logit_bias":{"1":2},"messages":[{"role":"user","content":"hi"}]}'
    const answer = await fetchRaw(`${gateway.url}/v1/chat/completions`, { body, headers: { 'x-api-key': gateway.key } })
    assert.equal(answer.status, 400)
    gateway.flush()
    assert.equal(gateway.store.receipts(1)[0]?.tries, '[]')
  })

  test('deep and odd JSON stops nothing', async () => {
    const nest = '['.repeat(900)
    const bodies = [
      `{"model":${nest}`,
      `{"model":"claude-sonnet-5","messages":${nest}${']'.repeat(900)},"max_tokens":1}`,
      '{"__proto__":{"model":"x"},"model":"claude-sonnet-5","constructor":1}',
      '{"model":7}',
      '{"model":"a/b/c"}',
      '"x"',
      'null',
      '\u0000',
    ]
    for (const body of bodies) {
      // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its body
      const [anthropic, openai] = await both(body, gateway.key)
      for (const answer of [anthropic, openai])
        assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} for ${body.slice(0, 60)}`)
    }
  })
})

suite('failures that the vendor makes', () => {
  let vendor: ScriptedVendor
  let gateway: TestGateway
  let script: Answer = (response) => response.end()

  before(async () => {
    vendor = await startScriptedVendor((...args) => script(...args))
    gateway = await startTestGateway({
      secrets: { anthropic: 'vendor-secret-key' },
      origins: { anthropic: vendor.origin },
      config: oneTry + deadlinesOf(1000),
    })
  })
  after(async () => {
    await gateway.close()
    await vendor.close()
    assert.deepEqual(gateway.faults, [])
  })

  const error =
    (status: number, type: string, message: string, headers: Record<string, string> = {}): Answer =>
    (response) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_vendor' }))

  const cases: [sentence: string, script: Answer, wanted: Wanted, passed: boolean, retryAfter?: string][] = [
    [
      'a rate limit',
      error(429, 'rate_limit_error', 'slow down', { 'retry-after': '7' }),
      {
        status: 429,
        anthropic: 'rate_limit_error',
        openai: ['rate_limit_error', 'rate_limit_exceeded'],
        message: /(?:slow down|Anthropic limits this gateway's rate\..*)/,
      },
      true,
      '7',
    ],
    [
      'overload',
      error(529, 'overloaded_error', 'Overloaded'),
      {
        status: 529,
        anthropic: 'overloaded_error',
        openai: ['service_unavailable_error', 'server_is_overloaded'],
        message: /Overloaded/,
      },
      true,
    ],
    [
      'a bug of theirs',
      error(500, 'api_error', 'Internal server error'),
      {
        status: 500,
        anthropic: 'api_error',
        openai: ['server_error', 'server_error'],
        message: /Internal server error/,
      },
      true,
    ],
    [
      'the caller’s own mistake',
      error(400, 'invalid_request_error', 'messages.0: wrong'),
      {
        status: 400,
        anthropic: 'invalid_request_error',
        openai: ['invalid_request_error', null],
        message: /messages\.0: wrong/,
      },
      true,
    ],
    [
      'a refusal of our key',
      error(401, 'authentication_error', 'invalid x-api-key'),
      {
        status: 502,
        anthropic: 'api_error',
        openai: ['server_error', 'vendor_unavailable'],
        message: /refuses the account of this gateway/,
      },
      false,
    ],
    [
      'an empty account',
      error(400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
      {
        status: 502,
        anthropic: 'api_error',
        openai: ['server_error', 'vendor_unavailable'],
        message: /refuses the account of this gateway/,
      },
      false,
    ],
    [
      'an HTML page with a 200',
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Hi</title></html>'),
      { status: 502, anthropic: 'api_error', openai: ['server_error', 'bad_gateway'], message: /no JSON object/ },
      false,
    ],
    [
      'an empty 200',
      (response) => response.writeHead(200).end(),
      { status: 502, anthropic: 'api_error', openai: ['server_error', 'bad_gateway'], message: /no JSON object/ },
      false,
    ],
    [
      'JSON that is no reply',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"hello":1}'),
      { status: 502, anthropic: 'api_error', openai: ['server_error', 'bad_gateway'], message: /./ },
      false,
    ],
    [
      'an HTML page with a 503',
      (response) => response.writeHead(503, { 'content-type': 'text/html' }).end('<html><title>Down</title></html>'),
      {
        status: 529,
        anthropic: 'overloaded_error',
        openai: ['service_unavailable_error', 'server_is_overloaded'],
        message: /./,
      },
      false,
    ],
    [
      'a wait that is no number of seconds',
      error(429, 'rate_limit_error', 'slow down', { 'retry-after': '9'.repeat(400) }),
      {
        status: 429,
        anthropic: 'rate_limit_error',
        openai: ['rate_limit_error', 'rate_limit_exceeded'],
        message: /(?:slow down|Anthropic limits this gateway's rate\..*)/,
      },
      true,
    ],
    [
      'a redirect',
      (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      { status: 502, anthropic: 'api_error', openai: ['server_error', 'bad_gateway'], message: /redirect/ },
      false,
    ],
    [
      'a reset before the head',
      (response) => response.socket?.resetAndDestroy(),
      {
        status: 502,
        anthropic: 'api_error',
        openai: ['server_error', 'bad_gateway'],
        message: /closed the connection before it answered/,
      },
      false,
    ],
    [
      'a reset in the middle of the body',
      (response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
          .write('{"id":', () => response.socket?.resetAndDestroy()),
      { status: 502, anthropic: 'api_error', openai: ['server_error', 'bad_gateway'], message: /broke off/ },
      false,
    ],
    [
      'silence',
      () => {},
      {
        status: 504,
        anthropic: 'timeout_error',
        openai: ['server_error', 'timeout'],
        message: /did not (answer|finish) within (1|0\.\d+) s/,
      },
      false,
    ],
  ]

  for (const [sentence, answer, wanted, passed, retryAfter] of cases) {
    test(`${sentence} is a ${wanted.status}, whole and streamed, in both dialects`, async () => {
      script = answer
      for (const stream of [false, true]) {
        const body = (text: string): string => (stream ? text.replace('{', '{"stream":true,') : text)
        // eslint-disable-next-line no-await-in-loop -- the script is shared
        const anthropic = await fetchRaw(`${gateway.url}/v1/messages`, {
          body: body(anthropicCall),
          headers: { 'x-api-key': gateway.key },
        })
        // eslint-disable-next-line no-await-in-loop -- the script is shared
        const openai = await fetchRaw(`${gateway.url}/v1/chat/completions`, {
          body: body(chatCall),
          headers: { 'x-api-key': gateway.key },
        })
        for (const one of [anthropic, openai]) {
          assert.equal(one.status, wanted.status)
          assert.match(told(one).message, wanted.message)
          assert.equal(one.headers['retry-after'], retryAfter)
          assert.ok(!one.body.toString().includes('vendor-secret-key'))
          assert.ok(!one.body.toString().includes(vendor.origin.slice(7)), 'no address of the vendor')
        }
        assert.equal(told(anthropic).type, wanted.anthropic)
        assert.deepEqual([told(openai).type, told(openai).code], wanted.openai)
        assert.ok(!anthropic.body.toString().includes('req_vendor'), 'the id is ours')
        assert.equal(anthropic.json().request_id, anthropic.headers['request-id'])
        const asItCame = new RegExp(`^${wanted.message.source}$`).test(told(anthropic).message)
        assert.equal(asItCame, passed, 'a vendor’s error in its own dialect passes as it came')
      }
    })
  }

  test('an error event before any content is a real status', async () => {
    script = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
      )
    }
    for (const [path, body] of [
      ['messages', anthropicCall],
      ['chat/completions', chatCall],
    ] as const) {
      // eslint-disable-next-line no-await-in-loop -- the script is shared
      const answer = await fetchRaw(`${gateway.url}/v1/${path}`, {
        body: body.replace('{', '{"stream":true,'),
        headers: { 'x-api-key': gateway.key },
      })
      assert.equal(answer.status, 529)
      assert.match(told(answer).message, /Overloaded/)
    }
  })

  test('a port where nobody listens is a 502 after one more try', async () => {
    const closed: Server = createServer()
    closed.listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    const alone = await startTestGateway({
      secrets: { anthropic: 'k' },
      origins: { anthropic: `http://127.0.0.1:${port}` },
    })
    const answer = await fetchRaw(`${alone.url}/v1/messages`, {
      body: anthropicCall,
      headers: { 'x-api-key': alone.key },
    })
    assert.equal(answer.status, 502)
    assert.match(told(answer).message, /Anthropic could not be reached/)
    assert.ok(!told(answer).message.includes(String(port)))
    alone.flush()
    const tries = JSON.parse(String(alone.store.receipts(1)[0]?.tries)) as { outcome: string }[]
    assert.deepEqual(
      tries.map((one) => one.outcome),
      ['vendor-unreachable', 'vendor-unreachable'],
    )
    await alone.close()
  })
})

suite('failures of the set-up', () => {
  test('JSON that is nested too deeply to be translated is the caller’s mistake', async () => {
    const gateway = await startTestGateway()
    const schema = `${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}`
    const body = chatCall.replace('{', `{"tools":[{"type":"function","function":{"name":"t","parameters":${schema}}}],`)
    const answer = await fetchRaw(`${gateway.url}/v1/chat/completions`, { body, headers: { 'x-api-key': gateway.key } })
    assert.equal(answer.status, 400)
    assert.match(told(answer).message, /nested too deeply: more than 128 levels/)
    await gateway.close()
    assert.deepEqual(gateway.faults, [])
  })

  test('a declared key may be one that another Keyrung made', async () => {
    const { key } = newCallerKey('sk-aic-')
    const gateway = await startTestGateway({ declaredKeys: [{ name: 'ci', key }] })
    const status = async (sent: string): Promise<number> =>
      (await fetchRaw(`${gateway.url}/v1/models`, { method: 'GET', headers: { 'x-api-key': sent } })).status
    assert.equal(await status(key), 200)
    assert.equal(await status(newCallerKey('sk-aic-').key), 401)
    await gateway.close()
  })

  test('with the sandbox off, a vendor without a key is a clear error', async () => {
    const gateway = await startTestGateway({ config: 'sandbox: { enabled: false }' })
    const answer = await fetchRaw(`${gateway.url}/v1/messages`, {
      body: anthropicCall,
      headers: { 'x-api-key': gateway.key },
    })
    assert.equal(answer.status, 502)
    assert.match(told(answer).message, /no key for Anthropic.*ANTHROPIC_API_KEY/s)
    assert.equal(answer.headers['x-should-retry'], 'false')
    const models = await fetchRaw(`${gateway.url}/v1/models`, {
      method: 'GET',
      headers: { authorization: `Bearer ${gateway.key}` },
    })
    assert.deepEqual(models.json().data, [])
    await gateway.close()
  })

  test('more calls at once than allowed are told that the gateway is full', async () => {
    const waiting: (() => void)[] = []
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>()
    const vendor = await startScriptedVendor((response) => {
      waiting.push(() => response.writeHead(500, { 'content-type': 'application/json' }).end('{}'))
      onAsked()
    })
    const gateway = await startTestGateway({
      secrets: { anthropic: 'k' },
      origins: { anthropic: vendor.origin },
      config: `${oneTry}server: { callsMax: 1 }`,
    })
    const call = (): Promise<RawAnswer> =>
      fetchRaw(`${gateway.url}/v1/messages`, { body: anthropicCall, headers: { 'x-api-key': gateway.key } })
    const first = call()
    await asked
    const second = await call()
    assert.deepEqual([second.status, told(second).type, second.headers['retry-after']], [529, 'overloaded_error', '1'])
    for (const end of waiting) end()
    assert.equal((await first).status, 500)
    // The place is free again.
    const third = call()
    while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve))
    for (const end of waiting.slice(1)) end()
    assert.equal((await third).status, 500)
    await gateway.close()
    await vendor.close()
  })
})
