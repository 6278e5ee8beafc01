import { DatabaseSync } from 'node:sqlite'
import type { Batch, Sink } from '../importer.ts'

/**
 * The smallest true sink: SQLite, where an entry that is imported twice stands twice, and a batch that does not begin where
 * the last one ended is refused. Processes die in these tests, machines do not: nothing is waited for until it is on the disk.
 */
export class TableSink implements Sink {
  readonly #database: DatabaseSync

  constructor(file: string) {
    this.#database = new DatabaseSync(file)
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
      CREATE TABLE IF NOT EXISTS entries (type TEXT NOT NULL, id TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS offsets (file TEXT PRIMARY KEY, offset INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS open (id TEXT PRIMARY KEY, writer TEXT NOT NULL);`)
  }

  offset(file: string): number {
    return Number(this.#database.prepare('SELECT offset FROM offsets WHERE file = ?').get(file)?.offset ?? 0)
  }

  import({ file, writer, from, offset, entries }: Batch): void {
    if (from !== this.offset(file)) throw new Error(`${file}: imported from ${from}, but ${this.offset(file)} was next`)
    this.#transaction(() => {
      const insert = this.#database.prepare('INSERT INTO entries VALUES (?, ?)')
      const opened = this.#database.prepare('INSERT INTO open VALUES (?, ?)')
      const ended = this.#database.prepare('DELETE FROM open WHERE id = ?')
      for (const { type, id } of entries) {
        insert.run(type, id)
        if (type === 'intent') opened.run(id, writer)
        else ended.run(id)
      }
      this.#database.prepare('INSERT OR REPLACE INTO offsets VALUES (?, ?)').run(file, offset)
    })
  }

  ended(writer: string): void {
    this.#transaction(() => {
      this.#database.prepare("INSERT INTO entries SELECT 'interrupted', id FROM open WHERE writer = ?").run(writer)
      this.#database.prepare('DELETE FROM open WHERE writer = ?').run(writer)
    })
  }

  sync(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  files(): string[] {
    return this.#database
      .prepare('SELECT file FROM offsets')
      .all()
      .map(({ file }) => String(file))
  }

  finished(file: string): void {
    this.#database.prepare('DELETE FROM offsets WHERE file = ?').run(file)
  }

  /** What was imported, `type id`, in its order. */
  entries(): string[] {
    return this.#database
      .prepare('SELECT type, id FROM entries ORDER BY rowid')
      .all()
      .map(({ type, id }) => `${String(type)} ${String(id)}`)
  }

  close(): void {
    this.#database.close()
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }
}
