import { hash } from 'node:crypto'
import { rungCells, RungHealth } from './rung-health.ts'

export { monotonicMs } from './monotonic-ms.ts'
export type { HealthRules, Outcome, RungHealth } from './rung-health.ts'

/** Places whose health all threads share. One more of them is known to its own thread only. */
const slots = 512

/** Places whose health one thread keeps for itself where there is no shared slot left; the one that was not used for longest makes room. */
const ownMax = 64

/** Which place a slot belongs to, then its health; whole lines of the processor's cache, so that two places share none. */
const ownerCells = 2
const slotCells = Math.ceil((ownerCells + rungCells) / 16) * 16
const slotBytes = slotCells * Int32Array.BYTES_PER_ELEMENT

/** The memory for the health of all places: made once, and handed to all threads. What is not used of it costs nothing. */
export function healthMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * slotBytes)
}

/** The health of all places, by their keys (`vendor/model#credential`): what one thread learns, all know. */
export class Health {
  readonly #cells: Int32Array
  readonly #slots: number
  readonly #nowMs: () => number
  readonly #shared = new Map<string, RungHealth>()
  readonly #own = new Map<string, RungHealth>()

  /** `nowMs`: a clock that only grows, the same in all threads. */
  constructor(memory: SharedArrayBuffer, nowMs: () => number) {
    this.#cells = new Int32Array(memory)
    this.#slots = Math.floor(memory.byteLength / slotBytes)
    this.#nowMs = nowMs
  }

  /** `shared`: by all threads, where there is room. */
  of(key: string, shared = true): RungHealth {
    return this.#shared.get(key) ?? (shared ? this.#claimed(key) : undefined) ?? this.#owned(key)
  }

  /** Has any thread asked for it? Looks only. */
  has(key: string): boolean {
    return this.#shared.has(key) || this.#own.has(key) || this.#slotOf(key, false) !== undefined
  }

  /** The places that this thread has asked for. */
  keys(): string[] {
    return [...this.#shared.keys(), ...this.#own.keys()]
  }

  /** The place's slot, found or taken; undefined where all belong to others. */
  #claimed(key: string): RungHealth | undefined {
    // Slots are never given up: once there was none, there will be none.
    const start = this.#own.has(key) ? undefined : this.#slotOf(key, true)
    if (start === undefined) return undefined
    const health = new RungHealth(this.#cells, start + ownerCells, this.#nowMs)
    this.#shared.set(key, health)
    return health
  }

  /** Where the slot of this place begins; one that nobody has is taken, or ends a mere look. */
  #slotOf(key: string, take: boolean): number | undefined {
    const digest = hash('sha256', key, 'buffer')
    // 0 stands for nobody.
    const owner = digest.readInt32LE(0) || 1
    const ownerToo = digest.readInt32LE(4) || 1
    const first = digest.readUInt32LE(8)
    for (let step = 0; step < this.#slots; step += 1) {
      const start = ((first + step) % this.#slots) * slotCells
      if (!take && Atomics.load(this.#cells, start) === 0) return undefined
      // Of several who come at once, one sets each cell, and it is his whose both cells fit: nobody waits for anybody.
      if (this.#isSet(start, owner, take) && this.#isSet(start + 1, ownerToo, take)) return start
    }
    return undefined
  }

  #isSet(index: number, value: number, take: boolean): boolean {
    const before = take ? Atomics.compareExchange(this.#cells, index, 0, value) : Atomics.load(this.#cells, index)
    return before === value || (take && before === 0)
  }

  #owned(key: string): RungHealth {
    const kept = this.#own.get(key)
    const health = kept ?? new RungHealth(new Int32Array(new SharedArrayBuffer(slotBytes)), 0, this.#nowMs)
    this.#own.delete(key)
    this.#own.set(key, health)
    if (this.#own.size > ownMax) {
      const [oldest] = this.#own.keys()
      this.#own.delete(oldest as string)
    }
    return health
  }
}
