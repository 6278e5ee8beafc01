import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { ConfigError } from '../config.ts'
import { migrations } from './migrations.ts'

export type Value = null | number | string | Uint8Array
export type Row = Readonly<Record<string, Value>>

/** A statement, prepared once. Whatever comes from outside is bound to its `?`s, never written into its text. */
export interface Statement {
  run(...values: Value[]): { readonly changes: number }
  get(...values: Value[]): Row | undefined
  all(...values: Value[]): Row[]
}

/** All that the rest of the store knows of SQLite. */
export interface Database {
  statement(sql: string): Statement
  /** All of the work or nothing. Within another one it is a part of that. */
  transaction<T>(work: () => T): T
  /** When this returns, all that was stored outlives a loss of power. */
  sync(): void
  close(): void
}

/**
 * Opens or makes `keyrung.db` in the folder and brings it up to date. Throws ConfigError where that cannot be. A file of an
 * earlier version is kept beside it, as `keyrung.db.before-v3`. `steps`: an earlier list of migrations, for tests.
 */
export function openDatabase(folder: string, steps: readonly string[] = migrations): Database {
  const file = join(folder, 'keyrung.db')
  let connection: DatabaseSync | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    connection = connect(file)
    migrate(connection, file, steps)
    chmodSync(file, 0o600)
    return new SqliteDatabase(connection)
  } catch (error) {
    connection?.close()
    if (error instanceof ConfigError) throw error
    throw new ConfigError([`${file}: cannot be opened (${error instanceof Error ? error.message : String(error)}).`])
  }
}

/** How long another process's writing is waited for, in which nothing else happens on this thread. */
const busyMs = 5000

/** Read from the file again and again by sums over many keys; 2 MB, which is what SQLite takes unasked, holds a day of them. */
const cacheKiB = 32 * 1024

/** 16 MB: four times what is usual, since the same pages come again with each import; it saves a fifth of its time. */
const walPages = 4000

function connect(file: string): DatabaseSync {
  const connection = new DatabaseSync(file, { timeout: busyMs, enableForeignKeyConstraints: true, defensive: true })
  connection.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;
     PRAGMA cache_size = -${cacheKiB}; PRAGMA wal_autocheckpoint = ${walPages};`,
  )
  return connection
}

/** In one transaction, which another process that is starting on the same folder waits for. */
function migrate(connection: DatabaseSync, file: string, steps: readonly string[]): void {
  if (versionOf(connection) === steps.length) return
  connection.exec('BEGIN IMMEDIATE')
  const version = versionOf(connection)
  if (version > steps.length) {
    throw new ConfigError([
      `${file}: was written by a newer Keyrung (schema ${version}, this one knows ${steps.length}); use that one.`,
    ])
  }
  if (version > 0 && version < steps.length) keepCopy(file, `${file}.before-v${steps.length}`)
  for (const [index, step] of steps.entries()) {
    if (index >= version) connection.exec(`${step} PRAGMA user_version = ${index + 1};`)
  }
  connection.exec('COMMIT')
}

function versionOf(connection: DatabaseSync): number {
  return Number(connection.prepare('PRAGMA user_version').get()?.user_version ?? 0)
}

/**
 * By a connection of its own: it sees what was there before the transaction that is open on the other one, which nobody else
 * can change meanwhile.
 */
function keepCopy(file: string, copy: string): void {
  const unfinished = `${copy}.unfinished`
  rmSync(unfinished, { force: true })
  const reader = new DatabaseSync(file, { readOnly: true, timeout: busyMs })
  try {
    reader.prepare('VACUUM INTO ?').run(unfinished)
  } finally {
    reader.close()
  }
  chmodSync(unfinished, 0o600)
  renameSync(unfinished, copy)
}

/** How many statements are kept prepared: more than there are without the sums of usage, which have many forms. */
const statementsMax = 200

class SqliteDatabase implements Database {
  readonly #connection: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(connection: DatabaseSync) {
    this.#connection = connection
  }

  statement(sql: string): Statement {
    const known = this.#statements.get(sql)
    const statement = known ?? this.#connection.prepare(sql)
    // Those in use last stand last.
    if (known !== undefined) this.#statements.delete(sql)
    else if (this.#statements.size >= statementsMax) this.#forgetOldest()
    this.#statements.set(sql, statement)
    // Whole numbers come as numbers: none is stored that is not safe.
    return statement as unknown as Statement
  }

  transaction<T>(work: () => T): T {
    if (this.#connection.isTransaction) return work()
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#connection.exec('COMMIT')
      return result
    } catch (error) {
      // A full disk has rolled it back already.
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
      throw error
    }
  }

  /** A commit that is synced brings all before it to the disk, whoever else is reading; a checkpoint would wait for them. */
  sync(): void {
    this.#connection.exec('PRAGMA synchronous = FULL')
    try {
      this.statement('UPDATE synced SET times = times + 1').run()
    } finally {
      this.#connection.exec('PRAGMA synchronous = NORMAL')
    }
  }

  close(): void {
    this.#connection.close()
  }

  #forgetOldest(): void {
    const [oldest] = this.#statements.keys()
    if (oldest !== undefined) this.#statements.delete(oldest)
  }
}
