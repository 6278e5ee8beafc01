import assert from 'node:assert/strict'
import { Agent, type IncomingMessage } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { objectOf } from '../../src/core/json.ts'
import { crowd, seeded } from '../ladder/support/crowd.ts'
import { sleep, until } from '../ladder/support/waiting.ts'
import { fails, silent, well } from '../ladder/support/ways.ts'
import { call, get, hold, send, waitMsOf, type Got } from './support/calls.ts'
import { awayFromMidnight, by, stage, workersOf, type Stage } from './support/stage.ts'
import { begins, goesOn, replies } from './support/usage.ts'

const long = process.env.KEYRUNG_LONG === '1'
const minuteMs = 60_000

const config = `
plans:
  steady: { limits: { requestsPerMinute: 1200, requestsBurst: 60 } }
  lone: { limits: { requestsPerMinute: 600, requestsBurst: 1 } }
  slow: { limits: { requestsPerMinute: 40, requestsBurst: 1 } }
  few: { limits: { callsAtOnce: 4 } }
  day: { limits: { tokensPerDay: 10000 } }
  minute: { limits: { inputTokensPerMinute: 60000, outputTokensPerMinute: 6000 } }
  shared: { ownerLimits: { requestsPerMinute: 1, requestsBurst: 4 } }
  family: { ownerLimits: { callsAtOnce: 3 }, upgradeUrl: 'https://example.org/more' }
  money: { limits: { dollarsPerDay: "0.01" }, upgradeUrl: 'https://example.org/more' }
`

let one: Stage

describe('limits, on two workers', () => {
  before(async () => {
    await awayFromMidnight()
    one = await stage({ config })
  })
  after(() => one.close())

  describe('a rate', () => {
    test('lets through what it allows, and no more, of a demand far above it', async (context) => {
      const { secret, id } = one.key({ plan: 'steady' })
      const log = await demand(secret, long ? 20_000 : 2000)
      const admitted = log.filter(({ status }) => status === 200)
      const limit = { perMs: 1200 / minuteMs, burst: 60 }
      checkNeverMore(admitted, limit)
      checkNotLess(log, limit)
      assert.deepEqual([...workersOf(one.folder, id)].toSorted(), ['worker-0', 'worker-1'])
      context.diagnostic(`${admitted.length} of ${log.length} calls`)
    })

    test('without a burst lets them through one by one', async (context) => {
      const { secret } = one.key({ plan: 'lone' })
      const log = await demand(secret, long ? 65_000 : 1000)
      const admitted = log.filter(({ status }) => status === 200)
      checkNeverMore(admitted, { perMs: 600 / minuteMs, burst: 1 })
      assert.ok(admitted.length > 1)
      const all = admitted.toSorted((a, b) => a.sentMs - b.sentMs)
      for (const { sentMs } of all) {
        const inside = all.filter((other) => other.sentMs >= sentMs && other.gotMs < sentMs + minuteMs)
        assert.ok(inside.length <= 600)
      }
      context.diagnostic(`${admitted.length} of ${log.length} calls`)
    })

    test('says exactly when the next call is let in: not before, and then at once', async () => {
      const { secret } = one.key({ plan: 'slow' })
      const first = await call({ url: one.url, key: secret })
      assert.equal(first.status, 200)
      const refusals: { due: Span; got: Got }[] = []
      for (;;) {
        // eslint-disable-next-line no-await-in-loop -- one after the other
        const next = await call({ url: one.url, key: secret })
        const due = refusals.map((refusal) => refusal.due).reduce(overlap, { fromMs: 0, toMs: Infinity })
        assert.ok(due.fromMs <= due.toMs, 'all refusals tell one moment')
        if (next.status === 200) {
          assert.ok(next.gotMs >= due.fromMs, 'none is let in before')
          break
        }
        assert.deepEqual([next.status, next.failure], [429, 'plan-limit'])
        assert.ok(next.sentMs < due.toMs, 'none is refused after')
        refusals.push({ due: dueOf(next), got: next })
        // eslint-disable-next-line no-await-in-loop -- one after the other
        await sleep(Math.min(200, Math.max(0, overlap(due, dueOf(next)).toMs - performance.now())))
      }
      assert.ok(refusals.length > 0)
    })

    test('of an owner holds for all of their keys together', async () => {
      const { id: owner } = one.gateway.control.owners.create({ name: 'Ada' }, by)
      const [first, second] = [one.key({ plan: 'shared', owner }), one.key({ plan: 'shared', owner })]
      const other = one.key({ plan: 'shared' })
      const secrets = [first, second, first, second, first, second].map(({ secret }) => secret)
      const answers: Got[] = []
      // eslint-disable-next-line no-await-in-loop -- one after the other
      for (const key of secrets) answers.push(await call({ url: one.url, key }))
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200, 200, 429, 429],
      )
      assert.match(answers[5]?.message ?? '', /^All keys of this key's owner together may have 1 request a minute/)
      assert.equal((await call({ url: one.url, key: other.secret })).status, 200)
    })
  })

  describe('calls at once', () => {
    test('are refused beyond their number, and the next is let in when one ends', async () => {
      const { secret } = one.key({ plan: 'few' })
      one.vendor.answers(begins)
      const from = one.vendor.asked.length
      const held = await Promise.all(Array.from({ length: 4 }, () => hold({ url: one.url, key: secret })))
      const more = await call({ url: one.url, key: secret })
      assert.deepEqual([more.status, more.failure, more.headers['retry-after']], [429, 'plan-limit', undefined])
      assert.match(more.message, /4 calls at once .*as many are under way/)
      goesOn(await one.vendor.ask(from))
      await Promise.race(held.map(({ over }) => over))
      one.vendor.answers(well)
      assert.equal((await call({ url: one.url, key: secret })).status, 200)
      for (const asked of one.vendor.asked.slice(from, from + 4)) goesOn(asked)
      const ends = await Promise.all(held.map(({ over }) => over))
      assert.ok(ends.every(({ ended, body }) => ended && body.includes('message_stop')))
    })

    test('leave no place taken behind callers who leave at any moment', async (context) => {
      const { secret } = one.key({ plan: 'few' })
      const random = seeded(6)
      one.vendor.answers((asked) => {
        const mood = random()
        if (mood < 0.3) well(asked)
        else if (mood < 0.5) fails(400)(asked)
        else if (mood < 0.8 && asked.stream) begins(asked)
        else silent(asked)
      })
      const seen = await crowd(long ? 2000 : 150, 20, (index) => leave(secret, index % 2 === 0, random() * 150))
      await until(async () => (await placesLeft(secret)) === 4, 'all places are free')
      one.vendor.answers(well)
      for (let turn = 0; turn < 8; turn += 1) {
        // eslint-disable-next-line no-await-in-loop -- one after the other
        assert.equal((await call({ url: one.url, key: secret })).status, 200)
      }
      context.diagnostic(`${seen.filter((left) => left).length} of ${seen.length} left without an answer`)
    })

    test('of an owner are counted over all of their keys', async () => {
      const { id: owner } = one.gateway.control.owners.create({ name: 'Grace' }, by)
      const keys = [one.key({ plan: 'family', owner }), one.key({ plan: 'family', owner })]
      one.vendor.answers(begins)
      const from = one.vendor.asked.length
      const held = await Promise.all([0, 1, 0].map((key) => hold({ url: one.url, key: keys[key]?.secret ?? '' })))
      for (const { secret } of keys) {
        // eslint-disable-next-line no-await-in-loop -- one after the other
        const refused = await call({ url: one.url, key: secret, dialect: 'openai' })
        assert.equal(refused.status, 429)
        assert.match(refused.message, /^All keys of this key's owner together may have 3 calls at once/)
        assert.match(refused.message, /https:\/\/example\.org\/more/)
      }
      await one.vendor.ask(from + 2)
      for (const asked of one.vendor.asked.slice(from)) goesOn(asked)
      await Promise.all(held.map(({ over }) => over))
      one.vendor.answers(well)
      assert.equal((await call({ url: one.url, key: keys[1]?.secret ?? '' })).status, 200)
    })
  })

  describe('tokens', () => {
    test('are counted by what calls have really used, whatever was set aside for them', async () => {
      const { secret } = one.key({ plan: 'day' })
      one.vendor.answers(replies({ input: 300, output: 700 }))
      const first = await call({ url: one.url, key: secret })
      const remaining = Number(first.headers['anthropic-ratelimit-tokens-remaining'])
      assert.ok(remaining < 10_000 && remaining > 9000, 'what is set aside is taken off at once')
      assert.equal(first.headers['anthropic-ratelimit-tokens-limit'], '10000')
      assert.equal(await left(secret, 'tokensPerDay'), 9000)
      one.vendor.answers(replies({ input: 2000, output: 2000 }))
      await call({ url: one.url, key: secret, stream: true })
      assert.equal(await left(secret, 'tokensPerDay'), 5000)
      const chat = await call({ url: one.url, key: secret, dialect: 'openai' })
      assert.ok(Number(chat.headers['x-ratelimit-remaining-tokens']) < 5000)
      assert.equal(await left(secret, 'tokensPerDay'), 1000)
    })

    test('of a call that a vendor has refused cost nothing', async () => {
      const { secret } = one.key({ plan: 'day' })
      one.vendor.answers(fails(400))
      assert.equal((await call({ url: one.url, key: secret })).status, 400)
      assert.equal(await left(secret, 'tokensPerDay'), 10_000)
    })

    test('of a stream whose caller leaves before its vendor has told its output are those that were set aside for it', async () => {
      const { secret } = one.key({ plan: 'day' })
      one.vendor.answers(begins)
      const held = await hold({ url: one.url, key: secret, tokensMax: 500 })
      held.request.destroy()
      // 3 of the prompt, as the first event has told.
      await until(async () => (await left(secret, 'tokensPerDay')) === 10_000 - 3 - 500, 'they stay taken')
      await held.over
    })

    test('may go into debt, which the next call waits for', async () => {
      const { secret } = one.key({ plan: 'minute' })
      one.vendor.answers(replies({ input: 30, output: 9000 }))
      const first = await call({ url: one.url, key: secret })
      assert.equal(first.status, 200)
      one.vendor.answers(well)
      const next = await call({ url: one.url, key: secret })
      assert.deepEqual([next.status, next.failure], [429, 'plan-limit'])
      assert.match(next.message, /6,000 output tokens a minute/)
      // 9,000 and the 100 of the next call are 3,100 more than there is room for: 31 s, less what has passed.
      const sinceMs = next.gotMs - first.sentMs
      const waitMs = waitMsOf(next)
      assert.ok(waitMs <= 31_000 && waitMs >= 31_000 - sinceMs, `${waitMs} ms, ${sinceMs} ms after the first`)
    })

    test('that are used up say when the day ends, and that no retry helps before', async () => {
      const { secret } = one.key({ plan: 'day' })
      one.vendor.answers(replies({ input: 5000, output: 5000 }))
      await call({ url: one.url, key: secret })
      const refused = await call({ url: one.url, key: secret })
      assert.deepEqual(
        [refused.status, refused.failure, refused.headers['x-should-retry'], refused.headers['retry-after']],
        [429, 'plan-budget', 'false', undefined],
      )
      assert.match(refused.message, /10,000 tokens a day .*0 are left/)
    })
  })

  test('a budget that calls at once cross is overshot by no more than those calls, and none follows', async (context) => {
    const { secret, id } = one.key({ plan: 'money' })
    const budget = 10_000_000
    const prices = { input: 2000, output: 10_000 }
    const used = { input: 50, output: 400 }
    const cost = used.input * prices.input + used.output * prices.output
    one.vendor.answers(silent)
    const from = one.vendor.asked.length
    const calls = Array.from({ length: 30 }, () => call({ url: one.url, key: secret }))
    const refused: Got[] = []
    for (const answer of calls) void answer.then((got) => got.status === 429 && refused.push(got))
    await until(() => one.vendor.asked.length - from + refused.length === 30, 'each call is let in or refused')
    const flying = one.vendor.asked.slice(from)
    // The largest answer alone costs a tenth of the budget.
    assert.ok(flying.length > 1 && flying.length <= 10, `${flying.length} calls were let in`)
    for (const asked of flying) replies(used)(asked)
    const all = await Promise.all(calls)
    assert.equal(all.filter(({ status }) => status === 200).length, flying.length)
    const later = await call({ url: one.url, key: secret })
    assert.deepEqual([later.status, later.failure], [429, 'plan-budget'])
    assert.match(later.message, /\$0\.01 a day .*\$0(\.00)? is left/)
    await one.gateway.flushAll()
    const [row] = one.gateway.control.usage.query({ from: 0, to: Date.now() + minuteMs, key: id, groupBy: ['key'] })
    assert.equal(row?.nanoDollars, flying.length * cost)
    const receipts = one.gateway.store.receipts(1000).filter((receipt) => receipt.key_id === id)
    const aside = receipts.reduce((sum, receipt) => sum + Number(receipt.reserved_nano), 0)
    assert.ok(aside > 0 && aside <= budget, `${aside} were set aside`)
    assert.ok(refused.every(({ message }) => message.includes('https://example.org/more')))
    context.diagnostic(`${flying.length} of 30 at once; ${row.nanoDollars} of ${budget} billionths were spent`)
  })
})

describe('after a restart', () => {
  test('days go on from where they were, for keys and owners', async () => {
    await awayFromMidnight()
    const before = await stage({ workers: 0, config })
    const { id: owner } = before.gateway.control.owners.create({ name: 'Ada', limits: { tokensPerDay: 5000 } }, by)
    const { secret } = before.key({ plan: 'day', owner })
    const sibling = before.key({ owner })
    before.vendor.answers(replies({ input: 1000, output: 2000 }))
    await call({ url: before.url, key: secret })
    await before.gateway.close()
    const again = await stage({ workers: 0, config, folder: before.folder })
    const { limits } = (await get(`${again.url}/v1/me`, secret)).json
    assert.deepEqual(
      [objectOf(objectOf(limits).tokensPerDay).remaining, objectOf(objectOf(limits).tokensPerDay).scope],
      [2000, 'owner'],
    )
    again.vendor.answers(replies({ input: 1000, output: 1000 }))
    assert.equal((await call({ url: again.url, key: sibling.secret })).status, 200)
    const refused = await call({ url: again.url, key: secret })
    assert.deepEqual([refused.status, refused.failure], [429, 'plan-budget'])
    await again.close()
    await before.vendor.close()
  })
})

/** Many callers on connections that are kept, each of which asks again at once. */
async function demand(key: string, ms: number): Promise<Got[]> {
  one.vendor.answers(well)
  const log: Got[] = []
  const untilMs = performance.now() + ms
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      // eslint-disable-next-line no-await-in-loop -- one after the other
      while (performance.now() < untilMs) log.push(await call({ url: one.url, key, agent }))
      agent.destroy()
    }),
  )
  assert.ok(log.every(({ status, failure }) => status === 200 || failure === 'plan-limit'))
  return log
}

interface Rate {
  perMs: number
  burst: number
}

/** In no span of time did more calls begin and end than the rate has let in. */
function checkNeverMore(admitted: readonly Got[], { perMs, burst }: Rate): void {
  for (const { sentMs } of admitted) {
    const inside = admitted.filter((other) => other.sentMs >= sentMs).toSorted((a, b) => a.gotMs - b.gotMs)
    for (const [index, { gotMs }] of inside.entries()) {
      const most = burst + perMs * (gotMs - sentMs)
      assert.ok(index + 1 <= most, `${index + 1} calls within ${gotMs - sentMs} ms, at most ${most}`)
    }
  }
}

/** Whenever a call was refused, all that the rate allowed until then had been let in. */
function checkNotLess(log: readonly Got[], { perMs, burst }: Rate): void {
  const beginMs = Math.min(...log.filter(({ status }) => status === 200).map(({ gotMs }) => gotMs))
  for (const refused of log.filter(({ status, sentMs }) => status === 429 && sentMs > beginMs)) {
    const before = log.filter(({ status, sentMs }) => status === 200 && sentMs < refused.gotMs).length
    const allowed = burst + perMs * (refused.sentMs - beginMs)
    assert.ok(before >= allowed - 1, `${before} were let in of ${allowed}`)
  }
}

interface Span {
  fromMs: number
  toMs: number
}

/** Between when and when a refusal says that the next call is let in. The header is rounded up to the millisecond. */
function dueOf(refused: Got): Span {
  const waitMs = waitMsOf(refused)
  return { fromMs: refused.sentMs + waitMs - 1, toMs: refused.gotMs + waitMs }
}

function overlap(a: Span, b: Span): Span {
  return { fromMs: Math.max(a.fromMs, b.fromMs), toMs: Math.min(a.toMs, b.toMs) }
}

/** A call whose caller leaves after so long; true where it had no whole answer by then. */
function leave(key: string, stream: boolean, afterMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = send({ url: one.url, key, stream })
    let response: IncomingMessage | undefined
    const timer = setTimeout(() => request.destroy(), afterMs)
    request.on('error', () => {})
    request.on('response', (answer) => {
      response = answer
      response.on('error', () => {}).resume()
    })
    request.on('close', () => {
      clearTimeout(timer)
      resolve(response?.complete !== true)
    })
  })
}

async function left(secret: string, limit: string): Promise<unknown> {
  const { json } = await get(`${one.url}/v1/me`, secret)
  return objectOf(objectOf(json.limits)[limit]).remaining
}

const placesLeft = (secret: string): Promise<unknown> => left(secret, 'callsAtOnce')
