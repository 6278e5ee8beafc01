export type Headers = Readonly<Record<string, string | string[] | undefined>>

/** When the vendor says that a retry can succeed, in milliseconds from now; undefined where it does not say. */
export function retryAfterMs(headers: Headers, status: number): number | undefined {
  const ms = header(headers, 'retry-after-ms')
  if (ms !== undefined && /^\d+(\.\d+)?$/.test(ms)) return Math.ceil(Number(ms))
  const after = header(headers, 'retry-after')
  if (after !== undefined && /^\d+(\.\d+)?$/.test(after)) return Math.ceil(Number(after) * 1000)
  return untilMs(headers, after) ?? (status === 429 ? resetMs(headers) : undefined)
}

/** The buckets of Anthropic's rate limits: the last of the empty ones to be refilled decides. */
function resetMs(headers: Headers): number | undefined {
  let longest: number | undefined
  for (const bucket of ['requests', 'tokens', 'input-tokens', 'output-tokens']) {
    const name = `anthropic-ratelimit-${bucket}`
    if (header(headers, `${name}-remaining`) !== '0') continue
    const ms = untilMs(headers, header(headers, `${name}-reset`))
    if (ms !== undefined && (longest === undefined || ms > longest)) longest = ms
  }
  return longest
}

/** By the vendor's own clock where it tells the time. */
function untilMs(headers: Headers, date: string | undefined): number | undefined {
  const at = Date.parse(date ?? '')
  if (Number.isNaN(at)) return undefined
  const now = Date.parse(header(headers, 'date') ?? '')
  return Math.max(0, at - (Number.isNaN(now) ? Date.now() : now))
}

function header(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value)?.trim()
}
