import { Failure } from './failure.ts'

/** One server-sent event: its name (`message` where none was given) and its data lines joined by LF. */
export interface SseEvent {
  name: string
  data: string
}

/** The largest single event taken from a vendor: a larger one is a failure, so that memory stays bounded. */
export const eventBytesMax = 32 * 1024 * 1024

const LF = 10
const CR = 13
const nothing = Buffer.alloc(0)

/**
 * Cuts a stream of bytes at the ends of its events. What is not yet whole waits here, so nothing after it ever sees
 * half an event or half a character. A chunk that ends where an event ends comes back as the very same object.
 */
export class SseFramer {
  #parts: Buffer[] = []
  #bytes = 0

  /** The whole events that have now come, or an empty array. Throws Failure `vendor-unreadable` over the limit. */
  push(chunk: Buffer): Buffer {
    if (this.#bytes === 0) {
      const end = lastBoundary(chunk)
      if (end === chunk.length) return chunk
      if (end === 0) {
        this.#keep(chunk)
        return nothing
      }
      this.#keep(chunk.subarray(end))
      return chunk.subarray(0, end)
    }
    // Only the few last bytes of what waits can be part of a boundary that this chunk completes.
    const tail = this.#tail(3)
    const probe = tail.length === 0 ? chunk : concat([tail, chunk])
    const end = lastBoundary(probe) - tail.length
    if (end <= 0) {
      this.#keep(chunk)
      return nothing
    }
    const whole = concat([...this.#parts, chunk.subarray(0, end)])
    this.#parts = []
    this.#bytes = 0
    if (end < chunk.length) this.#keep(chunk.subarray(end))
    return whole
  }

  /** What is left at the end of the stream: an event without its blank line, or nothing. */
  rest(): Buffer {
    const rest = concat(this.#parts)
    this.#parts = []
    this.#bytes = 0
    return rest
  }

  #keep(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#bytes += chunk.length
    if (this.#bytes > eventBytesMax) {
      throw new Failure('vendor-unreadable', `The vendor sent an event of more than ${eventBytesMax} bytes.`)
    }
    this.#parts.push(chunk)
  }

  #tail(length: number): Buffer {
    const last = this.#parts.at(-1)
    if (last === undefined) return nothing
    if (last.length >= length || this.#parts.length === 1) return last.subarray(Math.max(0, last.length - length))
    const all = concat(this.#parts.slice(-length))
    return all.subarray(Math.max(0, all.length - length))
  }
}

/** The index after the last blank line of `bytes`, 0 for none. Lines end at LF, CRLF or CR. */
function lastBoundary(bytes: Buffer): number {
  const length = bytes.length
  // The common case first: the chunk ends with LF LF.
  if (length >= 2 && bytes[length - 1] === LF && bytes[length - 2] === LF) return length
  for (let at = length - 1; at > 0; at -= 1) {
    const byte = bytes[at]
    if (byte !== LF && byte !== CR) continue
    const before = bytes[at - 1]
    if (byte === LF) {
      if (before === LF) return at + 1
      // CR LF preceded by another line end.
      if (before === CR && at >= 2 && (bytes[at - 2] === LF || bytes[at - 2] === CR)) {
        return at + 1
      }
    } else if (before === CR || before === LF) {
      // CR ends a line by itself; an LF that may follow belongs to it.
      return bytes[at + 1] === LF ? at + 2 : at + 1
    }
  }
  return 0
}

function concat(parts: readonly Buffer[]): Buffer {
  if (parts.length === 0) return nothing
  if (parts.length === 1) return parts[0] as Buffer
  return Buffer.concat(parts)
}

/** Text whose lines end at LF alone. U+2028 and U+2029 are no line ends: they are part of a text. */
export function normalLines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
}

/**
 * Calls `take` for each event in text that holds whole events and has normal lines; `from` and `to` are where the
 * event's own lines stand. Comments, unknown fields and events without data are passed over.
 */
export function eachEvent(text: string, take: (name: string, data: string, from: number, to: number) => void): void {
  let name = ''
  let data: string | undefined
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  let from = at
  while (at < text.length) {
    let end = text.indexOf('\n', at)
    if (end === -1) end = text.length
    if (end === at) {
      if (data !== undefined) take(name === '' ? 'message' : name, data, from, at + 1)
      name = ''
      data = undefined
      from = at + 1
    } else if (text.startsWith('data:', at)) {
      const start = text.charCodeAt(at + 5) === 32 ? at + 6 : at + 5
      const value = text.slice(start, end)
      data = data === undefined ? value : `${data}\n${value}`
    } else if (text.startsWith('event:', at)) {
      name = text.slice(text.charCodeAt(at + 6) === 32 ? at + 7 : at + 6, end)
    }
    at = end + 1
  }
  if (data !== undefined) take(name === '' ? 'message' : name, data, from, text.length)
}

/** The text of data that was cut out of bytes read as Latin-1. */
export function utf8(data: string): string {
  return Buffer.from(data, 'latin1').toString()
}

/** An event as it stands in a stream. */
export function writeEvent({ name, data }: SseEvent): string {
  const lines = data.replaceAll('\n', '\ndata: ')
  return name === 'message' ? `data: ${lines}\n\n` : `event: ${name}\ndata: ${lines}\n\n`
}
