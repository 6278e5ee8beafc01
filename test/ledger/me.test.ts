import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { listOf, objectOf, textOf, type JsonObject } from '../../src/core/json.ts'
import { until } from '../ladder/support/waiting.ts'
import { fails, well } from '../ladder/support/ways.ts'
import { call, get } from './support/calls.ts'
import { awayFromMidnight, by, stage, type Stage } from './support/stage.ts'
import { replies } from './support/usage.ts'

const config = `
retries: { enabled: false }
plans:
  team:
    models: [claude-*]
    limits: { requestsPerMinute: 60, requestsBurst: 10, tokensPerDay: 5000 }
    ownerLimits: { tokensPerDay: 2000 }
    upgradeUrl: 'https://example.org/more'
`
const declared = 'a-key-that-was-made-by-its-operator'

describe('what the holder of a key may ask', () => {
  for (const workers of [0, 1]) {
    describe(workers === 0 ? 'in one thread' : 'over a worker', () => {
      let one: Stage
      before(async () => {
        await awayFromMidnight()
        one = await stage({ workers, config, declaredKeys: [{ name: 'ci', key: declared, plan: 'team' }] })
      })
      after(() => one.close())
      const me = (key: string, path = '', method = 'GET') => get(`${one.url}/v1/me${path}`, key, method)

      test('is who it is, its plan, and what is left and until when', async () => {
        const { id: owner } = one.gateway.control.owners.create({ name: 'Ada' }, by)
        const { secret, id } = one.key({ name: 'laptop', plan: 'team', owner, models: ['claude-sonnet-*'] })
        one.vendor.answers(replies({ input: 100, output: 200 }))
        await call({ url: one.url, key: secret })
        const { status, json } = await me(secret)
        assert.equal(status, 200)
        assert.deepEqual(
          [json.id, json.name, json.owner, json.state, json.models, objectOf(json.plan)],
          [
            id,
            'laptop',
            owner,
            'active',
            ['claude-sonnet-*'],
            { name: 'team', models: ['claude-*'], ladder: null, upgradeUrl: 'https://example.org/more' },
          ],
        )
        const { tokensPerDay, requestsPerMinute } = objectOf(json.limits)
        const tokens = objectOf(tokensPerDay)
        // The owner has less left than the key.
        assert.deepEqual([tokens.limit, tokens.remaining, tokens.scope], [2000, 1700, 'owner'])
        assert.equal(tokens.resetsAt, new Date(Math.ceil(Date.now() / 86_400_000) * 86_400_000).toISOString())
        assert.equal(objectOf(requestsPerMinute).limit, 60)
        assert.ok(!JSON.stringify(json).includes(secret.slice(20)))
      })

      test('is the same for a key that the operator has declared, but for a new secret', async () => {
        one.vendor.answers(well)
        const answer = await call({ url: one.url, key: declared })
        assert.equal(answer.status, 200)
        const { status, json } = await me(declared)
        assert.deepEqual([status, json.id, json.name, json.state], [200, 'ci', 'ci', 'active'])
        assert.equal(objectOf(json.plan).name, 'team')
        assert.equal(objectOf(objectOf(json.limits).tokensPerDay).remaining, 4990)
        await one.gateway.flushAll()
        const id = String(answer.headers['request-id'])
        assert.equal((await me(declared, `/requests/${id}`)).json.status, 200)
        assert.equal(listOf((await me(declared, '/usage')).json.data).length, 1)
        const refused = await me(declared, '/rotate', 'POST')
        assert.equal(refused.status, 409)
        assert.match(textOf(objectOf(refused.json.error).message) ?? '', /declared in the configuration/)
      })

      test('is what it has used, by day, model and status', async () => {
        const { secret } = one.key()
        one.vendor.answers(replies({ input: 10, output: 20 }), replies({ input: 1, output: 2 }), fails(400))
        await call({ url: one.url, key: secret })
        await call({ url: one.url, key: secret, dialect: 'openai' })
        await call({ url: one.url, key: secret })
        await one.gateway.flushAll()
        const rows = async (query: string) => listOf((await me(secret, `/usage${query}`)).json.data).map(objectOf)
        const [day, ...further] = await rows('')
        assert.equal(further.length, 0)
        assert.deepEqual([day?.calls, day?.failed, day?.inputTokens, day?.outputTokens], [3, 1, 11, 22])
        assert.equal(day?.day, new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000).toISOString())
        const models = await rows('?by=model&days=1')
        assert.deepEqual(callsBy('model', models), { 'claude-sonnet-5': 2, 'gpt-4.1': 1 })
        assert.deepEqual(callsBy('status', await rows('?by=status')), { 200: 2, 400: 1 })
        for (const wrong of ['?days=0', '?days=93', '?days=x', '?by=owner']) {
          // eslint-disable-next-line no-await-in-loop -- one after the other
          assert.equal((await me(secret, `/usage${wrong}`)).status, 400, wrong)
        }
      })

      test('is what became of one of its calls, and nothing of another’s', async () => {
        const [own, other] = [one.key(), one.key()]
        one.vendor.answers(fails(529))
        const answer = await call({ url: one.url, key: own.secret, headers: { 'x-client-request-id': 'mine-1' } })
        const id = String(answer.headers['request-id'])
        await until(async () => (await me(own.secret, `/requests/${id}`)).status === 200, 'its receipt')
        const { json } = await me(own.secret, `/requests/${id}`)
        assert.deepEqual(
          [json.id, json.clientId, json.status, json.failure, json.blame],
          [id, 'mine-1', 529, 'vendor-overloaded', 'vendor'],
        )
        assert.match(textOf(json.cause) ?? '', /more calls than it can take/)
        assert.match(textOf(json.fix) ?? '', /Ask again/)
        const [tried] = listOf(json.tries).map(objectOf)
        assert.deepEqual([tried?.vendor, tried?.status, tried?.outcome], ['anthropic', 529, 'vendor-overloaded'])
        assert.ok(!JSON.stringify(json).includes('credential'))
        const [others, nobodys] = [
          await me(other.secret, `/requests/${id}`),
          await me(other.secret, '/requests/req_none'),
        ]
        assert.deepEqual([others.status, nobodys.status], [404, 404])
        const told = ({ json: { error } }: typeof others): string =>
          (textOf(objectOf(error).message) ?? '').replaceAll(/req_\w+/g, 'ID')
        assert.equal(told(others), told(nobodys))
      })

      test('is a new secret, by itself, after which the former works as long as it said', async () => {
        const { secret, id } = one.key()
        one.vendor.answers(well)
        const { status, json } = await me(secret, '/rotate?graceMs=60000', 'POST')
        assert.deepEqual([status, objectOf(json.key).id, json.shownOnce], [200, id, true])
        const next = textOf(json.secret) ?? ''
        assert.notEqual(next, secret)
        assert.deepEqual(
          [(await call({ url: one.url, key: next })).status, (await call({ url: one.url, key: secret })).status],
          [200, 200],
        )
        const again = textOf((await me(next, '/rotate?graceMs=0', 'POST')).json.secret) ?? ''
        await until(async () => (await call({ url: one.url, key: next })).status === 401, 'the former works no more')
        assert.equal((await call({ url: one.url, key: again })).status, 200)
        assert.equal((await call({ url: one.url, key: secret })).status, 401)
        assert.equal((await me(again, '/rotate?graceMs=604800001', 'POST')).status, 400)
        const entries = one.gateway.control.audit.list({ target: `key:${id}` }).data
        assert.deepEqual(
          entries.filter(({ action }) => action === 'key.rotate').map(({ actor }) => actor),
          [
            { type: 'caller', id },
            { type: 'caller', id },
          ],
        )
      })

      test('is nothing else, and of nobody without a key', async () => {
        const { secret } = one.key()
        assert.equal((await me(secret, '/keys')).status, 404)
        assert.equal((await me(secret, '/rotate')).status, 404)
        assert.equal((await me(secret, '', 'POST')).status, 404)
        assert.equal((await me(secret, '', 'DELETE')).status, 405)
        assert.equal((await me('sk-aic-nobody')).status, 401)
        // What a worker says to the control plane is not a caller's to say.
        const answer = await fetch(`${one.url}/v1/me`, {
          headers: { authorization: `Bearer ${secret}`, 'x-keyrung-key': one.key({ name: 'victim' }).id },
        })
        assert.equal(objectOf(await answer.json()).name, 'test')
      })

      test('is no fault of the gateway where the holder leaves before the answer', async () => {
        const { secret } = one.key()
        for (let turn = 0; turn < 10; turn += 1) {
          const request = httpRequest(`${one.url}/v1/me/usage`, {
            agent: false,
            headers: { authorization: `Bearer ${secret}` },
          })
          request.on('error', () => {})
          request.end()
          // eslint-disable-next-line no-await-in-loop -- one after the other
          await new Promise((resolve) => request.once('finish', resolve))
          // eslint-disable-next-line no-await-in-loop -- so that it is on its way, or answered, or not yet sent
          await new Promise((resolve) => setTimeout(resolve, turn / 2))
          request.destroy()
        }
        assert.equal((await me(secret)).status, 200)
        assert.deepEqual(one.gateway.faults, [])
      })
    })
  }
})

/** How many calls there are of each. */
function callsBy(group: string, rows: readonly JsonObject[]): JsonObject {
  return Object.fromEntries(rows.map((row) => [row[group], row.calls]))
}
