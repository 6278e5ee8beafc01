/**
 * The bytes of a request in the pieces in which they came. Most large bodies are passed on without ever being joined:
 * for 200 KB that costs 80 us, a sixth of what a bare relay spends on the whole call.
 */
export class Body {
  readonly length: number
  readonly #chunks: readonly Buffer[]
  #bytes: Buffer | undefined
  #latin1: string | undefined

  constructor(chunks: readonly Buffer[]) {
    this.#chunks = chunks
    this.length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  /** The pieces in order. */
  get chunks(): readonly Buffer[] {
    return this.#chunks
  }

  /** All of it in one piece. */
  get bytes(): Buffer {
    this.#bytes ??= this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    return this.#bytes
  }

  /** Its bytes as Latin-1: places in this text are byte offsets. */
  get latin1(): string {
    this.#latin1 ??= this.#chunks.map((chunk) => chunk.toString('latin1')).join('')
    return this.#latin1
  }

  /** Its text. */
  toString(): string {
    return this.bytes.toString()
  }
}
