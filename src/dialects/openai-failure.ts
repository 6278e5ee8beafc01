import type { VendorError } from '../core/dialect.ts'
import type { Failure, FailureKind, Wire } from '../core/failure.ts'
import { isObject, listOf, objectOf, parseJson, textOf, type Json, type JsonObject } from '../core/json.ts'
import { resetMs, retryAfterMs, type Headers } from './retry-after.ts'
import { cleanMessage, isErrorShape, eventFailure, plainError, wholeMessage } from './vendor-error.ts'

/**
 * OpenAI's `type` and `code` of every kind of failure, for both of its dialects. The names are OpenAI's own where its
 * SDKs or error page know one.
 */
export const openaiNames: Readonly<Record<FailureKind, { type: string; code: string | null }>> = {
  'request-invalid': { type: 'invalid_request_error', code: null },
  unsupported: { type: 'invalid_request_error', code: 'unsupported_parameter' },
  'prompt-too-long': { type: 'invalid_request_error', code: 'context_length_exceeded' },
  'content-refused': { type: 'invalid_request_error', code: 'content_policy_violation' },
  'key-missing': { type: 'invalid_request_error', code: 'invalid_api_key' },
  'key-wrong': { type: 'invalid_request_error', code: 'invalid_api_key' },
  'not-allowed': { type: 'invalid_request_error', code: 'model_not_allowed' },
  'path-unknown': { type: 'invalid_request_error', code: 'unknown_url' },
  'model-unknown': { type: 'invalid_request_error', code: 'model_not_found' },
  'method-wrong': { type: 'invalid_request_error', code: 'method_not_supported' },
  'body-slow': { type: 'invalid_request_error', code: 'request_timeout' },
  conflict: { type: 'invalid_request_error', code: 'conflict' },
  'body-too-large': { type: 'invalid_request_error', code: 'request_too_large' },
  'content-type-wrong': { type: 'invalid_request_error', code: 'unsupported_content_type' },
  'plan-limit': { type: 'requests', code: 'rate_limit_exceeded' },
  'plan-budget': { type: 'insufficient_quota', code: 'insufficient_quota' },
  'caller-gone': { type: 'invalid_request_error', code: 'client_closed_request' },
  'vendor-limit': { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  'vendor-refuses': { type: 'server_error', code: 'vendor_unavailable' },
  'vendor-keyless': { type: 'server_error', code: 'vendor_unavailable' },
  'vendor-broken': { type: 'server_error', code: 'server_error' },
  'vendor-unreachable': { type: 'server_error', code: 'bad_gateway' },
  'vendor-unreadable': { type: 'server_error', code: 'bad_gateway' },
  'vendor-cut': { type: 'server_error', code: 'bad_gateway' },
  'vendor-slow': { type: 'server_error', code: 'timeout' },
  'vendor-overloaded': { type: 'service_unavailable_error', code: 'server_is_overloaded' },
  'gateway-fault': { type: 'server_error', code: 'gateway_fault' },
  'gateway-full': { type: 'service_unavailable_error', code: 'server_is_overloaded' },
}

/** The error body that OpenAI's SDKs expect: all four keys, `code` a string or null. */
export function writeOpenaiError(failure: Failure, requestId: string): JsonObject {
  const names = openaiNames[failure.kind]
  return {
    error: {
      message: openaiMessage(failure, requestId),
      type: names.type,
      param: failure.path ?? null,
      code: codeOf(failure) ?? names.code,
    },
  }
}

/** A finer code, where it is one that callers of OpenAI can know: not xAI's prose, Gemini's numbers or a 5xx's own word. */
function codeOf(failure: Failure): string | undefined {
  const { code, kind, blame, vendor } = failure
  if (code === undefined || kind === 'prompt-too-long' || (blame !== 'caller' && vendor !== undefined)) return undefined
  return /^[a-z][a-z0-9_]*$/.test(code) && !code.endsWith('_error') ? code : undefined
}

/** What a caller reads of a failure: what happened and what to do, and the request id where the operator needs it. */
export function openaiMessage(failure: Failure, requestId: string): string {
  const whole = wholeMessage(failure)
  return failure.blame === 'gateway' && requestId !== '' ? `${whole} (request id: ${requestId})` : whole
}

/**
 * Reads an error answer in any shape that the vendors of OpenAI's dialects send: OpenAI's and DeepSeek's object,
 * xAI's `{code: prose, error: text}`, the list that Gemini's compatible endpoint wraps around its own, FastAPI's
 * `detail`, plain text, a proxy's HTML page, nothing. Never throws.
 */
export function readOpenaiError(wire: Wire, headers: Headers): VendorError {
  const text = Buffer.from(wire.body).toString().trim()
  const json = parseJson(text)
  const error = json === undefined ? plainError(text, wire.status) : readErrorJson(json, wire.status)
  const wait = retryAfterMs(headers) ?? error.retryAfterMs ?? (wire.status === 429 ? bucketMs(headers) : undefined)
  if (wait !== undefined) error.retryAfterMs = wait
  return error
}

/** An error event inside a stream, or an error body in a 200: the failure that it tells of. */
export function openaiEventFailure(json: JsonObject, vendor?: string): Failure {
  return eventFailure(readErrorJson(json, 200), vendor)
}

function readErrorJson(json: Json, statusOuter: number): VendorError {
  const outer = objectOf(Array.isArray(json) ? json[0] : json)
  const inner = objectOf(outer['error'])
  const message =
    textOf(inner['message']) ?? textOf(outer['error']) ?? textOf(outer['message']) ?? detail(outer) ?? textOf(json)
  const code = inner['code'] ?? outer['code']
  const reasons: string[] = []
  const error: VendorError = {
    // Inside a 200, Gemini's numeric code is the status.
    status: statusOuter === 200 && isStatus(code) ? code : statusOuter,
    message: cleanMessage(message, statusOuter),
  }
  const type = textOf(inner['type']) ?? textOf(inner['status'])
  if (type !== undefined) error.type = type
  if (typeof code === 'string' || typeof code === 'number') error.code = String(code)
  if (statusOuter !== 200 && !isErrorShape(outer)) error.foreign = true
  const path = textOf(inner['param'])
  if (path !== undefined) error.path = path
  for (const item of listOf(inner['details'])) readDetail(objectOf(item), error, reasons)
  if (reasons.length > 0) error.reasons = reasons
  if (error.retryAfterMs === undefined) {
    const said = /(?:try|retry) again in ([\d.hms]+\d*m?s)/i.exec(error.message)?.[1]
    const retryAfterMs = said === undefined ? undefined : durationMs(said)
    if (retryAfterMs !== undefined) error.retryAfterMs = retryAfterMs
  }
  return error
}

/** One of google.rpc's error details. */
function readDetail(item: JsonObject, error: VendorError, reasons: string[]): void {
  const reason = textOf(item['reason'])
  if (reason !== undefined) reasons.push(reason)
  for (const violation of listOf(item['violations'])) {
    const quota = textOf(objectOf(violation)['quotaId'])
    if (quota !== undefined) reasons.push(quota)
  }
  const field = textOf(objectOf(listOf(item['fieldViolations'])[0])['field'])
  if (field !== undefined && error.path === undefined) error.path = field
  const delay = textOf(item['retryDelay'])
  const retryAfterMs = delay === undefined ? undefined : durationMs(delay)
  if (retryAfterMs !== undefined) error.retryAfterMs = retryAfterMs
}

/** FastAPI's `{"detail": "text"}` or `{"detail": [{"loc": ["body", "x"], "msg": "text"}]}`. */
function detail(outer: JsonObject): string | undefined {
  const value = outer['detail']
  if (typeof value === 'string') return value
  const first = objectOf(listOf(value)[0])
  const message = textOf(first['msg'])
  if (message === undefined) return undefined
  const where = listOf(first['loc']).flatMap((step) => (typeof step === 'string' && step !== 'body' ? [step] : []))
  return where.length === 0 ? message : `${where.join('.')}: ${message}`
}

function isStatus(code: unknown): code is number {
  return typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599
}

/** OpenAI counts requests and tokens, and tells how long until each is filled again. */
function bucketMs(headers: Headers): number | undefined {
  const buckets = ['requests', 'tokens'].map((counted) => ({
    remaining: `x-ratelimit-remaining-${counted}`,
    reset: `x-ratelimit-reset-${counted}`,
  }))
  return resetMs(headers, buckets, durationMs)
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** `12ms`, `6m0s`, `1h2m3.5s`: durations as Go prints them. */
function durationMs(text: string): number | undefined {
  let total = 0
  let found = false
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)) {
    total += Number(amount) * (unitMs[unit as string] as number)
    found = true
  }
  return found ? Math.ceil(total) : undefined
}

/** True where an object from a vendor is an error: OpenAI's object or xAI's text, and not a null. */
export function isOpenaiError(json: JsonObject): boolean {
  const error = json['error']
  return isObject(error) || (typeof error === 'string' && error !== '')
}
