import { parseJson, type Json } from '../core/json.ts'

/**
 * Parses a model's arguments without changing them: whole numbers that a double cannot hold (ids of 64 bits) stay as
 * they are written, and are written so again. Undefined where the text is no JSON.
 */
export function exactJson(text: string): Json | undefined {
  if (!/\d{16}/.test(text)) return parseJson(text)
  try {
    return JSON.parse(text, keepDigits as (key: string, value: Json) => Json) as Json
  } catch {
    return undefined
  }
}

/** A JSON value that `JSON.stringify` writes as it stands: in V8 since 11.4, not yet in TypeScript's library. */
const { rawJSON } = JSON as unknown as { rawJSON: (this: void, text: string) => Json }

function keepDigits(_key: string, value: Json, { source }: { source?: string }): Json {
  const lost = typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '')
  return lost ? rawJSON(source as string) : value
}
