import type { Receipt } from '../core/receipt.ts'
import type { Store } from './store.ts'

/** How long a receipt may wait to be written with others, and how many wait at most before the oldest batch is written at once. */
const waitMs = 100
const batchMax = 500

/** Collects receipts and writes them in groups, so that a call pays for no transaction of its own. */
export class Ledger {
  readonly #store: Store
  readonly #onError: (error: unknown) => void
  #waiting: Receipt[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store
    this.#onError = onError
  }

  add(receipt: Receipt): void {
    this.#waiting.push(receipt)
    // Reached once: while the database cannot be written, more than that waits, and only the timer tries again.
    if (this.#waiting.length === batchMax) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), waitMs)
  }

  /**
   * Writes all that waits. What cannot be written now is kept for the next time, and said. Calls stand still meanwhile,
   * so another process that is writing is waited for but shortly.
   */
  flush(patienceMs = busyMs): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    const receipts = this.#waiting
    this.#waiting = []
    try {
      this.#store.addReceipts(receipts, patienceMs)
    } catch (error) {
      this.#waiting = [...receipts, ...this.#waiting].slice(-keptMax)
      this.#timer = setTimeout(() => this.flush(), retryMs)
      this.#onError(error)
    }
  }

  /** Writes for the last time: patiently, since no call waits any more. */
  close(): void {
    this.flush(lastBusyMs)
    clearTimeout(this.#timer)
    const lost = this.#waiting.length
    if (lost > 0) this.#onError(new Error(`${lost} receipts could not be written before the end and are lost`))
  }
}

/** How long another process's writing is waited for: in between, and at the end. */
const busyMs = 50
const lastBusyMs = 5000

/** While the database cannot be written: how many receipts are kept, and how often it is tried again. */
const keptMax = 100_000
const retryMs = 1000
