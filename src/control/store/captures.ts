import type { Database } from './database.ts'

/** What was said in one call, where its key asks for that to be kept. */
export interface Capture {
  readonly receiptId: string
  readonly key: string
  readonly expiresMs: number
  readonly request: Uint8Array
  readonly reply: Uint8Array
}

/** Of the request and of the reply: what is beyond is cut off. */
const bytesMax = 256 * 1024

/** The content of calls, for as long as their keys say, and no longer. */
export class CaptureTable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  put({ receiptId, key, expiresMs, request, reply }: Capture): void {
    this.#database
      .statement(
        'INSERT OR IGNORE INTO captures (receipt_id, key_id, expires_ms, request, reply) VALUES (?, ?, ?, ?, ?)',
      )
      .run(receiptId, key, expiresMs, request.subarray(0, bytesMax), reply.subarray(0, bytesMax))
  }

  /** What has expired is not shown, also where it was not deleted yet. */
  get(receiptId: string, nowMs: number): Capture | undefined {
    const row = this.#database
      .statement('SELECT * FROM captures WHERE receipt_id = ? AND expires_ms > ?')
      .get(receiptId, nowMs)
    if (row === undefined) return undefined
    return {
      receiptId,
      key: String(row.key_id),
      expiresMs: Number(row.expires_ms),
      request: row.request as Uint8Array,
      reply: row.reply as Uint8Array,
    }
  }

  /** Deletes some of those that expired before then, and says how many. */
  prune(beforeMs: number, rowsMax: number): number {
    return this.#database
      .statement(
        `DELETE FROM captures WHERE receipt_id IN
           (SELECT receipt_id FROM captures WHERE expires_ms < ? ORDER BY expires_ms LIMIT ?)`,
      )
      .run(beforeMs, rowsMax).changes
  }
}
