import { Tally, tallyCells, type Grain } from './tally.ts'

/** The longest span that can be asked for. */
export const recentSeconds = 60

const grains: readonly Grain[] = [{ periodMs: 1000, reach: recentSeconds }]
const bySecond = 0

const counter = { begun: 0, good: 1, broken: 2, retries: 3 } as const
const counters = 4

/** How many cells it takes. */
export const recentCells = tallyCells(counters, grains)

/**
 * What the breaker and the budget of retries want to know of the last minute. A span of n seconds is the present second and the n
 * before it: never less than was asked for, and less than a second more.
 */
export class Recent {
  readonly #tally: Tally

  constructor(cells: Int32Array, start: number) {
    this.#tally = new Tally(cells, start, counters, grains)
  }

  countBegun(nowMs: number): void {
    this.#tally.add(counter.begun, nowMs)
  }

  countGood(nowMs: number): void {
    this.#tally.add(counter.good, nowMs)
  }

  countBroken(nowMs: number): void {
    this.#tally.add(counter.broken, nowMs)
  }

  /** All there ever were, in 32 bits that come round: of use as a difference. */
  get good(): number {
    return this.#tally.total(counter.good)
  }

  /** The same. */
  get broken(): number {
    return this.#tally.total(counter.broken)
  }

  /** Tries that ended within the span, those left out that say nothing of the place. */
  ended(spanMs: number, nowMs: number): { good: number; broken: number } {
    const note = this.#tally.note(bySecond, spanMs, nowMs)
    return { good: this.#tally.since(counter.good, note), broken: this.#tally.since(counter.broken, note) }
  }

  countRetry(nowMs: number): void {
    this.#tally.add(counter.retries, nowMs)
  }

  /** Counts a retry where there are fewer of them than this share of the tries; of many at once no one too many. */
  countRetryWithin(share: number, spanMs: number, nowMs: number): boolean {
    const note = this.#tally.note(bySecond, spanMs, nowMs)
    const most = share * this.#tally.since(counter.begun, note)
    return this.#tally.addBelow(counter.retries, note, most, nowMs)
  }

  /** Would that count one? */
  admitsRetryWithin(share: number, spanMs: number, nowMs: number): boolean {
    const note = this.#tally.note(bySecond, spanMs, nowMs)
    return this.#tally.since(counter.retries, note) < share * this.#tally.since(counter.begun, note)
  }
}
