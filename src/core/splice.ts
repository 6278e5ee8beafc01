import type { Patch } from './dialect.ts'

const QUOTE = 34
const BACKSLASH = 92
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const COMMA = 44
const COLON = 58

/**
 * Sets or removes top-level fields of a JSON object's bytes and leaves every other byte as it is. `body` must be
 * valid JSON (it has been parsed before); a field that stands twice is replaced where it stands last, which is the
 * one that parsers take, and removed elsewhere.
 */
export function splice(body: Buffer, patch: Patch): Buffer {
  const fields = topLevelFields(body)
  const pieces: Buffer[] = []
  const added: string[] = []
  const last = new Map<string, number>()
  fields.forEach((field, index) => last.set(field.name, index))
  for (const [name, value] of Object.entries(patch)) {
    if (value !== undefined && !last.has(name)) added.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`)
  }
  const open = body.indexOf(OPEN_BRACE)
  pieces.push(body.subarray(0, open + 1))
  let first = true
  const put = (piece: Buffer): void => {
    if (!first) pieces.push(Buffer.from(','))
    first = false
    pieces.push(piece)
  }
  for (const field of added) put(Buffer.from(field))
  fields.forEach((field, index) => {
    if (!Object.hasOwn(patch, field.name)) {
      put(body.subarray(field.start, field.end))
      return
    }
    const value = patch[field.name]
    if (value === undefined || last.get(field.name) !== index) return
    put(Buffer.concat([body.subarray(field.start, field.valueStart), Buffer.from(JSON.stringify(value))]))
  })
  pieces.push(body.subarray(body.lastIndexOf(CLOSE_BRACE)))
  return Buffer.concat(pieces)
}

interface Field {
  name: string
  /** From the name's quote to the end of the value, surrounding white space left out at the end only. */
  start: number
  valueStart: number
  end: number
}

function topLevelFields(body: Buffer): Field[] {
  const fields: Field[] = []
  const close = body.lastIndexOf(CLOSE_BRACE)
  let at = body.indexOf(OPEN_BRACE) + 1
  while (at < close) {
    const quote = body.indexOf(QUOTE, at)
    if (quote === -1 || quote > close) break
    const nameEnd = stringEnd(body, quote)
    let valueStart = body.indexOf(COLON, nameEnd) + 1
    while (isSpace(body[valueStart])) valueStart += 1
    const end = valueEnd(body, valueStart, close)
    const name = JSON.parse(body.toString('utf8', quote, nameEnd)) as string
    fields.push({ name, start: at, valueStart, end })
    at = body[end] === COMMA ? end + 1 : close
  }
  return fields
}

/** The index after the closing quote of the string that opens at `at`. */
function stringEnd(body: Buffer, at: number): number {
  let quote = body.indexOf(QUOTE, at + 1)
  while (quote !== -1) {
    let slashes = 0
    while (body[quote - 1 - slashes] === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return quote + 1
    quote = body.indexOf(QUOTE, quote + 1)
  }
  return body.length
}

/** The index of the comma or brace that follows the value at `at`. */
function valueEnd(body: Buffer, at: number, close: number): number {
  let depth = 0
  for (let index = at; index < close; index += 1) {
    const byte = body[index]
    if (byte === QUOTE) index = stringEnd(body, index) - 1
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1
    else if (byte === COMMA && depth === 0) return index
  }
  return close
}

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === 9 || byte === 10 || byte === 13
}
