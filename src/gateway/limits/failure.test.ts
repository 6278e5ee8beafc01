import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Limits } from '../../core/plan.ts'
import { limitFailure } from './failure.ts'
import type { Amounts } from './refusal.ts'
import { Trial } from './testing.ts'
import { durationInWords } from './words.ts'

const url = 'https://example.com/plans'

interface Case {
  key?: Limits
  owner?: Limits
  /** What calls have used before, and what one under way has set aside. */
  used?: Partial<Amounts>
  held?: Partial<Amounts>
  ask?: Partial<Amounts>
  /** Where it is not noon. */
  date?: string
  kind: 'plan-limit' | 'plan-budget'
  retryAfterMs?: number
  message: string
  fix: string
}

const cases: Record<string, Case> = {
  'a rate says when the call can be made': {
    key: { requestsPerMinute: 6 },
    used: {},
    kind: 'plan-limit',
    retryAfterMs: 10_000,
    message:
      'This key may have 6 requests a minute (plan "team"); the call needs 1 request, and 0 are left. It can be made in 10 seconds.',
    fix: `Wait 10 seconds, or get a larger plan: ${url}.`,
  },
  'a rate of the owner is told as the owner’s': {
    owner: { outputTokensPerMinute: 6000 },
    used: { outputTokens: 5500 },
    ask: { outputTokens: 4096 },
    kind: 'plan-limit',
    retryAfterMs: 35_960,
    message:
      'All keys of this key\'s owner together may have 6,000 output tokens a minute (plan "team"); the call needs up to 4,096 output tokens, and 500 are left. It can be made in 36 seconds.',
    fix: `Wait 36 seconds, or get a larger plan: ${url}.`,
  },
  'calls at once have no time': {
    key: { callsAtOnce: 1 },
    held: {},
    kind: 'plan-limit',
    message: 'This key may have 1 call at once (plan "team"), and as many are under way.',
    fix: `Ask again when one of them has ended, or get a larger plan: ${url}.`,
  },
  'a day that is used up is a budget': {
    key: { tokensPerDay: 1000 },
    used: { inputTokens: 999 },
    ask: { inputTokens: 5 },
    kind: 'plan-budget',
    retryAfterMs: 43_200_000,
    message:
      'This key may have 1,000 tokens a day (plan "team"); the call needs up to 5 tokens, and 1 is left. It can be made in 12 hours.',
    fix: `Wait for the next day, or get a larger plan: ${url}.`,
  },
  'a month’s money is told in dollars': {
    owner: { nanoDollarsPerMonth: 5_000_000_000 },
    used: { nanoDollars: 4_900_000_000 },
    ask: { nanoDollars: 250_000_000 },
    kind: 'plan-budget',
    retryAfterMs: 5.5 * 86_400_000,
    message:
      'All keys of this key\'s owner together may have $5.00 a month (plan "team"); the call needs up to $0.25, and $0.10 is left. It can be made in 5 days and 12 hours.',
    fix: `Wait for the next month, or get a larger plan: ${url}.`,
  },
  'a day that is over in half a minute is waited for': {
    key: { tokensPerDay: 1000 },
    used: { inputTokens: 1000 },
    ask: { inputTokens: 5 },
    date: '2026-11-25T23:59:30Z',
    kind: 'plan-limit',
    retryAfterMs: 30_000,
    message:
      'This key may have 1,000 tokens a day (plan "team"); the call needs up to 5 tokens, and 0 are left. It can be made in 30 seconds.',
    fix: `Wait 30 seconds, or get a larger plan: ${url}.`,
  },
  'a day is not used up by what calls under way may give back': {
    key: { tokensPerDay: 1000 },
    used: { inputTokens: 500 },
    held: { outputTokens: 450 },
    ask: { inputTokens: 500 },
    kind: 'plan-limit',
    message:
      'This key may have 1,000 tokens a day (plan "team"); the call needs up to 500 tokens, and 50 are left. Calls under way have set 450 tokens aside.',
    fix: `Ask again when some of them have ended, or get a larger plan: ${url}.`,
  },
  'it is where they cannot give back enough': {
    key: { tokensPerDay: 1000 },
    used: { inputTokens: 950 },
    held: { outputTokens: 50 },
    ask: { inputTokens: 100 },
    kind: 'plan-budget',
    retryAfterMs: 43_200_000,
    message:
      'This key may have 1,000 tokens a day (plan "team"); the call needs up to 100 tokens, and 0 are left. It can be made in 12 hours.',
    fix: `Wait for the next day, or get a larger plan: ${url}.`,
  },
  'a prompt that never fits should be shorter': {
    key: { inputTokensPerMinute: 20_000 },
    ask: { inputTokens: 30_000 },
    kind: 'plan-budget',
    message:
      'This key may have 20,000 input tokens a minute (plan "team"); the call needs up to 30,000 input tokens, more than there can ever be.',
    fix: `Send a shorter conversation, or get a larger plan: ${url}.`,
  },
  'an answer that never fits should be shorter': {
    key: { nanoDollarsPerDay: 1_000_000 },
    ask: { nanoDollars: 30_000_000 },
    kind: 'plan-budget',
    message: 'This key may have $0.001 a day (plan "team"); the call needs up to $0.03, more than there can ever be.',
    fix: `Ask for fewer tokens, or get a larger plan: ${url}.`,
  },
  'a plan with nothing in it says so': {
    key: { requestsPerMinute: 0 },
    kind: 'plan-budget',
    message: 'This key may have 0 requests a minute (plan "team"); no call fits into that.',
    fix: `Get a larger plan: ${url}.`,
  },
}

suite('limits: as a failure', () => {
  for (const [sentence, one] of Object.entries(cases)) {
    test(sentence, () => {
      const trial = new Trial(one.key ?? {}, one.owner)
      if (one.date !== undefined) trial.passTo(one.date)
      if (one.used !== undefined) trial.use(one.used)
      if (one.held !== undefined) trial.take(one.held)
      const failure = limitFailure(trial.refused(one.ask), { name: 'team', upgradeUrl: url })
      assert.deepEqual(
        { kind: failure.kind, retryAfterMs: failure.retryAfterMs, message: failure.message, fix: failure.fix },
        { kind: one.kind, retryAfterMs: one.retryAfterMs, message: one.message, fix: one.fix },
      )
    })
  }

  test('without an address for larger plans, the operator is asked', () => {
    const refusal = new Trial({ callsAtOnce: 0 }).refused()
    assert.equal(limitFailure(refusal, { name: 'x' }).fix, 'Ask the operator for a larger plan.')
  })
})

const durations: [ms: number, words: string][] = [
  [0, '1 second'],
  [1, '1 second'],
  [1001, '2 seconds'],
  [59_000, '59 seconds'],
  [59_001, '1 minute'],
  [61_000, '1 minute and 1 second'],
  [3_599_001, '1 hour'],
  [3_660_000, '1 hour and 1 minute'],
  [19 * 3_600_000 + 12 * 60_000, '19 hours and 12 minutes'],
  [86_400_000, '1 day'],
  [86_399_999, '1 day'],
  [3 * 86_400_000 + 4 * 3_600_000 - 1, '3 days and 4 hours'],
]
for (const [ms, words] of durations) test(`${ms} ms are ${words}`, () => assert.equal(durationInWords(ms), words))
