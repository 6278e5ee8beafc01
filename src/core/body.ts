/**
 * The bytes of a request in the pieces in which they came. Most large bodies are passed on without ever being joined:
 * for 200 KB that costs 80 us, a sixth of what a bare relay spends on the whole call.
 */
export class Body {
  readonly length: number
  /** The pieces in order. */
  readonly chunks: readonly Buffer[]
  #bytes: Buffer | undefined

  constructor(chunks: readonly Buffer[]) {
    this.chunks = chunks
    this.length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  /** All of it in one piece. */
  get bytes(): Buffer {
    const [first, ...others] = this.chunks
    this.#bytes ??= first !== undefined && others.length === 0 ? first : Buffer.concat(this.chunks)
    return this.#bytes
  }

  /** The bytes from `start` up to `end`. */
  slice(start: number, end: number): Buffer {
    if (this.#bytes !== undefined) return this.#bytes.subarray(start, end)
    const parts: Buffer[] = []
    let base = 0
    for (const chunk of this.chunks) {
      const from = Math.max(0, start - base)
      const to = Math.min(chunk.length, end - base)
      if (from < to) parts.push(chunk.subarray(from, to))
      base += chunk.length
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  }

  /** Do these bytes stand anywhere in it, also across the pieces? */
  includes(text: string): boolean {
    let base = 0
    for (const chunk of this.chunks) {
      if (chunk.includes(text)) return true
      base += chunk.length
      if (base < this.length && this.slice(Math.max(0, base - text.length), base + text.length).includes(text))
        return true
    }
    return false
  }

  /** Its text. */
  toString(): string {
    return this.bytes.toString()
  }
}
