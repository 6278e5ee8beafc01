import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import type { JsonObject } from '../../src/core/json.ts'
import { objectOf } from '../../src/core/json.ts'
import { call } from './support/calls.ts'
import { stage, type Stage } from './support/stage.ts'

/** Wrong tokens that an address may show in a minute. */
const strikesMax = 30

const ways: [where: string, config: string, workers: number][] = [
  ['beside the calls, over a worker', '', 1],
  ['on a port of its own', 'admin: { port: 0, host: 127.0.0.1 }', 0],
]

for (const [where, config, workers] of ways) {
  describe(`the admin API ${where}`, () => {
    const own = config !== ''
    let one: Stage
    let token: string
    before(async () => {
      one = await stage({ config, workers })
      token = one.gateway.newToken ?? ''
    })
    after(() => one.close())

    test('makes a key that works with the next call, and tells what it used', async () => {
      assert.equal(one.gateway.adminUrl === one.url, !own)
      const made = await admin(one, token, '/keys', { name: 'laptop', plan: 'basic' })
      assert.equal(made.status, 201)
      const { id, secret } = made.json
      const answer = await call({ url: one.url, key: secret as string })
      assert.equal(answer.status, 200)
      await one.gateway.flushAll()
      const { json } = await admin(one, token, `/receipts/${String(answer.headers['request-id'])}`)
      assert.deepEqual([json.key, json.status, json.plan], [id, 200, 'basic'])
    })

    test('is opened by no caller’s key, and a token makes no calls', async () => {
      const { secret } = one.key()
      const refused = await admin(one, secret, '/keys')
      assert.equal(refused.status, 401)
      assert.match(JSON.stringify(refused.json), /This is a caller's key: it opens the models, and never this API/)
      const headers = { 'x-api-key': token }
      assert.equal((await fetch(`${one.gateway.adminUrl}/admin/v1/keys`, { headers })).status, 401)
      assert.equal((await call({ url: one.url, key: token })).status, 401)
    })

    if (own) {
      test('is not at the callers’ port, and calls are not at its own', async () => {
        assert.equal((await get(`${one.url}/admin/v1/keys`, token)).status, 404)
        const { secret } = one.key()
        assert.equal((await call({ url: one.gateway.adminUrl ?? '', key: secret })).status, 404)
        assert.equal((await get(`${one.gateway.adminUrl}/v1/me`, secret)).status, 404)
        assert.equal((await get(`${one.gateway.adminUrl}/status`, secret)).status, 404)
      })
    }

    test('counts wrong tokens by where they really come from', async (context) => {
      const another = await staged(context, config)
      const statuses: number[] = []
      for (let turn = 0; turn <= strikesMax; turn += 1) {
        const pretended = { 'x-keyrung-address': `203.0.113.${turn}`, 'x-forwarded-for': `203.0.113.${turn}` }
        // eslint-disable-next-line no-await-in-loop -- one after the other
        statuses.push((await admin(another, 'kra_wrong', '/keys', undefined, pretended)).status)
      }
      assert.deepEqual(statuses, [...Array.from({ length: strikesMax }, () => 401), 429])
    })

    test('counts them behind a trusted proxy for each who asks there', async (context) => {
      const another = await staged(context, `${config}\nserver: { trustedProxies: [127.0.0.0/8] }`)
      const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address })
      for (let turn = 0; turn < strikesMax; turn += 1) {
        // eslint-disable-next-line no-await-in-loop -- one after the other
        await admin(another, 'kra_wrong', '/keys', undefined, from('203.0.113.1'))
      }
      const right = another.gateway.newToken ?? ''
      assert.equal((await admin(another, right, '/keys', undefined, from('203.0.113.1'))).status, 429)
      assert.equal((await admin(another, right, '/keys', undefined, from('203.0.113.2'))).status, 200)
    })
  })
}

test('where it is off there is no admin API, and no token', async (context) => {
  const one = await staged(context, 'admin: { enabled: false }')
  assert.deepEqual([one.gateway.adminUrl, one.gateway.newToken], [undefined, undefined])
  for (const path of ['/admin/v1/keys', '/admin/v1/openapi.json']) {
    // eslint-disable-next-line no-await-in-loop -- one after the other
    const { status, json } = await get(one.url + path, 'kra_any')
    assert.deepEqual([status, objectOf(json.error).type !== undefined], [404, true])
  }
  assert.equal((await call({ url: one.url, key: one.gateway.newKey ?? '' })).status, 200)
})

/** One for a test alone, in one thread. */
async function staged(context: TestContext, config: string): Promise<Stage> {
  const one = await stage({ config, workers: 0 })
  context.after(() => one.close())
  return one
}

interface Told {
  status: number
  json: JsonObject
}

async function admin(
  { gateway }: Stage,
  token: string,
  path: string,
  body?: JsonObject,
  headers: Record<string, string> = {},
): Promise<Told> {
  const answer = await fetch(`${gateway.adminUrl}/admin/v1${path}`, {
    headers: { authorization: `Bearer ${token}`, connection: 'close', 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
  return { status: answer.status, json: (await answer.json()) as JsonObject }
}

async function get(url: string, key: string): Promise<Told> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${key}`, connection: 'close' } })
  return { status: answer.status, json: (await answer.json()) as JsonObject }
}
