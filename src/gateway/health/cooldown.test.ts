import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../core/failure.ts'
import { inWords, rulesWith, Trial, type Otherwise } from './testing.ts'

const cases: [sentence: string, story: (place: Trial) => void, standing: string, rules?: Otherwise][] = [
  ['a place that nobody has tried is well', () => {}, 'well'],
  [
    'a limit with a time bars it for that time',
    (place) => place.bad('vendor-limit', 1, 20_000),
    'barred limited 20000',
  ],
  [
    'so does an overload, which is told apart',
    (place) => place.bad('vendor-overloaded', 1, 20_000),
    'barred failing 20000',
  ],
  [
    'it is barred until the time is over',
    (place) => {
      place.bad('vendor-limit', 1, 20_000)
      place.pass(19_999)
    },
    'barred limited 1',
  ],
  [
    'and well then',
    (place) => {
      place.bad('vendor-limit', 1, 20_000)
      place.pass(20_000)
    },
    'well',
  ],
  [
    'parts of a tick are rounded away from trying too soon',
    (place) => {
      place.pass(0.4)
      place.bad('vendor-limit', 1, 11)
      place.pass(11)
    },
    'barred limited 9',
  ],
  [
    'a longer time than is believed counts as the longest that is',
    (place) => place.bad('vendor-limit', 1, 7_200_000),
    'barred limited 3600000',
  ],
  [
    'a time that is no number of milliseconds a cell can hold counts so too',
    (place) => place.bad('vendor-limit', 1, Infinity),
    'barred limited 3600000',
  ],
  [
    'a shorter time does not shorten it',
    (place) => {
      place.bad('vendor-limit', 1, 20_000)
      place.bad('vendor-limit', 1, 1000)
    },
    'barred limited 20000',
  ],
  [
    'a later time extends it',
    (place) => {
      place.bad('vendor-limit', 1, 20_000)
      place.pass(10_000)
      place.bad('vendor-limit', 1, 20_000)
    },
    'barred limited 20000',
  ],
  [
    'of two reasons the one that lasts longer is told',
    (place) => {
      place.bad('vendor-limit', 1, 20_000)
      place.bad('vendor-overloaded', 1, 30_000)
    },
    'barred failing 30000',
  ],
  [
    'a good answer does not shorten it',
    (place) => {
      place.bad('vendor-limit', 1, 20_000)
      place.good()
    },
    'barred limited 20000',
  ],
  ['a limit without a time lets it rest', (place) => place.bad('vendor-limit'), 'resting limited 1000'],
  ['a time of 0 says no more than none', (place) => place.bad('vendor-limit', 1, 0), 'resting limited 1000'],
  ['an overload without a time is left to the breaker', (place) => place.bad('vendor-overloaded'), 'well'],
  [
    'a limit after the rest lets it rest twice as long',
    (place) => {
      place.bad('vendor-limit')
      place.pass(1000)
      place.bad('vendor-limit')
    },
    'resting limited 2000',
  ],
  [
    'and so on',
    (place) => {
      for (const ms of [1000, 2000, 4000]) {
        place.bad('vendor-limit')
        place.pass(ms)
      }
      place.bad('vendor-limit')
    },
    'resting limited 8000',
  ],
  [
    'up to a most',
    (place) => {
      for (let time = 0; time < 50; time += 1) {
        place.bad('vendor-limit')
        place.pass(30_000)
      }
      place.bad('vendor-limit')
    },
    'resting limited 30000',
  ],
  [
    'limits that come while it rests are of one wave, and do not double the time',
    (place) => {
      for (let time = 0; time < 20; time += 1) {
        place.bad('vendor-limit')
        place.pass(50)
      }
      place.pass(1000)
      place.bad('vendor-limit')
    },
    'resting limited 2000',
  ],
  [
    'but keep it resting for as long again',
    (place) => {
      place.bad('vendor-limit')
      place.pass(600)
      place.bad('vendor-limit')
    },
    'resting limited 1000',
  ],
  [
    'a good answer ends the rest',
    (place) => {
      place.bad('vendor-limit')
      place.good()
    },
    'well',
  ],
  [
    'and the row of limits',
    (place) => {
      place.bad('vendor-limit')
      place.pass(1000)
      place.bad('vendor-limit')
      place.good()
      place.bad('vendor-limit')
    },
    'resting limited 1000',
  ],
  [
    'limits with a time do not lengthen the rest after one without',
    (place) => {
      place.bad('vendor-limit', 3, 10)
      place.pass(20)
      place.bad('vendor-limit')
    },
    'resting limited 1000',
  ],
  ['a refused credential lets it rest', (place) => place.bad('vendor-refuses'), 'resting refused 60000'],
  [
    'twice as long each time',
    (place) => {
      place.bad('vendor-refuses')
      place.pass(60_000)
      place.bad('vendor-refuses')
    },
    'resting refused 120000',
  ],
  [
    'up to a most of its own',
    (place) => {
      for (let time = 0; time < 10; time += 1) {
        place.bad('vendor-refuses', 3)
        place.pass(1_800_000)
      }
      place.bad('vendor-refuses')
    },
    'resting refused 1800000',
  ],
  [
    'until an answer is good',
    (place) => {
      place.bad('vendor-refuses')
      place.good()
    },
    'well',
  ],
  ['a model that is not there lets it rest', (place) => place.bad('model-unknown'), 'resting missing 300000'],
  [
    'always as long',
    (place) => {
      place.bad('model-unknown')
      place.pass(300_000)
      place.bad('model-unknown')
    },
    'resting missing 300000',
  ],
  [
    'until an answer is good, too',
    (place) => {
      place.bad('model-unknown')
      place.good()
    },
    'well',
  ],
  [
    'of several reasons to rest the one that lasts longest is told',
    (place) => {
      place.bad('vendor-limit')
      place.bad('model-unknown')
      place.bad('vendor-refuses')
    },
    'resting missing 300000',
  ],
  [
    'what the vendor said comes before a longer rest of our own',
    (place) => {
      place.bad('vendor-refuses')
      place.bad('vendor-limit', 1, 5000)
    },
    'barred limited 5000',
  ],
  [
    'the rest goes on when what the vendor said is over',
    (place) => {
      place.bad('vendor-refuses')
      place.bad('vendor-limit', 1, 5000)
      place.pass(5000)
    },
    'resting refused 55000',
  ],
  [
    'a request’s own fault, a caller who left and our own bugs change nothing',
    (place) => {
      for (const kind of [
        'request-invalid',
        'content-refused',
        'caller-gone',
        'gateway-fault',
        'gateway-full',
      ] as const) {
        place.bad(kind, 20, 5000)
      }
    },
    'well',
  ],
  [
    'nor do they end a rest',
    (place) => {
      place.bad('vendor-limit')
      place.bad('caller-gone')
    },
    'resting limited 1000',
  ],
  [
    'where it is off, nothing rests and nothing is barred',
    (place) => {
      place.bad('vendor-limit', 1, 20_000)
      place.bad('vendor-limit')
      place.bad('vendor-refuses')
      place.bad('model-unknown')
    },
    'well',
    { cooldown: { enabled: false } },
  ],
  [
    'a longest time of 0 and a rest of 0 are none',
    (place) => {
      place.bad('vendor-limit', 5)
      place.pass(10)
    },
    'well',
    { cooldown: { limitedMs: 0, limitedMsMax: 0 } },
  ],
]

/** Where the clock stands when a story begins: the 32 bits of the ticks come round in the later ones. */
const starts = [1_000_000, 2 ** 31 * 10 - 300, 2 ** 31 * 10 + 1000, 2 ** 32 * 10 - 300]

for (const [sentence, story, standing, rules] of cases) {
  test(`cooldown: ${sentence}`, () => {
    for (const nowMs of starts) {
      const place = new Trial(rules, nowMs)
      story(place)
      assert.equal(inWords(place.standing()), standing, `from ${nowMs}`)
    }
  })
}

test('cooldown: what one thread learns, all know', () => {
  const place = new Trial()
  const elsewhere = place.elsewhere()
  place.bad('vendor-limit', 1, 20_000)
  assert.equal(inWords(elsewhere.standing(place.rules)), 'barred limited 20000')
})

test('cooldown: a time that passed long ago does not come again when the ticks come round', () => {
  const dayMs = 24 * 3_600_000
  const place = new Trial()
  place.bad('vendor-limit', 1, 3_600_000)
  place.bad('vendor-refuses')
  for (let day = 1; day <= 470; day += 1) {
    place.pass(dayMs)
    assert.equal(inWords(place.standing()), 'well', `after ${day} days`)
  }
})

test('cooldown: how long is settled by who found out, whether it counts by who looks', () => {
  const place = new Trial()
  const off = rulesWith({ cooldown: { enabled: false } })
  const shorter = rulesWith({ cooldown: { statedMsMax: 1000 } })
  place.bad('vendor-limit', 1, 20_000)
  assert.equal(inWords(place.rung.standing(off)), 'well')
  assert.equal(inWords(place.rung.standing(shorter)), 'barred limited 20000')
})

test('cooldown: a shorter rest by another ladder’s rules does not shorten it', () => {
  const place = new Trial()
  const shorter = { ...place.rules, cooldown: { ...place.rules.cooldown, limitedMs: 100 } }
  place.bad('vendor-limit')
  place.rung.ended({ failure: new Failure('vendor-limit', 'x'), contentMs: undefined, probe: false }, shorter)
  assert.equal(inWords(place.standing()), 'resting limited 1000')
})
