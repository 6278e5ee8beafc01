import type { Body } from '../core/body.ts'

/** How much of each side is kept: a record of the journal holds both. */
const bytesMax = 16 * 1024

/** What was said in a call whose key asks for that to be kept, as far as it is kept. */
export class Capture {
  readonly #request: Buffer
  #reply: Buffer[] = []
  #bytes = 0

  constructor(body: Body) {
    // A copy: a part of the body would hold all of it while the answer flows.
    this.#request = Buffer.from(body.slice(0, Math.min(body.length, bytesMax)))
  }

  /** A piece of what the caller gets. */
  take(out: Buffer | string): void {
    const left = bytesMax - this.#bytes
    if (left <= 0) return
    const kept = Buffer.from(typeof out === 'string' ? Buffer.from(out).subarray(0, left) : out.subarray(0, left))
    this.#reply.push(kept)
    this.#bytes += kept.length
  }

  /** As the journal has it. */
  entry(id: string, key: string, expiresMs: number): Captured {
    const reply = Buffer.concat(this.#reply)
    return { id, key, expiresMs, request: this.#request.toString('base64'), reply: reply.toString('base64') }
  }
}

/** What is written down of it: the bytes in base64. */
export interface Captured {
  readonly id: string
  readonly key: string
  /** Unix milliseconds. */
  readonly expiresMs: number
  readonly request: string
  readonly reply: string
}
