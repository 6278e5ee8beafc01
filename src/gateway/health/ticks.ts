/**
 * Times to come, as the shared cells keep them: ticks of 10 ms in 32 bits, 0 for none.
 *
 * Rounding: a time to come is rounded up and the present is not rounded, so nothing is held to be over before it is, and at most
 * 10 ms later.
 *
 * Wrapping: the count of ticks comes round after 497 days of the clock. Two ticks are therefore compared by their difference, which
 * is right for times less than 248 days apart. One that passed longer ago would seem to be to come again: so a time that is further
 * off than any is kept is not believed. What is left is a place that nobody looks at from its time on until more than 470
 * days later: it may be left alone once more.
 */
export const tickMs = 10

/** No wait is kept for longer: a little more than the longest that can be configured, 2^31 - 1 ms. */
export const waitMsMax = 25 * 24 * 3_600_000

/** Beyond the longest wait, as a thread may be held up after its look at the clock while another sets the time. */
const believedMsMax = waitMsMax + 3_600_000

/** The tick before which `waitMs` have not passed. */
export function tickAfter(nowMs: number, waitMs: number): number {
  const tick = Math.ceil((nowMs + Math.min(waitMs, waitMsMax)) / tickMs) | 0
  // 0 says that there is none.
  return tick === 0 ? 1 : tick
}

/** How long until that tick, in whole milliseconds; 0 where it has passed. */
export function msUntil(tick: number, nowMs: number): number {
  if (tick === 0) return 0
  const present = Math.floor(nowMs / tickMs)
  const ticks = (tick - present) | 0
  if (ticks <= 0 || ticks * tickMs > believedMsMax) return 0
  return Math.ceil(ticks * tickMs - (nowMs - present * tickMs))
}

/** Is the first of two ticks the later one? */
export function isLater(one: number, other: number): boolean {
  return ((one - other) | 0) > 0
}
