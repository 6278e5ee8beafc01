import { Failure } from '../../core/failure.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Extra } from '../../core/prompt.ts'

/** A 400 with OpenAI's own `code`: the field by its path in `param`. */
export function invalid(path: string, code: string | undefined, message: string): Failure {
  return new Failure('request-invalid', message, code === undefined ? { path } : { path, code })
}

/** The 400 for a field that must be there. */
export function missing(path: string): Failure {
  return invalid(path, 'missing_required_parameter', `Missing required parameter: '${path}'.`)
}

/** The 400 for a value of the wrong JSON type; `expected` with its article: `a string`. */
export function wrongType(path: string, expected: string, value: unknown): Failure {
  return invalid(
    path,
    'invalid_type',
    `Invalid type for '${path}': expected ${expected}, but got ${typeName(value)} instead.`,
  )
}

/** The 400 for a word that is none of those allowed. */
export function wrongValue(path: string, allowed: readonly string[], value?: string): Failure {
  const said = value === undefined ? `Invalid value for '${path}'.` : `Invalid value for '${path}': '${value}'.`
  const words = allowed.map((word) => `'${word}'`).join(', ')
  return invalid(path, 'invalid_value', `${said} Supported values are: ${words}.`)
}

/** The path of a field of the object at `path`; '' is the request itself. */
export function below(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

/** The text in a field; undefined where it is absent or null. Throws for any other type, as all below do. */
export function textField(json: JsonObject, key: string, path = ''): string | undefined {
  const value = json[key] ?? undefined
  if (value === undefined || typeof value === 'string') return value
  throw wrongType(below(path, key), 'a string', value)
}

/** The text in a field that must be there. */
export function textNeeded(json: JsonObject, key: string, path = ''): string {
  const value = textField(json, key, path)
  if (value === undefined) throw missing(below(path, key))
  return value
}

/** One of a few words. */
export function wordField<Word extends string>(
  json: JsonObject,
  key: string,
  words: readonly Word[],
  path = '',
): Word | undefined {
  const value = textField(json, key, path)
  if (value === undefined) return undefined
  const word = words.find((known) => known === value)
  if (word === undefined) throw wrongValue(below(path, key), words, value)
  return word
}

export function booleanField(json: JsonObject, key: string, path = ''): boolean | undefined {
  const value = json[key] ?? undefined
  if (value === undefined || typeof value === 'boolean') return value
  throw wrongType(below(path, key), 'a boolean', value)
}

/** A number between `min` and `max`, both allowed. */
export function numberField(json: JsonObject, key: string, min: number, max: number): number | undefined {
  const value = json[key] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number') throw wrongType(key, 'a decimal', value)
  if (value < min) {
    throw invalid(
      key,
      'decimal_below_min_value',
      `Invalid '${key}': decimal below minimum value. Expected a value >= ${min}, but got ${value} instead.`,
    )
  }
  if (value > max) {
    throw invalid(
      key,
      'decimal_above_max_value',
      `Invalid '${key}': decimal above maximum value. Expected a value <= ${max}, but got ${value} instead.`,
    )
  }
  return value
}

export function objectField(json: JsonObject, key: string, path = ''): JsonObject | undefined {
  const value = json[key] ?? undefined
  if (value === undefined || isObject(value)) return value
  throw wrongType(below(path, key), 'an object', value)
}

export function listField(json: JsonObject, key: string, path = ''): Json[] | undefined {
  const value = json[key] ?? undefined
  if (value === undefined || Array.isArray(value)) return value
  throw wrongType(below(path, key), 'an array', value)
}

/** Notes every field that `known` does not name, so that none disappears in silence; nulls are absent fields. */
export function noteUnknown(json: JsonObject, known: readonly string[], path: string, extras: Extra[]): void {
  for (const [key, value] of Object.entries(json)) {
    if (value !== null && value !== undefined && !known.includes(key)) extras.push({ path: below(path, key) })
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? 'an integer' : 'a decimal'
    case 'object':
      return 'an object'
    default:
      return `a ${typeof value}`
  }
}
