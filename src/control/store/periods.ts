/** The hours, days and months (UTC) by which usage is summed up, each counted from 1970 on. */
export interface Period {
  readonly name: 'hour' | 'day' | 'month'
  /** The one that this time lies in. */
  at(ms: number): number
  startMs(number: number): number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

export const hour: Period = { name: 'hour', at: (ms) => Math.floor(ms / hourMs), startMs: (number) => number * hourMs }
export const day: Period = { name: 'day', at: (ms) => Math.floor(ms / dayMs), startMs: (number) => number * dayMs }
export const month: Period = {
  name: 'month',
  at(ms) {
    const date = new Date(ms)
    return date.getUTCFullYear() * 12 + date.getUTCMonth()
  },
  // Date.UTC takes the years before 100 for those of the last century; no call was made then.
  startMs: (number) => Date.UTC(Math.floor(number / 12), number % 12),
}

/** Some periods of one kind that follow each other, from the first to before the last. */
export interface Segment {
  readonly period: Period
  readonly from: number
  readonly to: number
  /** When the longer period begins that all of them lie in: of the longest kind asked for. */
  readonly withinMs: number | undefined
}

/**
 * A span of time as the fewest periods that it is made of: whole ones of the first kind, and at the edges such of the next.
 * Of the last kind those are taken whole that the span begins or ends in.
 */
export function segmentsOf(fromMs: number, toMs: number, kinds: readonly Period[], withinMs?: number): Segment[] {
  const [period, ...finer] = kinds
  if (period === undefined || fromMs >= toMs) return []
  if (finer.length === 0) {
    return [{ period, from: period.at(fromMs), to: period.at(toMs - 1) + 1, withinMs }]
  }
  const first = period.at(fromMs) + (period.startMs(period.at(fromMs)) < fromMs ? 1 : 0)
  const last = period.at(toMs)
  const edge = (from: number, to: number): Segment[] =>
    segmentsOf(from, to, finer, withinMs ?? period.startMs(period.at(from)))
  // All of it lies within one.
  if (first > last) return edge(fromMs, toMs)
  const whole = first < last ? [{ period, from: first, to: last, withinMs }] : []
  return [...edge(fromMs, period.startMs(first)), ...whole, ...edge(period.startMs(last), toMs)]
}
