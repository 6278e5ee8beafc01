import { Failure } from '../../core/failure.ts'
import type { LimitName, Plan } from '../../core/plan.ts'
import { formatDollars } from '../../core/price.ts'
import type { Refusal } from './refusal.ts'
import { counted, durationInWords } from './words.ts'

/** A day's or month's end that is as near as a rate's is waited for like one. */
const shortWaitMs = 60_000

/**
 * A refusal, as it is told to the caller. `plan-budget`, which says not to ask again, for a day or month that is used up and for what no
 * pause helps. What only calls under way have set aside is a `plan-limit`: they give back what they do not use, nobody knows when.
 */
export function limitFailure(refusal: Refusal, plan: Pick<Plan, 'name' | 'upgradeUrl'>): Failure {
  const { limit, limitValue, asked, left, held, never, retryAfterMs } = refusal
  const larger =
    plan.upgradeUrl === undefined ? 'ask the operator for a larger plan' : `get a larger plan: ${plan.upgradeUrl}`
  const may = `${whose[refusal.scope]} may have ${spanned(limit, limitValue)} (plan "${plan.name}")`
  if (never) return new Failure('plan-budget', `${may}; ${neverFits(refusal)}`, { fix: neverFix(refusal, larger) })
  if (limit === 'callsAtOnce' || retryAfterMs === undefined) {
    return new Failure('plan-limit', `${may}, and as many are under way.`, {
      fix: `Ask again when one of them has ended, or ${larger}.`,
    })
  }
  const needs = `${may}; the call needs ${upTo(limit)}${amount(limit, asked)}, and ${amountLeft(refusal)}.`
  const wait = durationInWords(retryAfterMs)
  if (!isPeriod(limit) || retryAfterMs <= shortWaitMs) {
    return new Failure('plan-limit', `${needs} It can be made in ${wait}.`, {
      retryAfterMs,
      fix: `Wait ${wait}, or ${larger}.`,
    })
  }
  if (asked <= left + held) {
    return new Failure('plan-limit', `${needs} Calls under way have set ${amount(limit, held)} aside.`, {
      fix: `Ask again when some of them have ended, or ${larger}.`,
    })
  }
  return new Failure('plan-budget', `${needs} It can be made in ${wait}.`, {
    retryAfterMs,
    fix: `Wait for the next ${words[limit].per}, or ${larger}.`,
  })
}

const whose = { key: 'This key', owner: "All keys of this key's owner together" } as const

interface Words {
  noun: string
  per?: 'minute' | 'day' | 'month'
}

const words: Readonly<Record<LimitName, Words>> = {
  requestsPerMinute: { noun: 'request', per: 'minute' },
  inputTokensPerMinute: { noun: 'input token', per: 'minute' },
  outputTokensPerMinute: { noun: 'output token', per: 'minute' },
  callsAtOnce: { noun: 'call' },
  tokensPerDay: { noun: 'token', per: 'day' },
  tokensPerMonth: { noun: 'token', per: 'month' },
  nanoDollarsPerDay: { noun: '', per: 'day' },
  nanoDollarsPerMonth: { noun: '', per: 'month' },
}

/** `20,000 input tokens a minute`, `$12.50 a day`, `4 calls at once`. */
function spanned(limit: LimitName, value: number): string {
  const { per } = words[limit]
  return `${amount(limit, value)} ${per === undefined ? 'at once' : `a ${per}`}`
}

function amount(limit: LimitName, value: number): string {
  const { noun } = words[limit]
  return noun === '' ? formatDollars(Math.round(value)) : counted(value, noun)
}

/** What is set aside for a call is the most that it is expected to use. */
function upTo(limit: LimitName): string {
  return limit === 'requestsPerMinute' ? '' : 'up to '
}

function amountLeft({ limit, left }: Refusal): string {
  if (words[limit].noun === '') return `${formatDollars(Math.round(left))} is left`
  return `${left.toLocaleString('en-US')} ${left === 1 ? 'is' : 'are'} left`
}

function neverFits({ limit, asked, limitValue }: Refusal): string {
  if (limitValue <= 0) return 'no call fits into that.'
  return `the call needs up to ${amount(limit, asked)}, more than there can ever be.`
}

function neverFix({ limit, limitValue }: Refusal, larger: string): string {
  if (limitValue <= 0) return `${larger.replace(/^./, (first) => first.toUpperCase())}.`
  const less = limit === 'inputTokensPerMinute' ? 'Send a shorter conversation' : 'Ask for fewer tokens'
  return `${less}, or ${larger}.`
}

function isPeriod(limit: LimitName): boolean {
  return words[limit].per === 'day' || words[limit].per === 'month'
}
