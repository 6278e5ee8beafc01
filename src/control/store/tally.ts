import type { Database, Statement } from './database.ts'
import { sumColumns, type ReceiptRow, type Sums } from './entries.ts'
import { day, hour, month } from './periods.ts'

/** By what usage can be told apart. */
export const dimensionColumns = ['key_id', 'owner', 'plan', 'model', 'vendor', 'status', 'simulated'] as const

/** The names of models are partly the callers' text: of one key so many rows, and then all further ones are this model. */
const perKeyMax = 1000
export const otherModel = '(other)'

/** How many dimensions are known without asking the database. */
const knownMax = 50_000

/** The largest sum that is kept; nothing true comes near it, and it does not overflow. */
const sumMax = 9e15

/** Sums of receipts by hour, day and month, kept up with each import. */
export class Tally {
  readonly #find: Statement
  readonly #make: Statement
  readonly #count: Statement
  readonly #add: readonly Statement[]
  readonly #known = new Map<string, number>()
  readonly #perKey = new Map<string, number>()

  constructor(database: Database) {
    const columns = dimensionColumns.join(', ')
    const fits = dimensionColumns.map((name) => `${name} = ?`).join(' AND ')
    this.#find = database.statement(`SELECT id FROM usage_dimensions WHERE ${fits}`)
    this.#make = database.statement(
      `INSERT INTO usage_dimensions (${columns}) VALUES (${places(dimensionColumns.length)}) RETURNING id`,
    )
    this.#count = database.statement('SELECT COUNT(*) AS count FROM usage_dimensions WHERE key_id = ?')
    const sums = sumColumns.map((name) => `${name} = min(${name} + excluded.${name}, ${sumMax})`).join(', ')
    this.#add = ['hours', 'days', 'months'].map((periods) =>
      database.statement(
        `INSERT INTO usage_${periods} VALUES (${places(sumColumns.length + 2)})
         ON CONFLICT (period, dimension) DO UPDATE SET ${sums}`,
      ),
    )
  }

  /** Adds receipts that were stored just now, in the same transaction. */
  add(rows: readonly ReceiptRow[]): void {
    const added = rows.map((row) => ({ ms: row.startedMs, dimension: this.#dimension(row), sums: row.sums }))
    for (const [index, period] of [hour, day, month].entries()) {
      const sums = new Map<number, Map<number, Sums>>()
      for (const one of added) addTo(sums, period.at(one.ms), one.dimension, one.sums)
      // In the order of the table: neighbours are on one page.
      for (const [number, ofPeriod] of ascending(sums)) {
        for (const [dimension, sum] of ascending(ofPeriod)) this.#add[index]?.run(number, dimension, ...sum)
      }
    }
  }

  /** To be called when a transaction was not kept: what was learned in it is not true. */
  forget(): void {
    this.#known.clear()
    this.#perKey.clear()
  }

  #dimension(row: ReceiptRow): number {
    const { key, owner, plan, model, vendor, status, simulated } = row
    const name = JSON.stringify([key, owner, plan, model, vendor, status, simulated])
    const known = this.#known.get(name)
    if (known !== undefined) return known
    if (this.#known.size >= knownMax) this.forget()
    const values = [key, owner, plan, model, vendor, status, simulated]
    const found = this.#find.get(...values)
    const id = found === undefined ? this.#newDimension(row) : Number(found.id)
    this.#known.set(name, id)
    return id
  }

  #newDimension(row: ReceiptRow): number {
    const { key, owner, plan, model, vendor, status, simulated } = row
    const count = this.#perKey.get(key) ?? Number(this.#count.get(key)?.count)
    if (count >= perKeyMax && model !== otherModel) return this.#dimension({ ...row, model: otherModel })
    this.#perKey.set(key, count + 1)
    return Number(this.#make.get(key, owner, plan, model, vendor, status, simulated)?.id)
  }
}

function addTo(sums: Map<number, Map<number, Sums>>, period: number, dimension: number, added: Sums): void {
  let ofPeriod = sums.get(period)
  if (ofPeriod === undefined) sums.set(period, (ofPeriod = new Map()))
  const sum = ofPeriod.get(dimension)
  if (sum === undefined) ofPeriod.set(dimension, [...added])
  else for (const [index, value] of added.entries()) sum[index] = (sum[index] ?? 0) + value
}

function ascending<T>(map: ReadonlyMap<number, T>): [number, T][] {
  return [...map].toSorted(([one], [other]) => one - other)
}

/** The places of so many bound values. */
export function places(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ')
}
