import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailureKind } from '../../core/failure.ts'
import type { WindowStatus } from '../../core/status.ts'
import { Trial } from './testing.ts'

const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const dayMs = 24 * 60 * minuteMs
const nothing: WindowStatus = { calls: 0, ok: 0, limited: 0, overloaded: 0, broken: 0, refused: 0, other: 0 }

test('windows: where nobody called, all is 0 and there are no times', () => {
  const { rung } = new Trial()
  for (const spanMs of [minuteMs, quarterMs, dayMs]) assert.deepEqual(rung.window(spanMs), nothing)
})

const kinds: [kind: FailureKind, counted: keyof WindowStatus][] = [
  ['vendor-limit', 'limited'],
  ['vendor-overloaded', 'overloaded'],
  ['vendor-broken', 'broken'],
  ['vendor-unreachable', 'broken'],
  ['vendor-unreadable', 'broken'],
  ['vendor-cut', 'broken'],
  ['vendor-slow', 'broken'],
  ['vendor-refuses', 'refused'],
  ['model-unknown', 'refused'],
  ['request-invalid', 'other'],
  ['prompt-too-long', 'other'],
  ['content-refused', 'other'],
  ['caller-gone', 'other'],
  ['gateway-fault', 'other'],
  ['gateway-full', 'other'],
]

for (const [kind, counted] of kinds) {
  test(`windows: ${kind} counts as ${counted}`, () => {
    const place = new Trial()
    place.good()
    place.bad(kind, 2)
    for (const spanMs of [minuteMs, quarterMs, dayMs]) {
      assert.deepEqual(place.rung.window(spanMs), { ...nothing, calls: 3, ok: 1, [counted]: 2 })
    }
  })
}

const ages: [ageMs: number, minute: number, quarter: number, day: number][] = [
  [0, 1, 1, 1],
  [55_000, 1, 1, 1],
  [60_001, 0, 1, 1],
  [14 * minuteMs, 0, 1, 1],
  [15 * minuteMs + 1, 0, 0, 1],
  [23 * 60 * minuteMs, 0, 0, 1],
  [dayMs + 1, 0, 0, 0],
]

for (const [ageMs, minute, quarter, day] of ages) {
  test(`windows: after ${ageMs} ms a call counts in ${minute + quarter + day} of them`, () => {
    for (const nowMs of [0, 7_200_000 - 1, 123_456_789]) {
      const place = new Trial({}, nowMs)
      place.good()
      place.pass(ageMs)
      const calls = [minuteMs, quarterMs, dayMs].map((spanMs) => place.rung.window(spanMs).calls)
      assert.deepEqual(calls, [minute, quarter, day], `from ${nowMs}`)
    }
  })
}

test('windows: a span between is as long as it says', () => {
  const place = new Trial()
  place.good()
  place.pass(31_000)
  assert.deepEqual([place.rung.window(30_000).ok, place.rung.window(40_000).ok], [0, 1])
})

test('windows: counts of many hours add up', () => {
  const place = new Trial()
  for (let hour = 0; hour < 100; hour += 1) {
    place.good(hour)
    place.pass(60 * minuteMs)
  }
  // The present hour, in which there was none, and the 23 before.
  const last23 = Array.from({ length: 23 }, (_, index) => 99 - index).reduce((sum, hour) => sum + hour, 0)
  assert.equal(place.rung.window(dayMs).ok, last23)
  assert.equal(place.rung.window(100 * dayMs).ok, last23)
})

/** Each time is told to within the width of its bin. */
const times: [sentence: string, contentMs: number[], p50Ms: number, p95Ms: number][] = [
  ['one call', [500], 500, 500],
  ['all alike', Array.from({ length: 100 }, () => 2000), 2000, 2000],
  ['evenly spread', Array.from({ length: 1000 }, (_, index) => index + 1), 500, 950],
  [
    'half fast, half slow',
    [...Array.from({ length: 60 }, () => 100), ...Array.from({ length: 40 }, () => 60_000)],
    100,
    60_000,
  ],
  ['faster than the first bin tells', [0, 1, 2], 5, 10],
  ['slower than the last', [600_001, 1e9, Infinity], 600_000, 600_000],
  ['no time at all', [Number.NaN], 5, 10],
]

for (const [sentence, contentMs, p50Ms, p95Ms] of times) {
  test(`windows: times to first content: ${sentence}`, () => {
    const place = new Trial()
    for (const ms of contentMs) place.good(1, ms)
    const window = place.rung.window(minuteMs)
    assert.ok(near(window.p50Ms, p50Ms), `p50 ${window.p50Ms}`)
    assert.ok(near(window.p95Ms, p95Ms), `p95 ${window.p95Ms}`)
    assert.ok((window.p50Ms as number) <= (window.p95Ms as number))
  })
}

function near(ms: number | undefined, expectedMs: number): boolean {
  return ms !== undefined && Math.abs(ms - expectedMs) <= Math.max(10, expectedMs * 0.3)
}

test('windows: within a bin, times are taken as spread evenly', () => {
  const place = new Trial()
  for (let ms = 1; ms <= 2000; ms += 1) place.good(1, ms)
  const { p50Ms } = place.rung.window(minuteMs)
  assert.ok(Math.abs((p50Ms as number) - 1000) < 20, `p50 ${p50Ms}`)
})

test('windows: of what is slower than can be told, only that much is said', () => {
  const place = new Trial()
  place.good(3, 700_000)
  assert.deepEqual([place.rung.window(minuteMs).p50Ms, place.rung.window(minuteMs).p95Ms], [600_000, 600_000])
})

test('windows: percentiles are of this window’s times only', () => {
  const place = new Trial()
  place.good(10, 60_000)
  place.pass(2 * minuteMs)
  place.good(1, 100)
  assert.ok(near(place.rung.window(minuteMs).p95Ms, 100))
  assert.ok(near(place.rung.window(quarterMs).p95Ms, 60_000))
})

test('windows: a stream that broke after its first content has a time, and is no good call', () => {
  const place = new Trial()
  place.bad('vendor-cut')
  assert.equal(place.rung.window(minuteMs).p50Ms, undefined)
  place.cut(700)
  const window = place.rung.window(minuteMs)
  assert.deepEqual([window.calls, window.ok, window.broken], [2, 0, 2])
  assert.ok(near(window.p50Ms, 700))
})
