import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Limits } from '../../core/plan.ts'
import { burstOf } from './bucket.ts'
import { LimitTable, type Amounts, type Reservation } from './table.ts'
import { copyOf, keySlot, ownerSlot, Trial } from './testing.ts'

const minuteMs = 60_000

const amounts = fc.record({
  inputTokens: fc.integer({ min: 0, max: 700 }),
  outputTokens: fc.integer({ min: 0, max: 300 }),
  nanoDollars: fc.integer({ min: 0, max: 1000 }),
})

const limits: fc.Arbitrary<Limits> = fc.record(
  {
    requestsPerMinute: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.constantFrom(0.3, 7.7)),
    requestsBurst: fc.integer({ min: 0, max: 12 }),
    inputTokensPerMinute: fc.integer({ min: 0, max: 3000 }),
    outputTokensPerMinute: fc.integer({ min: 0, max: 1500 }),
    tokensPerDay: fc.integer({ min: 0, max: 8000 }),
    tokensPerMonth: fc.integer({ min: 0, max: 12_000 }),
    nanoDollarsPerDay: fc.integer({ min: 0, max: 8000 }),
    nanoDollarsPerMonth: fc.integer({ min: 0, max: 12_000 }),
  },
  { requiredKeys: [] },
)

/** A pause to the microsecond, short ones for the most part; now and then a day. */
const pauseMs = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 3_000_000 }).map((us) => us / 1000) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 40_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 * 86_400_000 }) },
)

interface Step {
  pauseMs: number
  ask: Amounts
  /** In how many further steps it ends. */
  lasts: number
  used: Amounts
  countsAsRequest: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  pauseMs,
  ask: amounts,
  lasts: fc.integer({ min: 0, max: 5 }),
  used: amounts,
  countsAsRequest: fc.boolean(),
})
const steps = fc.array(step, { minLength: 1, maxLength: 60 })

/** Lives through the steps, and tells of each call that was let in and each that ended. */
function live(
  trial: Trial,
  all: readonly Step[],
  seen: { begun?: (call: Reservation) => void; ended?: (call: Reservation, step: Step) => void } = {},
): void {
  const underWay: { until: number; call: Reservation; step: Step }[] = []
  for (let at = 0; at < all.length || underWay.length > 0; at += 1) {
    const one = all[at]
    trial.pass(one?.pauseMs ?? 1)
    for (const ending of underWay.filter(({ until }) => until <= at)) {
      underWay.splice(underWay.indexOf(ending), 1)
      trial.settle(ending.call, { ...ending.step.used, countsAsRequest: ending.step.countsAsRequest })
      seen.ended?.(ending.call, ending.step)
    }
    if (one === undefined) continue
    const call = trial.ask(one.ask)
    if (call.type === 'refused') continue
    seen.begun?.(call)
    underWay.push({ until: at + one.lasts, call, step: one })
  }
}

test('limits: in no minute there are more requests than the limit and the burst, less one', () => {
  fc.assert(
    fc.property(limits, limits, steps, (key, owner, all) => {
      const trial = new Trial(key, owner)
      const begun: number[] = []
      live(
        trial,
        all.map((one) => ({ ...one, countsAsRequest: true })),
        { begun: () => begun.push(trial.nowMs) },
      )
      for (const one of [key, owner]) {
        if (one.requestsPerMinute === undefined) continue
        const most = Math.ceil(one.requestsPerMinute) + burstOf(one) - 1
        for (const startMs of begun) {
          const count = begun.filter((ms) => ms >= startMs && ms < startMs + minuteMs).length
          assert.ok(count <= most, `${count} in a minute of ${most}`)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('limits: in no span of time more tokens are taken than the bucket held and was filled with', () => {
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 3000 }), steps, (perMinute, all) => {
      const trial = new Trial({ outputTokensPerMinute: perMinute })
      const log: { ms: number; tokens: number; begins: boolean }[] = []
      // Calls that use no more than they reserved; a debt is not let in by anybody.
      const modest = all.map((one) => ({
        ...one,
        used: { ...one.used, outputTokens: Math.min(one.used.outputTokens, one.ask.outputTokens) },
      }))
      live(trial, modest, {
        begun: ({ asked }) => log.push({ ms: trial.nowMs, tokens: asked.outputTokens, begins: true }),
        ended: ({ asked }, { used }) =>
          log.push({ ms: trial.nowMs, tokens: used.outputTokens - asked.outputTokens, begins: false }),
      })
      for (let first = 0; first < log.length; first += 1) {
        let sum = 0
        for (const { ms, tokens, begins } of log.slice(first)) {
          sum += tokens
          const most = perMinute * (1 + (ms - (log[first]?.ms ?? 0)) / minuteMs)
          if (begins) assert.ok(sum <= most + 1e-6, `${sum} of ${most}`)
        }
      }
    }),
    { numRuns: 300 },
  )
})

const demands: [name: string, limits: Limits, ask: Partial<Amounts>, perMinute: number][] = [
  ['a request a minute', { requestsPerMinute: 1 }, {}, 1],
  ['seven requests a minute', { requestsPerMinute: 7, requestsBurst: 1 }, {}, 7],
  ['a thousand requests a minute less one', { requestsPerMinute: 999 }, {}, 999],
  ['a hundred requests a second', { requestsPerMinute: 6000 }, {}, 6000],
  ['tokens that come by 17', { inputTokensPerMinute: 10_000 }, { inputTokens: 17 }, 10_000 / 17],
  ['tokens of the owner', { outputTokensPerMinute: 1001 }, { outputTokens: 100 }, 10.01],
]
for (const [name, one, ask, perMinute] of demands) {
  test(`limits: who asks for more all the time gets what there is, to a hundredth: ${name}`, () => {
    const trial = new Trial(name.endsWith('owner') ? {} : one, name.endsWith('owner') ? one : {})
    const minutes = perMinute < 100 ? 200 : 3
    let count = 0
    for (let ms = 0; ms < minutes * minuteMs; ms += perMinute < 100 ? 40 : 1) {
      const answer = trial.ask(ask)
      if (answer.type === 'reserved') {
        count += 1
        trial.settle(answer)
      }
      trial.pass(perMinute < 100 ? 40 : 1)
    }
    assert.ok(count >= perMinute * minutes * 0.99, `${count} of ${perMinute * minutes}`)
    assert.ok(count <= perMinute * (minutes + 1), `${count} of ${perMinute * minutes}`)
  })
}

test('limits: a refused call is let in after the time that was told, and not a millisecond before', () => {
  let refusals = 0
  fc.assert(
    fc.property(limits, limits, steps, amounts, (key, owner, all, ask) => {
      const trial = new Trial(key, owner)
      live(trial, all)
      const refusal = trial.ask(ask)
      if (refusal.type !== 'refused') return
      const { retryAfterMs } = refusal
      const laterMs = retryAfterMs === undefined ? 40 * 86_400_000 : Math.ceil(retryAfterMs)
      const answer = (ms: number): string => {
        const at = { nowMs: trial.nowMs + ms, dateMs: trial.dateMs + ms }
        return new LimitTable(copyOf(trial.memory), 1).reserve(trial.account, ask, at).type
      }
      assert.equal(answer(laterMs), refusal.never ? 'refused' : 'reserved')
      assert.equal(answer(laterMs - 1), 'refused')
      refusals += 1
    }),
    { numRuns: 500 },
  )
  assert.ok(refusals > 50, `only ${refusals} refusals were met with`)
})

test('limits: what is said to be left can be taken, and no more', () => {
  fc.assert(
    fc.property(limits, limits, steps, (key, owner, all) => {
      const trial = new Trial(key, owner)
      live(trial, all)
      const state = trial.table.state(trial.account, trial.at)
      const left = (name: keyof typeof state): number => state[name]?.remaining ?? Infinity
      if (left('requestsPerMinute') === 0) return
      const [input, output] = [left('inputTokensPerMinute'), left('outputTokensPerMinute')]
      const tokens = Math.min(left('tokensPerDay'), left('tokensPerMonth'))
      const most = Math.min(input, tokens)
      const ask = (inputTokens: number, outputTokens: number): string =>
        new LimitTable(copyOf(trial.memory), 1).reserve(
          trial.account,
          { inputTokens, outputTokens, nanoDollars: 0 },
          trial.at,
        ).type
      if (most !== Infinity) {
        assert.equal(ask(most, 0), 'reserved')
        assert.equal(ask(most + 1, 0), 'refused')
      }
      if (output < tokens) {
        assert.equal(ask(0, output), 'reserved')
        assert.equal(ask(0, output + 1), 'refused')
      }
    }),
    { numRuns: 500 },
  )
})

test('limits: a refused call leaves nothing behind in any cell', () => {
  fc.assert(
    fc.property(limits, limits, steps, amounts, (key, owner, all, ask) => {
      const trial = new Trial({ ...key, callsAtOnce: 2 }, { ...owner, callsAtOnce: 3 })
      live(trial, all)
      const before = [trial.cells(keySlot), trial.cells(ownerSlot)]
      if (trial.ask(ask).type === 'refused') assert.deepEqual([trial.cells(keySlot), trial.cells(ownerSlot)], before)
      else assert.equal(trial.cells(ownerSlot).calls, 1)
    }),
    { numRuns: 300 },
  )
})

test('limits: when all calls have ended, what is counted is the sum of what they used', () => {
  fc.assert(
    fc.property(limits, limits, steps, (key, owner, all) => {
      const trial = new Trial(key, owner)
      const total = { tokens: 0, nano: 0 }
      // Within the day, so that nothing is begun anew.
      live(
        trial,
        all.map((one) => ({ ...one, pauseMs: one.pauseMs % 60_000 })),
        {
          ended(_, { used }) {
            total.tokens += used.inputTokens + used.outputTokens
            total.nano += used.nanoDollars
          },
        },
      )
      for (const slot of [keySlot, ownerSlot]) {
        const { dayTokens, monthTokens, dayNano, monthNano, calls, tokensHeld, nanoHeld } = trial.cells(slot)
        assert.deepEqual(
          { dayTokens, monthTokens, dayNano, monthNano },
          {
            dayTokens: total.tokens,
            monthTokens: total.tokens,
            dayNano: total.nano,
            monthNano: total.nano,
          },
        )
        assert.deepEqual([calls, tokensHeld, nanoHeld], [0, 0, 0])
      }
    }),
    { numRuns: 300 },
  )
})

test('limits: no day or month has more than its limit, where calls use no more than they reserved', () => {
  fc.assert(
    fc.property(limits, limits, steps, (key, owner, all) => {
      const trial = new Trial(key, owner)
      const modest = all.map((one) => ({ ...one, used: one.ask }))
      const check = (): void => {
        for (const [slot, one] of [
          [keySlot, key],
          [ownerSlot, owner],
        ] as const) {
          const { dayTokens, monthTokens, dayNano, monthNano } = trial.cells(slot)
          assert.ok(dayTokens <= (one.tokensPerDay ?? Infinity) && monthTokens <= (one.tokensPerMonth ?? Infinity))
          assert.ok(
            dayNano <= (one.nanoDollarsPerDay ?? Infinity) && monthNano <= (one.nanoDollarsPerMonth ?? Infinity),
          )
        }
      }
      live(trial, modest, { begun: check, ended: check })
    }),
    { numRuns: 300 },
  )
})
