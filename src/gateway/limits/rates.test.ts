import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Limits } from '../../core/plan.ts'
import { inWords, Trial } from './testing.ts'

suite('limits: requests a minute', () => {
  const bursts: [sentence: string, limits: Limits, count: number][] = [
    ['a sixth of a minute comes at once after a pause', { requestsPerMinute: 60 }, 10],
    ['a part of a request in the sixth is one more', { requestsPerMinute: 61 }, 11],
    ['a seldom request comes all the same', { requestsPerMinute: 1 }, 1],
    ['the burst is as it was set', { requestsPerMinute: 60, requestsBurst: 3 }, 3],
    ['a burst of nothing is one', { requestsPerMinute: 60, requestsBurst: 0 }, 1],
    ['none a minute is none', { requestsPerMinute: 0 }, 0],
    ['a burst alone is no limit', { requestsBurst: 1 }, 50],
  ]
  for (const [sentence, limits, count] of bursts) {
    test(sentence, () => assert.equal(new Trial(limits).count({}, 50), count))
  }

  test('the next one comes when its time has passed, and not a millisecond before', () => {
    const trial = new Trial({ requestsPerMinute: 60, requestsBurst: 1 })
    trial.take()
    assert.equal(trial.refused().retryAfterMs, 1000)
    trial.pass(999)
    assert.equal(trial.refused().retryAfterMs, 1)
    trial.pass(1)
    trial.take()
  })

  test('a minute has as many as the limit and the burst, less one', () => {
    const trial = new Trial({ requestsPerMinute: 30, requestsBurst: 5 })
    let count = 0
    for (let ms = 0; ms < 60_000; ms += 1) {
      const answer = trial.ask()
      if (answer.type === 'reserved') {
        count += 1
        trial.settle(answer)
      }
      trial.pass(1)
    }
    assert.equal(count, 34)
  })

  test('a request that does not count gives back its place, once', () => {
    const trial = new Trial({ requestsPerMinute: 60, requestsBurst: 1 })
    trial.settle(trial.take(), { countsAsRequest: false })
    trial.settle(trial.take())
    assert.equal(inWords(trial.refused()), 'key requestsPerMinute 1000')
  })

  test('one that does not count gives nothing back that has come back by itself', () => {
    const trial = new Trial({ requestsPerMinute: 60, requestsBurst: 2 })
    const slow = trial.take()
    trial.pass(60_000)
    trial.settle(slow, { countsAsRequest: false })
    assert.equal(trial.count(), 2)
  })

  test('a limit may be less than one a minute', () => {
    const trial = new Trial({ requestsPerMinute: 0.5 })
    trial.take()
    assert.equal(trial.refused().retryAfterMs, 120_000)
  })

  test('where none is allowed, no pause helps', () => {
    assert.equal(inWords(new Trial({ requestsPerMinute: 0 }).refused()), 'key requestsPerMinute never')
  })

  test('the calendar has no say in it', () => {
    const trial = new Trial({ requestsPerMinute: 60, requestsBurst: 1 })
    trial.take()
    trial.dateMs += 40 * 86_400_000
    assert.equal(trial.refused().retryAfterMs, 1000)
    trial.dateMs = 0
    assert.equal(trial.refused().retryAfterMs, 1000)
  })

  test('a clock with parts of a millisecond loses none of them', () => {
    const trial = new Trial({ requestsPerMinute: 7, requestsBurst: 1 })
    trial.pass(0.125)
    trial.take()
    const { retryAfterMs = 0 } = trial.refused()
    assert.equal(retryAfterMs, 8571.429)
    trial.pass(8571)
    assert.equal(trial.refused().retryAfterMs, 0.429)
    trial.pass(1)
    trial.take()
  })
})

suite('limits: tokens a minute', () => {
  const limits = { inputTokensPerMinute: 60_000, outputTokensPerMinute: 6000 }

  test('a whole minute of tokens may come at once', () => {
    const trial = new Trial(limits)
    trial.take({ inputTokens: 60_000, outputTokens: 6000 })
    assert.equal(inWords(trial.refused({ inputTokens: 1 })), 'key inputTokensPerMinute 1')
  })

  test('what fits to the token is let in, one more is not', () => {
    const trial = new Trial(limits)
    trial.take({ inputTokens: 50_000 })
    const refusal = trial.refused({ inputTokens: 10_001 })
    assert.deepEqual(
      [refusal.left, refusal.asked, refusal.limitValue, refusal.retryAfterMs],
      [10_000, 10_001, 60_000, 1],
    )
    trial.take({ inputTokens: 10_000 })
  })

  test('they come back steadily', () => {
    const trial = new Trial(limits)
    trial.take({ inputTokens: 60_000 })
    trial.pass(30_000)
    assert.equal(trial.refused({ inputTokens: 30_001 }).left, 30_000)
    trial.take({ inputTokens: 30_000 })
  })

  test('what was reserved and not used comes back when it is settled', () => {
    const trial = new Trial(limits)
    const call = trial.take({ outputTokens: 6000 })
    assert.equal(inWords(trial.refused({ outputTokens: 1000 })), 'key outputTokensPerMinute 10000')
    trial.settle(call, { outputTokens: 500 })
    assert.equal(trial.refused({ outputTokens: 5501 }).left, 5500)
    trial.take({ outputTokens: 5500 })
  })

  test('what comes back never fills more than the bucket', () => {
    const trial = new Trial(limits)
    const call = trial.take({ outputTokens: 6000 })
    trial.pass(45_000)
    trial.settle(call, { outputTokens: 0 })
    assert.equal(trial.refused({ outputTokens: 6001 }).left, 6000)
    trial.take({ outputTokens: 6000 })
    assert.equal(trial.refused({ outputTokens: 1 }).left, 0)
  })

  test('a call that uses more than it reserved puts the bucket in debt, and the next call waits', () => {
    const trial = new Trial(limits)
    const call = trial.take({ outputTokens: 1000 })
    trial.settle(call, { outputTokens: 12_000 })
    const refusal = trial.refused({ outputTokens: 1000 })
    assert.deepEqual([refusal.left, refusal.retryAfterMs, refusal.resetMs], [0, 70_000, 120_000])
    trial.pass(69_999)
    assert.equal(trial.refused({ outputTokens: 1000 }).retryAfterMs, 1)
    trial.pass(1)
    trial.take({ outputTokens: 1000 })
  })

  test('a debt begins when it is made, not when the bucket was last full', () => {
    const trial = new Trial(limits)
    const call = trial.take({ outputTokens: 1000 })
    trial.pass(600_000)
    trial.settle(call, { outputTokens: 13_000 })
    assert.equal(trial.refused({ outputTokens: 6000 }).retryAfterMs, 120_000)
  })

  test('a call that needs none of them is not held up by a debt', () => {
    const trial = new Trial(limits)
    trial.settle(trial.take({ outputTokens: 1 }), { outputTokens: 100_000 })
    trial.take({ inputTokens: 5 })
  })

  test('a call larger than a whole minute never fits', () => {
    const refusal = new Trial(limits).refused({ inputTokens: 60_001 })
    assert.equal(inWords(refusal), 'key inputTokensPerMinute never')
    assert.equal(refusal.left, 60_000)
  })

  test('where no tokens are allowed, a call without any is', () => {
    const trial = new Trial({ inputTokensPerMinute: 0 })
    trial.take()
    assert.equal(inWords(trial.refused({ inputTokens: 1 })), 'key inputTokensPerMinute never')
  })

  test('counts that no call can have are held to what can be counted', () => {
    const trial = new Trial(limits)
    trial.settle(trial.take({ inputTokens: -5, outputTokens: Number.NaN }), {
      inputTokens: Infinity,
      outputTokens: 0.5,
    })
    assert.equal(trial.cells().dayTokens, 100_000_001)
  })
})
