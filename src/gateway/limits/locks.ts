import type { Layout } from './memory.ts'

/** A lock is held for less than a microsecond, so most who find it taken get it while they look again. */
const looksMax = 500

/** Beyond that its holder has lost the processor, and waiting must not keep it from him. */
const waitMs = 1
const waitsMax = 1000

/**
 * One lock a slot, which says which worker holds it.
 *
 * A lock rather than an exchange for each cell: a call is charged to up to eighteen cells of two slots at once, or to none. Exchanged
 * one by one they would have to be taken back where a later one refuses, and until then would refuse other calls for what is not used
 * by anybody; and what is left, and until when, could not be told as of one moment. An exchange of 64 bits is also one of BigInts, which
 * costs more than the lock does for all of them.
 */
export class Locks {
  readonly #layout: Layout
  readonly #own: number

  constructor(layout: Layout, worker: number) {
    this.#layout = layout
    this.#own = markOf(worker)
  }

  /** Locks a slot, or two in the order of their numbers, so that no two workers wait for each other. */
  take(one: number, other: number): void {
    if (other < 0) {
      this.#lock(one)
      return
    }
    const [first, second] = one < other ? [one, other] : [other, one]
    this.#lock(first)
    try {
      this.#lock(second)
    } catch (error) {
      this.#unlock(first)
      throw error
    }
  }

  release(one: number, other: number): void {
    if (other >= 0) this.#unlock(other)
    this.#unlock(one)
  }

  /** Opens whatever a worker has locked that is gone. */
  break(worker: number): void {
    const { flags, slots } = this.#layout
    for (let slot = 0; slot < slots; slot += 1) {
      Atomics.compareExchange(flags, this.#layout.lock(slot) * 2, markOf(worker), 0)
    }
  }

  #lock(slot: number): void {
    const { flags } = this.#layout
    const index = this.#layout.lock(slot) * 2
    for (let look = 0; look < looksMax; look += 1) {
      // Looked at first: to exchange takes the line of the cache from the holder.
      if (Atomics.load(flags, index) === 0 && Atomics.compareExchange(flags, index, 0, this.#own) === 0) return
    }
    for (let wait = 0; wait < waitsMax; wait += 1) {
      const holder = Atomics.load(flags, index)
      if (holder !== 0) Atomics.wait(flags, index, holder, waitMs)
      if (Atomics.compareExchange(flags, index, 0, this.#own) === 0) return
    }
    const holder = Atomics.load(flags, index) - 1
    throw new Error(`The limits in slot ${slot} have been locked by worker ${holder} for ${waitsMax * waitMs} ms.`)
  }

  #unlock(slot: number): void {
    // Nobody is woken: whoever sleeps looks again within a millisecond, and to wake costs more than all the rest.
    Atomics.store(this.#layout.flags, this.#layout.lock(slot) * 2, 0)
  }
}

/** 0 says that a lock is open. */
function markOf(worker: number): number {
  return worker + 1
}
