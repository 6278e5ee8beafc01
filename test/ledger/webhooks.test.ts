import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { objectOf, parseJson } from '../../src/core/json.ts'
import type { Hook } from '../../src/control/webhooks.ts'
import { until, within } from '../ladder/support/waiting.ts'
import { call } from './support/calls.ts'
import { settingsOf } from './support/settings.ts'
import { awayFromMidnight, by, stage, type Stage } from './support/stage.ts'
import { replies } from './support/usage.ts'

const secret = 'what-both-sides-know'
const config = `
plans:
  day: { limits: { tokensPerDay: 1000 } }
  family: { ownerLimits: { tokensPerMonth: 1000 } }
  money: { limits: { dollarsPerDay: "1.00" } }
`

interface Got {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

let receiver: Server
let origin: string
const got: Got[] = []
/** What it answers with: each in its turn, the last one to all further ones. */
let statuses: number[] = [204]

before(async () => {
  receiver = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      got.push({ path: request.url ?? '', headers: request.headers, body })
      const [status = 204, ...next] = statuses
      if (next.length > 0) statuses = next
      response.writeHead(status, { connection: 'close' }).end()
    })
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  await awayFromMidnight()
})
after(() => receiver.close())

describe('a budget', () => {
  let one: Stage
  before(async () => {
    one = await stage({ workers: 0, config, hooks: [hook('/both', [80, 100]), hook('/full', [100])] })
  })
  after(() => one.close())

  test('of a key is told at 80 and at 100 percent, once each, signed', async () => {
    const { secret: key, id } = one.key({ name: 'laptop', plan: 'day' })
    await spend(one, key, 799)
    assert.deepEqual(await told(one, id), [])
    await spend(one, key, 1)
    const [first, ...further] = await told(one, id, 1)
    assert.equal(further.length, 0)
    const { at, period, ...rest } = objectOf(parseJson(first?.body ?? ''))
    assert.deepEqual(rest, {
      type: 'budget.threshold',
      percent: 80,
      scope: 'key',
      id,
      name: 'laptop',
      limit: 'tokensPerDay',
      max: 1000,
      used: 800,
    })
    assert.equal(period, new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000).toISOString())
    assert.ok(Math.abs(Date.now() - Date.parse(at as string)) < 60_000)
    await spend(one, key, 50)
    await spend(one, key, 250)
    const all = await told(one, id, 3)
    assert.deepEqual(
      all.map(({ path, body }) => `${path} ${percentOf(body)}`),
      ['/both 80', '/both 100', '/full 100'],
    )
    for (const message of all) checkSignature(message)
    assert.equal((await told(one, id, 3)).length, 3)
  })

  test('of an owner is told of all of their keys together, by the owner’s name', async () => {
    const { id: owner } = one.gateway.control.owners.create({ name: 'Ada' }, by)
    const keys = [one.key({ plan: 'family', owner }), one.key({ plan: 'family', owner })]
    for (const key of keys) {
      // eslint-disable-next-line no-await-in-loop -- one after the other
      await spend(one, key.secret, 450)
    }
    const [message, ...further] = await told(one, owner, 1)
    assert.equal(further.length, 0)
    const { scope, name, limit, used, period } = objectOf(parseJson(message?.body ?? ''))
    assert.deepEqual([scope, name, limit, used], ['owner', 'Ada', 'tokensPerMonth', 900])
    assert.match(period as string, /^20\d\d-\d\d-01T00:00:00\.000Z$/)
  })

  test('of money is told too, in billionths of a dollar', async () => {
    const { secret: key, id } = one.key({ plan: 'money' })
    // 10 dollars a million.
    await spend(one, key, 90_000)
    const [message] = await told(one, id, 1)
    const { limit, max, used } = objectOf(parseJson(message?.body ?? ''))
    assert.deepEqual([limit, max, used], ['nanoDollarsPerDay', 1_000_000_000, 900_000_000])
  })

  test('is told again to one who did not take it', async () => {
    const { secret: key, id } = one.key({ plan: 'day' })
    statuses = [500, 204]
    await spend(one, key, 850)
    await told(one, id, 2)
    const [first, second] = got.slice(-2)
    assert.equal(first?.body, second?.body)
    assert.deepEqual([percentOf(first?.body ?? ''), got.length], [80, got.length])
  })

  test('is told to those whom the settings name that were read last', async () => {
    const { secret: key, id } = one.key({ plan: 'day' })
    one.gateway.reload(settingsOf(one.vendor, config, { hooks: [hook('/new', [50])] }))
    await spend(one, key, 900)
    const all = await told(one, id, 1)
    assert.deepEqual(
      all.map(({ path, body }) => `${path} ${percentOf(body)}`),
      ['/new 50'],
    )
  })
})

test('what was told is not told again after a restart', async () => {
  const first = await stage({ workers: 0, config, hooks: [hook('/both', [80, 100])] })
  const { secret: key, id } = first.key({ plan: 'day' })
  await spend(first, key, 900)
  assert.equal((await told(first, id, 1)).length, 1)
  await first.gateway.close()
  const second = await stage({ workers: 0, config, hooks: [hook('/both', [80, 100])], folder: first.folder })
  second.gateway.checkBudgets()
  await spend(second, key, 100)
  const all = await told(second, id, 2)
  assert.deepEqual(
    all.map(({ body }) => percentOf(body)),
    [80, 100],
  )
  await second.close()
  await first.vendor.close()
  rmSync(first.folder, { recursive: true, force: true })
})

test('a receiver that takes nothing holds up no end of the gateway', async () => {
  const one = await stage({ workers: 0, config, hooks: [hook('/both', [80])] })
  const { secret: key, id } = one.key({ plan: 'day' })
  statuses = [500]
  await spend(one, key, 900)
  await told(one, id, 2)
  await within(1500, one.gateway.close(), 'its end')
  statuses = [204]
  assert.match(String(one.gateway.faults[0]), /was not told of key \w+: it answered 500/)
  one.gateway.faults.length = 0
  await one.vendor.close()
  rmSync(one.folder, { recursive: true, force: true })
})

function hook(path: string, thresholds: number[]): Hook {
  return { url: origin + path, secret, thresholds }
}

/** One call that uses so many tokens, all of them of its answer; it is in the ledger afterwards. */
async function spend({ gateway, url, vendor }: Stage, key: string, tokens: number): Promise<void> {
  vendor.answers(replies({ input: 0, output: tokens }))
  // So few are set aside that the last call before the limit is let in.
  await call({ url, key, tokensMax: 1, body: { messages: [{ role: 'user', content: '.' }] } })
  gateway.flush()
}

/** The messages on this subject, once there are so many. */
async function told({ gateway }: Stage, id: string, count = 0): Promise<Got[]> {
  gateway.checkBudgets()
  const own = (): Got[] => got.filter(({ body }) => objectOf(parseJson(body)).id === id)
  await until(() => own().length >= count, `${count} messages`)
  return own()
}

function percentOf(body: string): number {
  return Number(objectOf(parseJson(body)).percent)
}

function checkSignature({ headers, body }: Got): void {
  const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-keyrung-signature'])) ?? []
  assert.equal(signature, createHmac('sha256', secret).update(`${time}.${body}`).digest('hex'))
  assert.ok(Math.abs(Date.now() / 1000 - Number(time)) < 60)
  assert.equal(headers['content-type'], 'application/json')
}
