import type * as z from 'zod'
import { compact } from '../../core/json.ts'
import type { UsageFilter } from '../service.ts'
import { text } from '../service/fields.ts'
import { moment, number } from './fields.ts'
import { Refusal } from './refusal.ts'

/** The span of time that is looked at where nothing is said: the last 30 days. */
const spanMs = 30 * 24 * 3_600_000

/** By what usage and receipts are narrowed down. */
export const spanFields = {
  from: moment
    .optional()
    .describe(
      'From this time on; 30 days before `to` where nothing is said. RFC 3339, or a date: its beginning in UTC.',
    ),
  to: moment
    .optional()
    .describe('Before this time; now where nothing is said. RFC 3339, or a date: its beginning in UTC.'),
  key: text(100).optional().describe('The id of a key.'),
  owner: text(100).optional().describe('The id of an owner.'),
  plan: text(100).optional(),
  model: text(200).optional(),
  vendor: text(100).optional(),
  status: number(0, 599).optional().describe('The status that the caller got.'),
} as const

type Sent = z.output<z.ZodObject<typeof spanFields>>

/** The filter, with its span made whole. Throws Refusal 400 where the span ends before it begins. */
export function filterOf({ from, to, ...others }: Sent, nowMs: number): UsageFilter {
  const end = to ?? nowMs
  const start = from ?? end - spanMs
  if (start > end) {
    throw new Refusal(400, 'field-invalid', 'from: must not be after to.', { path: 'from' })
  }
  return { from: start, to: end, ...compact(others) }
}
