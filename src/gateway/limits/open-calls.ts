import { Failure } from '../../core/failure.ts'
import { call, type Layout } from './memory.ts'

/** The places where one worker's calls under way are written down. Only that worker takes and frees them. */
export class OpenCalls {
  readonly #layout: Layout
  readonly #worker: number
  readonly #free: number[] = []
  /** Layout from here on have not been in use yet. */
  #next = 0

  constructor(layout: Layout, worker: number) {
    this.#layout = layout
    this.#worker = worker
  }

  /** A place for one more call. Throws Failure `gateway-full`. */
  take(): number {
    const free = this.#free.pop()
    if (free !== undefined) return free
    const { callsMax, cells } = this.#layout
    while (this.#next < callsMax) {
      const place = this.#next
      this.#next += 1
      // A worker before this one may have left calls that nobody has taken off yet.
      if (cells[this.at(place) + call.open] === 0) return place
    }
    throw new Failure('gateway-full', `This gateway has ${callsMax} calls under way, the most that it takes.`, {
      retryAfterMs: 1000,
    })
  }

  release(place: number): void {
    this.#free.push(place)
  }

  /** Where its cells begin. */
  at(place: number): number {
    return this.#layout.call(this.#worker, place)
  }
}
