import type { Limits } from '../../core/plan.ts'

/**
 * Rates, by GCRA: a bucket that fills steadily, kept as the one time at which it will be full. To take from it puts the time off by
 * as long as that takes to fill again. More may be taken than is in it: then it is in debt, and the next one waits.
 *
 * Times are whole microseconds, and what one costs is rounded up: sums of doubles stay exact, and a limit is never passed.
 */
export const minuteUs = 60_000_000

/** Rounded, since the product of two doubles may miss the whole number by a hair. */
export function microseconds(ms: number): number {
  return Math.round(ms * 1000)
}

/** How long the bucket takes until it is full. */
export function emptyUs(fullUs: number, nowUs: number): number {
  return Math.max(fullUs - nowUs, 0)
}

/** When the bucket will be full after this was taken, or given back where it is less than nothing. */
export function taken(fullUs: number, nowUs: number, costUs: number): number {
  return Math.max(fullUs, nowUs) + costUs
}

/** How long one request takes to fill again; infinite where none is allowed. */
export function requestUs(perMinute: number): number {
  return Math.ceil(minuteUs / perMinute)
}

/**
 * How many requests fit into the bucket. In any minute no more pass than a minute's and the burst, less one; on and on, as many
 * as the limit says.
 */
export function burstOf({ requestsPerMinute = 0, requestsBurst }: Limits): number {
  return Math.max(1, Math.floor(requestsBurst ?? Math.ceil(requestsPerMinute / 6)))
}

/** How long so many tokens take to fill again. A minute's tokens fill the bucket. */
export function tokensUs(tokens: number, perMinute: number): number {
  return tokens === 0 ? 0 : Math.ceil((tokens * minuteUs) / perMinute)
}

/** The most tokens that can be taken now. */
export function tokensLeft(fullUs: number, nowUs: number, perMinute: number): number {
  const roomUs = minuteUs - emptyUs(fullUs, nowUs)
  return Math.max(0, Math.floor((roomUs * perMinute) / minuteUs))
}

/** The most requests that can be made at once now. */
export function requestsLeft(fullUs: number, nowUs: number, limits: Limits & { requestsPerMinute: number }): number {
  if (limits.requestsPerMinute <= 0) return 0
  const oneUs = requestUs(limits.requestsPerMinute)
  return Math.max(0, Math.floor((burstOf(limits) * oneUs - emptyUs(fullUs, nowUs)) / oneUs))
}
