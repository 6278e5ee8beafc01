import { isObject, listOf, objectOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { shown, type Refusal, type Rules } from '../refusal.ts'

/** What OpenAI's two formats refuse in the same words. */

/** OpenAI's 400 of a broken rule. */
export function invalid(message: string, param?: string, code?: string): Refusal {
  const refusal: Refusal = { status: 400, type: 'invalid_request_error', message }
  if (param !== undefined) refusal.param = param
  if (code !== undefined) refusal.code = code
  return refusal
}

/** A field that OpenAI has no name for. */
export function unknownParameter(param: string): Refusal {
  return invalid(`Unknown parameter: '${param}'.`, param, 'unknown_parameter')
}

/** A field that this model does not take. */
export function unsupportedParameter(param: string, instead = ''): Refusal {
  const message = `Unsupported parameter: '${param}' is not supported with this model.${instead}`
  return invalid(message, param, 'unsupported_parameter')
}

/** A required field that is not there. */
export function missingParameter(param: string): Refusal {
  return invalid(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter')
}

/** A value of the wrong JSON type. */
export function wrongType(param: string, expected: string, value: Json | undefined): Refusal {
  const message = `Invalid type for '${param}': expected ${expected}, but got ${typeName(value)} instead.`
  return invalid(message, param, 'invalid_type')
}

/** A value that is not among those that OpenAI takes. */
export function wrongValue(param: string, value: string, supported: readonly string[]): Refusal {
  const names = supported.map((name) => `'${name}'`)
  const listed = names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}` : names.join('')
  return invalid(`Invalid value: '${value}'. Supported values are: ${listed}.`, param, 'invalid_value')
}

/** A text over its limit. */
export function tooLong(param: string, limit: number, length: number): Refusal {
  const message = `Invalid '${param}': string too long. Expected a string with maximum length ${limit}, but got a string with length ${length} instead.`
  return invalid(message, param, 'string_above_max_length')
}

/** A function's name, as a tool or in a call: chat takes 64 letters, Responses twice as many. */
export function* nameRules(name: Json | undefined, param: string, longest = 64): Rules {
  if (name === undefined) yield missingParameter(param)
  else if (typeof name !== 'string') yield wrongType(param, 'a string', name)
  else if (name.length > longest) yield tooLong(param, longest, name.length)
  else if (!/^[a-zA-Z0-9_-]+$/.test(name)) {
    yield invalid(
      `Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      param,
      'invalid_value',
    )
  }
}

/** The schema of a function or of structured output. */
export function* schemaRules(schema: Json | undefined, at: { of: string; param: string; strict: boolean }): Rules {
  if (schema === undefined || schema === null) return
  const type = objectOf(schema)['type']
  if (!isObject(schema) || (type !== 'object' && (at.strict || schema['anyOf'] === undefined))) {
    const message = `Invalid schema for ${at.of}: schema must be a JSON Schema of 'type: "object"', got 'type: "${textOf(type) ?? 'None'}"'.`
    yield invalid(message, at.param, 'invalid_function_parameters')
  }
  if (at.strict) yield* strictRules(objectOf(schema), at, '')
}

/** Strict mode: every object closed, every property required. */
function* strictRules(schema: JsonObject, at: { of: string; param: string }, context: string): Rules {
  const properties = objectOf(schema['properties'])
  if (schema['type'] === 'object') {
    if (schema['additionalProperties'] !== false) {
      yield invalid(
        `Invalid schema for ${at.of}: In context=(${context}), 'additionalProperties' is required to be supplied and to be false.`,
        at.param,
        'invalid_function_parameters',
      )
    }
    const required = listOf(schema['required'])
    const missing = Object.keys(properties).find((name) => !required.includes(name))
    if (missing !== undefined) {
      yield invalid(
        `Invalid schema for ${at.of}: In context=(${context}), 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`,
        at.param,
        'invalid_function_parameters',
      )
    }
  }
  for (const [name, property] of Object.entries(properties)) {
    yield* strictRules(objectOf(property), at, `${context}${context === '' ? '' : ', '}'properties', '${name}'`)
  }
  if (isObject(schema['items'])) yield* strictRules(schema['items'], at, `${context}, 'items'`)
}

/** The reasoning effort, at `param`. */
export function* effortRules(effort: Json | undefined, efforts: readonly string[], param: string): Rules {
  if (effort === undefined || effort === null) return
  if (efforts.length === 0) yield unsupportedParameter(param)
  if (!efforts.includes(shown(effort))) {
    const supported = efforts.map((name) => `'${name}'`).join(', ')
    yield invalid(
      `Unsupported value: '${param}' does not support '${shown(effort)}' with this model. Supported values are: ${supported}.`,
      param,
      'unsupported_value',
    )
  }
}

/** An image's place: an address or inline bytes. */
export function* imageRules(url: Json | undefined, param: string): Rules {
  if (typeof url !== 'string') {
    yield url === undefined ? missingParameter(param) : wrongType(param, 'an image URL', url)
    return
  }
  if (/^https?:\/\//.test(url)) return
  const match = /^data:([^;,]+);base64,(.*)$/s.exec(url)
  if (match === null) {
    const message = `Invalid '${param}'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value without the 'data:' prefix.`
    yield invalid(message, param, 'invalid_value')
    return
  }
  if (!/^image\/(png|jpeg|jpg|gif|webp)$/.test(match[1] ?? '')) {
    const message = `Invalid '${param}'. Expected a base64-encoded data URL with an image MIME type, but got unsupported MIME type '${match[1] ?? ''}'.`
    yield invalid(message, param, 'invalid_value')
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(match[2] ?? ''))
    yield invalid('Invalid base64 image_url.', param, 'invalid_base64')
}

function typeName(value: Json | undefined): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal'
  return typeof value === 'string' ? 'a string' : `a ${typeof value}`
}
