import type { LimitName, Limits } from '../../core/plan.ts'
import { requestsLeft, tokensLeft } from './bucket.ts'
import { cell } from './memory.ts'
import { fullMs, periodCells, periodLeftMs, type Moment, type PeriodLimit, type Scope } from './refusal.ts'

/** How much of each limit is left. Of a key's limit and its owner's the tighter one: the one with less left. */
export type LimitState = Partial<Record<LimitName, LimitLeft>>

export interface LimitLeft {
  readonly scope: Scope
  readonly limit: number
  /** Of requests those that can be made at once: after a pause the burst, not all of a minute's. */
  readonly remaining: number
  /** When all of it is there again; undefined for calls at once. */
  readonly resetMs: number | undefined
}

/** What is left by a slot's cells in the current day and month. */
export function stateOf(scope: Scope, cells: Float64Array, limits: Limits, at: Moment, nowUs: number): LimitState {
  const state: LimitState = {}
  const add = (name: LimitName, limit: number, remaining: number, resetMs: number | undefined): void => {
    state[name] = { scope, limit, remaining: Math.max(0, remaining), resetMs }
  }
  const { requestsPerMinute, inputTokensPerMinute, outputTokensPerMinute, callsAtOnce } = limits
  if (requestsPerMinute !== undefined) {
    const fullUs = cells[cell.requestsFullUs] as number
    const left = requestsLeft(fullUs, nowUs, { ...limits, requestsPerMinute })
    add('requestsPerMinute', requestsPerMinute, left, fullMs(fullUs, nowUs))
  }
  const addTokens = (name: 'inputTokensPerMinute' | 'outputTokensPerMinute', limit: number, fullUs: number): void =>
    add(name, limit, tokensLeft(fullUs, nowUs, limit), fullMs(fullUs, nowUs))
  if (inputTokensPerMinute !== undefined)
    addTokens('inputTokensPerMinute', inputTokensPerMinute, cells[cell.inputFullUs] as number)
  if (outputTokensPerMinute !== undefined)
    addTokens('outputTokensPerMinute', outputTokensPerMinute, cells[cell.outputFullUs] as number)
  if (callsAtOnce !== undefined) add('callsAtOnce', callsAtOnce, callsAtOnce - (cells[cell.calls] as number), undefined)
  for (const name of periodLimits) {
    const limit = limits[name]
    if (limit === undefined) continue
    const used = cells[periodCells[name].used] as number
    add(name, limit, limit - used, periodLeftMs(name, cells, at.dateMs))
  }
  return state
}

const periodLimits: readonly PeriodLimit[] = [
  'tokensPerDay',
  'tokensPerMonth',
  'nanoDollarsPerDay',
  'nanoDollarsPerMonth',
]

/** Of each limit the one with less left. */
export function tighter(key: LimitState, owner: LimitState): LimitState {
  const both = { ...owner }
  for (const name in key) {
    const limit = name as LimitName
    const left = tighterOf(key[limit], owner[limit])
    if (left !== undefined) both[limit] = left
  }
  return both
}

/** The one with less left; the first of two with the same. */
export function tighterOf(one: LimitLeft | undefined, other: LimitLeft | undefined): LimitLeft | undefined {
  if (one === undefined) return other
  return other === undefined || one.remaining <= other.remaining ? one : other
}
