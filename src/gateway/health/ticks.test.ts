import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLater, msUntil, tickAfter, tickMs, waitMsMax } from './ticks.ts'

const dayMs = 24 * 3_600_000
/** Where the count of ticks comes round: signed, then to 0. */
const rounds = [2 ** 31 * tickMs, 2 ** 32 * tickMs]

test('ticks: no time is over before it is, and at most a tick later', () => {
  const clock = fc.oneof(
    fc.double({ min: 0, max: 1e11, noNaN: true }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((ms) => (rounds[0] as number) + ms),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((ms) => (rounds[1] as number) + ms),
  )
  fc.assert(
    fc.property(
      clock,
      fc.double({ min: 0.001, max: 1e7, noNaN: true }),
      fc.double({ min: 0, max: 2, noNaN: true }),
      (nowMs, waitMs, part) => {
        const until = tickAfter(nowMs, waitMs)
        const laterMs = waitMs * part
        const left = msUntil(until, nowMs + laterMs)
        if (nowMs + laterMs < nowMs + waitMs) assert.ok(left >= 1 && left >= waitMs - laterMs - 0.001)
        // Twice a tick around the one instant that 0 stands for.
        assert.ok(left <= Math.max(0, waitMs - laterMs) + 2 * tickMs + 1)
        if (laterMs >= waitMs + 2 * tickMs) assert.equal(left, 0)
      },
    ),
    { numRuns: 2000 },
  )
})

test('ticks: where the ticks come round, the one that would say none is passed over', () => {
  const [, round] = rounds as [number, number]
  assert.equal(tickAfter(round - 100, 100), 1)
  assert.equal(msUntil(tickAfter(round - 100, 100), round), 10)
  assert.equal(tickAfter(round - 110, 100), -1)
})

test('ticks: none is never to come', () => {
  for (const nowMs of [0, 1, ...rounds]) assert.equal(msUntil(0, nowMs), 0)
})

test('ticks: the longest waits are kept, longer ones cut', () => {
  assert.equal(msUntil(tickAfter(1000, waitMsMax), 1000), waitMsMax)
  assert.equal(msUntil(tickAfter(1000, Infinity), 1000), waitMsMax)
})

test('ticks: the longest one is believed by a thread that looked at the clock before it was set', () => {
  assert.equal(msUntil(tickAfter(2000, waitMsMax), 1000), waitMsMax + 1000)
})

test('ticks: one that has long passed does not seem to come again', () => {
  const until = tickAfter(1000, 60_000)
  for (const days of [1, 200, 248, 249, 300, 400, 470])
    assert.equal(msUntil(until, 1000 + days * dayMs), 0, `${days} days`)
})

test('ticks: which of two is the later holds where they come round', () => {
  for (const round of rounds) {
    const before = tickAfter(round - 1000, 10)
    const after = tickAfter(round + 1000, 10)
    assert.deepEqual([isLater(after, before), isLater(before, after), isLater(after, after)], [true, false, false])
  }
})
