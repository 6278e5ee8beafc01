import * as z from 'zod'
import type { ControlService, ReceiptQuery, ReceiptView } from '../service.ts'
import { exported } from '../store/export.ts'
import type { Store } from '../store/index.ts'
import type { ReceiptPlace } from '../store/receipts.ts'
import { usageRowsMax } from '../store/usage.ts'
import { checked, invalid } from './check.ts'
import { cursorOf, placeOf } from './cursor.ts'
import { pageRows, paging, reference, time } from './fields.ts'

const filter = {
  from: time,
  to: time,
  key: reference.optional(),
  owner: reference.optional(),
  plan: reference.optional(),
  model: reference.optional(),
  vendor: reference.optional(),
  status: z.int().min(0).max(999).optional(),
} as const

const groups = ['key', 'owner', 'plan', 'model', 'vendor', 'status', 'hour', 'day', 'month'] as const
const usageQuery = z.strictObject({
  ...filter,
  groupBy: z.array(z.enum(groups)).max(groups.length),
  limit: z.int().min(1).max(usageRowsMax).optional(),
})

const receiptQuery = z.strictObject({ ...filter, failure: reference.optional(), ...paging })

/** The longest spans that hours and days are asked of: what comes back must fit into an answer. */
const dayMs = 24 * 3_600_000
const spansMax = [
  { group: 'hour', ms: 31 * dayMs, words: '31 days' },
  { group: 'day', ms: 400 * dayMs, words: '400 days' },
] as const

/** How many receipts are read at a time for an export. */
const exportRows = 500

/** What was used, in sums and call by call. */
export function usageService(
  store: Pick<Store, 'usage' | 'receipts' | 'captures'>,
  nowMs: () => number,
): ControlService['usage'] {
  return {
    query(query) {
      const asked = checked(usageQuery, query)
      checkSpan(asked)
      for (const { group, ms, words } of spansMax) {
        if (!asked.groupBy.includes(group) || asked.to - asked.from <= ms) continue
        throw invalid('to', `must be at most ${words} after from where ${group}s are asked for`)
      }
      return store.usage.query(asked as Parameters<typeof store.usage.query>[0])
    },
    receipts(query) {
      const { cursor, limit = pageRows, ...asked } = checkedReceipts(query)
      const { data, next } = store.receipts.page(asked, after(cursor), limit)
      return { data, next: next === undefined ? undefined : cursorOf(next.startedMs, next.row) }
    },
    receipt: (id) => store.receipts.get(checked(z.string().max(200), id, 'id')),
    content(id) {
      const found = store.captures.get(checked(z.string().max(200), id, 'id'), nowMs())
      if (found === undefined) return undefined
      const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
      return { request: text(found.request), reply: text(found.reply), expiresAt: found.expiresMs }
    },
    export(query, form) {
      const { cursor, limit: _, ...asked } = checkedReceipts(query)
      return exported(pages(store, asked, after(cursor)), form)
    },
  }
}

function checkedReceipts(query: ReceiptQuery): ReceiptQuery {
  const asked = checked(receiptQuery, query)
  checkSpan(asked)
  return asked as ReceiptQuery
}

function checkSpan({ from, to }: { from: number; to: number }): void {
  if (from > to) throw invalid('from', 'must not be after to')
}

function after(cursor: string | undefined): ReceiptPlace | undefined {
  if (cursor === undefined) return undefined
  const [startedMs, row] = placeOf(cursor, 'number', 'number') as [number, number]
  return { startedMs, row }
}

/** Each read for itself: nothing is held open while the reader of an export takes its time. */
function* pages(
  store: Pick<Store, 'receipts'>,
  query: ReceiptQuery,
  from: ReceiptPlace | undefined,
): Generator<readonly ReceiptView[]> {
  let place = from
  do {
    const { data, next } = store.receipts.page(query, place, exportRows)
    yield data
    place = next
  } while (place !== undefined)
}
