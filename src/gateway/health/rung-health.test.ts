import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Failure, type FailureKind } from '../../core/failure.ts'
import type { RungHealth } from './health.ts'
import { Trial } from './testing.ts'

const kinds = [
  undefined,
  undefined,
  'vendor-broken',
  'vendor-slow',
  'vendor-overloaded',
  'vendor-limit',
  'vendor-refuses',
  'model-unknown',
  'request-invalid',
  'caller-gone',
] as const satisfies (FailureKind | undefined)[]

/** Where the clock stands at first: the 32 bits of the ticks come round in the last two. */
const starts = fc.constantFrom(0, 12_345_670, 2 ** 31 * 10 - 20_000, 2 ** 32 * 10 - 20_000)

const outcome = fc.record({
  kind: fc.constantFrom(...kinds),
  retryAfterMs: fc.option(fc.oneof(fc.nat(100), fc.nat(10_000), fc.nat(10_000_000)), { nil: undefined }),
})

type Outcome = { kind: FailureKind | undefined; retryAfterMs: number | undefined }

function end(rung: RungHealth, { rules }: Trial, { kind, retryAfterMs }: Outcome, probe: boolean): void {
  const failure = kind && new Failure(kind, 'x', retryAfterMs === undefined ? {} : { retryAfterMs })
  rung.ended({ failure, contentMs: undefined, probe }, rules)
}

test('rung health: whatever happens, no place is tried before the time that its vendor stated', () => {
  const step = fc.record({
    passMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 100, noNaN: true }), fc.nat(20_000)),
    thread: fc.nat(1),
    outcome,
  })
  fc.assert(
    fc.property(starts, fc.array(step, { maxLength: 40 }), (startMs, steps) => {
      const place = new Trial({}, startMs)
      const threads = [place.rung, place.elsewhere()] as const
      let statedMs = 0
      for (const { passMs, thread, outcome } of steps) {
        place.pass(passMs)
        assertBarred(place, threads, statedMs)
        const { kind, retryAfterMs = 0 } = outcome
        end(threads[thread] as RungHealth, place, outcome, false)
        const states =
          kind === 'vendor-limit' || kind === 'vendor-overloaded' || kind === 'vendor-broken' || kind === 'vendor-slow'
        if (states && retryAfterMs > 0) {
          statedMs = Math.max(statedMs, place.nowMs + Math.min(retryAfterMs, place.rules.cooldown.statedMsMax))
        }
        assertBarred(place, threads, statedMs)
      }
    }),
    { numRuns: 300 },
  )
})

/** Barred until the stated time, and for no more than two ticks beyond it: the second is for the one that stands for none. */
function assertBarred(place: Trial, threads: readonly RungHealth[], statedMs: number): void {
  for (const rung of threads) {
    const { type, forMs } = rung.standing(place.rules)
    if (place.nowMs < statedMs) {
      assert.equal(type, 'barred')
      assert.ok(place.nowMs + forMs >= statedMs - 0.001)
    } else if (place.nowMs >= statedMs + 20) assert.notEqual(type, 'barred')
  }
}

test('rung health: whatever happens, there is one probe at a time, and none while it is open', () => {
  const step = fc.record({
    // Whole ticks, so that leases end when they say.
    passMs: fc.oneof(fc.constant(0), fc.nat(30), fc.nat(800)).map((ticks) => ticks * 10),
    thread: fc.nat(1),
    does: fc.constantFrom('end', 'claim', 'claim', 'end-probe', 'end-probe', 'release'),
    outcome: fc.record({
      kind: fc.constantFrom('vendor-broken', 'vendor-broken', undefined, 'vendor-limit', 'caller-gone'),
      retryAfterMs: fc.constant(undefined),
    }),
    leaseMs: fc.constantFrom(1000, 4000),
  })
  fc.assert(
    fc.property(starts, fc.array(step, { maxLength: 80 }), (startMs, steps) => {
      const place = new Trial(
        { breaker: { failuresInRow: 2, openMs: 1000, openMsMax: 4000 }, cooldown: { enabled: false } },
        startMs,
      )
      const threads = [place.rung, place.elsewhere()] as const
      const held: number[][] = [[], []]
      for (const { passMs, thread, does, outcome, leaseMs } of steps) {
        place.pass(passMs)
        const rung = threads[thread] as RungHealth
        const mine = held[thread] as number[]
        const before = rung.standing(place.rules)
        if (does === 'claim') {
          const free = held.flat().every((untilMs) => untilMs <= place.nowMs)
          const got = rung.claimProbe(place.rules, leaseMs)
          assert.equal(got, before.type === 'probe')
          if (got) assert.ok(free, 'a second probe')
          if (got) mine.push(place.nowMs + leaseMs)
        } else if (does === 'end') {
          end(rung, place, outcome, false)
          if (before.type === 'resting') assert.notEqual(rung.standing(place.rules).type, 'probe')
        } else if (mine.length > 0) {
          mine.shift()
          if (does === 'release') rung.releaseProbe()
          else end(rung, place, outcome, true)
          if (does === 'end-probe' && outcome.kind === 'vendor-broken') {
            assert.notEqual(rung.standing(place.rules).type, 'probe', 'a probe at once after one that failed')
          }
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('rung health: whatever happens, retries keep to the budget, and all it allows are admitted', () => {
  const step = fc.record({
    passMs: fc.oneof(fc.constant(0), fc.nat(30), fc.nat(800)).map((ticks) => ticks * 10),
    thread: fc.nat(1),
    does: fc.constantFrom('begin', 'claim', 'claim', 'release'),
    times: fc.integer({ min: 1, max: 30 }),
    leaseMs: fc.constantFrom(1000, 30_000),
  })
  const budget = fc.record({
    share: fc.constantFrom(0, 0.1, 0.5),
    windowMs: fc.constantFrom(1000, 2500, 10_000),
    floor: fc.nat(8),
  })
  fc.assert(
    fc.property(starts, budget, fc.array(step, { maxLength: 80 }), (startMs, rules, steps) => {
      const place = new Trial({ budget: rules }, startMs)
      const threads = [place.rung, place.elsewhere()] as const
      const held: number[][] = [[], []]
      const begun: number[] = []
      const retries: number[] = []
      /** Of these, those in the window: the present second and those that reach as far back. */
      const lately = (times: readonly number[]): number => {
        const fromMs = (Math.floor(place.nowMs / 1000) - Math.ceil(rules.windowMs / 1000)) * 1000
        return times.filter((ms) => ms >= fromMs).length
      }
      for (const { passMs, thread, does, times, leaseMs } of steps) {
        place.pass(passMs)
        const rung = threads[thread] as RungHealth
        const mine = held[thread] as number[]
        const underWay = held.flat().filter((untilMs) => untilMs > place.nowMs).length
        if (does === 'begin') {
          for (let time = 0; time < times; time += 1) rung.begun()
          begun.push(...Array.from({ length: times }, () => place.nowMs))
        } else if (does === 'release') {
          mine.shift()
          rung.releaseRetry()
        } else if (underWay < 16) {
          const admitted = underWay < rules.floor || lately(retries) < rules.share * lately(begun)
          assert.equal(rung.standing(place.rules).retries, admitted)
          assert.equal(rung.claimRetry(place.rules, leaseMs), admitted)
          if (!admitted) continue
          mine.push(place.nowMs + leaseMs)
          retries.push(place.nowMs)
        }
      }
    }),
    { numRuns: 500 },
  )
})
