import { invalid } from './check.ts'

/** The place where a page ended, as text that nobody needs to understand. */
export function cursorOf(...place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** The place again, of these types. Throws ControlError for text that is no cursor of this list. */
export function placeOf(cursor: string, ...types: readonly ('string' | 'number')[]): (string | number)[] {
  const place = parsed(cursor)
  if (Array.isArray(place) && place.length === types.length && types.every((type, at) => typeof place[at] === type)) {
    return place as (string | number)[]
  }
  throw invalid('cursor', 'must be what `next` of the page before says')
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    // Told as a cursor that is none.
    return undefined
  }
}
