import type { Actor, AuditEntry } from '../service.ts'
import type { Database, Row, Value } from './database.ts'
import { jsonValue, maybeJson, numberOf, textOf } from './values.ts'

export interface AuditQuery {
  readonly actor?: string | undefined
  readonly target?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** Where a page ended: the next begins behind it. */
export interface AuditPlace {
  readonly at: number
  readonly id: number
}

/** Who changed what. The table only grows: the database itself refuses all else. */
export class AuditTable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  add({ at, actor, action, target, before, after }: Omit<AuditEntry, 'id'>): void {
    this.#database
      .statement(
        'INSERT INTO audit (at_ms, actor_type, actor_id, action, target, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(at, actor.type, actor.id, action, target, jsonValue(before), jsonValue(after))
  }

  /** The newest first. */
  page(query: AuditQuery, after: AuditPlace | undefined, limit: number): AuditEntry[] {
    const conditions: [sql: string, ...values: Value[]][] = [['TRUE']]
    if (query.actor !== undefined) conditions.push(['actor_id = ?', query.actor])
    if (query.target !== undefined) conditions.push(['target = ?', query.target])
    if (query.from !== undefined) conditions.push(['at_ms >= ?', query.from])
    const last = Math.min((query.to ?? Infinity) - 1, after?.at ?? Infinity)
    // One end of the span: SQLite begins in the index by it.
    if (last !== Infinity) conditions.push(['at_ms <= ?', last])
    if (after !== undefined) conditions.push(['(at_ms, id) < (?, ?)', after.at, after.id])
    const where = conditions.map(([sql]) => sql).join(' AND ')
    return this.#database
      .statement(`SELECT * FROM audit WHERE ${where} ORDER BY at_ms DESC, id DESC LIMIT ?`)
      .all(...conditions.flatMap(([, ...values]) => values), limit)
      .map(auditEntry)
  }
}

function auditEntry(row: Row): AuditEntry {
  return {
    id: numberOf(row, 'id'),
    at: numberOf(row, 'at_ms'),
    actor: { type: textOf(row, 'actor_type') as Actor['type'], id: textOf(row, 'actor_id') },
    action: textOf(row, 'action'),
    target: textOf(row, 'target'),
    before: maybeJson(row, 'before'),
    after: maybeJson(row, 'after'),
  }
}
