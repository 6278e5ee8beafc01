/** How finely a tally can be looked back upon, and how far. */
export interface Grain {
  readonly periodMs: number
  /** As many periods back as a span can reach, besides the present one. */
  readonly reach: number
}

/**
 * Counters that many threads add to, and what came to them of late.
 *
 * The counters only ever grow. Whoever first has something to count in a new period notes what they all stood at; what came since
 * the start of a period is the difference. So nothing is ever cleared, nobody waits for anybody, and no count is lost or counted
 * twice: what is counted just as a period begins may at worst fall to the later of the two, and be seen when the note stands.
 *
 * In cells: the counters, then for each grain the present period (from 1, 0 for none yet) and its notes, each with its period.
 * Periods are whole numbers from the start of the clock and fit into 32 bits for 68 years. Differences are right up to 2^31 counts.
 */
export class Tally {
  readonly #cells: Int32Array
  readonly #start: number
  readonly #width: number
  readonly #grains: readonly Grain[]
  readonly #grainStarts: readonly number[]

  /** `grains`: finest first, each period a whole number of the finest. */
  constructor(cells: Int32Array, start: number, width: number, grains: readonly Grain[]) {
    this.#cells = cells
    this.#start = start
    this.#width = width
    this.#grains = grains
    this.#grainStarts = grains.map((_, index) => start + tallyCells(width, grains.slice(0, index)))
  }

  /** `andCounter`: another to add one to, undefined for none. */
  add(counter: number, nowMs: number, andCounter?: number): void {
    this.#turn(nowMs)
    Atomics.add(this.#cells, this.#start + counter, 1)
    if (andCounter !== undefined) Atomics.add(this.#cells, this.#start + andCounter, 1)
  }

  /** Adds one if fewer than `below` came since the note, in one step. */
  addBelow(counter: number, note: number, below: number, nowMs: number): boolean {
    this.#turn(nowMs)
    const base = this.#at(note, counter)
    for (;;) {
      const total = this.total(counter)
      if (((total - base) | 0) >= below) return false
      if (Atomics.compareExchange(this.#cells, this.#start + counter, total, (total + 1) | 0) === total) return true
    }
  }

  total(counter: number): number {
    return Atomics.load(this.#cells, this.#start + counter)
  }

  /** What came to a counter since a note. */
  since(counter: number, note: number): number {
    const base = this.#at(note, counter)
    return (this.total(counter) - base) | 0
  }

  /**
   * Where it is noted what the counters stood at `spanMs` ago, at the start of the period in which that was; `nothing` where nothing
   * has been counted since.
   */
  note(grain: number, spanMs: number, nowMs: number): number {
    const { periodMs, reach } = this.#grains[grain] as Grain
    const present = this.#periodAt(grain, nowMs)
    const oldest = Math.max(1, present - Math.min(reach, Math.ceil(spanMs / periodMs)))
    // In a period without a note nothing was counted: the next one holds for it too.
    for (let period = oldest; period <= present; period += 1) {
      const note = this.#noteCell(grain, period)
      if (Atomics.load(this.#cells, note) === period) return note
    }
    return nothing
  }

  /** Notes what the counters stand at, where a period has begun. */
  #turn(nowMs: number): void {
    // Nearly always the finest has not, and then none has.
    if (!this.#isOver(0, nowMs)) return
    // The finest last: whoever finds it turned counts at once, and must not be in any of the notes.
    for (let grain = this.#grains.length - 1; grain >= 0; grain -= 1) {
      if (this.#isOver(grain, nowMs)) this.#begin(grain, nowMs)
    }
  }

  #isOver(grain: number, nowMs: number): boolean {
    return Atomics.load(this.#cells, this.#grainStarts[grain] as number) < this.#periodAt(grain, nowMs)
  }

  #begin(grain: number, nowMs: number): void {
    const presentCell = this.#grainStarts[grain] as number
    const present = this.#periodAt(grain, nowMs)
    const before = Atomics.load(this.#cells, presentCell)
    // Read before it is told that the period has begun: what others count from then on must not be in the note.
    const totals = Array.from({ length: this.#width }, (_, counter) => this.total(counter))
    if (before >= present || Atomics.compareExchange(this.#cells, presentCell, before, present) !== before) return
    const note = this.#noteCell(grain, present)
    for (const [counter, total] of totals.entries()) Atomics.store(this.#cells, note + 1 + counter, total)
    // Last, as it makes the note hold. The one that stood here is too old for any look back.
    Atomics.store(this.#cells, note, present)
  }

  #periodAt(grain: number, nowMs: number): number {
    return Math.floor(nowMs / (this.#grains[grain] as Grain).periodMs) + 1
  }

  #noteCell(grain: number, period: number): number {
    const kept = notesKept(this.#grains[grain] as Grain)
    return (this.#grainStarts[grain] as number) + 1 + (period % kept) * (this.#width + 1)
  }

  #at(note: number, counter: number): number {
    return note === nothing ? this.total(counter) : Atomics.load(this.#cells, note + 1 + counter)
  }
}

/** In place of a note: nothing was counted. */
const nothing = -1

/** The present period, as many before it as spans reach, and one so that no note is overwritten while somebody reads it. */
function notesKept({ reach }: Grain): number {
  return reach + 2
}

/** How many cells a tally takes. */
export function tallyCells(width: number, grains: readonly Grain[]): number {
  return grains.reduce((cells, grain) => cells + 1 + notesKept(grain) * (width + 1), width)
}
