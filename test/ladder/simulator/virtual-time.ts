import type { Clock } from '../../../src/gateway/clock.ts'

interface Entry {
  readonly atMs: number
  /** What is due at the same time comes in the order in which it was asked for. */
  readonly order: number
  act: (() => void) | undefined
}

/** What is due at a time to come; to be cancelled as often as one likes. */
export interface Due {
  cancel(): void
}

/** Time that passes at once: it stands still while anything happens, and then leaps to what is due next. */
export class VirtualTime {
  readonly #heap: Entry[] = []
  #nowMs: number
  #order = 0

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  readonly nowMs = (): number => this.#nowMs

  at(atMs: number, act: () => void): Due {
    const entry: Entry = { atMs: Math.max(atMs, this.#nowMs), order: (this.#order += 1), act }
    this.#push(entry)
    return {
      cancel() {
        entry.act = undefined
      },
    }
  }

  /** Lets this time pass where nothing is due any more. */
  skip(ms: number): void {
    this.#nowMs += ms
  }

  after(ms: number, act: () => void): Due {
    return this.at(this.#nowMs + ms, act)
  }

  clock(random: () => number): Clock {
    return {
      nowMs: this.nowMs,
      random,
      sleep: (ms) => {
        const { promise, resolve } = Promise.withResolvers<undefined>()
        const due = this.after(ms, () => resolve(undefined))
        return {
          done: promise,
          cancel() {
            due.cancel()
            resolve(undefined)
          },
        }
      },
    }
  }

  /** Lets all that is due happen, one after the other, each with all that follows from it in promises. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        const entry = this.#next()
        if (entry?.act === undefined) {
          resolve()
          return
        }
        this.#nowMs = entry.atMs
        try {
          entry.act()
        } catch (thrown) {
          reject(thrown)
          return
        }
        // A tick that is asked for from within the queue of promises comes when that is empty, without a turn of the real event loop.
        queueMicrotask(() => process.nextTick(turn))
      }
      process.nextTick(turn)
    })
  }

  /** What was cancelled takes no time. */
  #next(): Entry | undefined {
    for (;;) {
      const entry = this.#pop()
      if (entry === undefined || entry.act !== undefined) return entry
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(entry, heap[above] as Entry)) break
      heap[at] = heap[above] as Entry
      at = above
    }
    heap[at] = entry
  }

  #pop(): Entry | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return last
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Entry, heap[below] as Entry)) below += 1
      if (!isBefore(heap[below] as Entry, last)) break
      heap[at] = heap[below] as Entry
      at = below
    }
    heap[at] = last
    return first
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs
}
