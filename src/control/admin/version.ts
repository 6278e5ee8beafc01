import type { IncomingMessage } from 'node:http'
import { Refusal } from './refusal.ts'
import type { Method } from './route.ts'

/** A version as an ETag. */
export function etag(version: number): string {
  return `"${version}"`
}

/**
 * The version that a change was made for: 0 for what must not be there yet, undefined where the caller does not care. `current`: the version that is
 * there, where the route has such a thing at all. Throws Refusal 412 where it is another one.
 */
export function wantedVersion(
  request: IncomingMessage,
  method: Method,
  current: (() => number | undefined) | undefined,
): number | undefined {
  if (method === 'GET') return undefined
  const match = request.headers['if-match']
  const noneMatch = request.headers['if-none-match']
  if (match === undefined && noneMatch === undefined) return undefined
  if (current === undefined) {
    throw new Refusal(400, 'header-invalid', 'There is no version here to hold If-Match or If-None-Match against.', {
      fix: 'Leave the header out.',
    })
  }
  if (noneMatch !== undefined) {
    if (method !== 'PUT' || noneMatch.trim() !== '*' || match !== undefined) {
      throw new Refusal(400, 'header-invalid', 'If-None-Match: only * is read here, with PUT, and without If-Match.')
    }
    if (current() !== undefined) throw stale(current())
    return 0
  }
  return matched(match ?? '', current())
}

function matched(match: string, current: number | undefined): number {
  const wanted = match.trim()
  if (wanted !== '*' && !/^(W\/)?"[\x21\x23-\x7e]*"$/.test(wanted)) {
    throw new Refusal(400, 'header-invalid', 'If-Match: must be one ETag in its quotes, or *.', {
      fix: 'Send the ETag of the answer that you have read, as it came.',
    })
  }
  if (current === undefined || (wanted !== '*' && wanted !== etag(current))) throw stale(current)
  return current
}

/** A change that was made for another version than the one that is there; `undefined`: for something that is not there. */
export function stale(current: number | undefined): Refusal {
  const now = current === undefined ? 'There is nothing there now' : `Its version is ${current} now`
  return new Refusal(412, 'version-stale', `The change was made for another version. ${now}.`, {
    fix: 'Read it again, look whether the change still fits, and send it with the new ETag.',
    headers: current === undefined ? {} : { etag: etag(current) },
  })
}
