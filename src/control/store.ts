import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Receipt } from '../core/receipt.ts'
import type { Caller } from '../core/snapshot.ts'
import { ConfigError } from './config.ts'

/** The schema, a step a version: a database is brought up to date at the start, forward only. */
const migrations: readonly string[] = [
  `CREATE TABLE callers (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     digest BLOB NOT NULL,
     created_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE receipts (
     id TEXT PRIMARY KEY,
     key_id TEXT NOT NULL,
     dialect TEXT NOT NULL,
     model_asked TEXT NOT NULL,
     model TEXT NOT NULL,
     vendor TEXT NOT NULL,
     simulated INTEGER NOT NULL,
     stream INTEGER NOT NULL,
     tries TEXT NOT NULL,
     input INTEGER NOT NULL,
     output INTEGER NOT NULL,
     cache_read INTEGER NOT NULL,
     cache_write_5m INTEGER NOT NULL,
     cache_write_1h INTEGER NOT NULL,
     thinking INTEGER NOT NULL,
     status INTEGER NOT NULL,
     failure TEXT,
     blame TEXT,
     started_ms INTEGER NOT NULL,
     first_byte_ms INTEGER NOT NULL,
     ended_ms INTEGER NOT NULL,
     request_bytes INTEGER NOT NULL,
     reply_bytes INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX receipts_by_key ON receipts (key_id, started_ms);`,
  'ALTER TABLE receipts ADD COLUMN client_id TEXT;',
]

/** What outlives the process: callers and receipts, in one SQLite file. */
export class Store {
  readonly #database: DatabaseSync
  readonly #insertReceipt: StatementSync

  /** Opens or makes `keyrung.db` in the folder. Throws ConfigError where that cannot be. */
  constructor(folder: string) {
    const file = join(folder, 'keyrung.db')
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      this.#database = new DatabaseSync(file)
      this.#database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;')
      this.#migrate(file)
      this.#insertReceipt = this.#database.prepare(
        `INSERT OR IGNORE INTO receipts VALUES (${Array.from({ length: 24 }, () => '?').join(', ')})`,
      )
    } catch (error) {
      if (error instanceof ConfigError) throw error
      throw new ConfigError([`${file}: cannot be opened (${error instanceof Error ? error.message : String(error)}).`])
    }
  }

  callers(): Caller[] {
    const rows = this.#database.prepare('SELECT id, name, digest FROM callers').all()
    return rows.map((row) => ({
      id: String(row.id),
      name: String(row.name),
      digest: Buffer.from(row.digest as Uint8Array),
    }))
  }

  addCaller(caller: Caller, createdMs: number): void {
    this.#database
      .prepare('INSERT INTO callers VALUES (?, ?, ?, ?)')
      .run(caller.id, caller.name, caller.digest, createdMs)
  }

  /**
   * Writes receipts in one transaction; one that is already there stays as it is. Throws where another process writes
   * for longer than `patienceMs`.
   */
  addReceipts(receipts: readonly Receipt[], patienceMs: number): void {
    this.#database.exec(`PRAGMA busy_timeout = ${patienceMs}; BEGIN IMMEDIATE`)
    try {
      for (const receipt of receipts) this.#addReceipt(receipt)
      this.#database.exec('COMMIT')
    } catch (error) {
      // A full disk has rolled it back already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** The newest receipts first; for people and tests. */
  receipts(limit: number): Record<string, unknown>[] {
    return this.#database.prepare('SELECT * FROM receipts ORDER BY started_ms DESC, rowid DESC LIMIT ?').all(limit)
  }

  close(): void {
    this.#database.close()
  }

  #addReceipt(receipt: Receipt): void {
    const { usage } = receipt
    this.#insertReceipt.run(
      receipt.id,
      receipt.keyId,
      receipt.dialect,
      receipt.modelAsked,
      receipt.model,
      receipt.vendor,
      receipt.simulated ? 1 : 0,
      receipt.stream ? 1 : 0,
      JSON.stringify(receipt.tries),
      count(usage.input),
      count(usage.output),
      count(usage.cacheRead),
      count(usage.cacheWrite5m),
      count(usage.cacheWrite1h),
      count(usage.thinking),
      receipt.status,
      receipt.failure ?? null,
      receipt.blame ?? null,
      receipt.startedMs,
      receipt.firstByteMs,
      receipt.endedMs,
      receipt.requestBytes,
      receipt.replyBytes,
      receipt.clientId ?? null,
    )
  }

  #migrate(file: string): void {
    if (this.#version() === migrations.length) return
    // Looked at again within the transaction: another process may be starting on the same folder.
    this.#database.exec('BEGIN IMMEDIATE')
    const version = this.#version()
    if (version > migrations.length) {
      this.#database.close()
      throw new ConfigError([
        `${file}: was written by a newer Keyrung (schema ${version}, this one knows ${migrations.length}); use that one.`,
      ])
    }
    for (let step = version; step < migrations.length; step += 1) {
      this.#database.exec(`${migrations[step]} PRAGMA user_version = ${step + 1};`)
    }
    this.#database.exec('COMMIT')
  }

  #version(): number {
    return Number(this.#database.prepare('PRAGMA user_version').get()?.user_version ?? 0)
  }
}

/** A vendor's count as a column can hold it: one odd number must not keep a whole group of receipts from being written. */
function count(value: number): number {
  return Math.min(Math.max(Math.trunc(value) || 0, 0), Number.MAX_SAFE_INTEGER)
}
