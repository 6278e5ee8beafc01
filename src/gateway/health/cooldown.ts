import type { Failure } from '../../core/failure.ts'
import type { CooldownRules, Standing } from '../../core/ladder.ts'
import { isLater, msUntil, tickAfter } from './ticks.ts'

/** What a place is left alone for, how much longer, and why. */
export interface Rest {
  readonly reason: NonNullable<Standing['reason']>
  readonly forMs: number
}

/** How many cells a cooldown takes. */
export const cooldownCells = 8

/** Cells: until when, by whom and why; and how often in a row we had to guess. */
const cell = {
  barredLimited: 0,
  barredFailing: 1,
  limited: 2,
  refused: 3,
  missing: 4,
  limitedInRow: 5,
  refusedInRow: 6,
  /** Signs since the last good answer: 0 spares the look at the five before, a fifth of what a good call costs here. */
  signs: 7,
} as const

/**
 * How long a place is left alone after an answer that asks for it.
 *
 * Where the vendor said how long, the place is barred: that is never shortened, not even by a good answer, which may belong to a
 * call from before. Otherwise it rests for a time of our own, twice as long with each time in a row, until an answer is good.
 * Signs that come while it rests already are of the same wave of calls: they keep it resting for as long again, but do not
 * double the time, since twenty calls refused at once are no reason to rest for half an hour.
 */
export class Cooldown {
  readonly #cells: Int32Array
  readonly #start: number

  constructor(cells: Int32Array, start: number) {
    this.#cells = cells
    this.#start = start
  }

  /** By the vendor's own word; undefined for not at all. */
  barred(rules: CooldownRules, nowMs: number): Rest | undefined {
    if (!rules.enabled) return undefined
    const limitedMs = this.#left(cell.barredLimited, nowMs)
    const failingMs = this.#left(cell.barredFailing, nowMs)
    if (limitedMs === 0 && failingMs === 0) return undefined
    return limitedMs >= failingMs ? { reason: 'limited', forMs: limitedMs } : { reason: 'failing', forMs: failingMs }
  }

  /** By our own judgement: of several reasons the one that lasts longest. */
  resting(rules: CooldownRules, nowMs: number): Rest | undefined {
    if (!rules.enabled || Atomics.load(this.#cells, this.#start + cell.signs) === 0) return undefined
    const limitedMs = this.#left(cell.limited, nowMs)
    const refusedMs = this.#left(cell.refused, nowMs)
    const missingMs = this.#left(cell.missing, nowMs)
    const forMs = Math.max(limitedMs, refusedMs, missingMs)
    if (forMs === 0) return undefined
    if (forMs === refusedMs) return { reason: 'refused', forMs }
    return { reason: forMs === missingMs ? 'missing' : 'limited', forMs }
  }

  failed(failure: Failure, rules: CooldownRules, nowMs: number): void {
    if (!rules.enabled) return
    const { sign, retryAfterMs } = failure
    // A time of nothing says no more than none: it would have everybody come back at once.
    if ((sign === 'limited' || sign === 'broken') && retryAfterMs !== undefined && retryAfterMs > 0) {
      const until = tickAfter(nowMs, Math.min(retryAfterMs, rules.statedMsMax))
      this.#extend(sign === 'limited' ? cell.barredLimited : cell.barredFailing, until, nowMs)
    } else if (sign === 'limited' || sign === 'refused' || sign === 'missing') {
      this.#rest(sign, rules, nowMs)
      Atomics.add(this.#cells, this.#start + cell.signs, 1)
    }
  }

  succeeded(): void {
    if (Atomics.load(this.#cells, this.#start + cell.signs) === 0) return
    // The count first: a sign that comes meanwhile counts itself when the rest of it is written, so none is overlooked.
    for (let index: number = cell.signs; index >= cell.limited; index -= 1) {
      Atomics.store(this.#cells, this.#start + index, 0)
    }
  }

  #left(index: number, nowMs: number): number {
    return msUntil(Atomics.load(this.#cells, this.#start + index), nowMs)
  }

  /** Never shortens. */
  #extend(index: number, until: number, nowMs: number): void {
    for (;;) {
      const before = Atomics.load(this.#cells, this.#start + index)
      if (msUntil(before, nowMs) > 0 && !isLater(until, before)) return
      if (this.#exchange(index, before, until)) return
    }
  }

  #rest(sign: 'limited' | 'refused' | 'missing', rules: CooldownRules, nowMs: number): void {
    switch (sign) {
      case 'limited':
        return this.#double(cell.limited, cell.limitedInRow, [rules.limitedMs, rules.limitedMsMax], nowMs)
      case 'refused':
        return this.#double(cell.refused, cell.refusedInRow, [rules.refusedMs, rules.refusedMsMax], nowMs)
      case 'missing':
        return this.#extend(cell.missing, tickAfter(nowMs, rules.missingMs), nowMs)
    }
  }

  /** Rests for twice as long as the last time. */
  #double(index: number, inRow: number, [firstMs, mostMs]: readonly [number, number], nowMs: number): void {
    for (;;) {
      const before = Atomics.load(this.#cells, this.#start + index)
      const rests = msUntil(before, nowMs) > 0
      const times = Atomics.load(this.#cells, this.#start + inRow)
      const doublings = Math.min(rests ? Math.max(0, times - 1) : times, doublingsMax)
      const until = tickAfter(nowMs, Math.min(firstMs * 2 ** doublings, mostMs))
      if (rests && !isLater(until, before)) return
      if (!this.#exchange(index, before, until)) continue
      // Only who begins a rest counts it, so that those who are turned away at the same moment count as one.
      if (!rests) Atomics.add(this.#cells, this.#start + inRow, 1)
      return
    }
  }

  #exchange(index: number, before: number, after: number): boolean {
    return Atomics.compareExchange(this.#cells, this.#start + index, before, after) === before
  }
}

/** Beyond it every rest is the longest there is. */
const doublingsMax = 31
