import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rulesWith, Trial, type Otherwise } from './testing.ts'

/** How many retries can be claimed at once, at most so many. */
function claimed(place: Trial, most: number, leaseMs?: number): number {
  let count = 0
  while (count < most && place.retry(leaseMs)) count += 1
  return count
}

/** Retries that leave no place taken behind. */
function passed(place: Trial, times: number): void {
  for (let time = 0; time < times; time += 1) {
    place.retry()
    place.rung.releaseRetry()
  }
}

const none: Otherwise = { budget: { floor: 0 } }

const cases: [sentence: string, story: (place: Trial) => void, retries: number, rules?: Otherwise][] = [
  ['with no calls, as many as the floor', () => {}, 3],
  ['with no calls and no floor, none', () => {}, 0, none],
  ['a tenth of the tries of late', (place) => place.begun(100), 10, none],
  ['a little more than tries divide into makes one more', (place) => place.begun(101), 11, none],
  ['fewer than a tenth makes one', (place) => place.begun(3), 1, none],
  [
    'those made already count, though they are over',
    (place) => {
      place.begun(100)
      passed(place, 8)
    },
    2,
    none,
  ],
  [
    'those that were not admitted do not',
    (place) => {
      place.begun(20)
      claimed(place, 50)
      place.begun(10)
    },
    1,
    none,
  ],
  [
    'tries from before the window do not count',
    (place) => {
      place.begun(1000)
      place.pass(11_000)
    },
    0,
    none,
  ],
  [
    'those within it do',
    (place) => {
      place.begun(50)
      place.pass(9990)
    },
    5,
    none,
  ],
  [
    'retries from before the window do not count either',
    (place) => {
      place.begun(50)
      passed(place, 5)
      place.pass(11_000)
      place.begun(50)
    },
    5,
    none,
  ],
  ['the floor counts those under way, not those that are over', (place) => passed(place, 100), 3],
  [
    'one that is given back makes room for one',
    (place) => {
      claimed(place, 3)
      place.rung.releaseRetry()
    },
    1,
  ],
  [
    'those that the share admitted are under way too',
    (place) => {
      place.begun(100)
      claimed(place, 10)
      place.pass(11_000)
    },
    0,
  ],
  [
    'until so many are over that the floor has room',
    (place) => {
      place.begun(100)
      claimed(place, 10)
      place.pass(11_000)
      for (let time = 0; time < 9; time += 1) place.rung.releaseRetry()
    },
    2,
  ],
  [
    'of more than can be told apart, those beyond go first',
    (place) => {
      place.begun(400)
      claimed(place, 40)
      place.pass(11_000)
      for (let time = 0; time < 24; time += 1) place.rung.releaseRetry()
    },
    0,
    { budget: { floor: 16 } },
  ],
  [
    'and then make room one by one',
    (place) => {
      place.begun(400)
      claimed(place, 40)
      place.pass(11_000)
      for (let time = 0; time < 26; time += 1) place.rung.releaseRetry()
    },
    2,
    { budget: { floor: 16 } },
  ],
  [
    'one that is never given back makes room after its lease',
    (place) => {
      for (let time = 0; time < 3; time += 1) assert.ok(place.elsewhere().claimRetry(place.rules, 1000))
      assert.equal(place.standing().retries, false)
      place.pass(1000)
    },
    3,
  ],
  [
    'not before',
    (place) => {
      claimed(place, 3, 1000)
      place.pass(999)
    },
    0,
  ],
  [
    'one that outlived its lease does not free the place of another',
    (place) => {
      const elsewhere = place.elsewhere()
      for (let time = 0; time < 3; time += 1) assert.ok(elsewhere.claimRetry(place.rules, 1000))
      place.pass(1000)
      claimed(place, 3)
      for (let time = 0; time < 3; time += 1) elsewhere.releaseRetry()
    },
    0,
  ],
  [
    'to give back what was not taken frees nothing',
    (place) => {
      claimed(place, 3)
      place.elsewhere().releaseRetry()
    },
    0,
  ],
  ['where it is off, as many as are asked for', (place) => void claimed(place, 50), 50, { budget: { enabled: false } }],
  ['a share of all is no more than the tries', (place) => place.begun(20), 20, { budget: { share: 1, floor: 0 } }],
  ['a share of none leaves the floor', (place) => place.begun(1000), 3, { budget: { share: 0 } }],
]

/** Where the clock stands when a story begins: the 32 bits of the ticks come round in the later ones. */
const starts = [0, 1_000_000, 2 ** 31 * 10 - 3000, 2 ** 32 * 10 - 3000]

for (const [sentence, story, retries, rules] of cases) {
  test(`budget: ${sentence}`, () => {
    for (const nowMs of starts) {
      const place = new Trial(rules, nowMs)
      story(place)
      assert.equal(claimed(place, 50), retries, `from ${nowMs}`)
    }
  })
}

test('budget: a standing tells whether a claim would succeed, and takes nothing', () => {
  const place = new Trial()
  place.begun(50)
  for (let time = 0; time < 20; time += 1) {
    for (let look = 0; look < 5; look += 1) place.standing()
    const { retries } = place.standing()
    assert.equal(place.retry(), retries)
  }
  assert.equal(place.standing().retries, false)
  place.pass(30_000)
  assert.equal(place.standing().retries, true)
})

test('budget: one ladder’s retries count for another with other rules', () => {
  const place = new Trial()
  const more = rulesWith({ budget: { floor: 5 } })
  for (let time = 0; time < 3; time += 1) assert.ok(place.retry())
  assert.equal(place.retry(), false)
  assert.deepEqual(
    [1, 2, 3].map(() => place.rung.claimRetry(more, 1000)),
    [true, true, false],
  )
})

test('budget: where it is off, a standing says so too', () => {
  const place = new Trial({ budget: { enabled: false, floor: 0 } })
  assert.equal(place.standing().retries, true)
})
