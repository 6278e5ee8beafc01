import type * as z from 'zod'
import { ControlError } from '../service.ts'

/**
 * What was asked for, as this schema has it. Throws ControlError 400 that names the field and what it may be. What stands in
 * the field is never repeated: it may be a secret. `field`: the name of the value, where it is no object with fields of its own.
 */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, field?: string): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue === undefined) throw new Error('Zod refused a value and said nothing.')
  if (issue.code === 'unrecognized_keys') {
    const path = placeOf([...issue.path, issue.keys[0] ?? ''])
    throw new ControlError(400, 'field-unknown', `${path}: there is no such field.`, { path, fix: 'Leave it out.' })
  }
  const path = field ?? placeOf(issue.path)
  throw invalid(path, rule(issue))
}

/** A field that does not hold what it may. */
export function invalid(path: string, what: string): ControlError {
  return new ControlError(400, 'field-invalid', `${path || 'the request'}: ${what}.`, path === '' ? {} : { path })
}

/** A field that is well formed, but does not fit to what there is. */
export function unfit(path: string, what: string, fix?: string): ControlError {
  return new ControlError(422, 'field-unfit', `${path}: ${what}.`, { path, ...(fix !== undefined && { fix }) })
}

/** Names of fields only: others were made up by whoever sent them. */
function placeOf(path: readonly PropertyKey[]): string {
  return path.map((part) => (/^[\w.-]{1,40}$/.test(String(part)) ? String(part) : '(another name)')).join('.')
}

function rule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${kinds[issue.expected] ?? `of type ${issue.expected}`}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return `must ${measure(issue.origin, 'at least', Number(issue.minimum))}`
    case 'too_big':
      return `must ${measure(issue.origin, 'at most', Number(issue.maximum))}`
    case 'invalid_format':
      return formats[issue.format] ?? issue.message
    case 'invalid_key':
      return 'has a name that may not stand here'
    default:
      return issue.message
  }
}

const kinds: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  boolean: 'true or false',
}

const formats: Readonly<Record<string, string>> = {
  url: 'must be an http or https URL',
  email: 'must be an e-mail address',
}

function measure(origin: string, relation: string, count: number): string {
  if (origin === 'string') return `have ${relation} ${count} characters`
  if (origin === 'array') return `have ${relation} ${count} entries`
  return `be ${relation} ${count}`
}
