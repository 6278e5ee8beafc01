import { Failure } from '../../core/failure.ts'

/** Ends a call wherever it stands, for this reason. */
export type End = (reason: Failure) => void

/** The calls under way, and how many there may be: beyond it the gateway says that it is full instead of slowing all down. */
export class Concurrency {
  readonly #calls = new Map<End, string>()

  /** Takes a place for a call of this key and gives back how to leave it. Throws Failure `gateway-full`. */
  admit(callsMax: number, keyId: string, end: End): () => void {
    if (this.#calls.size >= callsMax) {
      throw new Failure('gateway-full', `This gateway has ${callsMax} calls under way, the most that it takes.`, {
        retryAfterMs: 1000,
      })
    }
    this.#calls.set(end, keyId)
    return () => this.#calls.delete(end)
  }

  /** Ends all calls under way, or those of one key. */
  endAll(reason: Failure, keyId?: string): void {
    for (const [end, key] of this.#calls) if (keyId === undefined || key === keyId) end(reason)
  }
}
