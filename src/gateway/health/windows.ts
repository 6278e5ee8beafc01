import type { Failure } from '../../core/failure.ts'
import type { WindowStatus } from '../../core/status.ts'
import { Tally, tallyCells, type Grain } from './tally.ts'

/** A minute by 5 s, a quarter of an hour by the minute, a day by the hour: the present one and those before it. */
const grains: readonly Grain[] = [
  { periodMs: 5000, reach: 11 },
  { periodMs: 60_000, reach: 14 },
  { periodMs: 3_600_000, reach: 23 },
]

const outcomes = ['ok', 'limited', 'overloaded', 'broken', 'refused', 'other'] as const
type Outcome = (typeof outcomes)[number]
const counterOf = Object.fromEntries(outcomes.map((outcome, index) => [outcome, index])) as Record<Outcome, number>

/** Times to first content: up to `leastMs`, then steps that each reach 1.3 times as far, then what is beyond `mostMs`. */
const leastMs = 10
const mostMs = 600_000
const steps = 42
const ratio = (mostMs / leastMs) ** (1 / steps)
const bins = steps + 2

const counters = outcomes.length + bins

/** How many cells windows take. */
export const windowsCells = tallyCells(counters, grains)

/**
 * What became of the tries that ended within a minute, a quarter of an hour, a day: for people. A window is the present period and
 * those before it that lie within the span, so it is up to one period shorter than was asked for.
 */
export class Windows {
  readonly #tally: Tally

  constructor(cells: Int32Array, start: number) {
    this.#tally = new Tally(cells, start, counters, grains)
  }

  count(failure: Failure | undefined, contentMs: number | undefined, nowMs: number): void {
    const bin = contentMs === undefined ? undefined : outcomes.length + binOf(contentMs)
    this.#tally.add(counterOf[outcomeOf(failure)], nowMs, bin)
  }

  /** As fine as reaches so far back; a day at most. */
  window(spanMs: number, nowMs: number): WindowStatus {
    const reaching = grains.findIndex(({ periodMs, reach }) => periodMs * (reach + 1) >= spanMs)
    const grain = reaching < 0 ? grains.length - 1 : reaching
    const { periodMs } = grains[grain] as Grain
    const note = this.#tally.note(grain, spanMs - periodMs, nowMs)
    const counts = Array.from({ length: counters }, (_, index) => this.#tally.since(index, note))
    const of = (outcome: Outcome): number => counts[counterOf[outcome]] as number
    const times = counts.slice(outcomes.length)
    const p50Ms = percentile(times, 0.5)
    const p95Ms = percentile(times, 0.95)
    return {
      calls: outcomes.reduce((calls, outcome) => calls + of(outcome), 0),
      ok: of('ok'),
      limited: of('limited'),
      overloaded: of('overloaded'),
      broken: of('broken'),
      refused: of('refused'),
      other: of('other'),
      ...(p50Ms !== undefined && { p50Ms }),
      ...(p95Ms !== undefined && { p95Ms }),
    }
  }
}

function outcomeOf(failure: Failure | undefined): Outcome {
  if (failure === undefined) return 'ok'
  switch (failure.sign) {
    case 'limited':
      return 'limited'
    case 'broken':
      return failure.kind === 'vendor-overloaded' ? 'overloaded' : 'broken'
    case 'refused':
    case 'missing':
      return 'refused'
    case 'nothing':
      return 'other'
  }
}

/** The first bin that reaches so far. */
function binOf(ms: number): number {
  if (!(ms > leastMs)) return 0
  return Math.min(Math.ceil(Math.log(ms / leastMs) / Math.log(ratio)), bins - 1)
}

/** The time that this share of the calls kept to, as if those of a bin were spread evenly over it. */
function percentile(times: readonly number[], share: number): number | undefined {
  const rank = share * times.reduce((sum, count) => sum + count, 0)
  if (rank === 0) return undefined
  let below = 0
  for (const [bin, count] of times.entries()) {
    if (below + count >= rank) return Math.round(within(bin, (rank - below) / count))
    below += count
  }
  return mostMs
}

function within(bin: number, share: number): number {
  if (bin === 0) return leastMs * share
  // Nothing is known of those beyond, but that they took longer.
  if (bin > steps) return mostMs
  const fromMs = leastMs * ratio ** (bin - 1)
  return fromMs + (fromMs * ratio - fromMs) * share
}
