import * as z from 'zod'
import { isObject } from '../../core/json.ts'
import { ControlError } from '../service.ts'
import { checked as checkedField } from '../service/check.ts'
import { Refusal } from './refusal.ts'

/** What was sent, as this schema has it. Throws Refusal 400 that names the first field that is wrong and what it may be. */
export function checked(schema: z.ZodType, value: unknown, where: 'body' | 'query'): unknown {
  try {
    return checkedField(schema, value)
  } catch (thrown) {
    if (!(thrown instanceof ControlError) || thrown.code !== 'field-unknown') throw thrown
    const known = fieldsAt(schema, thrown.path?.split('.').slice(0, -1) ?? [])
    const fix =
      known.length === 0
        ? `Leave it out: nothing may be sent here in the ${where}.`
        : `Known in the ${where}: ${known.join(', ')}.`
    throw new Refusal(400, thrown.code, thrown.message, { path: thrown.path, fix })
  }
}

/** The fields that an object has at this place: of what went wrong there is no list of them, so the JSON Schema is asked. */
function fieldsAt(schema: z.ZodType, path: readonly string[]): string[] {
  let at: unknown = z.toJSONSchema(schema, { io: 'input' })
  for (const part of path) at = propertiesOf(at)[part]
  return Object.keys(propertiesOf(at))
}

/** Of an object's schema, also where null may stand in its place. */
function propertiesOf(schema: unknown): Record<string, unknown> {
  const options = isObject(schema) && Array.isArray(schema.anyOf) ? schema.anyOf : [schema]
  const found = options.find((option) => isObject(option) && isObject(option.properties))
  return isObject(found) && isObject(found.properties) ? found.properties : {}
}
