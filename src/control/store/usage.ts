import type { UsageFilter, UsageGroup, UsageQuery, UsageRow } from '../service.ts'
import type { Database, Row, Value } from './database.ts'
import { sumColumns } from './entries.ts'
import { day, hour, month, segmentsOf, type Period, type Segment } from './periods.ts'
import { numberOf, textOf } from './values.ts'

/** How many rows a query may ask for, and has when it says nothing. */
export const usageRowsMax = 10_000
const usageRows = 1000

/** What a key or an owner has used of the day and the month, to begin the counting of limits with. */
export interface Spent {
  readonly type: 'key' | 'owner'
  readonly id: string
  readonly dayTokens: number
  readonly monthTokens: number
  readonly dayNano: number
  readonly monthNano: number
}

/** Asks the sums that the tally keeps: months where a whole one is wanted, days beside them, hours at the edges. */
export class UsageSums {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The newest first where times are asked for, else the dearest. The span is widened to whole hours. */
  query(query: UsageQuery): UsageRow[] {
    const finest = periods.find(({ name }) => query.groupBy.includes(name))
    const kinds = finest === hour ? [hour] : finest === day ? [day, hour] : [month, day, hour]
    const segments = segmentsOf(query.from, query.to, kinds)
    if (segments.length === 0) return []
    const groups = columns.filter((name) => query.groupBy.includes(name))
    const { sql, values } = questionOf(segments, query, groups, finest)
    const rows = this.#database.statement(sql).all(...values, query.limit ?? usageRows)
    return rows.map((row) => usageRow(row, groups, query, finest))
  }

  /** Of all keys and owners that have used anything this month. */
  spent(nowMs: number): Spent[] {
    return (['key', 'owner'] as const).flatMap((type) => {
      const rows = this.#database.statement(spentSql(dimensionOf[type])).all(day.at(nowMs), month.at(nowMs))
      return rows.map((row) => ({
        type,
        id: textOf(row, 'id'),
        dayTokens: numberOf(row, 'day_tokens'),
        monthTokens: numberOf(row, 'month_tokens'),
        dayNano: numberOf(row, 'day_nano'),
        monthNano: numberOf(row, 'month_nano'),
      }))
    })
  }
}

/** The finest first. */
const periods = [hour, day, month] as const

const dimensionOf = {
  key: 'key_id',
  owner: 'owner',
  plan: 'plan',
  model: 'model',
  vendor: 'vendor',
  status: 'status',
} as const satisfies Partial<Record<UsageGroup, string>>
type Column = keyof typeof dimensionOf
const columns = Object.keys(dimensionOf) as readonly Column[]

interface Question {
  readonly sql: string
  readonly values: readonly Value[]
}

/** Its text is put together of what stands in this file; all that was asked for is bound. */
function questionOf(segments: readonly Segment[], filter: UsageFilter, groups: readonly Column[], finest?: Period) {
  const wanted = columns.filter((name) => filter[name] !== undefined)
  const which: Question = {
    sql: wanted.map((name) => `usage_dimensions.${dimensionOf[name]} = ?`).join(' AND ') || 'TRUE',
    values: wanted.map((name) => filter[name] ?? null),
  }
  const narrow = filter.key !== undefined || filter.owner !== undefined
  const parts = segments.map((segment) => (narrow ? seek(segment, which, finest) : scan(segment, finest)))
  const grouped = [...(finest === undefined ? [] : ['time']), ...groups.map((name) => dimensionOf[name])]
  const order = [...(finest === undefined ? [] : ['time DESC']), 'nano_dollars DESC', 'calls DESC', ...grouped]
  return {
    sql: `SELECT ${[...grouped, ...sumColumns.map((name) => `TOTAL(part.${name}) AS ${name}`)].join(', ')}
      FROM (${parts.map(({ sql }) => sql).join(' UNION ALL ')}) AS part
      JOIN usage_dimensions ON usage_dimensions.id = part.dimension
      WHERE ${narrow ? 'TRUE' : which.sql} ${grouped.length === 0 ? '' : `GROUP BY ${grouped.join(', ')}`}
      ORDER BY ${order.join(', ')} LIMIT ?`,
    values: [...parts.flatMap(({ values }) => values), ...(narrow ? [] : which.values)],
  }
}

/**
 * All of some periods. Where the periods do not matter, their rows, of which there are many, are summed up by their number
 * before anything else is looked at: half the time.
 */
function scan(segment: Segment, finest: Period | undefined): Question {
  const { period, from, to } = segment
  const time = timeOf(segment, finest)
  const sums = sumColumns.map((name) => (time.sql === 'period' ? name : `SUM(${name}) AS ${name}`)).join(', ')
  return {
    sql: `SELECT ${time.sql} AS time, dimension, ${sums} FROM usage_${period.name}s
      WHERE period >= ? AND period < ? ${time.sql === 'period' ? '' : 'GROUP BY dimension'}`,
    values: [...time.values, from, to],
  }
}

/** The few rows of one key or owner, each by its place: all others of a period are passed over. */
function seek(segment: Segment, which: Question, finest: Period | undefined): Question {
  const { period, from, to } = segment
  const time = timeOf(segment, finest)
  return {
    sql: `SELECT ${time.sql} AS time, dimension, ${sumColumns.join(', ')} FROM
      usage_dimensions
      CROSS JOIN (
        WITH RECURSIVE numbers (number) AS (SELECT ? UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < ?)
        SELECT number FROM numbers
      )
      CROSS JOIN usage_${period.name}s ON period = number AND dimension = usage_dimensions.id
      WHERE ${which.sql}`,
    values: [...time.values, from, to, ...which.values],
  }
}

/** In which of the finest periods asked for a row lies: its own, or the one that all of the segment lies in. */
function timeOf({ period, withinMs }: Segment, finest: Period | undefined): Question {
  if (period === finest) return { sql: 'period', values: [] }
  return { sql: '?', values: [finest === undefined || withinMs === undefined ? 0 : finest.at(withinMs)] }
}

function usageRow(row: Row, groups: readonly Column[], query: UsageQuery, finest: Period | undefined): UsageRow {
  const startMs = finest?.startMs(numberOf(row, 'time')) ?? 0
  const times = periods.filter(({ name }) => query.groupBy.includes(name))
  return {
    group: Object.fromEntries([
      ...groups.map((name) => [name, name === 'status' ? numberOf(row, name) : textOf(row, dimensionOf[name])]),
      // A day says which month it lies in.
      ...times.map((period) => [period.name, period.startMs(period.at(startMs))]),
    ]),
    calls: numberOf(row, 'calls'),
    failed: numberOf(row, 'failed'),
    inputTokens: numberOf(row, 'input'),
    outputTokens: numberOf(row, 'output'),
    cacheReadTokens: numberOf(row, 'cache_read'),
    cacheWriteTokens: numberOf(row, 'cache_write'),
    thinkingTokens: numberOf(row, 'thinking'),
    nanoDollars: numberOf(row, 'nano_dollars'),
    unpriced: numberOf(row, 'unpriced'),
  }
}

function spentSql(column: 'key_id' | 'owner'): string {
  const tokens = 'input + output + cache_read + cache_write'
  return `WITH today AS (SELECT dimension, ${tokens} AS tokens, nano_dollars FROM usage_days WHERE period = ?)
    SELECT ${column} AS id, TOTAL(today.tokens) AS day_tokens, TOTAL(today.nano_dollars) AS day_nano,
      TOTAL(${tokens}) AS month_tokens, TOTAL(usage_months.nano_dollars) AS month_nano
    FROM usage_months JOIN usage_dimensions ON usage_dimensions.id = usage_months.dimension
      LEFT JOIN today ON today.dimension = usage_months.dimension
    WHERE usage_months.period = ? AND ${column} <> '' GROUP BY ${column} ORDER BY ${column}`
}
