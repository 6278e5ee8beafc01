import type { Failure } from '../../core/failure.ts'
import type { Rung, Standing } from '../../core/ladder.ts'
import type { WindowStatus } from '../../core/status.ts'
import { Breaker, breakerCells } from './breaker.ts'
import { Budget, budgetCells, placeless } from './budget.ts'
import { Cooldown, cooldownCells } from './cooldown.ts'
import { Recent, recentCells } from './recent.ts'
import { tickAfter, tickMs } from './ticks.ts'
import { Windows, windowsCells } from './windows.ts'

/** What a rung says of when it is left alone. */
export type HealthRules = Pick<Rung, 'cooldown' | 'breaker' | 'budget'>

/** How a try ended. */
export interface Outcome {
  /** Undefined for a good answer. */
  readonly failure: Failure | undefined
  /** From the start of the try to its first content; undefined where none came. */
  readonly contentMs: number | undefined
  /** It held the place that `claimProbe` gave, which is free again with this. */
  readonly probe: boolean
}

/** The longest that a place can be held: it is free then in any case, as its holder's thread has ended without a word. */
const leaseMsMax = 24 * 3_600_000

/** How many cells the health of one rung takes. */
export const rungCells = cooldownCells + breakerCells + budgetCells + recentCells + windowsCells

/**
 * How one place fares, by all calls of all threads that went there, and what may be tried next. Its state is in shared cells; this
 * object only holds what the calls of its own thread have claimed. Ladders may have different rules for the same place: how long it is
 * left alone is settled by those of the call that found out, whether that counts by those of the call that looks.
 */
export class RungHealth {
  readonly #cooldown: Cooldown
  readonly #breaker: Breaker
  readonly #budget: Budget
  readonly #recent: Recent
  readonly #windows: Windows
  readonly #nowMs: () => number
  /** Until when the places that were claimed here and not given back are held, in the order of the claims. */
  readonly #probes: number[] = []
  readonly #retries: { place: number; until: number }[] = []

  constructor(cells: Int32Array, start: number, nowMs: () => number) {
    let next = start
    const take = (count: number): number => (next += count) - count
    this.#nowMs = nowMs
    this.#cooldown = new Cooldown(cells, take(cooldownCells))
    const breaker = take(breakerCells)
    const budget = take(budgetCells)
    this.#recent = new Recent(cells, take(recentCells))
    this.#windows = new Windows(cells, take(windowsCells))
    this.#breaker = new Breaker(cells, breaker, this.#recent)
    this.#budget = new Budget(cells, budget, this.#recent)
  }

  /**
   * How the place stands. Of several things at once, what a vendor said comes first, then that it fails, then why else it rests. Never
   * `full`: how many calls it may have is not known here.
   */
  standing(rules: HealthRules): Standing {
    const nowMs = this.#nowMs()
    const { failuresInRow } = this.#breaker
    const retries = this.#budget.admits(rules.budget, nowMs)
    const barred = this.#cooldown.barred(rules.cooldown, nowMs)
    if (barred !== undefined) return { type: 'barred', ...barred, failuresInRow, retries }
    const failingMs = this.#breaker.restMs(rules.breaker, nowMs)
    if (failingMs !== undefined && failingMs > 0) {
      return { type: 'resting', reason: 'failing', forMs: failingMs, failuresInRow, retries }
    }
    const resting = this.#cooldown.resting(rules.cooldown, nowMs)
    if (resting !== undefined) return { type: 'resting', ...resting, failuresInRow, retries }
    if (failingMs === 0) return { type: 'probe', forMs: 0, failuresInRow, retries }
    return failuresInRow === 0 && retries ? well : { type: 'well', forMs: 0, failuresInRow, retries }
  }

  /** Takes the one place of a probe; it is free again after `leaseMs` if nobody says how the probe ended. */
  claimProbe(rules: HealthRules, leaseMs: number): boolean {
    const nowMs = this.#nowMs()
    const until = leaseUntil(nowMs, leaseMs)
    if (!this.#breaker.claimProbe(until, rules.breaker, nowMs)) return false
    this.#probes.push(until)
    return true
  }

  /** Gives back what `claimProbe` gave, where no try was made of it. */
  releaseProbe(): void {
    // The oldest: one that outlived its lease frees nothing, so its place can only be free too late, never too soon.
    const until = this.#probes.shift()
    if (until !== undefined) this.#breaker.releaseProbe(until)
  }

  /** Takes a place in the budget of retries, and counts one; the place is free again after `leaseMs` if nobody gives it back. */
  claimRetry(rules: HealthRules, leaseMs: number): boolean {
    const nowMs = this.#nowMs()
    const until = leaseUntil(nowMs, leaseMs)
    const place = this.#budget.claim(until, rules.budget, nowMs)
    if (place === undefined) return false
    this.#retries.push({ place, until })
    return true
  }

  /** Gives back what `claimRetry` gave: once for each, when the retry has ended or was not made. */
  releaseRetry(): void {
    // One is as good as another, as only their number counts: first those without a place, then the oldest.
    const without = this.#retries.findIndex(({ place }) => place === placeless)
    const [held] = this.#retries.splice(Math.max(0, without), 1)
    if (held !== undefined) this.#budget.release(held.place, held.until)
  }

  /** A try begins. */
  begun(): void {
    this.#recent.countBegun(this.#nowMs())
  }

  /** A try has ended: to be told once for each. What says nothing of the place (the request's own fault, a caller who left) is counted only. */
  ended({ failure, contentMs, probe }: Outcome, rules: HealthRules): void {
    const nowMs = this.#nowMs()
    this.#windows.count(failure, contentMs, nowMs)
    if (failure === undefined) {
      this.#recent.countGood(nowMs)
      this.#cooldown.succeeded()
      this.#breaker.succeeded(rules.breaker, nowMs)
    } else {
      this.#cooldown.failed(failure, rules.cooldown, nowMs)
      if (failure.sign === 'broken') {
        this.#recent.countBroken(nowMs)
        this.#breaker.failed(probe, rules.breaker, nowMs)
      }
    }
    // Last: the next probe must find what this one found.
    if (probe) this.releaseProbe()
  }

  /** What became of the tries that ended within this span: a minute, a quarter of an hour or a day. */
  window(spanMs: number): WindowStatus {
    return this.#windows.window(spanMs, this.#nowMs())
  }
}

/** Nearly every standing is this one. */
const well: Standing = Object.freeze({ type: 'well', forMs: 0, failuresInRow: 0, retries: true })

function leaseUntil(nowMs: number, leaseMs: number): number {
  return tickAfter(nowMs, Math.max(tickMs, Math.min(leaseMs, leaseMsMax)))
}
