import type { Reserved } from '../../core/receipt.ts'
import type { NanoDollars } from '../../core/price.ts'
import { CaptureTable } from './captures.ts'
import type { Database, Row, Statement } from './database.ts'
import {
  captureOf,
  intentColumns,
  intentRow,
  interruptedRow,
  receiptColumns,
  receiptRow,
  type Entry,
  type IntentRow,
  type ReceiptRow,
} from './entries.ts'
import { places, Tally } from './tally.ts'
import { maybeText, numberOf, textOf } from './values.ts'

/** Entries of one journal file, in the order in which they were written. */
export interface Batch {
  readonly file: string
  readonly writer: string
  /** The file's offset before these entries, and after them. */
  readonly from: number
  readonly offset: number
  readonly entries: readonly Entry[]
}

/** A call in whose middle its worker ended, for the settlement of limits. */
export interface Interrupted {
  readonly id: string
  readonly key: string
  readonly owner: string | undefined
  readonly reserved: Reserved
}

export interface SinkOptions {
  readonly nowMs: () => number
  /** Told after their receipts are stored. */
  readonly onInterrupted?: (calls: readonly Interrupted[]) => void
  /** What the input of an interrupted call costs; undefined where that is not known. */
  readonly inputCost?: (call: { vendor: string; model: string; inputTokens: number }) => NanoDollars | undefined
}

/** How old `lastUsedAt` of a key may become before it is written anew. */
const lastUsedStepMs = 60_000
/** How many keys' last use is remembered, so as not to ask for each batch. */
const lastUsedMax = 100_000

/** Where journals go: takes each call's end exactly once, with the sums over it. */
export class JournalSink {
  readonly #database: Database
  readonly #options: SinkOptions
  readonly #tally: Tally
  readonly #captures: CaptureTable
  readonly #insertReceipt: Statement
  readonly #insertIntent: Statement
  readonly #deleteIntent: Statement
  readonly #touchKey: Statement
  readonly #lastUsed = new Map<string, number>()

  constructor(database: Database, options: SinkOptions) {
    this.#database = database
    this.#options = options
    this.#tally = new Tally(database)
    this.#captures = new CaptureTable(database)
    this.#insertReceipt = database.statement(
      `INSERT OR IGNORE INTO receipts (${receiptColumns.join(', ')}) VALUES (${places(receiptColumns.length)})`,
    )
    // The end of a call may be here before its beginning, where that is imported a second time.
    this.#insertIntent = database.statement(
      `INSERT OR IGNORE INTO intents (${intentColumns.join(', ')}) SELECT ${places(intentColumns.length)}
       WHERE NOT EXISTS (SELECT 1 FROM receipts WHERE id = ?)`,
    )
    this.#deleteIntent = database.statement('DELETE FROM intents WHERE id = ?')
    this.#touchKey = database.statement(
      'UPDATE keys SET last_used_ms = ? WHERE id = ? AND COALESCE(last_used_ms, 0) < ?',
    )
  }

  /** How far the file has been imported; 0 for one that is not known. */
  offset(file: string): number {
    return Number(this.#database.statement('SELECT position FROM journals WHERE file = ?').get(file)?.position ?? 0)
  }

  /** Stores the entries and the file's offset, both or neither. */
  import({ file, writer, from, offset, entries }: Batch): void {
    this.#kept(() => {
      const next = this.offset(file)
      if (from !== next) throw new Error(`${file}: entries from ${from} on came where those from ${next} on are next.`)
      this.#take(entries, writer)
      this.#database
        .statement('INSERT INTO journals VALUES (?, ?) ON CONFLICT (file) DO UPDATE SET position = excluded.position')
        .run(file, offset)
    })
  }

  /** The writer runs no more: what it began and did not end was interrupted. */
  ended(writer: string): void {
    const open = this.#kept(() => {
      const found = this.#database.statement('SELECT * FROM intents WHERE writer = ?').all(writer).map(openIntent)
      this.#store(found.map((intent) => interruptedRow(intent, this.#costOf(intent), this.#options.nowMs())))
      for (const { id } of found) this.#deleteIntent.run(id)
      return found
    })
    if (open.length > 0) this.#options.onInterrupted?.(open.map(interrupted))
  }

  sync(): void {
    this.#database.sync()
  }

  /** The files whose offsets are kept. */
  files(): string[] {
    const rows = this.#database.statement('SELECT file FROM journals ORDER BY file').all()
    return rows.map((row) => textOf(row, 'file'))
  }

  /** The file is gone, and its offset of no more use. */
  finished(file: string): void {
    this.#database.statement('DELETE FROM journals WHERE file = ?').run(file)
  }

  #take(entries: readonly Entry[], writer: string): void {
    const open = new Map<string, IntentRow>()
    const receipts: ReceiptRow[] = []
    for (const entry of entries) {
      if (entry.type === 'capture') this.#captures.put(captureOf(entry))
      if (entry.type === 'intent') open.set(entry.id, intentRow(entry, writer))
      if (entry.type !== 'receipt') continue
      receipts.push(receiptRow(entry))
      // Most calls begin and end in one batch, and their beginning is never written.
      open.delete(entry.id)
      this.#deleteIntent.run(entry.id)
    }
    this.#store(receipts)
    for (const intent of open.values()) {
      this.#insertIntent.run(
        intent.id,
        intent.writer,
        intent.key,
        intent.owner,
        intent.plan,
        intent.model,
        intent.vendor,
        intent.dialect,
        intent.simulated,
        intent.startedMs,
        intent.reservedInput,
        intent.reservedOutput,
        intent.reservedNano,
        intent.id,
      )
    }
  }

  /** Counts those only that were not there yet. */
  #store(receipts: readonly ReceiptRow[]): void {
    const stored = receipts.filter(({ values }) => this.#insertReceipt.run(...values).changes === 1)
    this.#tally.add(stored)
    const latest = new Map<string, number>()
    for (const { key, startedMs } of stored) latest.set(key, Math.max(latest.get(key) ?? 0, startedMs))
    for (const [key, ms] of [...latest].toSorted(([one], [other]) => (one < other ? -1 : 1))) this.#touch(key, ms)
  }

  #touch(key: string, ms: number): void {
    if (ms < (this.#lastUsed.get(key) ?? 0) + lastUsedStepMs) return
    if (this.#lastUsed.size >= lastUsedMax) this.#lastUsed.clear()
    this.#lastUsed.set(key, ms)
    this.#touchKey.run(ms, key, ms)
  }

  #costOf({ vendor, model, reservedInput: inputTokens }: IntentRow): NanoDollars | undefined {
    return this.#options.inputCost?.({ vendor, model, inputTokens })
  }

  #kept<T>(work: () => T): T {
    try {
      return this.#database.transaction(work)
    } catch (error) {
      this.#tally.forget()
      this.#lastUsed.clear()
      throw error
    }
  }
}

function openIntent(row: Row): IntentRow {
  return {
    id: textOf(row, 'id'),
    writer: textOf(row, 'writer'),
    key: textOf(row, 'key_id'),
    owner: maybeText(row, 'owner') ?? null,
    plan: textOf(row, 'plan'),
    model: textOf(row, 'model'),
    vendor: textOf(row, 'vendor'),
    dialect: textOf(row, 'dialect'),
    simulated: numberOf(row, 'simulated'),
    startedMs: numberOf(row, 'started_ms'),
    reservedInput: numberOf(row, 'reserved_input'),
    reservedOutput: numberOf(row, 'reserved_output'),
    reservedNano: numberOf(row, 'reserved_nano'),
  }
}

function interrupted({ id, key, owner, reservedInput, reservedOutput, reservedNano }: IntentRow): Interrupted {
  return {
    id,
    key,
    owner: owner ?? undefined,
    reserved: { input: reservedInput, output: reservedOutput, nano: reservedNano },
  }
}
