import type { Dialect, VendorError } from '../../core/dialect.ts'
import type { Failure, FailureKind, Wire } from '../../core/failure.ts'
import { isObject, type JsonObject, listOf, numberOf, objectOf, parseJson, textOf } from '../../core/json.ts'
import { retryAfterMs } from '../retry-after.ts'
import { cleanMessage, eventFailure, plainError, wholeMessage } from '../vendor-error.ts'

/** Errors in google.rpc's shape: read from Google, written for callers. */
export const failure: Dialect['failure'] = {
  read(wire: Wire, headers): VendorError {
    const body = Buffer.from(wire.body).toString().trim()
    const error = errorIn(parseJson(body))
    const read = error === undefined ? plainError(body, wire.status) : details(error, wire)
    const wait = read.retryAfterMs ?? retryAfterMs(headers)
    return wait === undefined ? read : { ...read, retryAfterMs: wait }
  },
  write,
  writeEvent: (failed, requestId) => `data: ${JSON.stringify(write(failed, requestId))}\n\n`,
}

/** The `error` object of an answer or event; some of Google's endpoints wrap it in an array. */
export function errorIn(json: unknown): JsonObject | undefined {
  const body: unknown = Array.isArray(json) ? json[0] : json
  if (!isObject(body)) return undefined
  if (isObject(body['error'])) return body['error']
  return typeof body['error'] === 'string' ? { message: body['error'] } : undefined
}

/** An error that came in the place of an answer, with no status of its own. */
export function failureIn(error: JsonObject, vendor: string): Failure {
  return eventFailure(details(error, { status: 200 }), vendor)
}

/** google.rpc's word for each kind. */
const words: Readonly<Record<FailureKind, string>> = {
  'request-invalid': 'INVALID_ARGUMENT',
  unsupported: 'INVALID_ARGUMENT',
  'prompt-too-long': 'INVALID_ARGUMENT',
  'content-refused': 'INVALID_ARGUMENT',
  'key-missing': 'UNAUTHENTICATED',
  'key-wrong': 'UNAUTHENTICATED',
  'not-allowed': 'PERMISSION_DENIED',
  'path-unknown': 'NOT_FOUND',
  'model-unknown': 'NOT_FOUND',
  'method-wrong': 'UNIMPLEMENTED',
  'body-slow': 'DEADLINE_EXCEEDED',
  conflict: 'ABORTED',
  'body-too-large': 'INVALID_ARGUMENT',
  'content-type-wrong': 'INVALID_ARGUMENT',
  'plan-limit': 'RESOURCE_EXHAUSTED',
  'plan-budget': 'RESOURCE_EXHAUSTED',
  'caller-gone': 'CANCELLED',
  'vendor-limit': 'RESOURCE_EXHAUSTED',
  'vendor-refuses': 'UNAVAILABLE',
  'vendor-keyless': 'UNAVAILABLE',
  'vendor-broken': 'INTERNAL',
  'vendor-unreachable': 'UNAVAILABLE',
  'vendor-unreadable': 'INTERNAL',
  'vendor-cut': 'UNAVAILABLE',
  'vendor-slow': 'DEADLINE_EXCEEDED',
  'vendor-overloaded': 'UNAVAILABLE',
  'gateway-fault': 'INTERNAL',
  'gateway-full': 'UNAVAILABLE',
}

function write(failed: Failure, requestId: string): JsonObject {
  const list: JsonObject[] = [
    rpc('ErrorInfo', { reason: failed.kind.toUpperCase().replaceAll('-', '_'), domain: 'keyrung' }),
    rpc('RequestInfo', { requestId }),
  ]
  if (failed.path !== undefined) {
    list.push(rpc('BadRequest', { fieldViolations: [{ field: failed.path, description: failed.message }] }))
  }
  if (failed.retryAfterMs !== undefined) list.push(rpc('RetryInfo', { retryDelay: `${failed.retryAfterMs / 1000}s` }))
  return { error: { code: failed.status, message: wholeMessage(failed), status: words[failed.kind], details: list } }
}

const rpcPrefix = 'type.googleapis.com/google.rpc.'

function rpc(type: string, value: JsonObject): JsonObject {
  return { '@type': rpcPrefix + type, ...value }
}

function details(error: JsonObject, wire: { status: number }): VendorError {
  const code = numberOf(error['code'])
  // An error inside a 200 has its true status in its code.
  const status = wire.status < 400 && code !== undefined && code >= 400 && code < 600 ? code : wire.status
  const read: VendorError = { status, message: cleanMessage(textOf(error['message']), status) }
  const type = textOf(error['status'])
  if (type !== undefined) read.type = type
  // The newer Interactions API names kinds in `code`.
  const name = textOf(error['code'])
  if (name !== undefined) read.code = name
  const reasons: string[] = []
  for (const detail of listOf(error['details']).filter(isObject)) {
    switch ((textOf(detail['@type']) ?? '').replace(/^.*\./, '')) {
      case 'ErrorInfo':
        reasons.push(textOf(detail['reason']) ?? '')
        break
      case 'QuotaFailure':
        for (const violation of listOf(detail['violations'])) reasons.push(textOf(objectOf(violation)['quotaId']) ?? '')
        break
      case 'BadRequest': {
        const field = textOf(objectOf(listOf(detail['fieldViolations'])[0])['field'])
        if (field !== undefined) read.path = field
        break
      }
      case 'RetryInfo': {
        const seconds = /^(\d+(?:\.\d+)?)s$/.exec(textOf(detail['retryDelay']) ?? '')?.[1]
        if (seconds !== undefined) read.retryAfterMs = Math.ceil(Number(seconds) * 1000)
        break
      }
    }
  }
  const named = reasons.filter((reason) => reason !== '')
  if (named.length > 0) read.reasons = named
  return read
}
