import type { Page } from '../service.ts'
import { Refusal } from './refusal.ts'

/** A page of a list that is at hand as a whole, in the order of its entries' names: new ones shift nothing. */
export function onePage<Entry>(
  entries: readonly Entry[],
  nameOf: (entry: Entry) => string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Page<Entry> {
  const after = cursor === undefined ? undefined : read(cursor)
  const rest = entries
    .filter((entry) => after === undefined || nameOf(entry) > after)
    .toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
  const data = rest.slice(0, limit)
  const last = data.at(-1)
  const more = rest.length > limit && last !== undefined
  return { data, next: more ? Buffer.from(nameOf(last)).toString('base64url') : undefined }
}

function read(cursor: string): string {
  const name = Buffer.from(cursor, 'base64url').toString()
  if (Buffer.from(name).toString('base64url') === cursor) return name
  throw new Refusal(400, 'field-invalid', 'cursor: is none that was given here.', {
    path: 'cursor',
    fix: 'Send what `next` of the page before says, as it came.',
  })
}
