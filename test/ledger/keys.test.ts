import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { newCallerKey } from '../../src/core/key.ts'
import { until, within } from '../ladder/support/waiting.ts'
import { well } from '../ladder/support/ways.ts'
import { bodyOf, call, dialects, get, got, hold, type Got, type Held, type Question } from './support/calls.ts'
import { by, stage, workersOf, type Stage } from './support/stage.ts'
import { begins, goesOn } from './support/usage.ts'

const long = process.env.KEYRUNG_LONG === '1'
/** How soon streams of a revoked key must be over. */
const soonMs = 1000
/** Streams until all workers have some: that one has none of so many will not happen. */
const streamsMax = 60

let one: Stage

describe('a key, on two workers', () => {
  before(async () => {
    one = await stage()
  })
  after(() => one.close())

  test('that is revoked ends its streams with an error of the dialect, on all workers, and no others', async () => {
    const [key, other] = [one.key(), one.key()]
    one.vendor.answers(begins)
    const from = one.vendor.asked.length
    const goingOn = await hold({ url: one.url, key: other.secret })
    const held = await holdOnAll({ url: one.url, key: key.secret }, key.id)
    one.gateway.control.keys.revoke(key.id, by)
    const ends = await within(soonMs, Promise.all(held.map(({ over }) => over)), 'the ends of its streams')
    for (const { ended, body, type, message } of ends) {
      assert.ok(ended, 'an end as HTTP wants it')
      assert.deepEqual([message.startsWith('The key was revoked.'), type], [true, typeIn(body)])
      assert.ok(!/message_stop|\[DONE\]/.test(body), 'and no end of an answer')
    }
    assert.ok(held.length > 1 && ends.some(({ body }) => body.includes('event: error')))
    goesOn(one.vendor.asked[from] as never)
    const { ended, body } = await goingOn.over
    assert.ok(ended && body.includes('message_stop'))
    await Promise.all(one.vendor.asked.slice(from).map(({ closed }) => closed))
    await one.gateway.flushAll()
    const rows = one.gateway.store.receipts(200).filter((row) => row.key_id === key.id)
    assert.deepEqual(
      new Set(rows.map(({ failure, blame }) => `${String(failure)} ${String(blame)}`)),
      new Set(['key-wrong caller']),
    )
    assert.equal(rows.length, held.length)
  })

  const gentle: [what: string, act: (id: string) => unknown][] = [
    ['disabled', (id) => one.gateway.control.keys.disable(id, by)],
    ['given a new secret, without any grace', (id) => one.gateway.control.keys.rotate(id, 0, by)],
    ['allowed no model any more', (id) => one.gateway.control.keys.change(id, { models: ['none'] }, undefined, by)],
  ]
  for (const [what, act] of gentle) {
    test(`that is ${what} lets its streams end by themselves, and has no new call`, async () => {
      const { secret, id } = one.key()
      one.vendor.answers(begins)
      const from = one.vendor.asked.length
      const held = await holdOnAll({ url: one.url, key: secret }, id)
      act(id)
      await until(async () => (await call({ url: one.url, key: secret })).status !== 200, 'no new call')
      assert.ok(held.every(({ response }) => !response.complete))
      for (const asked of one.vendor.asked.slice(from)) goesOn(asked)
      const ends = await Promise.all(held.map(({ over }) => over))
      assert.ok(ends.every(({ ended, body }) => ended && /message_stop|\[DONE\]/.test(body)))
    })
  }

  test('that is revoked while the body of a call still comes has none of it', async () => {
    const { secret, id } = one.key()
    one.vendor.answers(well)
    const from = one.vendor.asked.length
    const body = bodyOf({ url: one.url, key: secret })
    const request = httpRequest(`${one.url}/v1/messages`, {
      method: 'POST',
      agent: false,
      headers: {
        'x-api-key': secret,
        'content-type': 'application/json',
        'content-length': String(body.length),
        // The worker says so when it begins with the call, and then it has looked at the key.
        expect: '100-continue',
      },
    })
    request.flushHeaders()
    await once(request, 'continue')
    request.write(body.slice(0, 10))
    one.gateway.control.keys.revoke(id, by)
    await until(async () => (await call({ url: one.url, key: secret })).status === 401, 'it is revoked')
    request.end(body.slice(10))
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const refused = await got(response, 0)
    assert.deepEqual([refused.status, refused.failure], [401, 'key-wrong'])
    assert.match(refused.message, /was revoked/)
    assert.equal(one.vendor.asked.length, from)
  })

  test('that has a new secret works with the former one until its grace is over, and not a moment longer', async () => {
    const { secret, id } = one.key()
    one.vendor.answers(well)
    const { key, secret: next } = one.gateway.control.keys.rotate(id, 700, by)
    const untilMs = key.formerUntil ?? 0
    const seen = new Set<number>()
    while (!seen.has(401)) {
      const sentMs = Date.now()
      // eslint-disable-next-line no-await-in-loop -- one after the other
      const { status, message } = await call({ url: one.url, key: secret })
      const gotMs = Date.now()
      if (gotMs < untilMs) assert.equal(status, 200, `${untilMs - gotMs} ms before`)
      if (sentMs >= untilMs) assert.equal(status, 401, `${sentMs - untilMs} ms after`)
      if (status === 401) assert.match(message, /is not known here/)
      seen.add(status)
    }
    assert.deepEqual([...seen], [200, 401])
    assert.equal((await call({ url: one.url, key: next })).status, 200)
  })

  describe('that may not be used is told why to those who hold it', () => {
    const state: [what: string, make: () => { secret: string; id: string }, says: RegExp][] = [
      ['revoked', () => changed((id) => one.gateway.control.keys.revoke(id, by)), /^The key \w+ was revoked\./],
      ['disabled', () => changed((id) => one.gateway.control.keys.disable(id, by)), /^The key \w+ is disabled\./],
      ['expired', expired, /^The key \w+ expired at 20\d\d-/],
    ]
    for (const [what, make, says] of state) {
      test(`${what}, and to nobody else`, async () => {
        const { secret, id } = make()
        await until(async () => (await call({ url: one.url, key: secret })).status === 401, `it is ${what}`)
        const stranger = newCallerKey('sk-aic-', id).key
        const nobody = newCallerKey('sk-aic-').key
        for (const dialect of dialects) {
          // eslint-disable-next-line no-await-in-loop -- one after the other
          const [holders, strangers, nobodys] = await Promise.all(
            [secret, stranger, nobody].map((key) => call({ url: one.url, key, dialect })),
          )
          assert.match(holders?.message ?? '', says)
          assert.match(strangers?.message ?? '', /is not known here/)
          assert.equal(strangers?.message, nobodys?.message)
          assert.deepEqual([holders?.status, strangers?.status], [401, 401])
          assert.equal(holders?.type, strangers?.type)
        }
        assert.equal((await get(`${one.url}/v1/me`, secret)).status, 401)
        assert.equal((await get(`${one.url}/v1/models`, secret)).status, 401)
      })
    }
  })

  test('is changed for all workers at once: over many connections', async (context) => {
    const agents = Array.from({ length: 24 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    const lateMs: number[] = []
    one.vendor.answers(well)
    for (let turn = 0; turn < (long ? 40 : 4); turn += 1) {
      const { secret, id } = one.key()
      // eslint-disable-next-line no-await-in-loop -- one key after the other
      lateMs.push(await lastLetIn(secret, id, agents))
      assert.equal(workersOf(one.folder, id).size, 2, 'both workers had calls of it')
    }
    for (const agent of agents) agent.destroy()
    const worst = Math.max(...lateMs)
    context.diagnostic(`the last call that was let in began ${worst.toFixed(1)} ms after the change`)
    // On a machine with nothing else to do it is a few; what is promised is 100.
    assert.ok(worst < (long ? 100 : 1000), `${worst} ms`)
  })
})

describe('networks of a key', () => {
  const cases: [sentence: string, forwarded: string | undefined, direct: number, proxied: number][] = [
    ['nothing is forwarded', undefined, 403, 403],
    ['it comes from one of them', '10.1.2.3', 403, 200],
    ['it comes from elsewhere', '203.0.113.5', 403, 403],
    ['the caller has put one of them before its own address', '10.1.2.3, 203.0.113.5', 403, 403],
    ['a second proxy that is trusted stands between', '10.1.2.3, 127.0.0.9', 403, 200],
    ['it comes from one of them, as IPv6 has it', '::ffff:10.1.2.3', 403, 200],
    ['what is forwarded is no address', 'unknown', 403, 403],
    ['it comes from an IPv6 network of it', '2001:db8::1', 403, 200],
  ]
  for (const [index, trust] of ['', 'server: { trustedProxies: [127.0.0.0/8] }\n'].entries()) {
    describe(index === 0 ? 'without a trusted proxy' : 'behind a trusted proxy', () => {
      let there: Stage
      before(async () => {
        there = await stage({ workers: 0, config: trust })
      })
      after(() => there.close())

      for (const [sentence, forwarded, direct, proxied] of cases) {
        test(`where ${sentence}: ${index === 0 ? direct : proxied}`, async () => {
          const { secret } = there.key({ networks: ['10.0.0.0/8', '2001:db8::/32'] })
          const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
          const answer = await call({ url: there.url, key: secret, headers })
          assert.equal(answer.status, index === 0 ? direct : proxied)
          if (answer.status !== 200) assert.equal(answer.failure, 'not-allowed')
        })
      }

      test('its own address is one of them', async () => {
        const { secret } = there.key({ networks: ['127.0.0.1'] })
        const answer = await call({ url: there.url, key: secret })
        assert.equal(answer.status, 200)
      })
    })
  }
})

/** Streams of this key, in both dialects by turns, until each worker has some. */
async function holdOnAll(question: Question, id: string): Promise<Held[]> {
  const held: Held[] = []
  while (workersOf(one.folder, id).size < 2 || held.length < 4) {
    assert.ok(held.length < streamsMax, 'all streams are at one worker')
    // eslint-disable-next-line no-await-in-loop -- one after the other
    held.push(await hold({ ...question, dialect: dialects[held.length % 2] ?? 'anthropic' }))
  }
  return held
}

function typeIn(body: string): string {
  return body.includes('event: error') ? 'authentication_error' : 'invalid_request_error'
}

function changed(act: (id: string) => unknown): { secret: string; id: string } {
  const key = one.key()
  act(key.id)
  return key
}

function expired(): { secret: string; id: string } {
  return one.key({ expiresAt: Date.now() + 150 })
}

/** How long after its change a call of the key was still let in: the latest beginning of one. 0 for none. */
async function lastLetIn(secret: string, id: string, agents: readonly Agent[]): Promise<number> {
  let changedMs = Infinity
  const log: Got[] = []
  const loops = agents.map(async (agent) => {
    for (;;) {
      // eslint-disable-next-line no-await-in-loop -- a connection has one call at a time
      const answer = await call({ url: one.url, key: secret, agent })
      log.push(answer)
      if (answer.status !== 200) return
    }
  })
  await until(() => log.length >= 3 * agents.length && workersOf(one.folder, id).size === 2, 'calls on all connections')
  one.gateway.control.keys.disable(id, by)
  changedMs = performance.now()
  await Promise.all(loops)
  return Math.max(0, ...log.filter(({ status }) => status === 200).map(({ sentMs }) => sentMs - changedMs))
}
