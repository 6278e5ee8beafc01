import type { BudgetRules } from '../../core/ladder.ts'
import type { Recent } from './recent.ts'
import { msUntil } from './ticks.ts'

/** Retries under way beyond so many have no place, and are not counted as under way. */
const places = 16

/** How many cells a budget takes. */
export const budgetCells = 1 + places

/** Cells: a bit for each place that is taken, then until when each is. */
const cell = { taken: 0, until: 1 } as const

/** In place of a place: the retry goes ahead without. */
export const placeless = -1

/**
 * How many retries on the same rung all calls together may make: a share of its tries, and whatever the share a few at once.
 *
 * Those under way hold a place each, until a tick, so that a thread that ends without a word does not hold it for ever. To look how many
 * are taken and to take one is a single exchange of the bits, so there are never too many. A bit whose cell is still 0 is
 * being taken or given back.
 */
export class Budget {
  readonly #cells: Int32Array
  readonly #start: number
  readonly #recent: Recent

  constructor(cells: Int32Array, start: number, recent: Recent) {
    this.#cells = cells
    this.#start = start
    this.#recent = recent
  }

  /** Would a claim succeed? */
  admits(rules: BudgetRules, nowMs: number): boolean {
    if (!rules.enabled || this.#underWay(rules.floor, nowMs) < rules.floor) return true
    return this.#recent.admitsRetryWithin(rules.share, rules.windowMs, nowMs)
  }

  /** The place of a retry that may go ahead, or `placeless`; undefined for one that may not. */
  claim(until: number, rules: BudgetRules, nowMs: number): number | undefined {
    if (!rules.enabled) {
      this.#recent.countRetry(nowMs)
      return placeless
    }
    const place = this.#take(Math.min(rules.floor, places), until, nowMs)
    if (place !== placeless) {
      this.#recent.countRetry(nowMs)
      return place
    }
    if (!this.#recent.countRetryWithin(rules.share, rules.windowMs, nowMs)) return undefined
    return this.#take(places, until, nowMs)
  }

  /** Frees a place; false where it was held for longer than that, and may be another's by now. */
  release(place: number, until: number): boolean {
    if (place === placeless) return true
    const index = this.#start + cell.until + place
    // Its time first: whoever takes the place next finds 0 there until his own stands.
    if (Atomics.compareExchange(this.#cells, index, until, 0) !== until) return false
    Atomics.and(this.#cells, this.#start + cell.taken, ~(1 << place))
    return true
  }

  /** Retries under way; whether their time is over is only looked at where they seem to be `enough`. */
  #underWay(enough: number, nowMs: number): number {
    const taken = Atomics.load(this.#cells, this.#start + cell.taken)
    let under = count(taken)
    if (under < enough) return under
    for (let place = 0; place < places; place += 1) if (this.#lapsed(taken, place, nowMs) !== 0) under -= 1
    return under
  }

  /** Takes a place while fewer than `most` are taken. */
  #take(most: number, until: number, nowMs: number): number {
    for (;;) {
      const taken = Atomics.load(this.#cells, this.#start + cell.taken)
      if (count(taken) >= most) {
        if (!this.#freeLapsed(taken, nowMs)) return placeless
        continue
      }
      const free = ~taken & -~taken
      if (Atomics.compareExchange(this.#cells, this.#start + cell.taken, taken, taken | free) !== taken) continue
      const place = 31 - Math.clz32(free)
      Atomics.store(this.#cells, this.#start + cell.until + place, until)
      return place
    }
  }

  /** Frees those of the places taken whose time is over. */
  #freeLapsed(taken: number, nowMs: number): boolean {
    let freed = false
    for (let place = 0; place < places; place += 1) {
      const until = this.#lapsed(taken, place, nowMs)
      if (until !== 0 && this.release(place, until)) freed = true
    }
    return freed
  }

  /** Until when a place was taken, if that has passed; else 0. */
  #lapsed(taken: number, place: number, nowMs: number): number {
    if ((taken & (1 << place)) === 0) return 0
    const until = Atomics.load(this.#cells, this.#start + cell.until + place)
    return msUntil(until, nowMs) === 0 ? until : 0
  }
}

function count(bits: number): number {
  let ones = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) ones += 1
  return ones
}
