import type { Limits } from '../../core/plan.ts'
import type { Owner } from '../service.ts'
import type { Database, Row, Value } from './database.ts'
import { namedRows, type NamedQuery } from './named.ts'
import { places } from './tally.ts'
import { jsonValue, maybeJson, maybeText, numberOf, textOf } from './values.ts'

/** An owner as stored; how many keys it has, the table of keys knows. */
export type OwnerRecord = Omit<Owner, 'keys'>

const columns = ['id', 'name', 'email', 'limits', 'metadata', 'created_ms', 'changed_ms', 'version'] as const

export class OwnerTable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  get(id: string): OwnerRecord | undefined {
    const row = this.#database.statement('SELECT * FROM owners WHERE id = ?').get(id)
    return row === undefined ? undefined : ownerRecord(row)
  }

  page(query: NamedQuery): OwnerRecord[] {
    return namedRows(this.#database, 'owners', query).map(ownerRecord)
  }

  add(owner: OwnerRecord): void {
    this.#database
      .statement(`INSERT INTO owners (${columns.join(', ')}) VALUES (${places(columns.length)})`)
      .run(...valuesOf(owner))
  }

  change(owner: OwnerRecord): void {
    const sets = columns.map((name) => `${name} = ?`).join(', ')
    this.#database.statement(`UPDATE owners SET ${sets} WHERE id = ?`).run(...valuesOf(owner), owner.id)
  }

  remove(id: string): void {
    this.#database.statement('DELETE FROM owners WHERE id = ?').run(id)
  }
}

function ownerRecord(row: Row): OwnerRecord {
  return {
    id: textOf(row, 'id'),
    name: textOf(row, 'name'),
    email: maybeText(row, 'email'),
    limits: maybeJson<Limits>(row, 'limits'),
    metadata: maybeJson<Record<string, string>>(row, 'metadata') ?? {},
    createdAt: numberOf(row, 'created_ms'),
    changedAt: numberOf(row, 'changed_ms'),
    version: numberOf(row, 'version'),
  }
}

function valuesOf(owner: OwnerRecord): Value[] {
  return [
    owner.id,
    owner.name,
    owner.email ?? null,
    jsonValue(owner.limits),
    jsonValue(owner.metadata ?? {}),
    owner.createdAt,
    owner.changedAt,
    owner.version,
  ]
}
