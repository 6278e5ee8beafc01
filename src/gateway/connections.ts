import { Agent, buildConnector, type Dispatcher } from 'undici'

/** How long a connection to a vendor is kept for the next call. */
const keepAliveMs = 30_000

/** Connections to the vendors: a pool for each time that connecting may take, since undici knows one a pool. */
export class Connections {
  readonly #pools = new Map<number, Agent>()

  /** The pool whose connections are made within this time. */
  within(connectMs: number): Dispatcher {
    let pool = this.#pools.get(connectMs)
    if (pool === undefined) {
      pool = new Agent({
        connect: connector(connectMs),
        pipelining: 1,
        allowH2: false,
        keepAliveTimeout: keepAliveMs,
        maxResponseSize: -1,
      })
      this.#pools.set(connectMs, pool)
    }
    return pool
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
  }
}

/** undici's own, which also notes on an error when the connection that it ended had been made. */
function connector(connectMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: connectMs })
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null)
        return
      }
      const madeMs = performance.now()
      // Heard before undici's listener, which hands the same error to the request.
      socket.on('error', (broken: Error) => madeAt.set(broken, madeMs))
      callback(null, socket)
    })
}

const madeAt = new WeakMap<Error, number>()

/** Did this error end a connection that had been made before this moment (by `performance.now()`), for an earlier call? */
export function madeBefore(error: Error, momentMs: number): boolean {
  return (madeAt.get(error) ?? Infinity) < momentMs
}
