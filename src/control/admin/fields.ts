import * as z from 'zod'
import { nameInPath } from './find.ts'

/** An id, or a name that can stand in a path. */
export const name = z.string().regex(nameInPath, 'must be up to 100 letters, digits, ., _ or -')

/** A count. */
export const whole = z.int().min(0)

const asTime = 'must be a time as in 2026-11-25T16:00:00Z'

/** A time as it is sent: RFC 3339, with Z or an offset. Unix milliseconds from there on. */
export const time = z.iso
  .datetime({ offset: true, error: asTime })
  .transform((value) => Date.parse(value))
  .describe('A time as RFC 3339: 2026-11-25T16:00:00Z.')

/** A time as it is answered. */
export const timeShown = z.iso.datetime().describe('A time as RFC 3339, in UTC.')

/** Unix milliseconds as they are answered. */
export function shown(ms: number): string
export function shown(ms: number | undefined): string | null
export function shown(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

/**
 * A time in a query: RFC 3339, or a date, which is its first moment in UTC. Where `+` was sent as it stands, it has
 * become a space.
 */
export const moment = z
  .string()
  .max(40)
  .transform((value, context) => {
    const sent = value.replace(/ (?=\d\d:\d\d$)/, '+')
    if (z.iso.date().safeParse(sent).success) return Date.parse(sent)
    const parsed = time.safeParse(sent)
    if (parsed.success) return parsed.data
    context.issues.push({ code: 'custom', message: `${asTime}, or a date`, input: value })
    return z.NEVER
  })
  .describe('RFC 3339, or a date: its beginning in UTC.')

/** A whole number in a query. */
export function number(minimum: number, maximum: number) {
  return z.preprocess(
    (value) => (/^\d{1,9}$/.test(String(value)) ? Number(value) : value),
    z.int().min(minimum).max(maximum),
  )
}

/** How much of a long list is asked for. */
export const paging = {
  limit: number(1, 200).default(50).describe('How many at most; 50 where nothing is said.'),
  cursor: z
    .string()
    .regex(/^[\w.~:+/=-]{1,1000}$/, 'must be what `next` of the page before says')
    .optional()
    .describe('`next` of the page before.'),
}

/** One page of a list. */
export function page<Entry extends z.ZodType>(entry: Entry) {
  return z.strictObject({
    data: z.array(entry),
    next: z.string().nullable().describe('The cursor of the next page; null on the last.'),
  })
}

/** A field that may be left out; null says the same. */
export function optional<Value extends z.ZodType>(value: Value) {
  return value.nullish().transform((given) => given ?? undefined)
}

/** A field of a change: left out it stays, null removes it. */
export function removable<Value extends z.ZodType>(value: Value) {
  return value.nullable().optional()
}
