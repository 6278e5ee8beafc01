import type { JsonObject } from '../core/json.ts'

/** The first of these fields that holds a number. */
export function firstNumber(json: JsonObject, fields: readonly string[]): { tokens: number; path: string } | undefined {
  for (const path of fields) {
    const tokens = json[path]
    if (typeof tokens === 'number') return { tokens, path }
  }
  return undefined
}
