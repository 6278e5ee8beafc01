import type { Dialect, VendorError } from '../../core/dialect.ts'
import { spelled, type Failure, type FailureKind, type Wire } from '../../core/failure.ts'
import { isObject, objectOf, parseJson, textOf, table, type Json, type JsonObject } from '../../core/json.ts'
import { resetMs, retryAfterMs, untilMs, type Headers } from '../retry-after.ts'
import { cleanMessage, isErrorShape, eventFailure, plainError, wholeMessage } from '../vendor-error.ts'

/** Anthropic's `error.type` of every kind of failure: names that its SDKs know. */
const types: Readonly<Record<FailureKind, string>> = {
  'request-invalid': 'invalid_request_error',
  unsupported: 'invalid_request_error',
  'prompt-too-long': 'invalid_request_error',
  'content-refused': 'invalid_request_error',
  'key-missing': 'authentication_error',
  'key-wrong': 'authentication_error',
  'not-allowed': 'permission_error',
  'path-unknown': 'not_found_error',
  'model-unknown': 'not_found_error',
  'method-wrong': 'invalid_request_error',
  'body-slow': 'timeout_error',
  conflict: 'conflict_error',
  'body-too-large': 'request_too_large',
  'content-type-wrong': 'invalid_request_error',
  'plan-limit': 'rate_limit_error',
  'plan-budget': 'billing_error',
  'caller-gone': 'invalid_request_error',
  'vendor-limit': 'rate_limit_error',
  'vendor-refuses': 'api_error',
  'vendor-keyless': 'api_error',
  'vendor-broken': 'api_error',
  'vendor-unreachable': 'api_error',
  'vendor-unreadable': 'api_error',
  'vendor-cut': 'api_error',
  'vendor-slow': 'timeout_error',
  'vendor-overloaded': 'overloaded_error',
  'gateway-fault': 'api_error',
  'gateway-full': 'overloaded_error',
}

/** Fields that the core knows by another name. */
const names: Readonly<Record<string, string>> = table({
  stop: 'stop_sequences',
  parallel_tool_calls: 'tool_choice.disable_parallel_tool_use',
  response_format: 'output_config.format',
  effort: 'output_config.effort',
})

/** Errors of the Messages API. */
export const failure: Dialect['failure'] = {
  idField: 'request_id',
  read: readError,
  write: writeError,
  writeEvent: (failure, requestId) => `event: error\ndata: ${JSON.stringify(writeError(failure, requestId))}\n\n`,
}

function writeError(failure: Failure, requestId: string): JsonObject {
  const known = spelled(failure, names)
  const { kind, path } = known
  const whole = wholeMessage(known)
  // Claude Code shortens its conversation when it reads these words.
  const marked =
    kind === 'prompt-too-long' && !/prompt is too long/i.test(whole) ? `prompt is too long: ${whole}` : whole
  const error: JsonObject = { type: types[kind], message: marked }
  // At this code the SDK's tool runner goes on without a thread, with the whole conversation in each request.
  if (kind === 'unsupported' && path === 'thread') error.details = { error_code: 'thread_unsupported_request' }
  return { type: 'error', error, request_id: requestId }
}

/**
 * Reads an error answer of any shape: Anthropic's, its network edge's (no outer type), DeepSeek's (OpenAI's shape on
 * this dialect too), a list, plain text, a proxy's HTML page, nothing. Never throws.
 */
function readError(wire: Wire, headers: Headers): VendorError {
  const text = Buffer.from(wire.body).toString().trim()
  const json = parseJson(text)
  const error = json === undefined ? plainError(text, wire.status) : jsonError(json, wire.status)
  const wait = retryAfterMs(headers) ?? (wire.status === 429 ? bucketMs(headers) : undefined)
  if (wait !== undefined) error.retryAfterMs = wait
  return error
}

/** True for an error body, whole or as an event's data. */
export function isError(json: JsonObject): boolean {
  if (json.type === 'error') return true
  return json.type === undefined && (isObject(json.error) || typeof json.error === 'string')
}

/** The failure that an error event in a stream, or an error body in a 200, tells of. */
export function errorIn(json: JsonObject, vendor?: string): Failure {
  return eventFailure(jsonError(json, 200), vendor)
}

function jsonError(json: Json, status: number): VendorError {
  const outer = objectOf(Array.isArray(json) ? json[0] : json)
  const inner = objectOf(outer.error)
  const message = textOf(inner.message) ?? textOf(outer.error) ?? textOf(outer.message) ?? textOf(outer.detail)
  const error: VendorError = { status, message: cleanMessage(message, status) }
  const type = textOf(inner.type)
  const code = textOf(inner.code)
  const path = textOf(inner.param) ?? pathIn(error.message)
  const reason = textOf(objectOf(inner.details).error_code)
  if (!isErrorShape(outer)) error.foreign = true
  if (type !== undefined) error.type = type
  if (code !== undefined) error.code = code
  if (path !== undefined) error.path = path
  if (reason !== undefined) error.reasons = [reason]
  return error
}

/** Anthropic's validation messages start with the field: `messages.0.content: Field required`. */
function pathIn(message: string): string | undefined {
  return /^([a-z_]+(?:\.[\w-]+)*): /.exec(message)?.[1]
}

/** Anthropic counts requests and tokens in buckets, and tells the date at which each is filled again. */
function bucketMs(headers: Headers): number | undefined {
  const buckets = ['requests', 'tokens', 'input-tokens', 'output-tokens'].map((bucket) => ({
    remaining: `anthropic-ratelimit-${bucket}-remaining`,
    reset: `anthropic-ratelimit-${bucket}-reset`,
  }))
  return resetMs(headers, buckets, (date) => untilMs(headers, date))
}
