import { Failure } from '../../core/failure.ts'

/** Ends a call wherever it stands, for this reason. */
export type End = (reason: Failure) => void

/** The calls under way, and how many there may be: beyond it the gateway says that it is full instead of slowing all down. */
export class Concurrency {
  readonly #calls = new Set<End>()

  /** Takes a place and gives back how to leave it. Throws Failure `gateway-full`. */
  admit(callsMax: number, end: End): () => void {
    if (this.#calls.size >= callsMax) {
      throw new Failure('gateway-full', `This gateway has ${callsMax} calls under way, the most that it takes.`, {
        retryAfterMs: 1000,
      })
    }
    this.#calls.add(end)
    return () => this.#calls.delete(end)
  }

  /** Ends all calls under way. */
  endAll(reason: Failure): void {
    for (const end of this.#calls) end(reason)
  }
}
