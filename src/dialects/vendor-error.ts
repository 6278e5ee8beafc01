import { classify } from '../core/classify.ts'
import type { VendorError } from '../core/dialect.ts'
import { Failure, failures } from '../core/failure.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { redact } from '../core/redact.ts'

/** What a vendor's message says, for callers: at most 1,000 characters, and no word of the operator's key or account. */
export function cleanMessage(message: string | undefined, status: number): string {
  if (message === undefined || message.trim() === '') return `The vendor answered ${status} without a message.`
  return redact(message.slice(0, 1000))
}

/** What a body says that is no JSON: of a proxy's HTML page its title alone. */
export function plainError(text: string, status: number): VendorError {
  return { status, message: plainMessage(text, status), foreign: true }
}

function plainMessage(text: string, status: number): string {
  if (!/^\s*<(?:!doctype|html|head|body|\?xml)/i.test(text)) return cleanMessage(text, status)
  const title = /<title[^>]*>([^<]*)</i.exec(text)?.[1]?.replace(/\s+/g, ' ').trim()
  return title === undefined || title === '' ? 'an HTML page' : cleanMessage(title, status)
}

/** Has this JSON the shape of an error, in any of the forms that vendors send? xAI lists wrong fields in `detail`. */
export function isErrorShape(outer: JsonObject): boolean {
  return isObject(outer.error) || typeof outer.error === 'string' || Array.isArray(outer.detail)
}

/** The failure that an error event in a stream, or an error body in a 200, tells of. */
export function eventFailure(error: VendorError, vendor: string | undefined): Failure {
  const kind = classify(error)
  // A refusal of the gateway's own account is not for the caller's eyes.
  const message = kind === 'vendor-refuses' ? failures[kind].cause : (error.message.split('\n')[0] ?? '').slice(0, 500)
  return new Failure(kind, message, {
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    ...(vendor !== undefined && { vendor }),
    // Inside a 200, an error may still tell a status of its own.
    ...(error.status !== 200 && { vendorStatus: error.status }),
  })
}

/** What a caller reads of a failure: what happened and what to do, nothing twice. */
export function wholeMessage({ message, fix }: Failure): string {
  return message.includes(fix) ? message : `${message.replace(/[^.!?]$/, '$&.')} ${fix}`
}
