import type { TryRecord } from '../../core/receipt.ts'
import type { ReceiptQuery, ReceiptView } from '../service.ts'
import type { Database, Row, Value } from './database.ts'
import { receiptColumns } from './entries.ts'
import { maybeNumber, maybeText, numberOf, textOf } from './values.ts'

/** Where a page ended: the next begins behind it. */
export interface ReceiptPlace {
  readonly startedMs: number
  readonly row: number
}

export interface ReceiptPage {
  readonly data: ReceiptView[]
  readonly next: ReceiptPlace | undefined
}

/**
 * How many receipts are looked at for one page, whatever is asked: a page may come with fewer than it could have, and the
 * place to go on from, rather than keep everybody waiting.
 */
const seenMax = 20_000

/** Receipts one by one. */
export class Receipts {
  readonly #database: Database
  readonly #seenMax: number

  constructor(database: Database, seen = seenMax) {
    this.#database = database
    this.#seenMax = seen
  }

  get(id: string): ReceiptView | undefined {
    const row = this.#database.statement(`SELECT ${receiptColumns.join(', ')} FROM receipts WHERE id = ?`).get(id)
    return row === undefined ? undefined : receiptView(row)
  }

  /** The newest first. */
  page(query: ReceiptQuery, after: ReceiptPlace | undefined, limit: number): ReceiptPage {
    const { index, found, compared } = conditionsOf(query)
    const span = { from: query.from, to: query.to, after, through: undefined }
    const through = compared.length === 0 ? undefined : this.#seenThrough(index, [...spanOf(span), ...found])
    const all = [...spanOf({ ...span, through }), ...found, ...compared]
    const rows = this.#database
      .statement(select(`rowid AS place, ${receiptColumns.join(', ')}`, index, all))
      .all(...all.flatMap(({ values }) => values), limit + 1, 0)
    const data = rows.slice(0, limit)
    const last = data.at(-1)
    const more = rows.length > limit && last !== undefined
    return { data: data.map(receiptView), next: more ? placeOf(last) : through }
  }

  /** Deletes some of the oldest that began before then, and says how many. Their sums stay. */
  prune(beforeMs: number, rowsMax: number): number {
    return this.#database
      .statement(
        `DELETE FROM receipts WHERE rowid IN
           (SELECT rowid FROM receipts WHERE started_ms < ? ORDER BY started_ms, rowid LIMIT ?)`,
      )
      .run(beforeMs, rowsMax).changes
  }

  /** The last one that may be looked at; undefined where there are fewer. */
  #seenThrough(index: string, conditions: readonly Condition[]): ReceiptPlace | undefined {
    const row = this.#database
      .statement(select('started_ms, rowid AS place', index, conditions))
      .get(...conditions.flatMap(({ values }) => values), 1, this.#seenMax - 1)
    return row === undefined ? undefined : placeOf(row)
  }
}

interface Condition {
  readonly sql: string
  readonly values: readonly Value[]
}

/** Each index has its rows in the order of time. */
const indexes = [
  ['key', 'key_id', 'receipts_by_key'],
  ['owner', 'owner', 'receipts_by_owner'],
  ['failure', 'failure', 'receipts_by_failure'],
] as const
const others = ['plan', 'model', 'vendor', 'status'] as const

/** `found`: what the index finds by itself. `compared`: what is to be looked for in each receipt that it finds. */
function conditionsOf(query: ReceiptQuery): { index: string; found: Condition[]; compared: Condition[] } {
  const wanted = indexes.filter(([name]) => query[name] !== undefined)
  const [first, ...further] = wanted.map(([name, column]) => equal(column, query[name]))
  const rest = others.filter((name) => query[name] !== undefined).map((name) => equal(name, query[name]))
  return {
    index: wanted[0]?.[2] ?? 'receipts_by_time',
    found: first === undefined ? [] : [first],
    compared: [...further, ...rest],
  }
}

function equal(column: string, value: Value | undefined): Condition {
  return { sql: `${column} = ?`, values: [value ?? null] }
}

interface Span {
  readonly from: number
  readonly to: number
  readonly after: ReceiptPlace | undefined
  readonly through: ReceiptPlace | undefined
}

/** One pair of times, the narrowest: SQLite begins and ends in the index by these, and looks at all that lies between. */
function spanOf({ from, to, after, through }: Span): Condition[] {
  const first = Math.max(from, through?.startedMs ?? from)
  const last = Math.min(to - 1, after?.startedMs ?? to)
  return [
    { sql: 'started_ms BETWEEN ? AND ?', values: [first, last] },
    ...(after === undefined ? [] : [{ sql: '(started_ms, rowid) < (?, ?)', values: [after.startedMs, after.row] }]),
    ...(through === undefined
      ? []
      : [{ sql: '(started_ms, rowid) >= (?, ?)', values: [through.startedMs, through.row] }]),
  ]
}

function select(columns: string, index: string, conditions: readonly Condition[]): string {
  return `SELECT ${columns} FROM receipts INDEXED BY ${index}
    WHERE ${conditions.map(({ sql }) => sql).join(' AND ')} ORDER BY started_ms DESC, rowid DESC LIMIT ? OFFSET ?`
}

function placeOf(row: Row): ReceiptPlace {
  return { startedMs: numberOf(row, 'started_ms'), row: numberOf(row, 'place') }
}

function receiptView(row: Row): ReceiptView {
  const firstByteMs = numberOf(row, 'first_byte_ms')
  return {
    id: textOf(row, 'id'),
    clientId: maybeText(row, 'client_id'),
    key: textOf(row, 'key_id'),
    owner: maybeText(row, 'owner'),
    plan: textOf(row, 'plan'),
    dialect: textOf(row, 'dialect'),
    modelAsked: textOf(row, 'model_asked'),
    model: textOf(row, 'model'),
    vendor: textOf(row, 'vendor'),
    ladder: maybeText(row, 'ladder'),
    simulated: row.simulated === 1,
    stream: row.stream === 1,
    tries: JSON.parse(textOf(row, 'tries')) as TryRecord[],
    inputTokens: numberOf(row, 'input'),
    outputTokens: numberOf(row, 'output'),
    cacheReadTokens: numberOf(row, 'cache_read'),
    cacheWriteTokens: numberOf(row, 'cache_write_5m') + numberOf(row, 'cache_write_1h'),
    thinkingTokens: numberOf(row, 'thinking'),
    nanoDollars: maybeNumber(row, 'nano_dollars'),
    status: numberOf(row, 'status'),
    failure: maybeText(row, 'failure'),
    blame: maybeText(row, 'blame'),
    startedAt: numberOf(row, 'started_ms'),
    firstByteAt: firstByteMs === 0 ? undefined : firstByteMs,
    endedAt: numberOf(row, 'ended_ms'),
    requestBytes: numberOf(row, 'request_bytes'),
    replyBytes: numberOf(row, 'reply_bytes'),
    times: numberOf(row, 'times'),
  }
}
