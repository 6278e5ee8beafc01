import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, manners, receipts, type Seen } from './support/ask.ts'
import { firstModel, secondModel, stage } from './support/stage.ts'
import type { Asked, Way } from './support/vendor.ts'
import { sleep, turns } from './support/waiting.ts'
import { fails, silent, well } from './support/ways.ts'

/** A limit that says when to come back, and when it was said. */
function limited(headers: Record<string, string>, status = 429): { way: Way; saidMs: () => number } {
  let saidMs = NaN
  const way = fails(status, { headers })
  return {
    way: (asked) => {
      saidMs = performance.now()
      way(asked)
    },
    saidMs: () => saidMs,
  }
}

/** Answers well, and notes when it was asked. */
function noting(): { way: Way; askedMs: () => number } {
  let askedMs = NaN
  return {
    way: (asked: Asked) => {
      askedMs = performance.now()
      well(asked)
    },
    askedMs: () => askedMs,
  }
}

/** What is kept for all calls is rounded up to this. */
const roundedMs = 20

const toldMs = ({ headers }: Seen): number => Number(headers['retry-after-ms'])

describe('a vendor that says when to come back', () => {
  for (const { name, ...manner } of manners) {
    test(`in a while is not asked before by anyone, and all are told at once how long it still is: ${name}`, async (context) => {
      const { gateway, first } = await stage(context)
      const { way, saidMs } = limited({ 'retry-after': '30' })
      first.answers(way)
      const one = await ask(gateway, { ...manner, model: 'ladder/one' })
      assert.deepEqual(
        [one.status, one.headers['x-keyrung-failure'], one.headers['retry-after']],
        [429, 'vendor-limit', '30'],
      )
      assert.equal(one.headers['x-should-retry'], 'true')
      await sleep(2 * roundedMs)
      const other = await ask(gateway, { ...manner, model: 'ladder/one' })
      assert.deepEqual([other.status, other.headers['x-keyrung-failure']], [429, 'vendor-limit'])
      assert.deepEqual(other.trail, [`anthropic/${firstModel} 0 cooling`])
      assert.equal(other.items[0]?.parameters['passed'], true)
      assert.ok(toldMs(other) < toldMs(one), `${toldMs(other)} is less than ${toldMs(one)}`)
      assert.ok(toldMs(other) + performance.now() - saidMs() >= 30_000, 'and not less than what is left')
      assert.equal(other.headers['retry-after'], String(Math.ceil(toldMs(other) / 1000)))
      assert.equal(first.asked.length, 1)
      const [receipt] = await receipts(gateway, 2)
      assert.deepEqual(
        [receipt?.status, receipt?.failure, receipt?.tries[0]?.outcome],
        [429, 'vendor-limit', 'cooling'],
      )
    })

    test(`soon is waited for by the call itself: ${name}`, async (context) => {
      const { gateway, first } = await stage(context)
      const limit = limited({ 'retry-after-ms': '250' })
      const answering = noting()
      first.answers(limit.way, answering.way)
      const answer = await ask(gateway, { ...manner, model: 'ladder/one' })
      assert.deepEqual([answer.status, answer.model, answer.complete], [200, firstModel, true])
      assert.ok(answering.askedMs() - limit.saidMs() >= 250, 'not asked before')
      assert.ok(Number(answer.items[1]?.parameters['wait']) >= 250)
    })
  }

  for (const [says, status, headers] of [
    ['in seconds', 429, { 'retry-after': '30' }],
    ['in milliseconds', 429, { 'retry-after-ms': '30000' }],
    ['as a date', 429, { date: 'Mon, 02 Nov 2026 10:00:00 GMT', 'retry-after': 'Mon, 02 Nov 2026 10:00:30 GMT' }],
    ['with a 503', 503, { 'retry-after': '30' }],
    ['with a 529', 529, { 'retry-after': '30' }],
  ] as const) {
    test(`${says} is passed over by the calls after, whatever ladder they climb`, async (context) => {
      const { gateway, first, second } = await stage(context)
      first.answers(fails(status, { headers }))
      assert.equal((await ask(gateway)).model, secondModel)
      for (const model of ['ladder/two', 'ladder/three', firstModel]) {
        const question = model === firstModel ? { model, headers: { 'x-keyrung-ladder': 'two' } } : { model }
        // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its ladder
        const answer = await ask(gateway, question)
        assert.deepEqual(answer.trail, [`anthropic/${firstModel} 0 cooling`, `openai/${secondModel} 200 ok`])
      }
      const alone = await ask(gateway, { model: firstModel })
      assert.equal(alone.status, status === 429 ? 429 : 529)
      assert.ok(toldMs(alone) > 0 && toldMs(alone) <= 30_000 + roundedMs)
      assert.deepEqual([first.asked.length, second.asked.length], [1, 4])
    })
  }

  test('soon is waited for by the next call too, before its first try', async (context) => {
    const { gateway, first } = await stage(context, { config: 'retries: { triesLastRung: 1 }' })
    const limit = limited({ 'retry-after-ms': '300' })
    const answering = noting()
    first.answers(limit.way, answering.way)
    const one = await ask(gateway, { model: 'ladder/one' })
    assert.equal(one.status, 429)
    const other = await ask(gateway, { model: 'ladder/one' })
    assert.deepEqual([other.status, first.asked.length], [200, 2])
    assert.ok(answering.askedMs() - limit.saidMs() >= 300, 'not asked before')
  })

  test('later than a call may wait is not waited for', async (context) => {
    const { gateway, first } = await stage(context, { config: 'retries: { waitMsMax: 200 }' })
    first.answers(fails(429, { headers: { 'retry-after-ms': '400' } }), well)
    const answer = await ask(gateway, { model: 'ladder/one' })
    assert.deepEqual([answer.status, answer.headers['retry-after'], first.asked.length], [429, '1', 1])
  })

  for (const [seconds, retry] of [
    [60, 'true'],
    [61, 'false'],
    [3000, 'false'],
  ] as const) {
    test(`in ${seconds} s has the caller's SDK ${retry === 'true' ? 'come back by itself' : 'not sleep that long'}`, async (context) => {
      const { gateway, first } = await stage(context)
      first.answers(fails(429, { headers: { 'retry-after': `${seconds}` } }))
      const answer = await ask(gateway, { model: 'ladder/one' })
      assert.deepEqual([answer.headers['retry-after'], answer.headers['x-should-retry']], [`${seconds}`, retry])
    })
  }

  test('for one key is still asked by the other', async (context) => {
    const { gateway, first } = await stage(context, { keys: [{}, {}] })
    first.answers(fails(429, { headers: { 'retry-after': '30' } }), well)
    for (let call = 0; call < 6; call += 1) {
      // eslint-disable-next-line no-await-in-loop -- one after the other
      assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 200)
    }
    const [limitedKey, ...others] = first.asked.map(({ key }) => key)
    assert.equal(others.length, 6)
    assert.ok(others.every((key) => key !== limitedKey))
  })

  test('is told by the soonest of all rungs, to the call that met them and to the next', async (context) => {
    const { gateway, first, second, third } = await stage(context)
    first.answers(fails(429, { headers: { 'retry-after': '300' } }))
    second.answers(fails(429, { headers: { 'retry-after': '20' } }))
    third.answers(fails(429, { headers: { 'retry-after': '40' } }))
    for (const trail of [
      ['vendor-limit', 'vendor-limit', 'vendor-limit'],
      ['cooling', 'cooling', 'cooling'],
    ]) {
      // eslint-disable-next-line no-await-in-loop -- one after the other
      const answer = await ask(gateway, { model: 'ladder/three' })
      assert.deepEqual([answer.status, answer.headers['x-should-retry']], [429, 'true'])
      assert.ok(toldMs(answer) > 0 && toldMs(answer) <= 20_000 + roundedMs)
      assert.equal(answer.headers['x-keyrung-model'], secondModel)
      assert.deepEqual(
        answer.items.map(({ parameters }) => parameters['outcome']),
        trail,
      )
    }
    assert.deepEqual(
      [first, second, third].map(({ asked }) => asked.length),
      [1, 1, 1],
    )
  })

  test('in a time that is not believed is asked again after the longest that is', async (context) => {
    const { gateway, first } = await stage(context, {
      config: 'cooldown: { statedMsMax: 300 }\nretries: { triesLastRung: 1 }',
    })
    const limit = limited({ 'retry-after': '3600' })
    const answering = noting()
    first.answers(limit.way, answering.way)
    assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 429)
    assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 200)
    assert.ok(answering.askedMs() - limit.saidMs() >= 300, 'not asked before')
  })

  test('is asked all the same by the next call where cooling is switched off, though not by the call that met it', async (context) => {
    const { gateway, first } = await stage(context, { config: 'cooldown: { enabled: false }' })
    first.answers(fails(429, { headers: { 'retry-after': '30' } }))
    for (const count of [1, 2]) {
      // eslint-disable-next-line no-await-in-loop -- one after the other
      assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 429)
      assert.equal(first.asked.length, count)
    }
  })
})

test('a call that waits while another learns of a longer time is not tried, and holds no place', async (context) => {
  const { gateway, first } = await stage(context, {
    keys: [{ callsMax: 2 }],
    config: 'retries: { triesLastRung: 1 }',
  })
  first.answers(silent)
  const early = ask(gateway, { model: 'ladder/one' })
  const held = await first.ask(0)
  first.answers(fails(429, { headers: { 'retry-after-ms': '1200' } }))
  assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 429)
  const waiting = ask(gateway, { model: 'ladder/one' })
  await turns(50)
  fails(429, { headers: { 'retry-after': '30' } })(held)
  await early
  const answer = await waiting
  assert.equal(answer.status, 429)
  assert.ok(toldMs(answer) > 20_000 && toldMs(answer) <= 30_000 + roundedMs)
  assert.equal(first.asked.length, 2)
  // The same key by another model, which may be asked.
  first.answers(silent)
  const two = [1, 2].map(() => ask(gateway, { model: 'claude-opus-5' }))
  const both = [await first.ask(2), await first.ask(3)]
  for (const one of both) well(one)
  assert.ok((await Promise.all(two)).every(({ status }) => status === 200))
})

test('twenty calls that wait for the same place all come after its time, and all are answered', async (context) => {
  const { gateway, first } = await stage(context, { config: 'retries: { triesLastRung: 1 }' })
  const limit = limited({ 'retry-after-ms': '400' })
  first.answers(limit.way)
  assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 429)
  let soonestMs = Infinity
  first.answers((asked) => {
    soonestMs = Math.min(soonestMs, performance.now())
    well(asked)
  })
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(gateway, { model: 'ladder/one' })))
  assert.ok(answers.every(({ status }) => status === 200))
  assert.ok(soonestMs - limit.saidMs() >= 400)
  assert.equal(first.asked.length, 21)
})
