import { Failure } from '../../core/failure.ts'

/** How many calls may be under way at once: beyond it the gateway says that it is full instead of slowing all down. */
export class Concurrency {
  #calls = 0

  get calls(): number {
    return this.#calls
  }

  /** Takes a place and gives back how to leave it. Throws Failure `gateway-full`. */
  admit(callsMax: number): () => void {
    if (this.#calls >= callsMax) {
      throw new Failure('gateway-full', `This gateway has ${callsMax} calls under way, the most that it takes.`, {
        retryAfterMs: 1000,
      })
    }
    this.#calls += 1
    let here = true
    return () => {
      if (here) this.#calls -= 1
      here = false
    }
  }
}
