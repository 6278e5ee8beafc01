import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Tally, tallyCells, type Grain } from './tally.ts'

const grains: readonly Grain[] = [
  { periodMs: 1000, reach: 5 },
  { periodMs: 10_000, reach: 3 },
]
const width = 2

function tallies(count = 1): Tally[] {
  const cells = new Int32Array(new SharedArrayBuffer(4 * (7 + tallyCells(width, grains))))
  return Array.from({ length: count }, () => new Tally(cells, 7, width, grains))
}

/** What was counted, looked back at from a time. */
function since(tally: Tally, counter: number, grain: number, spanMs: number, nowMs: number): number {
  return tally.since(counter, tally.note(grain, spanMs, nowMs))
}

const cases: [sentence: string, atMs: number[], spanMs: number, nowMs: number, count: number][] = [
  ['nothing was counted', [], 5000, 100, 0],
  ['the present period counts', [7000, 7500], 0, 7999, 2],
  ['the one before does not, where it is not asked for', [6999, 7500], 0, 7999, 1],
  ['it does where it is', [6000, 7500], 1000, 7999, 2],
  ['so it does for a part of it', [6000, 7500], 1, 7999, 2],
  ['what is older does not', [5999, 6000, 7500], 1000, 7999, 2],
  ['periods in which nothing was counted are bridged', [1000, 3000, 7000], 5000, 8500, 2],
  ['nothing of late is 0', [1000], 5000, 60_000, 0],
  ['a look back ends where the notes end', [1000, 2000, 3000, 4000], 60_000, 8000, 2],
  ['the start of the clock is a time like others', [0, 0, 999], 1000, 1000, 3],
]

for (const [sentence, atMs, spanMs, nowMs, count] of cases) {
  test(`tally: ${sentence}`, () => {
    const [tally] = tallies() as [Tally]
    for (const ms of atMs) tally.add(1, ms)
    assert.equal(since(tally, 1, 0, spanMs, nowMs), count)
    assert.equal(since(tally, 0, 0, spanMs, nowMs), 0)
  })
}

test('tally: two counters can be added to at once', () => {
  const [tally] = tallies() as [Tally]
  tally.add(0, 1000, 1)
  assert.deepEqual([tally.total(0), tally.total(1)], [1, 1])
})

test('tally: by whatever grain and from whatever thread, a look back tells what was counted then', () => {
  const event = fc.record({
    passMs: fc.oneof(fc.nat(300), fc.nat(3000), fc.nat(60_000)),
    counter: fc.nat(width - 1),
    thread: fc.nat(1),
    grain: fc.nat(1),
    spanMs: fc.nat(40_000),
  })
  fc.assert(
    fc.property(fc.nat(1e6), fc.array(event, { maxLength: 60 }), (startMs, events) => {
      const threads = tallies(2) as [Tally, Tally]
      const counted: { counter: number; atMs: number }[] = []
      let nowMs = startMs
      for (const { passMs, counter, thread, grain, spanMs } of events) {
        nowMs += passMs
        ;(threads[thread] as Tally).add(counter, nowMs)
        counted.push({ counter, atMs: nowMs })
        const { periodMs, reach } = grains[grain] as Grain
        const fromMs = (Math.floor(nowMs / periodMs) - Math.min(reach, Math.ceil(spanMs / periodMs))) * periodMs
        const expected = counted.filter((one) => one.counter === counter && one.atMs >= fromMs).length
        assert.equal(since(threads[1 - thread] as Tally, counter, grain, spanMs, nowMs), expected)
      }
    }),
  )
})

test('tally: no more are added than stay below a number', () => {
  const [tally] = tallies() as [Tally]
  tally.add(0, 1000)
  const note = tally.note(0, 5000, 1000)
  assert.deepEqual(
    [1, 2, 3, 4].map(() => tally.addBelow(1, note, 2.5, 1000)),
    [true, true, true, false],
  )
  assert.equal(tally.total(1), 3)
})

test('tally: counts hold where 32 bits come round', () => {
  const cells = new Int32Array(new SharedArrayBuffer(4 * tallyCells(1, grains)))
  cells[0] = 2 ** 31 - 2
  const tally = new Tally(cells, 0, 1, grains)
  for (let time = 0; time < 5; time += 1) tally.add(0, 1000)
  const note = tally.note(0, 1000, 1000)
  assert.equal(tally.since(0, note), 5)
  assert.deepEqual([tally.addBelow(0, note, 6, 1000), tally.addBelow(0, note, 6, 1000)], [true, false])
})
