import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Failure } from '../../core/failure.ts'
import { limitMemory, LimitTable, slotBytes } from './table.ts'
import { inWords, keySlot, ownerSlot, slotCellsOf, smallMemory, Trial } from './testing.ts'

suite('limits: days and months', () => {
  test('a day is used up to the token, and no further', () => {
    const trial = new Trial({ tokensPerDay: 1000 })
    trial.use({ inputTokens: 600, outputTokens: 300 })
    const refusal = trial.refused({ inputTokens: 50, outputTokens: 51 })
    assert.deepEqual([refusal.limit, refusal.left, refusal.asked], ['tokensPerDay', 100, 101])
    trial.use({ inputTokens: 50, outputTokens: 50 })
    assert.equal(trial.refused({ inputTokens: 1 }).left, 0)
  })

  test('a day ends at midnight of UTC, and not a millisecond before', () => {
    const trial = new Trial({ tokensPerDay: 1000 })
    trial.use({ inputTokens: 1000 })
    trial.passTo('2026-11-25T23:59:59.999Z')
    assert.equal(inWords(trial.refused({ inputTokens: 1 })), 'key tokensPerDay 1')
    trial.pass(1)
    trial.use({ inputTokens: 1000 })
    assert.equal(inWords(trial.refused({ inputTokens: 1 })), 'key tokensPerDay 86400000')
  })

  const ends: [sentence: string, before: string, nextDays: number][] = [
    ['a month of thirty days ends', '2026-11-30T23:59:59.999Z', 31],
    ['a year ends', '2026-12-31T23:59:59.999Z', 31],
    ['a February ends', '2027-02-28T23:59:59.999Z', 31],
    ['a February of a leap year has a day more', '2028-02-29T23:59:59.999Z', 31],
    ['a January ends, and a short month follows', '2027-01-31T23:59:59.999Z', 28],
  ]
  for (const [sentence, before, nextDays] of ends) {
    test(`${sentence} at midnight of UTC`, () => {
      const trial = new Trial({ nanoDollarsPerMonth: 5_000 })
      trial.passTo(before)
      trial.use({ nanoDollars: 5_000 })
      assert.equal(inWords(trial.refused({ nanoDollars: 1 })), 'key nanoDollarsPerMonth 1')
      trial.pass(1)
      trial.use({ nanoDollars: 5_000 })
      assert.equal(inWords(trial.refused({ nanoDollars: 1 })), `key nanoDollarsPerMonth ${nextDays * 86_400_000}`)
    })
  }

  test('a new day does not begin a new month', () => {
    const trial = new Trial({ tokensPerMonth: 1000 })
    trial.use({ inputTokens: 1000 })
    trial.pass(86_400_000)
    assert.equal(trial.refused({ inputTokens: 1 }).limit, 'tokensPerMonth')
  })

  test('more than a day ever has is refused for good', () => {
    assert.equal(
      inWords(new Trial({ nanoDollarsPerDay: 10 }).refused({ nanoDollars: 11 })),
      'key nanoDollarsPerDay never',
    )
  })

  test('a call that costs nothing is let in when the money is used up, and over it', () => {
    const trial = new Trial({ nanoDollarsPerDay: 10 })
    trial.settle(trial.take({ nanoDollars: 10 }), { nanoDollars: 25 })
    assert.equal(trial.refused({ nanoDollars: 1 }).left, 0)
    trial.take({ inputTokens: 100 })
  })

  test('what calls under way have set aside is told apart from what is used', () => {
    const trial = new Trial({ tokensPerDay: 1000 })
    trial.use({ inputTokens: 100 })
    const call = trial.take({ outputTokens: 800 })
    const refusal = trial.refused({ inputTokens: 200 })
    assert.deepEqual([refusal.left, refusal.held], [100, 800])
    trial.settle(call, { outputTokens: 10 })
    trial.take({ inputTokens: 200 })
  })

  test('a call counts for the day in which it was let in', () => {
    const trial = new Trial({ tokensPerDay: 1000, tokensPerMonth: 10_000 })
    const call = trial.take({ outputTokens: 1000 })
    trial.pass(86_400_000)
    trial.use({ inputTokens: 10 })
    trial.settle(call, { outputTokens: 900 })
    const { dayTokens, monthTokens, tokensHeld } = trial.cells()
    assert.deepEqual([dayTokens, monthTokens, tokensHeld], [10, 910, 0])
  })

  test('and for the month', () => {
    const trial = new Trial({})
    const call = trial.take({ outputTokens: 1000 })
    trial.passTo('2026-12-01T00:00:00Z')
    trial.use({ inputTokens: 10 })
    trial.settle(call, { outputTokens: 3000 })
    assert.deepEqual([trial.cells().dayTokens, trial.cells().monthTokens], [10, 10])
  })

  test('days are counted for those without a limit, who may get one', () => {
    const trial = new Trial({})
    trial.use({ inputTokens: 600 })
    trial.account = { ...trial.account, keyLimits: { tokensPerDay: 1000 } }
    assert.equal(trial.refused({ inputTokens: 401 }).left, 400)
  })

  test('a day that is over does not come back for a clock that was set back a little', () => {
    const trial = new Trial({ tokensPerDay: 1000 })
    trial.passTo('2026-11-26T00:00:00.010Z')
    trial.use({ inputTokens: 700 })
    trial.dateMs -= 20
    assert.equal(inWords(trial.refused({ inputTokens: 301 })), 'key tokensPerDay 86400010')
    trial.dateMs += 20
    assert.equal(trial.refused({ inputTokens: 301 }).left, 300)
  })

  test('after a clock was far ahead, the day that really is ends at its own midnight', () => {
    const trial = new Trial({ tokensPerDay: 1000, tokensPerMonth: 2000 })
    const dateMs = trial.dateMs
    trial.dateMs = Date.UTC(2031, 4, 5)
    trial.use({ inputTokens: 700 })
    trial.dateMs = dateMs
    assert.equal(inWords(trial.refused({ inputTokens: 301 })), `key tokensPerDay ${12 * 3_600_000}`)
    trial.pass(12 * 3_600_000)
    trial.use({ inputTokens: 1000 })
    assert.equal(inWords(trial.refused({ inputTokens: 301 })), `key tokensPerMonth ${5 * 86_400_000}`)
  })
})

suite('limits: calls at once', () => {
  test('as many as the limit are under way, and one more when one of them has ended', () => {
    const trial = new Trial({ callsAtOnce: 2 })
    const call = trial.take()
    trial.take()
    const refusal = trial.refused()
    assert.equal(inWords(refusal), 'key callsAtOnce unknown')
    assert.deepEqual([refusal.left, refusal.resetMs], [0, undefined])
    trial.settle(call)
    trial.take()
    trial.refused()
  })

  test('none at once is never', () => {
    assert.equal(inWords(new Trial({ callsAtOnce: 0 }).refused()), 'key callsAtOnce never')
  })

  test('a refused call is none under way', () => {
    const trial = new Trial({ callsAtOnce: 1, tokensPerDay: 5 })
    trial.refused({ inputTokens: 6 })
    trial.take()
  })

  test('a worker says that it is full where it has no room for one more, and charges nobody', () => {
    const trial = new Trial({}, {}, limitMemory(8, 2))
    const call = trial.take({ inputTokens: 1 })
    trial.take({ inputTokens: 1 })
    assert.throws(
      () => trial.take({ inputTokens: 1 }),
      (error) => error instanceof Failure && error.kind === 'gateway-full' && error.retryAfterMs === 1000,
    )
    assert.equal(trial.cells().dayTokens, 2)
    assert.equal(trial.cells(ownerSlot).calls, 2)
    trial.settle(call)
    trial.take()
  })
})

suite('limits: a key and its owner', () => {
  test('the owner’s limit binds before the key’s', () => {
    const trial = new Trial({ requestsPerMinute: 60, requestsBurst: 5 }, { requestsPerMinute: 30, requestsBurst: 2 })
    assert.equal(trial.count(), 2)
    assert.equal(inWords(trial.refused()), 'owner requestsPerMinute 2000')
  })

  test('keys of one owner share its limit', () => {
    const trial = new Trial({}, { callsAtOnce: 2 })
    const other = { ...trial.account, keySlot: 6 }
    trial.take()
    trial.account = other
    trial.take()
    assert.equal(inWords(trial.refused()), 'owner callsAtOnce unknown')
  })

  test('the key’s own limits bind too, and are told where both are in the way for as long', () => {
    const trial = new Trial({ requestsPerMinute: 60, requestsBurst: 1 }, { requestsPerMinute: 60, requestsBurst: 1 })
    trial.take()
    assert.equal(inWords(trial.refused()), 'key requestsPerMinute 1000')
  })

  test('what the owner refuses is not taken from the key', () => {
    const trial = new Trial({ requestsPerMinute: 60, tokensPerDay: 100 }, { tokensPerDay: 10 })
    const before = trial.cells()
    trial.refused({ inputTokens: 11 })
    assert.deepEqual(trial.cells(), before)
    assert.equal(trial.cells(ownerSlot).dayTokens, 0)
  })

  test('whichever slot has the lower number', () => {
    const trial = new Trial({}, { callsAtOnce: 1 })
    trial.account = { ...trial.account, keySlot: ownerSlot, ownerSlot: keySlot }
    trial.use({ inputTokens: 3 })
    trial.take()
    trial.refused()
    assert.deepEqual([trial.cells(keySlot).dayTokens, trial.cells(ownerSlot).dayTokens], [3, 3])
  })

  test('a key without an owner shares nothing', () => {
    const trial = new Trial({ callsAtOnce: 1 })
    trial.take()
    assert.equal(trial.cells(ownerSlot).calls, 0)
  })
})

suite('limits: several at once', () => {
  test('the one that is in the way for longest is told', () => {
    const trial = new Trial(
      { requestsPerMinute: 60, requestsBurst: 1, outputTokensPerMinute: 6000 },
      { requestsPerMinute: 6, requestsBurst: 1 },
    )
    trial.take({ outputTokens: 6000 })
    assert.equal(inWords(trial.refused({ outputTokens: 6000 })), 'key outputTokensPerMinute 60000')
    assert.equal(inWords(trial.refused({ outputTokens: 10 })), 'owner requestsPerMinute 10000')
    trial.pass(10_000)
    trial.take({ outputTokens: 10 })
  })

  test('what never fits comes before what does in time', () => {
    const trial = new Trial({ requestsPerMinute: 1, inputTokensPerMinute: 100 })
    trial.take()
    assert.equal(inWords(trial.refused({ inputTokens: 101 })), 'key inputTokensPerMinute never')
  })

  test('a limit whose time is known comes before calls at once, whose time is not', () => {
    const trial = new Trial({ requestsPerMinute: 60, requestsBurst: 1, callsAtOnce: 1 })
    trial.take()
    assert.equal(inWords(trial.refused()), 'key requestsPerMinute 1000')
    trial.pass(1000)
    assert.equal(inWords(trial.refused()), 'key callsAtOnce unknown')
  })
})

suite('limits: what is left', () => {
  test('of each limit the tighter one of key and owner', () => {
    const trial = new Trial(
      { requestsPerMinute: 60, inputTokensPerMinute: 1000, callsAtOnce: 5, tokensPerDay: 10_000 },
      { requestsPerMinute: 30, inputTokensPerMinute: 6000, tokensPerDay: 10_000, nanoDollarsPerMonth: 50 },
    )
    trial.take({ inputTokens: 600, outputTokens: 5, nanoDollars: 30 })
    trial.settle(trial.take({ nanoDollars: 20 }), { nanoDollars: 30 })
    trial.pass(2000)
    assert.deepEqual(trial.table.state(trial.account, trial.at), {
      requestsPerMinute: { scope: 'owner', limit: 30, remaining: 4, resetMs: 2000 },
      inputTokensPerMinute: { scope: 'key', limit: 1000, remaining: 433, resetMs: 34_000 },
      callsAtOnce: { scope: 'key', limit: 5, remaining: 4, resetMs: undefined },
      tokensPerDay: { scope: 'key', limit: 10_000, remaining: 9395, resetMs: 12 * 3_600_000 - 2000 },
      nanoDollarsPerMonth: { scope: 'owner', limit: 50, remaining: 0, resetMs: 5.5 * 86_400_000 - 2000 },
    })
  })

  test('to look changes nothing, not even when a new day has come', () => {
    const trial = new Trial({ tokensPerDay: 10 })
    trial.use({ inputTokens: 10 })
    const before = trial.cells()
    trial.pass(86_400_000)
    assert.equal(trial.table.state(trial.account, trial.at).tokensPerDay?.remaining, 10)
    assert.deepEqual(trial.cells(), before)
  })

  test('nothing is told of what has no limit', () => {
    const trial = new Trial({}, {})
    assert.deepEqual(trial.table.state(trial.account, trial.at), {})
  })
})

suite('limits: what is known from before', () => {
  const known = { dayTokens: 70, monthTokens: 700, dayNano: 7, monthNano: 77 }

  test('the ledger’s counts go on', () => {
    const trial = new Trial({
      tokensPerDay: 100,
      tokensPerMonth: 1000,
      nanoDollarsPerDay: 10,
      nanoDollarsPerMonth: 100,
    })
    trial.table.restore(keySlot, known, trial.at)
    const { tokensPerDay, tokensPerMonth, nanoDollarsPerDay, nanoDollarsPerMonth } = trial.table.state(
      trial.account,
      trial.at,
    )
    const left = [tokensPerDay, tokensPerMonth, nanoDollarsPerDay, nanoDollarsPerMonth].map((one) => one?.remaining)
    assert.deepEqual(left, [30, 300, 3, 23])
  })

  test('a bucket that was not full is not', () => {
    const trial = new Trial({ requestsPerMinute: 60, requestsBurst: 1, outputTokensPerMinute: 6000 })
    trial.table.restore(keySlot, { ...known, requestsFullMs: 400, outputFullMs: 30_000 }, trial.at)
    assert.equal(trial.refused().retryAfterMs, 400)
    trial.pass(400)
    assert.equal(trial.refused({ outputTokens: 6000 }).retryAfterMs, 29_600)
  })

  test('calls under way are in it, and settle as always', () => {
    const trial = new Trial({})
    const call = trial.take({ inputTokens: 50 })
    trial.table.restore(keySlot, known, trial.at)
    assert.equal(trial.cells().dayTokens, 120)
    trial.settle(call, { inputTokens: 20 })
    assert.deepEqual([trial.cells().dayTokens, trial.cells().monthTokens, trial.cells().calls], [90, 720, 0])
  })
})

suite('limits: misuse', () => {
  test('a reservation is settled once', () => {
    const trial = new Trial({})
    const call = trial.take({ inputTokens: 5 })
    trial.settle(call)
    assert.throws(() => trial.settle(call), /settled twice/)
    assert.equal(trial.cells().calls, 0)
  })

  test('a slot that is not there is said', () => {
    const trial = new Trial({})
    for (const slot of [-1, 8, 1.5, Number.NaN]) {
      trial.account = { ...trial.account, keySlot: slot }
      assert.throws(() => trial.ask(), RangeError)
    }
  })

  test('a key is not its own owner', () => {
    const trial = new Trial({}, {})
    trial.account = { ...trial.account, ownerSlot: keySlot }
    assert.throws(() => trial.ask(), /key and of its owner/)
  })

  test('a worker that is not there is said', () => {
    for (const worker of [-1, 64, 1.5, Number.NaN])
      assert.throws(() => new LimitTable(smallMemory(), worker), RangeError)
  })
})

test('limits: a hundred thousand keys take less than a kilobyte each, all that belongs to them included', () => {
  assert.ok(slotBytes <= 256)
  assert.ok(limitMemory(100_000).byteLength / 100_000 < 1024)
})

test('limits: workers see one another’s calls', () => {
  const trial = new Trial({ callsAtOnce: 1 })
  const elsewhere = new LimitTable(trial.memory, 1)
  const call = trial.take({ inputTokens: 9 })
  assert.equal(elsewhere.reserve(trial.account, call.asked, trial.at).type, 'refused')
  trial.settle(call)
  assert.equal(elsewhere.reserve(trial.account, call.asked, trial.at).type, 'reserved')
  assert.equal(slotCellsOf(trial.memory, keySlot).dayTokens, 18)
})
