import { Pool, type Dispatcher } from 'undici'
import type { Call } from './bodies.ts'

/** How many callers ask at once, each its next call as soon as the last is answered. */
export const callersAtOnce = 16

/** Silence after which a call has failed: nothing here is slow, so a wait is a fault. */
const silenceMsMax = 10_000

/** The side of the callers: a fixed number of connections to one target. */
export class Callers {
  readonly #pool: Pool
  readonly #headers: Readonly<Record<string, string>>

  constructor(origin: string, key: string, connections = callersAtOnce) {
    this.#pool = new Pool(origin, {
      connections,
      pipelining: 1,
      keepAliveTimeout: 120_000,
      headersTimeout: silenceMsMax,
      bodyTimeout: silenceMsMax,
    })
    this.#headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
    }
  }

  /** One call and all of its answer. Throws for any status but 200. */
  async once(call: Call): Promise<string> {
    const { statusCode, body } = await this.#pool.request(this.#options(call))
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${call.path} was answered ${statusCode}: ${text.slice(0, 300)}`)
    return text
  }

  /**
   * Makes `calls` calls and returns in how many pieces their answers came. Throws at the first answer that has fewer
   * bytes than it must.
   */
  drive(call: Call, calls: number, bytesEach: number): Promise<number> {
    const options = this.#options(call)
    let begun = 0
    let done = 0
    let pieces = 0
    return new Promise((resolve, reject) => {
      const next = (): void => {
        if (begun === calls) return
        begun += 1
        this.#pool.dispatch(options, new Answer(bytesEach, ended, reject))
      }
      const ended = (chunks: number): void => {
        pieces += chunks
        done += 1
        if (done === calls) resolve(pieces)
        else next()
      }
      for (let caller = 0; caller < callersAtOnce; caller += 1) next()
    })
  }

  /** Opens streams, a few at a time, and returns once each has sent its first bytes. `close` ends them. */
  async hold(call: Call, streams: number): Promise<void> {
    const options = { ...this.#options(call), bodyTimeout: 0 }
    for (let left = streams; left > 0; left -= callersAtOnce) {
      const some = Array.from({ length: Math.min(left, callersAtOnce) }, async () => {
        const { statusCode, body } = await this.#pool.request(options)
        // Closing the callers breaks these streams off, as is meant.
        body.on('error', () => {})
        if (statusCode !== 200) throw new Error(`a stream was answered ${statusCode}`)
        await new Promise((resolve) => body.once('data', resolve))
      })
      await Promise.all(some)
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  #options(call: Call): Dispatcher.DispatchOptions & { method: 'POST' } {
    return { path: call.path, method: 'POST', headers: this.#headers, body: call.body }
  }
}

/** One answer, counted and thrown away. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #bytesLeast: number
  readonly #ended: (chunks: number) => void
  readonly #failed: (reason: Error) => void
  #status = 0
  #bytes = 0
  #chunks = 0

  constructor(bytesLeast: number, ended: (chunks: number) => void, failed: (reason: Error) => void) {
    this.#bytesLeast = bytesLeast
    this.#ended = ended
    this.#failed = failed
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#chunks += 1
  }

  onResponseEnd(): void {
    if (this.#status !== 200) this.#failed(new Error(`a call under load was answered ${this.#status}`))
    else if (this.#bytes < this.#bytesLeast) {
      this.#failed(new Error(`an answer under load had ${this.#bytes} bytes instead of ${this.#bytesLeast}`))
    } else this.#ended(this.#chunks)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#failed(error)
  }
}
