import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { merge, type WindowStatus } from './status.ts'

const none: WindowStatus = { calls: 0, ok: 0, limited: 0, overloaded: 0, broken: 0, refused: 0, other: 0 }

function good(ok: number, p50Ms: number, p95Ms: number): WindowStatus {
  return { ...none, calls: ok, ok, p50Ms, p95Ms }
}

const cases: { name: string; windows: WindowStatus[]; merged: WindowStatus }[] = [
  { name: 'nothing merged is a window without calls or times', windows: [], merged: none },
  {
    name: 'counts are sums',
    windows: [
      { calls: 21, ok: 1, limited: 2, overloaded: 3, broken: 4, refused: 5, other: 6 },
      { calls: 210, ok: 10, limited: 20, overloaded: 30, broken: 40, refused: 50, other: 60 },
    ],
    merged: { calls: 231, ok: 11, limited: 22, overloaded: 33, broken: 44, refused: 55, other: 66 },
  },
  {
    name: 'the times of the only window with calls stay as they are',
    windows: [none, good(7, 800, 2000), none],
    merged: good(7, 800, 2000),
  },
  {
    name: 'a slow credential that is hardly used does not make the model slow',
    windows: [good(1, 30_000, 40_000), good(999, 800, 2000)],
    merged: good(1000, 800, 2000),
  },
  {
    name: 'a slow credential that has its part of the calls shows in the slowest 5 of 100',
    windows: [good(900, 800, 2000), good(100, 30_000, 40_000)],
    merged: good(1000, 800, 40_000),
  },
  {
    name: 'a time is not lost where no call ended well',
    windows: [{ ...none, calls: 1, broken: 1, p50Ms: 500, p95Ms: 500 }],
    merged: { ...none, calls: 1, broken: 1, p50Ms: 500, p95Ms: 500 },
  },
]

suite('merge', () => {
  for (const { name, windows, merged } of cases) test(name, () => assert.deepEqual(merge(windows), merged))
})
