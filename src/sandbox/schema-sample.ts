import { isObject, listOf, numberOf, objectOf, textOf, table, type Json, type JsonObject } from '../core/json.ts'

/** Below this depth only required properties are given, so that schemas that contain themselves come to an end. */
const depthFull = 3
const depthMax = 16

/**
 * A value that fits a JSON Schema, always the same one: what the sandbox's models write as arguments and structured
 * output. Knows the keywords that tools use; `pattern`, `not` and conditions are passed over.
 */
export function sampleOf(schema: JsonObject): Json {
  return sample(schema, { root: schema, name: 'text', depth: 0 })
}

interface Place {
  /** Where `$ref` points into. */
  root: JsonObject
  /** The name of the property: texts are made of it. */
  name: string
  depth: number
}

function sample(schema: Json | undefined, place: Place): Json {
  if (!isObject(schema) || place.depth > depthMax) return place.depth > depthMax ? null : place.name
  const inner = { ...place, depth: place.depth + 1 }
  if (schema['const'] !== undefined) return schema['const']
  const [first] = listOf(schema['enum'])
  if (first !== undefined) return first
  const reference = textOf(schema['$ref'])
  if (reference !== undefined) return sample(pointed(place.root, reference), inner)
  const [option] = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  if (option !== undefined) return sample({ ...without(schema, 'anyOf', 'oneOf'), ...objectOf(option) }, inner)
  const all = listOf(schema['allOf'])
  if (all.length > 0) return sample(merged(place.root, [without(schema, 'allOf'), ...all]), inner)
  switch (typeOf(schema)) {
    case 'object':
      return sampleObject(schema, place)
    case 'array':
      return sampleArray(schema, inner)
    case 'integer':
      return sampleNumber(schema, 1)
    case 'number':
      return sampleNumber(schema, 1.5)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return sampleText(schema, place.name)
  }
}

function typeOf(schema: JsonObject): string | undefined {
  const { type } = schema
  // Gemini spells types in capitals.
  const name = textOf(Array.isArray(type) ? type[0] : type)?.toLowerCase()
  if (name !== undefined) return name
  if (schema['properties'] !== undefined) return 'object'
  if (schema['items'] !== undefined || schema['prefixItems'] !== undefined) return 'array'
  return undefined
}

function sampleObject(schema: JsonObject, place: Place): JsonObject {
  const required = new Set(listOf(schema['required']))
  const properties = objectOf(schema['properties'])
  const object: JsonObject = {}
  for (const [name, property] of Object.entries(properties)) {
    if (place.depth >= depthFull && !required.has(name)) continue
    object[name] = sample(property, { ...place, name, depth: place.depth + 1 })
  }
  for (const name of required) {
    if (typeof name === 'string' && object[name] === undefined) object[name] = name
  }
  return object
}

function sampleArray(schema: JsonObject, place: Place): Json[] {
  const fixed = listOf(schema['prefixItems'])
  if (fixed.length > 0) return fixed.map((item) => sample(item, place))
  const least = numberOf(schema['minItems']) ?? (place.depth > depthFull ? 0 : 1)
  const count = Math.min(least, numberOf(schema['maxItems']) ?? least, 100)
  return Array.from({ length: count }, () => sample(schema['items'], place))
}

function sampleNumber(schema: JsonObject, usual: number): number {
  const step = numberOf(schema['multipleOf']) ?? (Number.isInteger(usual) ? 1 : 0.5)
  const above = numberOf(schema['exclusiveMinimum'])
  const below = numberOf(schema['exclusiveMaximum'])
  const least = numberOf(schema['minimum']) ?? (above === undefined ? -Infinity : above + step)
  const most = numberOf(schema['maximum']) ?? (below === undefined ? Infinity : below - step)
  const wished = Math.min(Math.max(usual, least), most)
  const stepped = Math.ceil(wished / step) * step
  return stepped <= most ? stepped : Math.floor(most / step) * step
}

const formats: Readonly<Record<string, string>> = table({
  date: '2026-01-02',
  time: '03:04:05Z',
  'date-time': '2026-01-02T03:04:05Z',
  duration: 'PT1H',
  email: 'someone@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
})

function sampleText(schema: JsonObject, name: string): string {
  const text = formats[textOf(schema['format']) ?? ''] ?? name
  const least = Math.min(numberOf(schema['minLength']) ?? 0, 10_000)
  return text.padEnd(least, '.').slice(0, numberOf(schema['maxLength']) ?? Infinity)
}

/** What a local reference such as `#/$defs/city` points at. */
function pointed(root: JsonObject, reference: string): Json | undefined {
  let value: Json | undefined = root
  for (const step of reference.replace(/^#\/?/, '').split('/')) {
    if (step === '') continue
    value = objectOf(value)[decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return value
}

/** Several object schemas that hold at once, as one. */
function merged(root: JsonObject, schemas: readonly Json[]): JsonObject {
  let whole: JsonObject = {}
  for (const schema of schemas) {
    const reference = textOf(objectOf(schema)['$ref'])
    const next = objectOf(reference === undefined ? schema : pointed(root, reference))
    const properties = { ...objectOf(whole['properties']), ...objectOf(next['properties']) }
    const required = [...listOf(whole['required']), ...listOf(next['required'])]
    whole = { ...whole, ...next }
    if (Object.keys(properties).length > 0) whole['properties'] = properties
    if (required.length > 0) whole['required'] = required
  }
  return whole
}

function without(schema: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)))
}
