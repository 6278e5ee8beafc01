import { isObject, objectOf, type JsonObject } from '../../../src/core/json.ts'

/**
 * What in a value goes against a JSON Schema, a line each; written apart from the library that the schemas come from.
 * Throws for a keyword that is not known here: a check that was passed over would prove nothing.
 */
export function schemaFaults(value: unknown, schema: unknown, root: JsonObject, at = '$'): string[] {
  const faults: string[] = []
  for (const [keyword, rule] of Object.entries(objectOf(schema))) {
    const check = keywords[keyword]
    if (check === undefined) throw new Error(`${at}: the keyword ${keyword} is not known here`)
    faults.push(...check({ value, rule, schema: objectOf(schema), root, at }))
  }
  return faults
}

interface Check {
  value: unknown
  rule: unknown
  schema: JsonObject
  root: JsonObject
  at: string
}

const keywords: Readonly<Record<string, (check: Check) => string[]>> = {
  description: () => [],
  writeOnly: () => [],
  default: () => [],
  $ref({ value, rule, root, at }) {
    let target: unknown = root
    for (const part of String(rule).replace(/^#\//, '').split('/')) target = objectOf(target)[part]
    if (target === undefined) throw new Error(`${at}: ${String(rule)} leads nowhere`)
    return schemaFaults(value, target, root, at)
  },
  anyOf({ value, rule, root, at }) {
    const options = rule as unknown[]
    const fits = options.some((option) => schemaFaults(value, option, root, at).length === 0)
    return fits ? [] : [`${at}: fits none of ${options.length}`]
  },
  allOf: ({ value, rule, root, at }) => (rule as unknown[]).flatMap((one) => schemaFaults(value, one, root, at)),
  type({ value, rule, at }) {
    const types = [rule].flat().map(String)
    return types.some((type) => typeTests[type]?.(value) === true) ? [] : [`${at}: is not ${types.join(' or ')}`]
  },
  const: ({ value, rule, at }) => (value === rule ? [] : [`${at}: is not ${String(rule)}`]),
  enum: ({ value, rule, at }) => ((rule as unknown[]).includes(value) ? [] : [`${at}: is none of those allowed`]),
  pattern: text((value, rule) => new RegExp(String(rule), 'u').test(value)),
  format: text((value, rule) => {
    const test = formats[String(rule)]
    if (test === undefined) throw new Error(`the format ${String(rule)} is not known here`)
    return test.test(value)
  }),
  minLength: text((value, rule) => value.length >= Number(rule)),
  maxLength: text((value, rule) => value.length <= Number(rule)),
  minimum: ({ value, rule, at }) => (typeof value === 'number' && value < Number(rule) ? [`${at}: too small`] : []),
  maximum: ({ value, rule, at }) => (typeof value === 'number' && value > Number(rule) ? [`${at}: too large`] : []),
  minItems: ({ value, rule, at }) => (Array.isArray(value) && value.length < Number(rule) ? [`${at}: too few`] : []),
  maxItems: ({ value, rule, at }) => (Array.isArray(value) && value.length > Number(rule) ? [`${at}: too many`] : []),
  items: ({ value, rule, root, at }) =>
    Array.isArray(value) ? value.flatMap((one, index) => schemaFaults(one, rule, root, `${at}.${index}`)) : [],
  required: ({ value, rule, at }) =>
    isObject(value)
      ? (rule as string[]).filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}.${name}: is missing`)
      : [],
  properties: ({ value, rule, root, at }) =>
    isObject(value)
      ? Object.entries(objectOf(rule)).flatMap(([name, schema]) =>
          Object.hasOwn(value, name) ? schemaFaults(value[name], schema, root, `${at}.${name}`) : [],
        )
      : [],
  propertyNames: ({ value, rule, root, at }) =>
    isObject(value) ? Object.keys(value).flatMap((name) => schemaFaults(name, rule, root, `${at} name`)) : [],
  additionalProperties({ value, rule, schema, root, at }) {
    if (!isObject(value)) return []
    const others = Object.keys(value).filter((name) => !Object.hasOwn(objectOf(schema.properties), name))
    if (rule === false) return others.map((name) => `${at}.${name}: is not foreseen`)
    return others.flatMap((name) => schemaFaults(value[name], rule, root, `${at}.${name}`))
  },
}

const typeTests: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  array: Array.isArray,
  object: isObject,
}

const formats: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  uri: /^[a-z][a-z0-9+.-]*:/,
  email: /^[^@\s]+@[^@\s]+$/,
}

function text(fits: (value: string, rule: unknown) => boolean): (check: Check) => string[] {
  return ({ value, rule, at }) => (typeof value === 'string' && !fits(value, rule) ? [`${at}: wrong form`] : [])
}
