import { isObject, type Json, type JsonObject } from '../../core/json.ts'

/**
 * JSON Schema for one in Google's older form (`parameters`, `responseSchema`), a subset of OpenAPI 3.0: types in
 * capitals, `nullable` instead of a null type, counts as strings.
 */
export function jsonSchema(schema: Json | undefined): JsonObject {
  if (!isObject(schema)) return {}
  const out: JsonObject = {}
  for (const [given, value] of Object.entries(schema)) {
    const name = given.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase())
    if (value === undefined || value === null || notes.has(name)) continue
    if (name === 'type') {
      if (typeof value === 'string' && value !== 'TYPE_UNSPECIFIED') out['type'] = value.toLowerCase()
    } else if (counts.has(name)) out[name] = Number(value)
    else if (name === 'properties' || name === '$defs') out[name] = eachSchema(value)
    else if (name === 'items' || name === 'additionalProperties') {
      out[name] = isObject(value) ? jsonSchema(value) : value
    } else if (name === 'anyOf' || name === 'prefixItems') {
      out[name] = Array.isArray(value) ? value.map((one) => jsonSchema(one)) : value
    } else out[name] = value
  }
  return schema['nullable'] === true ? orNull(out) : out
}

/** Words for Google alone, that say nothing of which values fit. */
const notes = new Set(['nullable', 'propertyOrdering', 'example'])

const counts = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'])

function eachSchema(value: Json): Json {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, jsonSchema(one)]))
}

function orNull(schema: JsonObject): JsonObject {
  const out = { ...schema }
  if (typeof out['type'] === 'string') out['type'] = [out['type'], 'null']
  else if (Array.isArray(out['anyOf'])) out['anyOf'] = [...out['anyOf'], { type: 'null' }]
  if (Array.isArray(out['enum'])) out['enum'] = [...out['enum'], null]
  return out
}
