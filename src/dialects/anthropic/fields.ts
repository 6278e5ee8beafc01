import { Failure } from '../../core/failure.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Extra } from '../../core/prompt.ts'

/** A 400 for a field that breaks a rule of the Messages API: names it by its path and says what would be right. */
export function invalid(path: string, rule: string): Failure {
  return new Failure('request-invalid', `${path}: ${rule}.`, { path })
}

/** Null is how SDKs spell an optional field that was left out. */
export function given(value: Json | undefined): value is Exclude<Json, null> {
  return value !== undefined && value !== null
}

/** The text of a field that must have one. */
export function textIn(object: JsonObject, name: string, path: string): string {
  const value = object[name]
  if (typeof value !== 'string')
    throw invalid(`${path}.${name}`, value === undefined ? 'a text is required' : 'must be a text')
  return value
}

/** The text of an optional field. */
export function optionalTextIn(object: JsonObject, name: string, path: string): string | undefined {
  return given(object[name]) ? textIn(object, name, path) : undefined
}

/** The number of an optional field, within its range. */
export function numberIn(
  object: JsonObject,
  name: string,
  range: { least: number; most?: number; whole?: boolean },
): number | undefined {
  const value = object[name]
  if (!given(value)) return undefined
  const { least, most = Number.MAX_SAFE_INTEGER, whole = false } = range
  const fits = typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value))
  if (fits) return value
  const kind = whole ? 'whole number' : 'number'
  throw invalid(
    name,
    range.most === undefined ? `must be a ${kind} of at least ${least}` : `must be a ${kind} from ${least} to ${most}`,
  )
}

/** An object of the request, or the 400 that says that it must be one. */
export function objectIn(value: Json | undefined, path: string): JsonObject {
  if (isObject(value)) return value
  throw invalid(path, value === undefined ? 'an object is required' : 'must be an object')
}

/** A list of the request, or the 400 that says that it must be one. */
export function listIn(value: Json | undefined, path: string): Json[] {
  if (Array.isArray(value)) return value
  throw invalid(path, value === undefined ? 'a list is required' : 'must be a list')
}

/** Puts every field that is not among the known ones on the list of what only this dialect can carry. */
export function noteUnknown(object: JsonObject, known: readonly string[], path: string, extras: Extra[]): void {
  for (const [name, value] of Object.entries(object)) {
    if (given(value) && !known.includes(name)) extras.push({ path: path === '' ? name : `${path}.${name}` })
  }
}

/** The prompt-caching breakpoint of a block or tool. */
export function cacheMarkOf(object: JsonObject): '5m' | '1h' | undefined {
  const control = object.cache_control
  if (!isObject(control)) return undefined
  return control.ttl === '1h' ? '1h' : '5m'
}

/** The `cache_control` of a breakpoint. */
export function cacheControl(mark: '5m' | '1h' | undefined): JsonObject | undefined {
  if (mark === undefined) return undefined
  return mark === '1h' ? { type: 'ephemeral', ttl: '1h' } : { type: 'ephemeral' }
}
