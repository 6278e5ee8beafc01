import { isObject, listOf, objectOf, type Json, type JsonObject } from '../../core/json.ts'

/**
 * A schema as Anthropic's structured output takes it, which is less than JSON Schema. Every object must be closed: an
 * open one is closed to the properties that it names, so what fits the result fits the original too. Bounds of numbers,
 * texts and lists are refused: they go into the description, where the model reads them. Anthropic's own SDKs do the
 * same (`transformJSONSchema`). Undefined for an object of which nothing is known, which closed would always be empty.
 */
export function answerSchema(schema: JsonObject): JsonObject | undefined {
  let open = false
  const written = write(schema)
  return open ? undefined : written

  function write(one: Json): Json & JsonObject {
    if (!isObject(one)) return one as never
    const out: JsonObject = {}
    const told: string[] = []
    for (const [name, value] of Object.entries(one)) {
      if (value === undefined || name === '$schema') continue
      if (bounds.has(name) || (name === 'minItems' && value !== 0 && value !== 1)) {
        told.push(`${name}: ${JSON.stringify(value)}`)
      } else if (maps.has(name)) {
        out[name] = isObject(value) ? mapped(value) : value
      } else if (lists.has(name)) {
        out[name === 'oneOf' ? 'anyOf' : name] = Array.isArray(value) ? value.map(write) : value
      } else out[name] = name === 'items' ? write(value) : value
    }
    if (isObjectType(out['type'])) {
      const { additionalProperties: more, properties } = out
      const known = isObject(properties) && Object.keys(properties).length > 0
      if (more !== false && (isObject(more) || !known)) open = true
      out['additionalProperties'] = false
    }
    if (told.length > 0) {
      const said = typeof out['description'] === 'string' ? `${out['description']}\n\n` : ''
      out['description'] = `${said}{${told.join(', ')}}`
    }
    return out
  }

  function mapped(object: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(object).map(([name, one]) => [name, write(one as Json)]))
  }
}

/** Words that Anthropic answers with "For 'integer' type, property 'minimum' is not supported". */
const bounds = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
])
const maps = new Set(['properties', '$defs', 'definitions'])
const lists = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])

function isObjectType(type: Json | undefined): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object'))
}

/**
 * Does OpenAI's strict mode take the schema? Anthropic holds every answer to its schema; only there OpenAI does so, too,
 * and it demands that objects are closed and all of their properties required.
 */
export function fitsStrict(value: Json | undefined): boolean {
  if (!isObject(value) || !Object.keys(value).every((name) => strictWords.has(name))) return false
  const { type, properties, required, additionalProperties, items, anyOf, $defs } = value
  if (isObjectType(type)) {
    const names = Object.keys(objectOf(properties))
    if (additionalProperties !== false || !names.every((name) => listOf(required).includes(name))) return false
  }
  const inner = [...Object.values(objectOf(properties)), ...Object.values(objectOf($defs)), ...listOf(anyOf)]
  return (items === undefined || fitsStrict(items)) && inner.every(fitsStrict)
}

const strictWords = new Set(
  'type properties required additionalProperties items anyOf enum const description title $ref $defs'.split(' '),
)
