import type { BreakerRules } from '../../core/ladder.ts'
import { recentSeconds, type Recent } from './recent.ts'
import { msUntil, tickAfter } from './ticks.ts'

/** How many cells a breaker takes. */
export const breakerCells = 8

const cell = {
  /** Until when it is left alone; 0 while closed, which makes it the one cell that says whether the place counts as down. */
  openUntil: 0,
  /** How often it opened since it was last closed. */
  opens: 1,
  /** Good probes in a row, marked with the opening that they follow. */
  good: 2,
  /** Until when the place of the one probe is taken; 0 while it is free. */
  probe: 3,
  failuresInRow: 4,
  /** In which second it was last closed, and what had been counted by then: that is no reason to open it again. */
  closedSecond: 5,
  goodBefore: 6,
  brokenBefore: 7,
} as const

/**
 * When a place counts as down, and how it is found to be up again.
 *
 * Closed, it opens by failures in a row or by their share. Open, nothing closes it: a good answer may be that of a call from before.
 * When its time is over, one call at a time is the probe. Then every good answer counts as a good probe, whoever asked for it (a call
 * from before, one that had nowhere better to go); any failure breaks their row, but only the probe's own opens it again,
 * since calls from before that run into their deadlines one by one tell nothing new.
 *
 * Every change of state is one exchange of `openUntil`; of several who would change it, one does.
 */
export class Breaker {
  readonly #cells: Int32Array
  readonly #start: number
  readonly #recent: Recent

  constructor(cells: Int32Array, start: number, recent: Recent) {
    this.#cells = cells
    this.#start = start
    this.#recent = recent
  }

  get failuresInRow(): number {
    return this.#load(cell.failuresInRow)
  }

  /** How much longer the place should be left alone: 0 where it may have a probe, undefined where it may have any call. */
  restMs(rules: BreakerRules, nowMs: number): number | undefined {
    const openUntil = this.#load(cell.openUntil)
    if (openUntil === 0 || !rules.enabled) return undefined
    const openMs = msUntil(openUntil, nowMs)
    return openMs > 0 ? openMs : msUntil(this.#load(cell.probe), nowMs)
  }

  /** Takes the place of the probe until this tick; false where it is taken, or there is none. */
  claimProbe(until: number, rules: BreakerRules, nowMs: number): boolean {
    const openUntil = this.#load(cell.openUntil)
    if (openUntil === 0 || !rules.enabled || msUntil(openUntil, nowMs) > 0) return false
    // One look, as leases of one tick are alike: this one may end, and another begin, between two.
    const holder = this.#load(cell.probe)
    if (msUntil(holder, nowMs) > 0 || !this.#exchange(cell.probe, holder, until)) return false
    // The probe before this one may have opened it again, and then have left.
    if (this.#load(cell.openUntil) === openUntil) return true
    this.releaseProbe(until)
    return false
  }

  /** Frees the place, unless it was taken for longer than that and belongs to another by now. */
  releaseProbe(until: number): void {
    this.#exchange(cell.probe, until, 0)
  }

  succeeded(rules: BreakerRules, nowMs: number): void {
    if (this.#load(cell.failuresInRow) !== 0) Atomics.store(this.#cells, this.#start + cell.failuresInRow, 0)
    const openUntil = this.#load(cell.openUntil)
    if (openUntil === 0 || !rules.enabled || msUntil(openUntil, nowMs) > 0) return
    if (this.#countGood(openUntil) >= Math.min(rules.probesGood, goodMax)) this.#close(openUntil, nowMs)
  }

  failed(probe: boolean, rules: BreakerRules, nowMs: number): void {
    const inRow = Atomics.add(this.#cells, this.#start + cell.failuresInRow, 1) + 1
    if (!rules.enabled) return
    const openUntil = this.#load(cell.openUntil)
    if (openUntil === 0) {
      if (inRow >= rules.failuresInRow || this.#failsTooOften(rules, nowMs)) this.#open(openUntil, rules, nowMs)
    } else if (msUntil(openUntil, nowMs) === 0) {
      Atomics.store(this.#cells, this.#start + cell.good, 0)
      if (probe) this.#open(openUntil, rules, nowMs)
    }
  }

  #failsTooOften({ windowMs, callsMin, failureShare }: BreakerRules, nowMs: number): boolean {
    let { good, broken } = this.#recent.ended(windowMs, nowMs)
    const closedSecond = this.#load(cell.closedSecond)
    if (closedSecond !== 0 && secondOf(nowMs) - closedSecond <= recentSeconds) {
      // What came since the closing or since the start of the span, whichever was later.
      good = Math.min(good, (this.#recent.good - this.#load(cell.goodBefore)) | 0)
      broken = Math.min(broken, (this.#recent.broken - this.#load(cell.brokenBefore)) | 0)
    }
    return good + broken >= callsMin && broken >= failureShare * (good + broken)
  }

  #open(before: number, { openMs, openMsMax }: BreakerRules, nowMs: number): void {
    const doublings = Math.min(this.#load(cell.opens), doublingsMax)
    const until = tickAfter(nowMs, Math.min(openMs * 2 ** doublings, openMsMax))
    if (this.#exchange(cell.openUntil, before, until)) Atomics.add(this.#cells, this.#start + cell.opens, 1)
  }

  #close(before: number, nowMs: number): void {
    // First, so that nobody who finds it closed opens it for what was before.
    Atomics.store(this.#cells, this.#start + cell.goodBefore, this.#recent.good)
    Atomics.store(this.#cells, this.#start + cell.brokenBefore, this.#recent.broken)
    Atomics.store(this.#cells, this.#start + cell.closedSecond, secondOf(nowMs))
    if (this.#exchange(cell.openUntil, before, 0)) Atomics.store(this.#cells, this.#start + cell.opens, 0)
  }

  /** The good probes since this opening, with one more. */
  #countGood(openUntil: number): number {
    // Those of an earlier opening have another mark, and count for nothing.
    const mark = openUntil << goodBits
    for (;;) {
      const before = this.#load(cell.good)
      const count = (before & ~goodMax) === mark ? Math.min((before & goodMax) + 1, goodMax) : 1
      if (this.#exchange(cell.good, before, mark | count)) return count
    }
  }

  #load(index: number): number {
    return Atomics.load(this.#cells, this.#start + index)
  }

  #exchange(index: number, before: number, after: number): boolean {
    return Atomics.compareExchange(this.#cells, this.#start + index, before, after) === before
  }
}

const goodBits = 8
/** More good probes than this are not counted. */
const goodMax = 2 ** goodBits - 1

/** Beyond it every time is the longest there is. */
const doublingsMax = 31

/** From 1, as 0 says never. */
function secondOf(nowMs: number): number {
  return Math.floor(nowMs / 1000) + 1
}
