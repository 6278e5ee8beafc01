import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../core/failure.ts'
import { inWords, rulesWith, Trial, type Otherwise } from './testing.ts'

/** Opens it; its time is over after 5 s. */
function opened(place: Trial): void {
  place.bad('vendor-broken', 5)
}

/** Opens it, and waits until it may have a probe. */
function halfOpen(place: Trial): void {
  opened(place)
  place.pass(5000)
}

const cases: [sentence: string, story: (place: Trial) => void, standing: string, rules?: Otherwise][] = [
  ['four failures in a row do not open it', (place) => place.bad('vendor-broken', 4), 'well'],
  ['five do', opened, 'resting failing 5000'],
  [
    'whatever broke',
    (place) => {
      for (const kind of [
        'vendor-slow',
        'vendor-cut',
        'vendor-unreachable',
        'vendor-unreadable',
        'vendor-overloaded',
      ] as const) {
        place.bad(kind)
      }
    },
    'resting failing 5000',
  ],
  [
    'however long apart',
    (place) => {
      for (let time = 0; time < 5; time += 1) {
        place.pass(3_600_000)
        place.bad('vendor-broken')
      }
    },
    'resting failing 5000',
  ],
  [
    'a good answer breaks the row',
    (place) => {
      place.bad('vendor-broken', 4)
      place.good()
      place.bad('vendor-broken', 4)
    },
    'well',
  ],
  [
    'a limit, a refusal and a request’s own fault neither count nor break the row',
    (place) => {
      place.bad('vendor-broken', 4)
      place.bad('vendor-limit', 1, 10)
      place.bad('request-invalid', 5)
      place.bad('caller-gone', 5)
      place.pass(20)
      assert.equal(place.standing().type, 'well')
      place.bad('vendor-broken')
    },
    'resting failing 5000',
  ],
  [
    'half of ten calls open it',
    (place) => {
      for (let time = 0; time < 5; time += 1) {
        place.good()
        place.bad('vendor-broken')
      }
    },
    'resting failing 5000',
  ],
  [
    'half of nine do not',
    (place) => {
      place.good()
      for (let time = 0; time < 4; time += 1) {
        place.good()
        place.bad('vendor-broken')
      }
    },
    'well',
  ],
  [
    'less than half of many do not',
    (place) => {
      for (let time = 0; time < 50; time += 1) {
        place.good(2)
        place.bad('vendor-broken')
      }
    },
    'well',
  ],
  [
    'calls that say nothing of the place do not make up the ten',
    (place) => {
      for (let time = 0; time < 4; time += 1) {
        place.good()
        place.bad('vendor-broken')
        place.bad('request-invalid', 5)
      }
    },
    'well',
  ],
  [
    'failures from before the window do not count',
    (place) => {
      for (let time = 0; time < 4; time += 1) {
        place.good()
        place.bad('vendor-broken')
      }
      place.pass(11_000)
      place.good()
      place.bad('vendor-broken')
    },
    'well',
  ],
  [
    'those within it do',
    (place) => {
      for (let time = 0; time < 4; time += 1) {
        place.good()
        place.bad('vendor-broken')
      }
      place.pass(9990)
      place.good()
      place.bad('vendor-broken')
    },
    'resting failing 5000',
  ],
  [
    'good answers from before the window do not either',
    (place) => {
      place.good(1000)
      place.pass(11_000)
      for (let time = 0; time < 5; time += 1) {
        place.good()
        place.bad('vendor-broken')
      }
    },
    'resting failing 5000',
  ],
  [
    'more failures do not keep it open longer',
    (place) => {
      opened(place)
      place.pass(2000)
      place.bad('vendor-broken', 50)
    },
    'resting failing 3000',
  ],
  [
    'a good answer does not close it while it is open: the call may be from before',
    (place) => {
      opened(place)
      place.good(10)
    },
    'resting failing 5000',
  ],
  [
    'it is left alone for its time',
    (place) => {
      opened(place)
      place.pass(4999)
    },
    'resting failing 1',
  ],
  ['and may have a probe then', halfOpen, 'probe'],
  [
    'not one before',
    (place) => {
      opened(place)
      place.pass(4999)
      assert.equal(place.probe(), false)
    },
    'resting failing 1',
  ],
  [
    'while a probe is under way it rests on',
    (place) => {
      halfOpen(place)
      assert.ok(place.rung.claimProbe(place.rules, 30_000))
      place.pass(1000)
    },
    'resting failing 29000',
  ],
  [
    'there is one probe at a time',
    (place) => {
      halfOpen(place)
      assert.ok(place.rung.claimProbe(place.rules, 30_000))
      assert.equal(place.rung.claimProbe(place.rules, 30_000), false)
      assert.equal(place.elsewhere().claimProbe(place.rules, 30_000), false)
    },
    'resting failing 30000',
  ],
  [
    'a probe of which nothing is heard makes room after its lease',
    (place) => {
      halfOpen(place)
      assert.ok(place.elsewhere().claimProbe(place.rules, 30_000))
      place.pass(30_000)
    },
    'probe',
  ],
  [
    'a probe that outlived its lease does not free the place of the next',
    (place) => {
      halfOpen(place)
      const elsewhere = place.elsewhere()
      assert.ok(elsewhere.claimProbe(place.rules, 1000))
      place.pass(1000)
      assert.ok(place.rung.claimProbe(place.rules, 30_000))
      elsewhere.ended({ failure: undefined, contentMs: undefined, probe: true }, place.rules)
    },
    'resting failing 30000',
  ],
  [
    'nor where both are of one thread',
    (place) => {
      halfOpen(place)
      assert.ok(place.rung.claimProbe(place.rules, 1000))
      place.pass(1000)
      assert.ok(place.rung.claimProbe(place.rules, 30_000))
      place.rung.ended({ failure: undefined, contentMs: undefined, probe: true }, place.rules)
    },
    'resting failing 30000',
  ],
  [
    'a probe that was not made gives its place back',
    (place) => {
      halfOpen(place)
      assert.ok(place.rung.claimProbe(place.rules, 30_000))
      place.rung.releaseProbe()
    },
    'probe',
  ],
  [
    'a place that is given back twice is given back once',
    (place) => {
      halfOpen(place)
      place.rung.releaseProbe()
      assert.ok(place.rung.claimProbe(place.rules, 30_000))
    },
    'resting failing 30000',
  ],
  [
    'a failed probe opens it for twice as long',
    (place) => {
      halfOpen(place)
      assert.ok(place.probe('vendor-broken'))
    },
    'resting failing 10000',
  ],
  [
    'and so on, up to a most',
    (place) => {
      opened(place)
      for (const ms of [5000, 10_000, 20_000, 40_000, 60_000]) {
        assert.equal(inWords(place.standing()), `resting failing ${ms}`)
        place.pass(ms)
        assert.ok(place.probe('vendor-slow'))
      }
    },
    'resting failing 60000',
  ],
  [
    'a limited probe tells nothing, and frees the place',
    (place) => {
      halfOpen(place)
      assert.ok(place.rung.claimProbe(place.rules, 30_000))
      place.bad('vendor-limit', 1, 10)
      assert.equal(place.rung.standing(rulesWith({ cooldown: { enabled: false } })).type, 'resting')
      place.rung.releaseProbe()
      place.pass(10)
      assert.ok(place.probe('vendor-limit'))
      place.pass(1000)
    },
    'probe',
  ],
  [
    'neither does a probe whose caller left',
    (place) => {
      halfOpen(place)
      assert.ok(place.probe('caller-gone'))
    },
    'probe',
  ],
  [
    'two good probes do not close it',
    (place) => {
      halfOpen(place)
      assert.ok(place.probe() && place.probe())
    },
    'probe',
  ],
  [
    'three do',
    (place) => {
      halfOpen(place)
      assert.ok(place.probe() && place.probe() && place.probe())
    },
    'well',
  ],
  [
    'they must be in a row',
    (place) => {
      halfOpen(place)
      assert.ok(place.probe() && place.probe() && place.probe('vendor-broken'))
      place.pass(10_000)
      assert.ok(place.probe() && place.probe())
    },
    'probe',
  ],
  [
    'a good answer of any call counts as a good probe once its time is over',
    (place) => {
      halfOpen(place)
      place.good(3)
    },
    'well',
  ],
  [
    'one that came while it was open does not',
    (place) => {
      opened(place)
      place.good(2)
      place.pass(5000)
      place.good(2)
    },
    'probe',
  ],
  [
    'a failure of a call that is no probe does not open it again: it may be from before',
    (place) => {
      halfOpen(place)
      place.bad('vendor-slow', 20)
    },
    'probe',
  ],
  [
    'but breaks the row of good ones',
    (place) => {
      halfOpen(place)
      place.good(2)
      place.bad('vendor-slow')
      place.good(2)
    },
    'probe',
  ],
  [
    'closed again, old failures in the window do not open it at once',
    (place) => {
      for (let time = 0; time < 30; time += 1) place.bad('vendor-broken')
      place.pass(5000)
      assert.ok(place.probe() && place.probe() && place.probe())
      place.bad('vendor-broken', 4)
      place.good(4)
      place.bad('vendor-broken')
    },
    'well',
    { breaker: { windowMs: 60_000 } },
  ],
  [
    'closed again, new failures open it as before',
    (place) => {
      halfOpen(place)
      assert.ok(place.probe('vendor-broken'))
      place.pass(10_000)
      assert.ok(place.probe() && place.probe() && place.probe())
      place.bad('vendor-broken', 5)
    },
    'resting failing 5000',
  ],
  [
    'closed again, a new share opens it as before',
    (place) => {
      halfOpen(place)
      assert.ok(place.probe() && place.probe() && place.probe())
      for (let time = 0; time < 5; time += 1) {
        place.good()
        place.bad('vendor-broken')
      }
    },
    'resting failing 5000',
  ],
  [
    'closed and open again, three more good probes are needed',
    (place) => {
      halfOpen(place)
      assert.ok(place.probe() && place.probe() && place.probe())
      halfOpen(place)
      assert.ok(place.probe() && place.probe())
    },
    'probe',
  ],
  [
    'what a vendor said comes first',
    (place) => {
      opened(place)
      place.bad('vendor-overloaded', 1, 1000)
    },
    'barred failing 1000',
  ],
  [
    'that it fails comes before other reasons to rest, though they last longer',
    (place) => {
      place.bad('vendor-refuses')
      opened(place)
    },
    'resting failing 5000',
  ],
  [
    'another reason to rest comes before a probe',
    (place) => {
      place.bad('vendor-refuses')
      halfOpen(place)
    },
    'resting refused 55000',
  ],
  [
    'where it is off, it never opens',
    (place) => place.bad('vendor-broken', 100),
    'well',
    { breaker: { enabled: false } },
  ],
  [
    'and there is no probe',
    (place) => {
      place.bad('vendor-broken', 100)
      assert.equal(place.probe(), false)
    },
    'well',
    { breaker: { enabled: false } },
  ],
]

/** Where the clock stands when a story begins: the 32 bits of the ticks come round in the later ones. */
const starts = [0, 1_000_000, 2 ** 31 * 10 - 3000, 2 ** 32 * 10 - 3000]

for (const [sentence, story, standing, rules] of cases) {
  test(`breaker: ${sentence}`, () => {
    for (const nowMs of starts) {
      const place = new Trial(rules, nowMs)
      story(place)
      assert.equal(inWords(place.standing()), standing, `from ${nowMs}`)
    }
  })
}

test('breaker: a ladder whose breaker is off neither sees nor changes that it is open for others', () => {
  const place = new Trial()
  const off = rulesWith({ breaker: { enabled: false } })
  const failure = new Failure('vendor-broken', 'x')
  for (let time = 0; time < 20; time += 1) place.rung.ended({ failure, contentMs: undefined, probe: false }, off)
  assert.equal(place.standing().type, 'well')
  opened(place)
  assert.equal(place.rung.standing(off).type, 'well')
  place.pass(5000)
  for (let time = 0; time < 3; time += 1)
    place.rung.ended({ failure: undefined, contentMs: undefined, probe: false }, off)
  assert.equal(place.standing().type, 'probe')
})

test('breaker: failures in a row are told until an answer is good', () => {
  const place = new Trial()
  place.bad('vendor-broken', 3)
  place.bad('vendor-limit', 1, 10)
  assert.equal(place.standing().failuresInRow, 3)
  place.bad('vendor-broken', 4)
  assert.equal(place.standing().failuresInRow, 7)
  place.good()
  assert.equal(place.standing().failuresInRow, 0)
})

test('breaker: all threads see it open, and one of them gets the probe', () => {
  const place = new Trial()
  const elsewhere = place.elsewhere()
  opened(place)
  assert.equal(inWords(elsewhere.standing(place.rules)), 'resting failing 5000')
  place.pass(5000)
  assert.deepEqual(
    [elsewhere, place.rung, elsewhere].map((rung) => rung.claimProbe(place.rules, 1000)),
    [true, false, false],
  )
})
