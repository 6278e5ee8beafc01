import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { Failure, failures, type FailureKind } from './failure.ts'
import {
  nextStep,
  Secret,
  verdict,
  type Credential,
  type Ladder,
  type Moment,
  type RetryRules,
  type Rung,
  type Standing,
  type Step,
  type Try,
} from './ladder.ts'

const rules: RetryRules = {
  enabled: true,
  triesMax: 3,
  triesMaxRetried: 2,
  triesLastRung: 2,
  waitMsMax: 2000,
  backoffMs: 50,
  backoffLimitedMs: 500,
  backoffMsMax: 2000,
}

/** Rungs by their levels: `[0, 0, 1]` is a model by two credentials and another model. */
function ladder(levels: number[], over: Partial<RetryRules> = {}, origins: string[] = []): Ladder {
  const rungs = levels.map((level, index) => {
    const credential = { name: `key-${index}`, origin: origins[index] ?? 'https://one' } as Credential
    return { level, credential } as Rung
  })
  return { name: 'test', rungs, retries: { ...rules, ...over }, hedgeAfterMs: undefined }
}

const well: Standing = { type: 'well', forMs: 0, failuresInRow: 0, retries: true }
const resting = (reason: Standing['reason'], forMs = 5000): Standing => ({
  ...well,
  type: 'resting',
  ...(reason && { reason }),
  forMs,
})
const barred = (forMs: number): Standing => ({ ...well, type: 'barred', forMs })

interface When extends Partial<Omit<Moment, 'standing' | 'random'>> {
  standings?: Record<number, Partial<Standing>>
  random?: number
}

function moment({ standings = {}, random = 0.5, ...over }: When = {}): Moment {
  return {
    elapsedMs: 1000,
    waitedMs: 0,
    untilMs: 600_000,
    retried: false,
    ...over,
    standing: (rung) => ({ ...well, ...standings[rung] }),
    random: () => random,
  }
}

const failed = (rung: number, kind: FailureKind, details: ConstructorParameters<typeof Failure>[2] = {}): Try => ({
  rung,
  failure: new Failure(kind, 'x', details),
  atMs: 1000,
})
const unfit = (rung: number, kind: FailureKind = 'unsupported'): Try => ({ ...failed(rung, kind), unfit: true })

/** A step in a word: `2` (try rung 2 at once), `0 after 25`, `1 as probe`, `stop`, `stop, back in 3000`. */
function told(step: Step): string {
  if (step.type === 'stop') return step.back === undefined ? 'stop' : `stop, back in ${step.back.forMs}`
  return `${step.rung}${step.waitMs > 0 ? ` after ${step.waitMs}` : ''}${step.claim === undefined ? '' : ` as ${step.claim}`}`
}

type Case = [sentence: string, ladder: Ladder, tries: Try[], next: string, when?: When]

const groups: Record<string, Case[]> = {
  'where a call begins': [
    ['at the first rung', ladder([0, 1]), [], '0'],
    ['below a rung that rests', ladder([0, 1]), [], '1', { standings: { 0: resting('failing') } }],
    ['below a rung whose vendor said when to come back', ladder([0, 1]), [], '1', { standings: { 0: barred(9000) } }],
    ['below a rung that has as many calls as it may', ladder([0, 1]), [], '1', { standings: { 0: { type: 'full' } } }],
    [
      'as a probe of a rung that was failing',
      ladder([0, 1]),
      [],
      '0 as probe',
      { standings: { 0: { type: 'probe' } } },
    ],
    ['at the only rung, though it rests', ladder([0]), [], '0', { standings: { 0: resting('failing') } }],
    [
      'at the rung that rests for the shortest, where all rest',
      ladder([0, 1]),
      [],
      '1',
      { standings: { 0: resting('failing', 9000), 1: resting('refused', 100) } },
    ],
    [
      'at a rung that rests rather than one that said when',
      ladder([0, 1]),
      [],
      '1',
      { standings: { 0: barred(100), 1: resting('failing') } },
    ],
    [
      'after a short time that the vendor asked for, where nobody else is',
      ladder([0]),
      [],
      '0 after 1050',
      { standings: { 0: barred(1000) } },
    ],
    [
      'not at all, where the time asked for is too long to wait',
      ladder([0]),
      [],
      'stop, back in 3000',
      { standings: { 0: barred(3000) } },
    ],
    [
      'not at all, where waiting is switched off',
      ladder([0], { enabled: false }),
      [],
      'stop, back in 100',
      { standings: { 0: barred(100) } },
    ],
    [
      'not at all, and back at the soonest time, where all said when',
      ladder([0, 1]),
      [],
      'stop, back in 4000',
      { standings: { 0: barred(9000), 1: barred(4000) } },
    ],
    ['not at all, where all are full', ladder([0]), [], 'stop, back in 1000', { standings: { 0: { type: 'full' } } }],
    [
      'not at all, and back soon, where one is full and the other must be left alone for long',
      ladder([0, 1]),
      [],
      'stop, back in 1000',
      { standings: { 0: barred(9000), 1: { type: 'full' } } },
    ],
    [
      'for a caller’s own retry, at the rung with the fewest failures',
      ladder([0, 1]),
      [],
      '1',
      { retried: true, standings: { 0: { failuresInRow: 1 } } },
    ],
    [
      'for a first try at the first rung, though it has failed a little',
      ladder([0, 1]),
      [],
      '0',
      { standings: { 0: { failuresInRow: 1 } } },
    ],
  ],
  'what stops a call': [
    ['a caller’s own mistake', ladder([0, 1]), [failed(0, 'request-invalid')], 'stop'],
    ['a caller who has left', ladder([0, 1]), [failed(0, 'caller-gone')], 'stop'],
    ['a bug of ours', ladder([0, 1]), [failed(0, 'gateway-fault')], 'stop'],
    [
      'three tries',
      ladder([0, 1, 2, 3]),
      [failed(0, 'vendor-broken'), failed(1, 'vendor-broken'), failed(2, 'vendor-broken')],
      'stop',
    ],
    ['as many tries as are allowed', ladder([0, 1, 2], { triesMax: 1 }), [failed(0, 'vendor-broken')], 'stop'],
    [
      'the first try, where retries are switched off',
      ladder([0, 1], { enabled: false }),
      [failed(0, 'vendor-broken')],
      'stop',
    ],
    [
      'also one that was never sent',
      ladder([0, 1], { enabled: false }),
      [failed(0, 'vendor-unreachable', { unsent: true })],
      'stop',
    ],
    ['also one that could not be written', ladder([0, 1], { enabled: false }), [unfit(0)], 'stop'],
    [
      'a caller’s own mistake, though a rung that was tried beside has failed since in another way',
      ladder([0, 1, 2]),
      [failed(0, 'request-invalid'), failed(1, 'vendor-broken')],
      'stop',
    ],
    [
      'two tries of a caller’s own retry',
      ladder([0, 1, 2]),
      [failed(0, 'vendor-broken'), failed(1, 'vendor-broken')],
      'stop',
      { retried: true },
    ],
    ['the end of the caller’s patience', ladder([0, 1]), [failed(0, 'vendor-broken')], 'stop', { elapsedMs: 600_000 }],
  ],
  'to another rung': [
    ['a broken vendor is left at once', ladder([0, 1]), [failed(0, 'vendor-broken')], '1'],
    ['a limited one too', ladder([0, 1]), [failed(0, 'vendor-limit', { retryAfterMs: 100 })], '1'],
    ['a model that cannot do it is left for one that may', ladder([0, 1]), [failed(0, 'unsupported')], '1'],
    [
      'a rung that rests is passed over for one that is well',
      ladder([0, 1, 2]),
      [failed(0, 'vendor-broken')],
      '2',
      { standings: { 1: resting('failing') } },
    ],
    ['a rung that could not be written for is left', ladder([0, 1]), [unfit(0)], '1'],
    [
      'what cannot be written for a later rung says nothing of the next',
      ladder([0, 1, 2]),
      [failed(0, 'vendor-broken'), unfit(1, 'request-invalid')],
      '2',
    ],
    ['a rung that it could not be written for is no try', ladder([0, 1, 2], { triesMax: 1 }), [unfit(0)], '1'],
    [
      'one that was failing is probed',
      ladder([0, 1]),
      [failed(0, 'vendor-broken')],
      '1 as probe',
      { standings: { 1: { type: 'probe' } } },
    ],
    [
      'one that is full is not tried',
      ladder([0, 1]),
      [failed(0, 'unsupported')],
      'stop, back in 1000',
      { standings: { 1: { type: 'full' } } },
    ],
    [
      'one whose vendor said when is waited for, if it is soon',
      ladder([0, 1]),
      [failed(0, 'unsupported')],
      '1 after 420',
      { standings: { 1: barred(400) } },
    ],
    [
      'and told of if it is late',
      ladder([0, 1]),
      [failed(0, 'unsupported')],
      'stop, back in 4000',
      { standings: { 1: barred(4000) } },
    ],
    [
      'but not where the request cannot be written for it',
      ladder([0, 1, 1]),
      [failed(0, 'unsupported'), unfit(1)],
      'stop',
      { standings: { 1: barred(4000), 2: barred(4000) } },
    ],
    [
      'one that rests, where another wait is longer than the caller’s patience',
      ladder([0, 1]),
      [failed(0, 'vendor-limit', { retryAfterMs: 1000 })],
      '1',
      { untilMs: 2000, standings: { 1: resting('failing') } },
    ],
    [
      'the one asked for, though a lower one where the call began has rules that the request breaks',
      ladder([0, 1]),
      [unfit(1, 'request-invalid')],
      '0',
      { standings: { 0: resting('failing') } },
    ],
    [
      'one that rests is the last resort',
      ladder([0, 1]),
      [failed(0, 'vendor-broken'), failed(0, 'vendor-broken')],
      '1',
      { standings: { 1: resting('failing') } },
    ],
  ],
  'to another credential': [
    ['of a vendor that limits this one', ladder([0, 0, 1]), [failed(0, 'vendor-limit')], '1'],
    ['of a vendor that refuses this one', ladder([0, 0, 1]), [failed(0, 'vendor-refuses')], '1'],
    ['of a vendor that has no such model for this one', ladder([0, 0, 1]), [failed(0, 'model-unknown')], '1'],
    [
      'not where the vendor is broken, since it is the same vendor',
      ladder([0, 0, 1]),
      [failed(0, 'vendor-broken')],
      '2',
    ],
    [
      'but where it is used at another address',
      ladder([0, 0, 1], {}, ['https://one', 'https://two']),
      [failed(0, 'vendor-broken')],
      '1',
    ],
    ['not where the model cannot do it', ladder([0, 0, 1]), [failed(0, 'unsupported')], '2'],
    ['not where it could not be written', ladder([0, 0]), [unfit(0)], 'stop'],
  ],
  'again on the same rung': [
    [
      'the last healthy rung once more, after a random part of the backoff',
      ladder([0]),
      [failed(0, 'vendor-broken')],
      '0 after 25 as retry',
    ],
    ['but only once', ladder([0]), [failed(0, 'vendor-broken'), failed(0, 'vendor-broken')], 'stop'],
    [
      'the last of two rungs',
      ladder([0, 1], {}),
      [failed(0, 'unsupported'), failed(1, 'vendor-overloaded')],
      '1 after 25 as retry',
    ],
    [
      'where the other rungs rest',
      ladder([0, 1]),
      [failed(0, 'vendor-broken')],
      '0 after 25 as retry',
      { standings: { 1: resting('failing') } },
    ],
    ['not while another is well', ladder([0, 1]), [failed(0, 'vendor-broken')], '1'],
    [
      'after a longer backoff where the vendor limits',
      ladder([0]),
      [failed(0, 'vendor-limit')],
      '0 after 250 as retry',
      { standings: { 0: resting('limited', 1000) } },
    ],
    [
      'at the time the vendor asked for, and a little more',
      ladder([0]),
      [failed(0, 'vendor-limit', { retryAfterMs: 1000 })],
      '0 after 1050 as retry',
      { standings: { 0: barred(1000) } },
    ],
    [
      'though cooldowns are switched off',
      ladder([0]),
      [failed(0, 'vendor-limit', { retryAfterMs: 1000 })],
      '0 after 1050 as retry',
    ],
    [
      'not where that is longer than a call may wait',
      ladder([0]),
      [failed(0, 'vendor-limit', { retryAfterMs: 2500 })],
      'stop',
      { standings: { 0: barred(2500) } },
    ],
    [
      'not where it has waited already',
      ladder([0]),
      [failed(0, 'vendor-limit', { retryAfterMs: 1000 })],
      'stop',
      { waitedMs: 1500, standings: { 0: barred(1000) } },
    ],
    [
      'not where the caller’s patience ends before',
      ladder([0]),
      [failed(0, 'vendor-limit', { retryAfterMs: 1000 })],
      'stop',
      { elapsedMs: 1000, untilMs: 2000 },
    ],
    [
      'not where the budget of retries is used up',
      ladder([0]),
      [failed(0, 'vendor-broken')],
      'stop',
      { standings: { 0: { retries: false } } },
    ],
    [
      'not where it has failed so often that it rests',
      ladder([0]),
      [failed(0, 'vendor-broken')],
      'stop',
      { standings: { 0: resting('failing') } },
    ],
    ['not for a caller’s own retry', ladder([0]), [failed(0, 'vendor-broken')], 'stop', { retried: true }],
    ['not a credential that was refused', ladder([0]), [failed(0, 'vendor-refuses')], 'stop'],
  ],
  'what was never sent': [
    [
      'is sent again at once where a kept connection had been closed',
      ladder([0, 1]),
      [failed(0, 'vendor-unreachable', { stale: true })],
      '0',
    ],
    [
      'but only once',
      ladder([0, 1]),
      [failed(0, 'vendor-unreachable', { stale: true }), failed(0, 'vendor-unreachable', { stale: true })],
      '1',
    ],
    [
      'not at once where the vendor has asked for a pause meanwhile',
      ladder([0, 1]),
      [failed(0, 'vendor-unreachable', { stale: true })],
      '1',
      { standings: { 0: barred(400) } },
    ],
    [
      'nor where others have filled the rung',
      ladder([0, 1]),
      [failed(0, 'vendor-unreachable', { stale: true })],
      '1',
      { standings: { 0: { type: 'full' } } },
    ],
    [
      'nor after the caller’s patience',
      ladder([0]),
      [failed(0, 'vendor-unreachable', { stale: true })],
      'stop',
      { untilMs: 1000 },
    ],
    [
      'and as the probe of a rung that was failing',
      ladder([0, 1]),
      [failed(0, 'vendor-unreachable', { stale: true })],
      '0 as probe',
      { standings: { 0: { type: 'probe' } } },
    ],
    [
      'goes to another rung where nobody listens',
      ladder([0, 1]),
      [failed(0, 'vendor-unreachable', { unsent: true })],
      '1',
    ],
    [
      'is tried once more where there is no other, free of the budget',
      ladder([0]),
      [failed(0, 'vendor-unreachable', { unsent: true })],
      '0 after 25',
      { standings: { 0: { retries: false } } },
    ],
    [
      'and so where that has to wait for a time that the vendor asked for',
      ladder([0]),
      [failed(0, 'vendor-unreachable', { unsent: true })],
      '0 after 420',
      { standings: { 0: { ...barred(400), retries: false } } },
    ],
    [
      'is no try of the three',
      ladder([0, 1, 2, 3]),
      [failed(0, 'vendor-unreachable', { unsent: true }), failed(1, 'vendor-broken'), failed(2, 'vendor-broken')],
      '3',
    ],
  ],
}

for (const [name, cases] of Object.entries(groups)) {
  suite(`nextStep: ${name}`, () => {
    for (const [sentence, rungs, tries, next, when] of cases) {
      test(sentence, () => assert.equal(told(nextStep(rungs, tries, moment(when))), next))
    }
  })
}

test('nextStep: every kind of failure either stops a call or moves on to another rung', () => {
  for (const [kind, row] of Object.entries(failures)) {
    const step = told(nextStep(ladder([0, 1]), [failed(0, kind as FailureKind)], moment()))
    assert.equal(step, row.moves.length === 0 ? 'stop' : '1', kind)
  }
})

suite('verdict: what a caller is told when nobody has answered', () => {
  const cases: [sentence: string, tries: Try[], elapsedMs: number, kind: FailureKind, retryAfterMs?: number][] = [
    ['the only failure', [failed(0, 'request-invalid')], 1000, 'request-invalid'],
    [
      'the one that a retry can cure soonest',
      [failed(0, 'vendor-limit', { retryAfterMs: 60_000 }), failed(1, 'vendor-limit', { retryAfterMs: 5000 })],
      1000,
      'vendor-limit',
      5000,
    ],
    [
      'with the time that is left',
      [failed(0, 'vendor-limit', { retryAfterMs: 5000 }), failed(1, 'vendor-refuses')],
      3000,
      'vendor-limit',
      3000,
    ],
    [
      'one that may be over at any time before one that said when',
      [failed(0, 'vendor-limit', { retryAfterMs: 5000 }), failed(1, 'vendor-overloaded')],
      1000,
      'vendor-overloaded',
    ],
    [
      'one that a retry can cure before one that it cannot',
      [failed(0, 'prompt-too-long'), failed(1, 'vendor-overloaded')],
      1000,
      'vendor-overloaded',
    ],
    ['else that of the model asked for', [failed(0, 'vendor-refuses'), unfit(1)], 1000, 'vendor-refuses'],
    ['also where it was not asked', [unfit(0), failed(1, 'vendor-refuses')], 1000, 'unsupported'],
    [
      'of one rung the last',
      [failed(0, 'vendor-broken'), failed(0, 'vendor-limit', { retryAfterMs: 5000 })],
      1000,
      'vendor-limit',
      5000,
    ],
  ]
  for (const [sentence, tries, elapsedMs, kind, retryAfterMs] of cases) {
    test(sentence, () => {
      const { failure } = verdict(tries, elapsedMs)
      assert.equal(failure.kind, kind)
      assert.equal(failure.retryAfterMs, retryAfterMs)
    })
  }
})

test('Secret: prints as its beginning and length, wherever it ends up', () => {
  const secret = new Secret('sk-ant-api03-very-secret')
  for (const text of [String(secret), JSON.stringify({ secret }), inspect(secret), inspect({ deep: [secret] })]) {
    assert.ok(!text.includes('secret-') && !text.includes('very'), text)
    assert.ok(text.includes('sk-a'), text)
  }
  assert.equal(secret.reveal(), 'sk-ant-api03-very-secret')
})
