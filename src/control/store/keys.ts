import type { Limits } from '../../core/plan.ts'
import type { Key } from '../service.ts'
import type { Database, Row, Value } from './database.ts'
import { namedRows, type NamedQuery } from './named.ts'
import { places } from './tally.ts'
import { bytesOf, jsonValue, maybeJson, maybeNumber, maybeText, numberOf, textOf } from './values.ts'

/** A key with its digests, which never leave the control plane but to the workers. */
export interface KeyRecord {
  readonly key: Key
  readonly digest: Uint8Array
  readonly former: { readonly digest: Uint8Array; readonly untilMs: number } | undefined
}

const columns = `
  id name digest former_digest former_until_ms state expires_ms owner plan models networks limits sandbox ladder
  capture_ms metadata created_ms changed_ms version`
  .trim()
  .split(/\s+/)

/** How many are read at a time where all are. */
const eachRows = 1000

export class KeyTable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Has any key ever been made? */
  any(): boolean {
    return this.#database.statement('SELECT 1 AS found FROM keys LIMIT 1').get() !== undefined
  }

  get(id: string): KeyRecord | undefined {
    const row = this.#database.statement('SELECT * FROM keys WHERE id = ?').get(id)
    return row === undefined ? undefined : keyRecord(row)
  }

  page(query: NamedQuery): KeyRecord[] {
    return namedRows(this.#database, 'keys', query).map(keyRecord)
  }

  add(record: KeyRecord): void {
    this.#database
      .statement(`INSERT INTO keys (${columns.join(', ')}) VALUES (${places(columns.length)})`)
      .run(...valuesOf(record))
  }

  /** Writes over what is there; when it was last used is left alone. */
  change(record: KeyRecord): void {
    const sets = columns.map((name) => `${name} = ?`).join(', ')
    this.#database.statement(`UPDATE keys SET ${sets} WHERE id = ?`).run(...valuesOf(record), record.key.id)
  }

  /** All of them, those left out that were revoked before then. Keys that are made meanwhile may be missing. */
  *each(revokedSinceMs: number): Generator<KeyRecord> {
    for (let after = ''; ;) {
      const rows = this.#database
        .statement("SELECT * FROM keys WHERE id > ? AND (state <> 'revoked' OR changed_ms >= ?) ORDER BY id LIMIT ?")
        .all(after, revokedSinceMs, eachRows)
      for (const row of rows) yield keyRecord(row)
      const last = rows.at(-1)
      if (last === undefined) return
      after = textOf(last, 'id')
    }
  }

  ofOwner(owner: string): KeyRecord[] {
    return this.#database.statement('SELECT * FROM keys WHERE owner = ? ORDER BY id').all(owner).map(keyRecord)
  }

  /** How many keys there are, revoked ones left out, by a column. */
  counts(column: 'plan' | 'owner'): Map<string, number> {
    const rows = this.#database
      .statement(`SELECT ${column} AS name, COUNT(*) AS count FROM keys WHERE state <> 'revoked' GROUP BY ${column}`)
      .all()
    return new Map(rows.flatMap((row) => (row.name === null ? [] : [[textOf(row, 'name'), numberOf(row, 'count')]])))
  }

  count(column: 'plan' | 'owner', value: string): number {
    const row = this.#database
      .statement(`SELECT COUNT(*) AS count FROM keys WHERE ${column} = ? AND state <> 'revoked'`)
      .get(value)
    return Number(row?.count)
  }

  /** The owner is going; none of its keys is in use any more. */
  leave(owner: string): void {
    this.#database.statement('UPDATE keys SET owner = NULL WHERE owner = ?').run(owner)
  }
}

function keyRecord(row: Row): KeyRecord {
  const formerUntil = maybeNumber(row, 'former_until_ms')
  return {
    key: {
      id: textOf(row, 'id'),
      name: textOf(row, 'name'),
      owner: maybeText(row, 'owner'),
      plan: textOf(row, 'plan'),
      state: textOf(row, 'state') as Key['state'],
      expiresAt: maybeNumber(row, 'expires_ms'),
      models: maybeJson<string[]>(row, 'models'),
      networks: maybeJson<string[]>(row, 'networks'),
      limits: maybeJson<Limits>(row, 'limits'),
      sandbox: row.sandbox === 1,
      ladder: maybeText(row, 'ladder'),
      captureMs: maybeNumber(row, 'capture_ms'),
      metadata: maybeJson<Record<string, string>>(row, 'metadata') ?? {},
      createdAt: numberOf(row, 'created_ms'),
      changedAt: numberOf(row, 'changed_ms'),
      formerUntil,
      lastUsedAt: maybeNumber(row, 'last_used_ms'),
      version: numberOf(row, 'version'),
    },
    digest: bytesOf(row, 'digest'),
    former: formerUntil === undefined ? undefined : { digest: bytesOf(row, 'former_digest'), untilMs: formerUntil },
  }
}

/** In the order of the columns. */
function valuesOf({ key, digest, former }: KeyRecord): Value[] {
  return [
    key.id,
    key.name,
    digest,
    former?.digest ?? null,
    former?.untilMs ?? null,
    key.state,
    key.expiresAt ?? null,
    key.owner ?? null,
    key.plan,
    jsonValue(key.models),
    jsonValue(key.networks),
    jsonValue(key.limits),
    key.sandbox ? 1 : 0,
    key.ladder ?? null,
    key.captureMs ?? null,
    jsonValue(key.metadata ?? {}),
    key.createdAt,
    key.changedAt,
    key.version,
  ]
}
