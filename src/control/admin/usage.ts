import * as z from 'zod'
import type { UsageGroup, UsageRow } from '../service.ts'
import { number, shown, timeShown, whole } from './fields.ts'
import { dollars } from './money.ts'
import { jsonRoute, type Route } from './route.ts'
import { filterOf, spanFields } from './spans.ts'

const groups = [
  'key',
  'owner',
  'plan',
  'model',
  'vendor',
  'status',
  'hour',
  'day',
  'month',
] as const satisfies UsageGroup[]
const times: readonly string[] = ['hour', 'day', 'month']

const usageRow = z.strictObject({
  group: z.strictObject({
    key: z.string().optional(),
    owner: z.string().optional(),
    plan: z.string().optional(),
    model: z.string().optional(),
    vendor: z.string().optional(),
    status: whole.optional(),
    hour: timeShown.optional(),
    day: timeShown.optional(),
    month: timeShown.optional(),
  }),
  calls: whole,
  failed: whole.describe('Calls that ended with a failure.'),
  inputTokens: whole.describe('Neither read from a cache nor written to one.'),
  outputTokens: whole.describe('With thinking.'),
  cacheReadTokens: whole,
  cacheWriteTokens: whole,
  thinkingTokens: whole,
  nanoDollars: whole,
  dollars: z.string().describe('The same, exactly.'),
  unpriced: whole.describe('Calls of models without a price: they are not in the sum.'),
})

/** Sums as they are answered. */
export const usageShown = z.strictObject({
  from: timeShown,
  to: timeShown,
  data: z.array(usageRow),
  truncated: z.boolean().describe('There is more than `limit` let through.'),
})

function showRow(row: UsageRow): z.output<typeof usageRow> {
  const { nanoDollars, calls, failed, inputTokens, outputTokens, unpriced } = row
  const { cacheReadTokens, cacheWriteTokens, thinkingTokens } = row
  const group = Object.fromEntries(
    Object.entries(row.group).map(([name, value]) => [name, times.includes(name) ? shown(Number(value)) : value]),
  )
  return {
    group,
    calls,
    failed,
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
    thinkingTokens,
    nanoDollars,
    dollars: dollars(nanoDollars),
    unpriced,
  }
}

/** `key,model` as a list. */
const groupBy = z
  .preprocess(
    (value) => (typeof value === 'string' ? value.split(',') : value),
    z
      .array(z.enum(groups))
      .max(groups.length)
      .refine((names) => new Set(names).size === names.length, 'must name each group once'),
  )
  .optional()
  .describe('What the sums are made by, with commas between; one sum of all where nothing is said.')

export const usageRoutes: readonly Route[] = [
  jsonRoute({
    method: 'GET',
    path: '/usage',
    scope: 'read',
    summary: 'Sums of calls, tokens and money; the newest first where time is a group, else the dearest.',
    query: z.strictObject({
      groupBy,
      ...spanFields,
      limit: number(1, 5000).default(1000).describe('How many rows at most; 1000 where nothing is said.'),
    }),
    answer: usageShown,
    handle: ({ service, query: { groupBy: by = [], limit, ...span }, nowMs }) => {
      const filter = filterOf(span, nowMs)
      // One more than is shown tells whether there are more.
      const rows = service.usage.query({ ...filter, groupBy: by, limit: limit + 1 })
      const { from, to } = filter
      const data = rows.slice(0, limit).map(showRow)
      return { json: { from: shown(from), to: shown(to), data, truncated: rows.length > limit } }
    },
  }),
]
