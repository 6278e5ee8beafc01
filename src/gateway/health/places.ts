import type { AdaptiveRules } from '../../core/ladder.ts'

/** Most workers that one memory serves, and most credentials it knows. Beyond that a credential is not limited. */
const workersMax = 64
const credentialsMax = 256

/** The cells of one credential: its hash, the limit found for it, successes since the limit was last changed, when that was, then a row of calls by worker. */
const hashAt = 0
const limitAt = 1
const successesAt = 2
const changedAt = 3
const rowAt = 4
const cells = rowAt + workersMax

/**
 * One change in so long: all refusals of a burst speak of the same moment, and short calls, of which there are many in a second, would
 * raise the limit faster than refusals lower it.
 */
const changeEveryMs = 1000

/** Room for the calls at once of all credentials, to be shared by all workers. */
export function placesMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(credentialsMax * cells * 4)
}

interface Options {
  memory: SharedArrayBuffer
  /** From 0: each worker counts in a row of its own, so that a lost worker's calls can be taken off. */
  worker: number
  nowMs: () => number
}

/**
 * How many calls each credential has under way, and how many it may: what the operator says, or what trying has found (AIMD, as a
 * network's sender does: losses tell of the limit, times do not, for a long answer is no sign of a full vendor).
 */
export class Places {
  readonly #cells: Int32Array
  readonly #worker: number
  readonly #nowMs: () => number
  readonly #found = new Map<string, Place | undefined>()

  constructor({ memory, worker, nowMs }: Options) {
    this.#cells = new Int32Array(memory)
    this.#worker = worker
    this.#nowMs = nowMs
  }

  /** The places of a credential; undefined where the table is full. */
  of(key: string): Place | undefined {
    if (!this.#found.has(key)) this.#found.set(key, this.#claim(hashOf(key)))
    return this.#found.get(key)
  }

  /** Takes off the calls of a worker that is gone. */
  forget(worker: number): void {
    for (let base = 0; base < this.#cells.length; base += cells) Atomics.store(this.#cells, base + rowAt + worker, 0)
  }

  #claim(hash: number): Place | undefined {
    for (let step = 0; step < credentialsMax; step += 1) {
      const base = ((hash + step) % credentialsMax) * cells
      const held = Atomics.compareExchange(this.#cells, base + hashAt, 0, hash)
      if (held === 0 || held === hash) return new Place(this.#cells, base, this.#worker, this.#nowMs)
    }
    return undefined
  }
}

/** The places of one credential. */
export class Place {
  readonly #cells: Int32Array
  readonly #base: number
  readonly #own: number
  readonly #nowMs: () => number

  constructor(all: Int32Array, base: number, worker: number, nowMs: () => number) {
    this.#cells = all
    this.#base = base
    this.#own = base + rowAt + worker
    this.#nowMs = nowMs
  }

  /** Calls under way, on all workers. */
  get taken(): number {
    let sum = 0
    for (let worker = 0; worker < workersMax; worker += 1) sum += Atomics.load(this.#cells, this.#base + rowAt + worker)
    return sum
  }

  /** How many there may be by what was found. */
  limit({ start }: AdaptiveRules): number {
    return Atomics.load(this.#cells, this.#base + limitAt) || start
  }

  /** Takes a place if there is one among so many. */
  take(max: number): boolean {
    Atomics.add(this.#cells, this.#own, 1)
    // Counted first and looked at after: two who come at once may both be sent away, but never both be let in.
    if (this.taken <= max) return true
    this.leave()
    return false
  }

  leave(): void {
    Atomics.sub(this.#cells, this.#own, 1)
  }

  /** A call went well: one more place after as many successes in a row as there are places. */
  wentWell(rules: AdaptiveRules): void {
    const limit = this.limit(rules)
    // What is not used up says nothing of what there could be.
    if (this.taken + 1 < limit) return
    if (Atomics.add(this.#cells, this.#base + successesAt, 1) + 1 < limit) return
    if (this.#mayChange()) this.#change(Math.min(limit + 1, rules.most))
  }

  /** The vendor said that it is too much. */
  tooMuch(rules: AdaptiveRules): void {
    Atomics.store(this.#cells, this.#base + successesAt, 0)
    if (this.#mayChange()) this.#change(Math.max(Math.floor(this.limit(rules) * rules.factor), rules.least))
  }

  /** True for one of those who come when the time for a change has come. */
  #mayChange(): boolean {
    const now = Math.floor(this.#nowMs()) | 0 || 1
    const last = Atomics.load(this.#cells, this.#base + changedAt)
    if (last !== 0 && ((now - last) | 0) < changeEveryMs) return false
    return Atomics.compareExchange(this.#cells, this.#base + changedAt, last, now) === last
  }

  #change(limit: number): void {
    Atomics.store(this.#cells, this.#base + successesAt, 0)
    Atomics.store(this.#cells, this.#base + limitAt, limit)
  }
}

/** FNV-1a, never 0, which stands for an empty place. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return hash & 0x7fffffff || 1
}
