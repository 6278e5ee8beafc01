/** An answer's headers, as they come from HTTP. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>

/** When the vendor's headers say that a retry can succeed, in milliseconds from now; undefined where they do not say. */
export function retryAfterMs(headers: Headers): number | undefined {
  const ms = header(headers, 'retry-after-ms')
  if (ms !== undefined && amount.test(ms)) return Math.ceil(Number(ms))
  const after = header(headers, 'retry-after')
  if (after !== undefined && amount.test(after)) return Math.ceil(Number(after) * 1000)
  return httpDate.test(after ?? '') ? untilMs(headers, after) : undefined
}

/** RFC 9110, and its two old forms by their beginning: no other text that happens to hold a year. */
const httpDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d{2}:\d{2}:\d{2}/

/** How long until a date, by the vendor's own clock where it tells the time. */
export function untilMs(headers: Headers, date: string | undefined): number | undefined {
  const at = Date.parse(date ?? '')
  if (Number.isNaN(at)) return undefined
  const now = Date.parse(header(headers, 'date') ?? '')
  return Math.max(0, at - (Number.isNaN(now) ? Date.now() : now))
}

/**
 * Where a vendor counts in several buckets, each with what remains and when it is filled again: the last of the empty
 * ones to be filled decides.
 */
export function resetMs(
  headers: Headers,
  buckets: readonly { remaining: string; reset: string }[],
  read: (text: string) => number | undefined,
): number | undefined {
  let longest: number | undefined
  for (const { remaining, reset } of buckets) {
    if (header(headers, remaining) !== '0') continue
    const ms = read(header(headers, reset) ?? '')
    if (ms !== undefined && (longest === undefined || ms > longest)) longest = ms
  }
  return longest
}

const amount = /^\d+(\.\d+)?$/

function header(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value)?.trim()
}
