import type { JsonObject } from '../../core/json.ts'
import type { Refusal, Rules } from '../refusal.ts'

/** Google's 400 of a broken rule. */
export function invalid(message: string): Refusal {
  return { status: 400, type: 'INVALID_ARGUMENT', message }
}

/** Google's 400 for a JSON name that its message does not have. */
export function unknownName(name: string, path: string): Refusal {
  const at = path === '' ? '' : ` at '${path}'`
  const description = `Invalid JSON payload received. Unknown name "${name}"${at}: Cannot find field.`
  const violation = path === '' ? { description } : { field: path, description }
  return {
    ...invalid(description),
    details: [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [violation] }],
  }
}

/** Refuses names outside a message. Protobuf's JSON takes both spellings: `maxOutputTokens` and `max_output_tokens`. */
export function* known(object: JsonObject, names: ReadonlySet<string>, path: string): Rules {
  const unknown = Object.keys(object).find((key) => !names.has(key) && !names.has(camel(key)))
  if (unknown !== undefined) yield unknownName(unknown, path)
}

function camel(name: string): string {
  return name.replace(/(?<=[a-z])_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
