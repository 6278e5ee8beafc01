import type { LimitName, Limits } from '../../core/plan.ts'
import { burstOf, emptyUs, minuteUs, requestsLeft, requestUs, tokensLeft, tokensUs } from './bucket.ts'
import { cell } from './memory.ts'
import { dayStartMs, monthStartMs } from './periods.ts'

/** What a call would use, or has used. */
export interface Amounts {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly nanoDollars: number
}

/** The present, by the clock that only grows and by the calendar. */
export interface Moment {
  readonly nowMs: number
  readonly dateMs: number
}

/** Whose limit it is: that of the key, or that of all keys of its owner together. */
export type Scope = 'key' | 'owner'

/** Why a call may not be made now: of all limits in its way the one that is so for longest. */
export interface Refusal {
  readonly type: 'refused'
  readonly scope: Scope
  readonly limit: LimitName
  readonly limitValue: number
  readonly asked: number
  readonly left: number
  /** What calls under way have set aside of a day's or month's limit; they may give some of it back. */
  readonly held: number
  /** No pause helps: more is asked for than the limit ever has. */
  readonly never: boolean
  /**
   * After this, and not before, the same call can be made, if nothing else happens. Undefined where it never can, and where a call under
   * way has to end first.
   */
  readonly retryAfterMs: number | undefined
  /** When all of the limit is there again; undefined for calls at once. */
  readonly resetMs: number | undefined
}

/** What stands in the way of a call, by a slot's cells in the current day and month; undefined for nothing. */
export function refusalOf(
  scope: Scope,
  cells: Float64Array,
  limits: Limits,
  asked: Amounts,
  at: Moment,
  nowUs: number,
): Refusal | undefined {
  const look: Look = { scope, cells, at, nowUs }
  const tokens = asked.inputTokens + asked.outputTokens
  let worst = requestsRefusal(look, limits)
  worst = later(worst, rateRefusal(look, 'inputTokensPerMinute', limits.inputTokensPerMinute, asked.inputTokens))
  worst = later(worst, rateRefusal(look, 'outputTokensPerMinute', limits.outputTokensPerMinute, asked.outputTokens))
  worst = later(worst, periodRefusal(look, 'tokensPerDay', limits.tokensPerDay, tokens))
  worst = later(worst, periodRefusal(look, 'tokensPerMonth', limits.tokensPerMonth, tokens))
  worst = later(worst, periodRefusal(look, 'nanoDollarsPerDay', limits.nanoDollarsPerDay, asked.nanoDollars))
  worst = later(worst, periodRefusal(look, 'nanoDollarsPerMonth', limits.nanoDollarsPerMonth, asked.nanoDollars))
  return later(worst, callsRefusal(look, limits.callsAtOnce))
}

/**
 * The one that is in the way for longer. A limit whose end is not known comes last: the others' time has to pass in any case.
 */
export function later(one: Refusal | undefined, other: Refusal | undefined): Refusal | undefined {
  if (one === undefined) return other
  return other !== undefined && lasting(other) > lasting(one) ? other : one
}

function lasting({ never, retryAfterMs }: Refusal): number {
  return never ? Infinity : (retryAfterMs ?? 0)
}

/** Where a slot keeps what it has used of a day's or month's limit. */
export const periodCells = {
  tokensPerDay: { used: cell.dayTokens, held: cell.tokensHeld },
  tokensPerMonth: { used: cell.monthTokens, held: cell.tokensHeld },
  nanoDollarsPerDay: { used: cell.dayNano, held: cell.nanoHeld },
  nanoDollarsPerMonth: { used: cell.monthNano, held: cell.nanoHeld },
} as const

export type PeriodLimit = keyof typeof periodCells

/** How long until a limit's day or month is over. */
export function periodLeftMs(limit: PeriodLimit, cells: Float64Array, dateMs: number): number {
  const byDay = limit === 'tokensPerDay' || limit === 'nanoDollarsPerDay'
  const endMs = byDay ? dayStartMs((cells[cell.day] as number) + 1) : monthStartMs((cells[cell.month] as number) + 1)
  return endMs - dateMs
}

/** How long until a bucket is full. */
export function fullMs(fullUs: number, nowUs: number): number {
  return emptyUs(fullUs, nowUs) / 1000
}

const rateCells = { inputTokensPerMinute: cell.inputFullUs, outputTokensPerMinute: cell.outputFullUs } as const

interface Look {
  scope: Scope
  cells: Float64Array
  at: Moment
  nowUs: number
}

function requestsRefusal({ scope, cells, nowUs }: Look, limits: Limits): Refusal | undefined {
  const { requestsPerMinute } = limits
  if (requestsPerMinute === undefined) return undefined
  const fullUs = cells[cell.requestsFullUs] as number
  const oneUs = requestUs(requestsPerMinute)
  const waitUs = emptyUs(fullUs, nowUs) + oneUs - burstOf(limits) * oneUs
  const never = requestsPerMinute <= 0
  if (waitUs <= 0 && !never) return undefined
  return {
    type: 'refused',
    scope,
    limit: 'requestsPerMinute',
    limitValue: requestsPerMinute,
    asked: 1,
    left: requestsLeft(fullUs, nowUs, { ...limits, requestsPerMinute }),
    held: 0,
    never,
    retryAfterMs: never ? undefined : waitUs / 1000,
    resetMs: fullMs(fullUs, nowUs),
  }
}

function rateRefusal(
  { scope, cells, nowUs }: Look,
  limit: keyof typeof rateCells,
  limitValue: number | undefined,
  asked: number,
): Refusal | undefined {
  // What is not asked for is not refused, not even by a bucket in debt.
  if (limitValue === undefined || asked === 0) return undefined
  const fullUs = cells[rateCells[limit]] as number
  const waitUs = emptyUs(fullUs, nowUs) + tokensUs(asked, limitValue) - minuteUs
  if (waitUs <= 0) return undefined
  const never = asked > limitValue
  return {
    type: 'refused',
    scope,
    limit,
    limitValue,
    asked,
    left: tokensLeft(fullUs, nowUs, limitValue),
    held: 0,
    never,
    retryAfterMs: never ? undefined : waitUs / 1000,
    resetMs: fullMs(fullUs, nowUs),
  }
}

function periodRefusal(
  { scope, cells, at }: Look,
  limit: PeriodLimit,
  limitValue: number | undefined,
  asked: number,
): Refusal | undefined {
  if (limitValue === undefined || asked === 0) return undefined
  const used = cells[periodCells[limit].used] as number
  if (used + asked <= limitValue) return undefined
  const never = asked > limitValue
  const resetMs = periodLeftMs(limit, cells, at.dateMs)
  return {
    type: 'refused',
    scope,
    limit,
    limitValue,
    asked,
    left: Math.max(0, limitValue - used),
    // Calls that began yesterday hold nothing of today.
    held: Math.min(used, cells[periodCells[limit].held] as number),
    never,
    retryAfterMs: never ? undefined : resetMs,
    resetMs,
  }
}

function callsRefusal({ scope, cells }: Look, limitValue: number | undefined): Refusal | undefined {
  if (limitValue === undefined) return undefined
  const calls = cells[cell.calls] as number
  if (calls < limitValue) return undefined
  return {
    type: 'refused',
    scope,
    limit: 'callsAtOnce',
    limitValue,
    asked: 1,
    left: 0,
    held: 0,
    never: limitValue <= 0,
    retryAfterMs: undefined,
    resetMs: undefined,
  }
}
