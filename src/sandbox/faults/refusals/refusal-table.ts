import type { Json } from '../../../core/json.ts'
import type { Refusal } from '../../refusal.ts'

/** A vendor's no, with what goes beyond its usual error object. */
export interface Told extends Refusal {
  readonly headers?: Readonly<Record<string, string>>
  /** In place of the vendor's error object. */
  readonly json?: Json
  /** In place of any JSON: a page or text of something on the way. */
  readonly raw?: { readonly contentType: string; readonly body: string }
}

/** How a 429 says when to come back. */
export interface Hint {
  readonly form: 'after' | 'after-ms' | 'date' | 'retryinfo' | 'text' | 'reset'
  readonly ms: number
  readonly nowMs: number
}

/** What each vendor says in its own way, by the name of the fault. */
export interface RefusalTable extends Readonly<
  Record<
    | '400'
    | '401'
    | '402'
    | '403'
    | '404'
    | '409'
    | '413'
    | '422'
    | '500'
    | '502-html'
    | '503'
    | '504'
    | '529'
    | 'quota'
    | 'quota-period'
    | 'region'
    | 'policy'
    | 'too-long',
    Told
  >
> {
  /** A rate limit; a hint of a form that the vendor does not use is given in the nearest one that it does. */
  readonly limit: (hint: Hint | undefined) => Told
}

/** More tokens than any model takes. */
export const tokensTooMany = 12_000_000

/** `Retry-After` in the form wanted, seconds where that form has a header of its own only elsewhere. */
export function retryAfter({ form, ms, nowMs }: Hint): Record<string, string> {
  if (form !== 'date') return { 'retry-after': String(Math.ceil(ms / 1000)) }
  // Both in whole seconds of the same clock, so that their difference is exact.
  const second = Math.floor(nowMs / 1000) * 1000
  return { date: new Date(second).toUTCString(), 'retry-after': new Date(second + ms).toUTCString() }
}

/** A page of HTML in place of an answer. */
export function page(title: string, lines: readonly string[]): { contentType: string; body: string } {
  const body = lines.map((line) => `<p>${line}</p>\n`).join('')
  return {
    contentType: 'text/html; charset=UTF-8',
    body: `<!DOCTYPE html>\n<html lang="en">\n<head><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n${body}</body>\n</html>\n`,
  }
}

/** Cloudflare's page, which stands before Anthropic, OpenAI and xAI. */
export function cloudflarePage(host: string, status: number, what: string): { contentType: string; body: string } {
  return page(`${host} | ${status}: ${what}`, [
    `The web server reported a ${what.toLowerCase()} error.`,
    'Cloudflare Ray ID: 9a5db0c50000sand &bull; Your IP: 203.0.113.7',
  ])
}
