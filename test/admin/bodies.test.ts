import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, mock, suite, test } from 'node:test'
import { routes } from '../../src/control/admin/routes.ts'
import { open, sendBytes, type RawAnswer } from '../support/client.ts'
import { acts } from './support/acts.ts'
import { startAdmin } from './support/server.ts'

const admin = await startAdmin()
after(() => admin.close())

interface Told {
  error: { code: string; message: string; path?: string; fix?: string }
}

const ids = { owner: 'ab12cd34', key: 'ab12cd34', token: 'ab12cd34', bob: 'x', other: 'x' }

suite('a field that is not known is refused by every route', () => {
  for (const { method, path } of routes) {
    const act = acts.find(({ route }) => route === `${method} ${path}`)
    const at = act?.path(ids) ?? path

    test(`in the query of ${method} ${path}`, async () => {
      const answer = await admin.ask(
        method,
        `${at}${at.includes('?') ? '&' : '?'}nonsense=1`,
        method === 'GET' ? {} : { body: act?.body ?? {} },
      )
      assert.equal(answer.status, 400, answer.body.toString())
      const { error } = answer.json<Told>()
      assert.equal(error.code, 'field-unknown')
      assert.equal(error.path, 'nonsense')
    })

    test(`in the body of ${method} ${path}`, async () => {
      const answer = await admin.ask(method, at, { body: { ...act?.body, nonsense: 1 } })
      assert.equal(answer.status, 400, answer.body.toString())
      const { error } = answer.json<Told>()
      assert.equal(error.code, 'field-unknown')
      assert.equal(error.path, 'nonsense')
      assert.match(
        error.fix ?? '',
        act?.body === undefined || Object.keys(act.body).length === 0 ? /nothing may be sent/ : /^Known in the body: /,
      )
    })
  }

  const deep: [name: string, body: object, path: string, known: RegExp][] = [
    ['a limit', { name: 'x', limits: { requestPerMinute: 1 } }, 'limits.requestPerMinute', /requestsPerMinute/],
    ['a field of ours', { name: 'x', id: 'ab12cd34' }, 'id', /name, owner/],
    ['a field of ours that says who may what', { name: 'x', state: 'active' }, 'state', /name, owner/],
    ['constructor', { name: 'x', constructor: 1 }, 'constructor', /name, owner/],
  ]
  for (const [name, body, path, known] of deep) {
    test(`${name} is named with its place and what is known there`, async () => {
      const { error } = (await admin.ask('POST', '/keys', { body })).json<Told>()
      assert.equal(error.code, 'field-unknown')
      assert.equal(error.path, path)
      assert.match(error.fix ?? '', known)
    })
  }

  for (const body of ['{"name":"x","__proto__":{"scope":"all"}}', '{"name":"x","metadata":{"__proto__":"y"}}']) {
    test(`${body} is refused, though it would be lost without a word`, async () => {
      const answer = await admin.ask('POST', '/keys', { body })
      assert.equal(answer.status, 400)
      assert.equal(answer.json<Told>().error.code, 'field-unknown')
    })
  }
})

suite('a field that is wrong is told with its path and what it may be', () => {
  const keys: [body: object, path: string, message: RegExp][] = [
    [{}, 'name', /must be text/],
    [{ name: '' }, 'name', /at least 1 characters/],
    [{ name: 'x'.repeat(101) }, 'name', /at most 100 characters/],
    [{ name: 'a\nb' }, 'name', /control characters/],
    [{ name: 'a\ud800' }, 'name', /halves of characters/],
    [{ name: 'x', owner: '../../etc' }, 'owner', /letters, digits/],
    [{ name: 'x', expiresAt: 1_800_000_000_000 }, 'expiresAt', /must be text/],
    [{ name: 'x', expiresAt: '2027-01-01' }, 'expiresAt', /a time as in/],
    [{ name: 'x', expiresAt: '2027-02-30T00:00:00Z' }, 'expiresAt', /a time as in/],
    [{ name: 'x', expiresAt: '2027-01-01T00:00:00' }, 'expiresAt', /a time as in/],
    [{ name: 'x', models: [] }, 'models', /at least 1 entries/],
    [{ name: 'x', models: 'gpt-*' }, 'models', /must be a list/],
    [{ name: 'x', models: ['a', 7] }, 'models.1', /must be text/],
    [{ name: 'x', sandbox: 'yes' }, 'sandbox', /true or false/],
    [{ name: 'x', captureMs: 1.5 }, 'captureMs', /whole number/],
    [{ name: 'x', limits: { tokensPerDay: -1 } }, 'limits.tokensPerDay', /at least 0/],
    [{ name: 'x', limits: { tokensPerDay: 1e300 } }, 'limits.tokensPerDay', /whole number|at most/],
    [{ name: 'x', limits: { dollarsPerDay: 2.5 } }, 'limits.dollarsPerDay', /must be text/],
    [{ name: 'x', limits: { dollarsPerDay: '2,5' } }, 'limits.dollarsPerDay', /dollars in a text/],
    [{ name: 'x', limits: { dollarsPerDay: '9999999' } }, 'limits.dollarsPerDay', /more than can be counted/],
    [{ name: 'x', limits: { dollarsPerDay: '1', nanoDollarsPerDay: 1 } }, 'limits.dollarsPerDay', /the same amount/],
    [{ name: 'x', metadata: { a: 1 } }, 'metadata.a', /must be text/],
    [
      { name: 'x', metadata: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [index, ''])) },
      'metadata',
      /at most 20/,
    ],
  ]
  for (const [body, path, message] of keys) {
    test(`POST /keys ${JSON.stringify(body).slice(0, 70)}`, async () => {
      const answer = await admin.ask('POST', '/keys', { body })
      assert.equal(answer.status, 400)
      const { error } = answer.json<Told>()
      assert.equal(error.code, 'field-invalid')
      assert.equal(error.path, path)
      assert.match(error.message, message)
    })
  }

  const others: [method: string, path: string, body: object | undefined, field: string, message: RegExp][] = [
    ['PATCH', '/keys/ab12cd34', { name: null }, 'name', /must be text/],
    ['POST', '/tokens', { name: 'x', scopes: [] }, 'scopes', /at least 1/],
    ['POST', '/tokens', { name: 'x', scopes: ['root'] }, 'scopes.0', /one of read, keys, all/],
    ['POST', '/owners', { name: 'x', email: 'nobody' }, 'email', /e-mail/],
    ['PUT', '/plans/x', { upgradeUrl: 'javascript:alert(1)' }, 'upgradeUrl', /http or https/],
    ['PUT', '/credentials/openai/x', { origin: 'file:///etc/passwd' }, 'origin', /http or https/],
    ['GET', '/keys?limit=201', undefined, 'limit', /at most 200/],
    ['GET', '/keys?limit=1e1', undefined, 'limit', /must be a number/],
    ['GET', '/keys?limit=', undefined, 'limit', /must be a number/],
    ['GET', '/keys?state=gone', undefined, 'state', /one of active, disabled, revoked/],
    ['GET', '/keys?state=active&state=revoked', undefined, 'state', /twice/],
    ['GET', '/keys?cursor=%00', undefined, 'cursor', /`next`/],
    ['GET', '/plans?cursor=%7e', undefined, 'cursor', /none that was given/],
    ['GET', '/usage?groupBy=key,colour', undefined, 'groupBy.1', /one of key, owner/],
    ['GET', '/usage?groupBy=key,key', undefined, 'groupBy', /once/],
    ['GET', '/usage?from=yesterday', undefined, 'from', /a time as in .*, or a date/],
    ['GET', '/usage?from=2026-12-01&to=2026-11-01', undefined, 'from', /not be after/],
    ['GET', '/receipts?status=two', undefined, 'status', /must be a number/],
  ]
  for (const [method, path, body, field, message] of others) {
    test(`${method} ${path} ${body === undefined ? '' : JSON.stringify(body)}`, async () => {
      const answer = await admin.ask(method, path, body === undefined ? {} : { body })
      assert.equal(answer.status, 400, answer.body.toString())
      const { error } = answer.json<Told>()
      assert.equal(error.path, field)
      assert.match(error.message, message)
    })
  }

  test('what was sent is never repeated', async () => {
    const secret = 'sk-ant-secret-canary and a space'
    const bodies = [{ secret }, { secret: [secret] }, { [secret]: 1 }, { secret: 'sk-ant-12345678', weight: secret }]
    for (const body of bodies) {
      const answer = await admin.ask('PUT', '/credentials/anthropic/x', { body })
      assert.equal(answer.status, 400)
      assert.ok(!answer.body.includes('canary'), answer.body.toString())
    }
  })
})

suite('money and times', () => {
  test('dollars and nano-dollars are the same limit', async () => {
    const body = { name: 'money', limits: { dollarsPerDay: '12.50', nanoDollarsPerMonth: 1 } }
    const { limits } = (await admin.ask('POST', '/keys', { body })).json()
    assert.deepEqual(limits, {
      nanoDollarsPerDay: 12_500_000_000,
      dollarsPerDay: '12.5',
      nanoDollarsPerMonth: 1,
      dollarsPerMonth: '0.000000001',
    })
  })

  test('a time with an offset comes back in UTC', async () => {
    const body = { name: 'time', expiresAt: '2027-01-01T01:00:00+01:00' }
    const { expiresAt } = (await admin.ask('POST', '/keys', { body })).json()
    assert.equal(expiresAt, '2027-01-01T00:00:00.000Z')
  })

  test('the audit log has its times as times, before and after', async () => {
    const { id } = (await admin.ask('POST', '/keys', { body: { name: 'audited' } })).json<{ id: string }>()
    await admin.ask('PATCH', `/keys/${id}`, { body: { expiresAt: '2027-01-01T00:00:00Z' } })
    const { data } = (await admin.ask('GET', '/audit?limit=1')).json<{ data: Record<string, unknown>[] }>()
    const [entry] = data as { action: string; at: string; before: object; after: Record<string, unknown> }[]
    assert.equal(entry?.action, 'key.change')
    assert.equal(entry.at, '2026-11-25T16:00:00.000Z')
    assert.equal(entry.after.expiresAt, '2027-01-01T00:00:00.000Z')
    assert.equal(entry.after.createdAt, '2026-11-25T16:00:00.000Z')
    assert.ok(!('expiresAt' in entry.before))
  })

  const spans: [query: string, from: string, to: string][] = [
    ['', '2026-10-26T16:00:00.000Z', '2026-11-25T16:00:00.000Z'],
    ['?to=2026-11-01', '2026-10-02T00:00:00.000Z', '2026-11-01T00:00:00.000Z'],
    ['?from=2026-11-01&to=2026-12-01', '2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
    ['?from=2026-11-01T00:00:00%2B01:00', '2026-10-31T23:00:00.000Z', '2026-11-25T16:00:00.000Z'],
    ['?from=2026-11-01T00:00:00+01:00', '2026-10-31T23:00:00.000Z', '2026-11-25T16:00:00.000Z'],
  ]
  for (const [query, from, to] of spans) {
    test(`/usage${query} looks from ${from} to ${to}`, async () => {
      const answer = (await admin.ask('GET', `/usage${query}`)).json()
      assert.deepEqual([answer.from, answer.to], [from, to])
    })
  }

  test('sums have their times as times and say where they were cut', async () => {
    const answer = (await admin.ask('GET', '/usage?groupBy=day,key&limit=2')).json<{
      data: object[]
      truncated: boolean
    }>()
    assert.equal(answer.truncated, true)
    assert.equal(answer.data.length, 2)
    assert.deepEqual(answer.data[0], {
      group: { day: '2026-11-25T16:00:00.000Z', key: 'key-0' },
      calls: 3,
      failed: 1,
      inputTokens: 100,
      outputTokens: 20,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      thinkingTokens: 0,
      nanoDollars: 1_250_000_000,
      dollars: '1.25',
      unpriced: 0,
    })
    assert.equal((await admin.ask('GET', '/usage?limit=3')).json().truncated, false)
  })
})

suite('what is no body', () => {
  const cases: [name: string, body: string, status: number, message: RegExp][] = [
    ['no JSON is told with line and column', '{"name":\n  nobody}', 400, /line 2, column 4/],
    ['JSON that ends too soon', '{"name":"x"', 400, /not valid JSON/],
    ['a list', '[]', 400, /must be a JSON object/],
    ['null', 'null', 400, /must be a JSON object/],
    [
      'JSON that is 10,000 levels deep',
      '{"name":'.repeat(10_000) + '1' + '}'.repeat(10_000),
      400,
      /32 levels|not valid/,
    ],
    ['JSON that is 33 levels deep', '{"a":'.repeat(33) + '1' + '}'.repeat(33), 400, /32 levels/],
    ['nothing', '', 400, /name: must be text/],
  ]
  for (const [name, body, status, message] of cases) {
    test(name, async () => {
      const answer = await admin.ask('POST', '/keys', { body })
      assert.equal(answer.status, status)
      assert.match(answer.json<Told>().error.message, message)
    })
  }

  test('bytes that are no UTF-8', async () => {
    const head = `POST /admin/v1/keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${admin.tokens.all}\r\n`
    const answer = await sendBytes(
      admin.url,
      `${head}content-type: application/json\r\ncontent-length: 12\r\n\r\n{"name":"\xff"}`,
    )
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*not valid UTF-8/)
  })
})

suite('what a body may be called', () => {
  const types: [type: string, status: number][] = [
    ['application/json', 201],
    ['application/json; charset=utf-8', 201],
    ['Application/JSON;charset="UTF-8"', 201],
    ['application/json; charset=latin1', 415],
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data', 415],
    ['application/jsonp', 415],
    ['', 415],
  ]
  for (const [type, status] of types) {
    test(`'${type}' is a ${status}`, async () => {
      const answer = await admin.ask('POST', '/keys', { headers: { 'content-type': type }, body: { name: 'x' } })
      assert.equal(answer.status, status)
    })
  }

  test('a change without a body must be called JSON too, as no form of a web page can', async () => {
    const answer = await admin.ask('POST', '/keys/ab12cd34/revoke', { headers: { 'content-type': 'text/plain' } })
    assert.equal(answer.status, 415)
    assert.ok(!admin.control.asked.includes('keys.revoke'))
  })

  test('a DELETE without a body needs no type', async () => {
    const head = `DELETE /admin/v1/owners/nobody HTTP/1.1\r\nhost: x\r\nconnection: close\r\n`
    const answer = await sendBytes(admin.url, `${head}authorization: Bearer ${admin.tokens.all}\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 404 /)
  })

  test('an encoded body is not read', async () => {
    const answer = await admin.ask('POST', '/keys', { headers: { 'content-encoding': 'gzip' }, body: { name: 'x' } })
    assert.equal(answer.status, 415)
  })
})

suite('how large a body may be', () => {
  const sized = (bytes: number): string => `{"name":"x"${' '.repeat(bytes - 12)}}`

  test('256 KiB are read', async () => {
    assert.equal((await admin.ask('POST', '/keys', { body: sized(256 * 1024) })).status, 201)
  })

  test('one byte more is refused by its announced length, and the answer arrives', async () => {
    assert.equal((await admin.ask('POST', '/keys', { body: sized(256 * 1024 + 1) })).status, 413)
  })

  test('several megabytes are refused, and the answer arrives', async () => {
    assert.equal((await admin.ask('POST', '/keys', { body: sized(4 * 1024 * 1024) })).status, 413)
  })

  test('a length that was not announced is counted as it comes', async () => {
    const headers = { authorization: `Bearer ${admin.tokens.all}`, 'transfer-encoding': 'chunked' }
    const { response } = await open(`${admin.url}/admin/v1/keys`, { headers, body: sized(300_000) })
    assert.equal(response.statusCode, 413)
    response.resume()
  })

  test('a large body does not hinder a refusal for want of a token', async () => {
    const answer: RawAnswer = await admin.ask('POST', '/keys', { token: undefined, body: sized(1024 * 1024) })
    assert.equal(answer.status, 401)
  })

  test('a body that goes on after its refusal is cut off after five seconds', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    const socket = connect(Number(new URL(admin.url).port), '127.0.0.1').setEncoding('utf8')
    socket.on('error', () => {})
    socket.write('POST /admin/v1/keys HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000000\r\n\r\n{')
    const [text] = (await once(socket, 'data')) as [string]
    assert.match(text, /^HTTP\/1\.1 401 /)
    mock.timers.tick(5000)
    // It may be closed by a reset, which is an error too.
    while (!socket.destroyed) {
      socket.write(' ')
      await new Promise((resolve) => setImmediate(resolve))
    }
    mock.timers.reset()
  })
})
