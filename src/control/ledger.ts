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
    if (this.#waiting.length >= batchMax) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), waitMs)
  }

  /** Writes all that waits. What cannot be written now is kept for the next time, and said. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    const receipts = this.#waiting
    this.#waiting = []
    try {
      this.#store.addReceipts(receipts)
    } catch (error) {
      this.#waiting = [...receipts, ...this.#waiting].slice(-keptMax)
      this.#timer = setTimeout(() => this.flush(), retryMs)
      this.#onError(error)
    }
  }
}

/** While the database cannot be written: how many receipts are kept, and how often it is tried again. */
const keptMax = 100_000
const retryMs = 1000
