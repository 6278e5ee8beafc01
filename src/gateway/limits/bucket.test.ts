import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { minuteUs, requestUs, taken, tokensLeft, tokensUs } from './bucket.ts'

test('bucket: what one costs is rounded up to the microsecond, so that no limit is passed', () => {
  assert.equal(requestUs(7), 8_571_429)
  assert.equal(requestUs(60), 1_000_000)
  assert.equal(tokensUs(1, 40_000_000), 2)
  assert.equal(tokensUs(20, 40_000_000), 30)
  assert.equal(tokensUs(1, 1e9), 1)
  assert.equal(tokensUs(0, 0), 0)
})

test('bucket: to take from one that has long been full puts it off from now', () => {
  assert.equal(taken(10, 1000, 5), 1005)
  assert.equal(taken(2000, 1000, 5), 2005)
})

test('bucket: what is left fits to the token, in every bucket there can be', () => {
  const perMinute = fc.oneof(
    fc.integer({ min: 1, max: 1_000_000_000 }),
    fc.double({ min: 0.01, max: 1e9, noNaN: true }),
  )
  fc.assert(
    fc.property(perMinute, fc.integer({ min: -1, max: minuteUs + 1 }), (limit, emptyUs) => {
      const left = tokensLeft(1000 + emptyUs, 1000, limit)
      const roomUs = minuteUs - Math.max(emptyUs, 0)
      if (roomUs < 0) assert.equal(left, 0)
      else assert.ok(tokensUs(left, limit) <= roomUs && tokensUs(left + 1, limit) > roomUs, `${left} tokens`)
    }),
    { numRuns: 20_000 },
  )
})
