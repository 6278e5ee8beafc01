import type { Failure } from '../core/failure.ts'
import type { Billed, Intent } from '../core/receipt.ts'
import type { Captured } from './capture.ts'

/** Where receipts are made durable: the journal of this worker. */
export interface Journal {
  /** Entries reach the disk. */
  readonly healthy: boolean
  append(entry: { type: string; id: string } & Record<string, unknown>): void
  /** All that was appended is written, and outlives the process. */
  flush(): boolean
}

/** Refusals of one kind by one key in a second that are written down one by one; further ones become one receipt. */
const singlesMax = 10
const gatherMs = 1000
/** Kinds that are gathered at once: whatever comes in a storm, memory does not grow. */
const gatheredMax = 1000

/**
 * Step 7: writes down what became of a call, before the end of its answer is sent. All that ends in one turn of the event loop is
 * written at once. Refusals that come in a storm are counted and written as one.
 */
export class Recorder {
  readonly #journal: Journal
  #ends: (() => void)[] = []
  #turn: NodeJS.Immediate | undefined
  #gathered = new Map<string, Gathered>()
  #second: NodeJS.Timeout | undefined

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** Can calls be written down? */
  get healthy(): boolean {
    return this.#journal.healthy
  }

  /** A call was admitted: what it holds, in case nobody tells how it ended. */
  admitted(intent: Intent): void {
    // The type last: an object is copied in one step where nothing stands before it, and then also written out sooner.
    this.#journal.append({ ...intent, type: 'intent' })
  }

  /** What was said in a call that ends now. */
  said(captured: Captured): void {
    this.#journal.append({ type: 'capture', ...captured })
  }

  /** A call has ended. `refused`: why, where it was not admitted. `then` sends the end of its answer. */
  ended(receipt: Billed, refused: Failure | undefined, then: () => void): void {
    if (this.#gathers(receipt, refused)) {
      then()
      return
    }
    this.#journal.append({ ...receipt, type: 'receipt' })
    this.#ends.push(then)
    this.#turn ??= setImmediate(() => this.flush())
  }

  /** Writes all that waits. */
  close(): void {
    this.#write()
    this.flush()
  }

  /** Writes what has ended, and lets the ends of its answers go. */
  flush(): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    this.#journal.flush()
    const ends = this.#ends
    this.#ends = []
    for (const end of ends) end()
  }

  /** A refusal is written down by itself while they are few. What was admitted always is: its beginning stands there already. */
  #gathers(receipt: Billed, refused: Failure | undefined): boolean {
    if (refused === undefined || refused.kind === 'gateway-fault') return false
    const key = `${receipt.keyId} ${refused.kind} ${receipt.modelAsked}`
    const held = this.#gathered.get(key)
    this.#second ??= setTimeout(() => this.#write(), gatherMs)
    if (held === undefined) {
      if (this.#gathered.size < gatheredMax) this.#gathered.set(key, { seen: 1, receipt: undefined })
      return false
    }
    held.seen += 1
    if (held.seen <= singlesMax) return false
    if (held.receipt === undefined) held.receipt = { ...receipt, times: 0 }
    held.receipt.times += 1
    held.receipt.endedMs = receipt.endedMs
    return true
  }

  #write(): void {
    clearTimeout(this.#second)
    this.#second = undefined
    for (const { receipt } of this.#gathered.values()) {
      if (receipt !== undefined) this.#journal.append({ ...receipt, type: 'receipt' })
    }
    this.#gathered = new Map()
  }
}

interface Gathered {
  seen: number
  receipt: Billed | undefined
}
