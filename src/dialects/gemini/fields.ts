import { Failure } from '../../core/failure.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Extra } from '../../core/prompt.ts'

/**
 * The object with its field names in lowerCamelCase and without its nulls: Google's JSON takes `system_instruction` as
 * well as `systemInstruction`, and many of its own examples use the former.
 */
export function fields(value: unknown, path: string): JsonObject {
  if (!isObject(value)) throw invalid(path, 'must be an object')
  const entries = Object.entries(value).filter(([, field]) => field !== null && field !== undefined)
  return Object.fromEntries(entries.map(([name, field]) => [camel(name), field]))
}

/** A repeated field: Google's parser takes a single object for a list of one. */
export function many(value: Json | undefined, path: string): Json[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  if (isObject(value)) return [value]
  throw invalid(path, 'must be a list')
}

/** Pushes what is left of an object, after its known fields were taken out, to the extras. */
export function spare(rest: JsonObject, path: string, extras: Extra[]): void {
  for (const name of Object.keys(rest)) extras.push({ path: path === '' ? name : `${path}.${name}` })
}

/** A 400 that names the field and says what would be right. */
export function invalid(path: string, rule: string): Failure {
  return new Failure('request-invalid', `${path}: ${rule}.`, { path })
}

/** The field's text, undefined where it is absent. */
export function text(value: Json | undefined, path: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw invalid(path, 'must be a string')
}

/** The field's number, undefined where it is absent. */
export function number(
  value: Json | undefined,
  path: string,
  range: { min?: number; max?: number; whole?: boolean } = {},
): number | undefined {
  if (value === undefined) return undefined
  const { min = -Infinity, max = Infinity, whole = false } = range
  const right = typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value))
  if (right) return value
  const kind = whole ? 'a whole number' : 'a number'
  const between = max === Infinity ? (min === -Infinity ? '' : ` of at least ${min}`) : ` from ${min} to ${max}`
  throw invalid(path, `must be ${kind}${between}`)
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}
