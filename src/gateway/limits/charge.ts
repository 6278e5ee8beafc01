import type { Limits } from '../../core/plan.ts'
import { requestUs, taken, tokensUs } from './bucket.ts'
import { cell } from './memory.ts'
import type { Amounts } from './refusal.ts'

/** Takes from every limit what a call may use. */
export function charge(cells: Float64Array, limits: Limits, asked: Amounts, nowUs: number): void {
  const { requestsPerMinute, inputTokensPerMinute, outputTokensPerMinute } = limits
  if (requestsPerMinute !== undefined) take(cells, cell.requestsFullUs, requestUs(requestsPerMinute), nowUs)
  if (inputTokensPerMinute !== undefined)
    take(cells, cell.inputFullUs, tokensUs(asked.inputTokens, inputTokensPerMinute), nowUs)
  if (outputTokensPerMinute !== undefined)
    take(cells, cell.outputFullUs, tokensUs(asked.outputTokens, outputTokensPerMinute), nowUs)
  const tokens = asked.inputTokens + asked.outputTokens
  add(cells, cell.calls, 1)
  add(cells, cell.tokensHeld, tokens)
  add(cells, cell.nanoHeld, asked.nanoDollars)
  add(cells, cell.dayTokens, tokens)
  add(cells, cell.dayNano, asked.nanoDollars)
  add(cells, cell.monthTokens, tokens)
  add(cells, cell.monthNano, asked.nanoDollars)
}

/** How a call ended that belongs to this day and month. */
export interface End {
  asked: Amounts
  used: Amounts
  day: number
  month: number
}

/** Puts what a call has used in the place of what it had reserved, in the buckets. */
export function correctRates(
  cells: Float64Array,
  limits: Limits,
  { asked, used, countsAsRequest }: End & { countsAsRequest: boolean },
  nowUs: number,
): void {
  const { requestsPerMinute, inputTokensPerMinute, outputTokensPerMinute } = limits
  if (requestsPerMinute !== undefined && !countsAsRequest)
    take(cells, cell.requestsFullUs, -requestUs(requestsPerMinute), nowUs)
  if (inputTokensPerMinute !== undefined) {
    const moreUs = tokensUs(used.inputTokens, inputTokensPerMinute) - tokensUs(asked.inputTokens, inputTokensPerMinute)
    take(cells, cell.inputFullUs, moreUs, nowUs)
  }
  if (outputTokensPerMinute !== undefined) {
    const moreUs =
      tokensUs(used.outputTokens, outputTokensPerMinute) - tokensUs(asked.outputTokens, outputTokensPerMinute)
    take(cells, cell.outputFullUs, moreUs, nowUs)
  }
}

/** The same in the counts, with one call less under way. A day or month that is over is not corrected: nothing depends on it. */
export function correctCounts(cells: Float64Array, { asked, used, day, month }: End): void {
  const tokens = asked.inputTokens + asked.outputTokens
  const moreTokens = used.inputTokens + used.outputTokens - tokens
  const moreNano = used.nanoDollars - asked.nanoDollars
  add(cells, cell.calls, -1)
  add(cells, cell.tokensHeld, -tokens)
  add(cells, cell.nanoHeld, -asked.nanoDollars)
  if (cells[cell.day] === day) {
    add(cells, cell.dayTokens, moreTokens)
    add(cells, cell.dayNano, moreNano)
  }
  if (cells[cell.month] === month) {
    add(cells, cell.monthTokens, moreTokens)
    add(cells, cell.monthNano, moreNano)
  }
}

function take(cells: Float64Array, index: number, costUs: number, nowUs: number): void {
  cells[index] = taken(cells[index] as number, nowUs, costUs)
}

/** No count falls below nothing, as it could where a slot was restored while its calls were under way. */
function add(cells: Float64Array, index: number, more: number): void {
  cells[index] = Math.max(0, (cells[index] as number) + more)
}

/** A vendor's count is any number at all; beyond these, sums of doubles would not be exact. */
const tokensMax = 100_000_000
const nanoMax = 1e15

/** Amounts that can be counted: whole, and from nothing to the most. */
export function wholeAmounts({ inputTokens, outputTokens, nanoDollars }: Amounts): Amounts {
  return {
    inputTokens: whole(inputTokens, tokensMax),
    outputTokens: whole(outputTokens, tokensMax),
    nanoDollars: whole(nanoDollars, nanoMax),
  }
}

function whole(amount: number, most: number): number {
  return amount > 0 ? Math.min(Math.ceil(amount), most) : 0
}
