import type { Json, JsonObject } from './json.ts'

/** Where one top-level field stands in a JSON object's text. */
export interface Field {
  name: string
  /** From after the comma or brace before it, white space included, to the comma or brace after it. */
  start: number
  valueStart: number
  end: number
}

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/**
 * The top-level fields of a JSON object, found without parsing their values: for large bodies of which little is
 * asked. `text` is the bytes as Latin-1, so that places are byte offsets. Undefined for text that is no object or whose
 * outline does not close; what is inside the values is not looked at.
 */
export function topLevelFields(text: string): Field[] | undefined {
  const fields: Field[] = []
  let at = skipSpace(text, 0)
  if (text.charCodeAt(at) !== OPEN_BRACE) return undefined
  at += 1
  let first = true
  for (;;) {
    const start = at
    at = skipSpace(text, at)
    if (first && text.charCodeAt(at) === CLOSE_BRACE) break
    if (text.charCodeAt(at) !== QUOTE) return undefined
    const nameEnd = stringEnd(text, at)
    const name = nameOf(text.slice(at, nameEnd))
    at = skipSpace(text, nameEnd)
    if (name === undefined || text.charCodeAt(at) !== COLON) return undefined
    const valueStart = skipSpace(text, at + 1)
    const end = valueEnd(text, valueStart)
    if (end === -1 || end === valueStart) return undefined
    fields.push({ name, start, valueStart, end })
    first = false
    at = end + 1
    if (text.charCodeAt(end) === CLOSE_BRACE) break
  }
  return skipSpace(text, first ? at + 1 : at) === text.length ? fields : undefined
}

/**
 * The object in this text (bytes as Latin-1), each of its fields parsed when it is first asked for. Undefined where the
 * outline is broken; a field whose value is no JSON calls `broken`, which throws.
 */
export function lazyObject(text: string, broken: (error: unknown) => never): JsonObject | undefined {
  const fields = topLevelFields(text)
  if (fields === undefined) return undefined
  const object: JsonObject = {}
  for (const { name, valueStart, end } of fields) {
    const set = (value: Json | undefined): void => {
      Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
    }
    Object.defineProperty(object, name, {
      enumerable: true,
      configurable: true,
      get(): Json {
        const value = parse(text.slice(valueStart, end), broken)
        set(value)
        return value
      },
      set,
    })
  }
  return object
}

function parse(latin1: string, broken: (error: unknown) => never): Json {
  try {
    return JSON.parse(Buffer.from(latin1, 'latin1').toString()) as Json
  } catch (error) {
    return broken(error)
  }
}

/** The index after the closing quote of the string that opens at `at`; the length of the text where it does not close. */
function stringEnd(text: string, at: number): number {
  let quote = text.indexOf('"', at + 1)
  while (quote !== -1) {
    if (text.charCodeAt(quote - 1) !== BACKSLASH) return quote + 1
    let slashes = 1
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return quote + 1
    quote = text.indexOf('"', quote + 1)
  }
  return text.length
}

/** The index of the comma or brace after the value at `at`; -1 where there is none. */
function valueEnd(text: string, at: number): number {
  let depth = 0
  for (let index = at; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) index = stringEnd(text, index) - 1
    else if (code === COMMA) {
      if (depth === 0) return index
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 0) return code === CLOSE_BRACE ? index : -1
      depth -= 1
    }
  }
  return -1
}

function nameOf(quoted: string): string | undefined {
  if (!quoted.includes('\\')) return Buffer.from(quoted.slice(1, -1), 'latin1').toString()
  try {
    return JSON.parse(Buffer.from(quoted, 'latin1').toString()) as string
  } catch {
    return undefined
  }
}

function skipSpace(text: string, at: number): number {
  let index = at
  for (let code = text.charCodeAt(index); code === 32 || (code >= 9 && code <= 13); code = text.charCodeAt(index))
    index += 1
  return index
}
