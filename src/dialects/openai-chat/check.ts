import { Failure } from '../../core/failure.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Extra } from '../../core/prompt.ts'

/** A 400 in OpenAI's words. */
export function invalid(message: string, path: string, code?: string): Failure {
  return new Failure('request-invalid', message, { path, ...(code !== undefined && { code }) })
}

/** A field that must be there is not. */
export function missing(path: string): Failure {
  return invalid(`Missing required parameter: '${path}'.`, path, 'missing_required_parameter')
}

/** A field of another JSON type than the API takes. `expected` with its article: `a string`. */
export function wrongType(path: string, expected: string, value: unknown): Failure {
  const message = `Invalid type for '${path}': expected ${expected}, but got ${typeName(value)} instead.`
  return invalid(message, path, 'invalid_type')
}

/** How the refusal of a word begins, by which it is told from other values that are wrong. */
export const wrongValueBegins = 'Invalid value: '

/** A word that the API does not know in this place. */
export function wrongValue(path: string, value: string, supported: readonly string[]): Failure {
  const quoted = supported.map((word) => `'${word}'`)
  const list = quoted.length < 3 ? quoted.join(' and ') : `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`
  return invalid(`${wrongValueBegins}'${value.slice(0, 40)}'. Supported values are: ${list}.`, path, 'invalid_value')
}

/** A text that must be there. */
export function requiredText(json: JsonObject, key: string, path: string): string {
  const text = optionalText(json, key, path)
  if (text === undefined) throw missing(path)
  return text
}

/** A text, or undefined for one that is absent or null. */
export function optionalText(json: JsonObject, key: string, path: string): string | undefined {
  const value = json[key] ?? undefined
  if (value !== undefined && typeof value !== 'string') throw wrongType(path, 'a string', value)
  return value
}

/** One of the words that the API knows in this place, or undefined. */
export function optionalWord<Word extends string>(
  json: JsonObject,
  key: string,
  path: string,
  words: readonly Word[],
): Word | undefined {
  const text = optionalText(json, key, path)
  if (text === undefined) return undefined
  const word = words.find((known) => known === text)
  if (word === undefined) throw wrongValue(path, text, words)
  return word
}

/** true, false, or undefined for absent or null. */
export function optionalFlag(json: JsonObject, key: string): boolean | undefined {
  const value = json[key] ?? undefined
  if (value !== undefined && typeof value !== 'boolean') throw wrongType(key, 'a boolean', value)
  return value
}

/** A number within its limits, or undefined for absent or null. */
export function optionalNumber(json: JsonObject, key: string, least: number, most: number): number | undefined {
  const value = json[key] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number') throw wrongType(key, 'a decimal', value)
  outside(key, 'decimal', value, least, most)
  return value
}

/** A whole number within its limits, or undefined for absent or null. */
export function optionalInteger(json: JsonObject, key: string, least?: number, path = key): number | undefined {
  const value = json[key] ?? undefined
  if (value === undefined) return undefined
  if (!Number.isInteger(value)) throw wrongType(path, 'an integer', value)
  outside(path, 'integer', value as number, least, undefined)
  return value as number
}

function outside(path: string, type: string, value: number, least?: number, most?: number): void {
  if (least !== undefined && value < least) {
    const message = `Invalid '${path}': ${type} below minimum value. Expected a value >= ${least}, but got ${value} instead.`
    throw invalid(message, path, `${type}_below_min_value`)
  }
  if (most !== undefined && value > most) {
    const message = `Invalid '${path}': ${type} above maximum value. Expected a value <= ${most}, but got ${value} instead.`
    throw invalid(message, path, `${type}_above_max_value`)
  }
}

/** Notes every field that is not among the known ones: only OpenAI's own format can carry it. */
export function noteUnknown(json: JsonObject, known: ReadonlySet<string>, path: string, extras: Extra[]): void {
  for (const key of Object.keys(json)) {
    if (known.has(key) || (json[key] ?? null) === null) continue
    extras.push({ path: path === '' ? key : `${path}.${key}` })
  }
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The list, or a 400 for what is none. */
export function requiredList(value: Json | undefined, path: string, expected = 'an array of objects'): Json[] {
  if (!Array.isArray(value)) throw wrongType(path, expected, value)
  return value
}
