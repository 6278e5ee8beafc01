import type { Database, Row, Value } from './database.ts'
import { textOf } from './values.ts'

/** The place in a list that is sorted by name, then id. */
export interface NamedPlace {
  readonly name: string
  readonly id: string
}

export interface NamedQuery {
  /** Columns, and what each is to be. */
  readonly filter: Readonly<Record<string, Value>>
  /** Of the name or the id. */
  readonly prefix: string | undefined
  readonly after: NamedPlace | undefined
  readonly limit: number
}

/**
 * Rows of a table with a name and an id, by name. A prefix is a range of an index, so that nothing in it has a meaning of its
 * own, and what it costs does not depend on what it says.
 */
export function namedRows(database: Database, table: 'keys' | 'owners', query: NamedQuery): Row[] {
  const { prefix, limit } = query
  if (prefix === undefined || prefix === '') return rowsWhere(database, table, query, undefined)
  const found = [
    ...rowsWhere(database, table, query, { column: 'name', prefix }),
    ...rowsWhere(database, table, query, { column: 'id', prefix }),
  ]
  const once = new Map(found.map((row) => [textOf(row, 'id'), row]))
  return [...once.values()].toSorted(byName).slice(0, limit)
}

/** No text of a name comes behind this one. */
const last = '\u{10FFFF}'

function rowsWhere(
  database: Database,
  table: 'keys' | 'owners',
  { filter, after, limit }: NamedQuery,
  range: { column: 'name' | 'id'; prefix: string } | undefined,
): Row[] {
  const conditions = Object.keys(filter).map((name) => `${name} = ?`)
  const values = Object.values(filter)
  if (range !== undefined) {
    conditions.push(`${range.column} >= ? AND ${range.column} < ?`)
    // From where the page before ended: SQLite begins in the index by the first of these.
    const begun = range.column === 'name' && after !== undefined && compare(after.name, range.prefix) > 0
    values.push(begun ? after.name : range.prefix, range.prefix + last)
  }
  if (after !== undefined) {
    conditions.push('(name, id) > (?, ?)')
    values.push(after.name, after.id)
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  return database.statement(`SELECT * FROM ${table} ${where} ORDER BY name, id LIMIT ?`).all(...values, limit)
}

function byName(one: Row, other: Row): number {
  return compare(textOf(one, 'name'), textOf(other, 'name')) || compare(textOf(one, 'id'), textOf(other, 'id'))
}

/** By code points, as the database sorts; JavaScript's `<` would put a smiley before a rare letter. */
function compare(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}
