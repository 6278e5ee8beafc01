import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, suite, test } from 'node:test'
import { routes } from '../../src/control/admin/routes.ts'
import { jsonRoute } from '../../src/control/admin/route.ts'
import { newCallerKey } from '../../src/core/key.ts'
import type { Scope } from '../../src/control/service.ts'
import { sendBytes, type RawAnswer } from '../support/client.ts'
import { startMs } from './support/fake-control.ts'
import { startAdmin, type AdminServer } from './support/server.ts'

const admin = await startAdmin()
after(() => admin.close())
const by = { type: 'program', id: 'test' } as const
const gone = admin.control.tokens.create({ name: 'gone', scopes: ['all'] }, by)
admin.control.tokens.revoke(gone.token.id, by)
const late = admin.control.tokens.create({ name: 'late', scopes: ['all'], expiresAt: startMs }, by).secret

/** What each scope holds. */
const holds: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ['read'],
  keys: ['read', 'keys'],
  all: ['read', 'keys', 'all'],
}
const scopes = Object.keys(holds) as Scope[]

/** Wrong tokens: none of them may do anything, and the first three cannot be told apart. */
const wrong: readonly [name: string, token: string, message: RegExp][] = [
  ['an unknown token', newCallerKey('kra_').key, /not known here, was revoked, or has expired/],
  ['a revoked token', gone.secret, /not known here, was revoked, or has expired/],
  ['an expired token', late, /not known here, was revoked, or has expired/],
  ['a token with another end', `${admin.tokens.all.slice(0, -1)}~`, /not known here/],
  ['a token of endless length', `kra_${'x'.repeat(5000)}`, /no admin token/],
  ["a caller's key", newCallerKey('sk-aic-').key, /caller's key/],
  ["a caller's key with the operator's prefix", newCallerKey('our-').key, /caller's key/],
  ["a vendor's key", 'sk-ant-api03-something', /no admin token/],
]

/** A path of this route that leads to something. */
function pathOf(path: string): string {
  return path.replace('{id}', 'ab12cd34').replace('{name}', 'basic').replace('{vendor}', 'openai')
}

/** Every route from its list, so that a new one is tried without a word. One address shows few wrong tokens at a time. */
for (const { method, path, scope } of routes) {
  if (scope === 'open') continue
  suite(`${method} ${path}`, () => {
    const ask = (token: string | undefined): Promise<RawAnswer> => {
      admin.wait(60_000)
      admin.control.asked.length = 0
      return admin.ask(method, pathOf(path), { token })
    }
    const untouched = (): void =>
      assert.deepEqual(
        admin.control.asked.filter((asked) => asked !== 'tokens.identify'),
        [],
      )

    test('is refused without a token', async () => {
      const answer = await ask(undefined)
      assert.equal(answer.status, 401)
      assert.equal(codeOf(answer), 'token-missing')
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="keyrung admin"')
      untouched()
    })

    for (const [name, token, message] of wrong) {
      test(`is refused with ${name}`, async () => {
        const answer = await ask(token)
        assert.equal(answer.status, 401)
        assert.equal(codeOf(answer), 'token-wrong')
        assert.match(
          String(answer.headers['www-authenticate']),
          /^Bearer realm="keyrung admin", error="invalid_token"$/,
        )
        assert.match(answer.body.toString(), message)
        assert.ok(!answer.body.includes(token.slice(-20)), 'the token is not repeated')
        untouched()
      })
    }

    for (const one of scopes) {
      const may = holds[one].includes(scope)
      test(`is ${may ? 'open to' : 'refused to'} a token with the scope ${one}`, async () => {
        const answer = await ask(admin.tokens[one])
        if (may) {
          assert.notEqual(answer.status, 401)
          assert.notEqual(answer.status, 403)
          return
        }
        assert.equal(answer.status, 403)
        assert.equal(codeOf(answer), 'scope-narrow')
        assert.match(answer.body.toString(), new RegExp(`the scope '${scope}'`))
        assert.match(String(answer.headers['www-authenticate']), new RegExp(`insufficient_scope.*"${scope}"`))
        untouched()
      })
    }
  })
}

suite('which scope a route needs', () => {
  test('reading needs read, but for tokens, credentials, the audit log and what was said', () => {
    for (const { method, path, scope } of routes) {
      if (method !== 'GET' || scope === 'open') continue
      assert.equal(scope, /^\/(tokens|credentials|audit)|\/content$/.test(path) ? 'all' : 'read', path)
    }
  })

  test('changes need keys for keys and owners, and all for everything else', () => {
    for (const { method, path, scope } of routes) {
      if (method === 'GET') continue
      assert.equal(scope, /^\/(keys|owners)/.test(path) ? 'keys' : 'all', path)
    }
  })

  test('nothing but the description is open', () => {
    assert.deepEqual(
      routes.filter(({ scope }) => scope === 'open').map(({ path }) => path),
      ['/openapi.json'],
    )
  })

  test('a route without a scope does not compile', () => {
    const [{ query, body, ...line }] = routes as [Extract<(typeof routes)[number], { type: 'json' }>]
    const { scope: _, ...without } = { ...line, query, body }
    // @ts-expect-error -- the scope is missing
    jsonRoute(without)
  })
})

suite('how a token is sent', () => {
  const cases: [name: string, headers: Record<string, string>, status: number][] = [
    ['bearer in any case is read', { authorization: `bearer ${admin.tokens.all}` }, 200],
    ['another header is not read', { 'x-api-key': admin.tokens.all }, 401],
    ['a cookie is not read', { cookie: `token=${admin.tokens.all}` }, 401],
    ['Basic is not read', { authorization: `Basic ${admin.tokens.all}` }, 401],
    ['a token without Bearer is not read', { authorization: admin.tokens.all }, 401],
    ['a word behind the token is refused', { authorization: `Bearer ${admin.tokens.all} more` }, 401],
    ['an empty token is refused', { authorization: 'Bearer ' }, 401],
  ]
  for (const [name, headers, status] of cases) {
    test(name, async () => {
      admin.wait(60_000)
      const answer = await admin.ask('GET', '/keys', { token: undefined, headers })
      assert.equal(answer.status, status)
    })
  }

  test('a token in the query is not read', async () => {
    assert.equal((await admin.ask('GET', `/keys?access_token=${admin.tokens.all}`, { token: undefined })).status, 401)
  })

  test('two headers are refused, though one of them is right', async () => {
    const head = `GET /admin/v1/keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\n`
    const answer = await sendBytes(
      admin.url,
      `${head}authorization: Bearer ${admin.tokens.all}\r\nAuthorization: Bearer ${admin.tokens.read}\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 401 /)
  })

  test('a page of another origin is told nothing that would let it in', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
    const asked = await admin.ask('OPTIONS', '/keys', { headers })
    assert.equal(asked.status, 405)
    assert.deepEqual(
      Object.keys(asked.headers).filter((name) => name.startsWith('access-control-')),
      [],
    )
  })
})

suite('a token that is revoked while its request is still coming', () => {
  test('does nothing any more', async () => {
    const { token, secret } = admin.control.tokens.create({ name: 'slow', scopes: ['all'] }, by)
    admin.control.asked.length = 0
    const head = `POST /admin/v1/keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n`
    const body = '{"name":"late"}'
    const socket = connect(Number(new URL(admin.url).port), '127.0.0.1').setEncoding('utf8')
    socket.write(`${head}authorization: Bearer ${secret}\r\ncontent-length: ${body.length}\r\n\r\n{`)
    while (!admin.control.asked.includes('tokens.identify')) await new Promise((resolve) => setImmediate(resolve))
    admin.control.tokens.revoke(token.id, by)
    socket.write(body.slice(1))
    const [text] = (await once(socket, 'data')) as [string]
    socket.destroy()
    assert.match(text, /^HTTP\/1\.1 401 [\s\S]*www-authenticate: /)
    assert.ok(!admin.control.asked.includes('keys.create'))
  })
})

suite('wrong tokens from one address', () => {
  const wrongOnes = async (server: AdminServer, count: number, from = 'a'): Promise<number[]> => {
    const statuses: number[] = []
    for (let index = 0; index < count; index += 1) {
      const answer = await server.ask('GET', '/keys', { token: 'kra_wrong', headers: { from } })
      statuses.push(answer.status)
    }
    return statuses
  }
  const start = (): Promise<AdminServer> => startAdmin({ addressOf: (request) => request.headers.from ?? 'a' })

  test('are answered 30 times, then sent away for the rest of the minute', async () => {
    const server = await start()
    assert.deepEqual(await wrongOnes(server, 30), Array<number>(30).fill(401))
    server.wait(10_000)
    const answer = await server.ask('GET', '/keys', { token: 'kra_wrong', headers: { from: 'a' } })
    assert.equal(answer.status, 429)
    assert.equal(answer.headers['retry-after'], '50')
    server.wait(49_999)
    assert.deepEqual(await wrongOnes(server, 1), [429])
    server.wait(1)
    assert.deepEqual(await wrongOnes(server, 1), [401])
    await server.close()
  })

  test('shut out the right one from there too, and nobody else', async () => {
    const server = await start()
    await wrongOnes(server, 30)
    assert.equal((await server.ask('GET', '/keys', { headers: { from: 'a' } })).status, 429)
    assert.equal((await server.ask('GET', '/keys', { headers: { from: 'b' } })).status, 200)
    await server.close()
  })

  test('are not counted where none was sent, or the scope is too narrow', async () => {
    const server = await start()
    for (let index = 0; index < 40; index += 1) {
      assert.equal((await server.ask('GET', '/keys', { token: undefined })).status, 401)
      assert.equal((await server.ask('GET', '/audit', { token: server.tokens.read })).status, 403)
    }
    await server.close()
  })

  test('leave open what needs no token', async () => {
    const server = await start()
    await wrongOnes(server, 31)
    assert.equal((await server.ask('GET', '/openapi.json', { headers: { from: 'a' } })).status, 200)
    await server.close()
  })
})

function codeOf(answer: RawAnswer): string {
  return answer.json<{ error: { code: string } }>().error.code
}
