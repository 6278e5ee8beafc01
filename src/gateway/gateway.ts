import type { Server } from 'node:http'
import type { Dispatcher } from 'undici'
import { Failure, type FailureKind } from '../core/failure.ts'
import type { Receipt } from '../core/receipt.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Status, VendorPage } from '../core/status.ts'
import { Concurrency } from './limits/concurrency.ts'
import { realClock, type Clock } from './clock.ts'
import { Connections } from './connections.ts'
import { Health, healthMemory, monotonicMs } from './health/health.ts'
import { Places, placesMemory } from './health/places.ts'
import { Seats } from './health/seats.ts'
import { statusOf } from './standings.ts'
import { createGatewayServer } from './server.ts'

/** What the steps share: no call changes it but by taking and leaving its place. */
export interface Gateway {
  /** The settings as they are now; a call asks once. */
  snapshot(): Snapshot
  /** Connections to the vendors that are made within this time. */
  readonly dispatcher: (connectMs: number) => Dispatcher
  readonly clock: Clock
  /** How the rungs stand, as all calls have learnt. */
  readonly seats: Seats
  readonly concurrency: Concurrency
  /** How the models stand, for people. */
  status(): Status
  /** The gateway is stopping: new calls are sent away, those under way end. */
  readonly draining: boolean
  /** Takes the receipt of a call that has ended. */
  record(receipt: Receipt): void
  readonly log: Log
}

/** The gateway's own words: a closed set of facts, so that no prompt and no secret can slip in. */
export interface Log {
  /** A bug of ours, met while serving a call. */
  fault(requestId: string, cause: unknown): void
  /** A vendor that cannot be used until the operator does something; may come often. */
  vendor(name: string, kind: FailureKind, message: string): void
}

/** While stopping: how often connections whose call has ended are closed, and how long last words may take to go out. */
const closeIdleMs = 100
const lastWordsMs = 1000

interface Options {
  snapshot: () => Snapshot
  record: (receipt: Receipt) => void
  log: Log
  /** What the vendors' own status pages say; undefined where they are not shown. */
  vendorPages?: () => readonly VendorPage[]
}

/** A running gateway: the server that callers reach, and how to stop it. */
export interface RunningGateway extends Gateway {
  readonly server: Server
  /** Stops taking calls, lets those under way go on for at most `waitMs`, then ends them with a failure in their dialect. */
  close(waitMs: number): Promise<void>
}

/** Joins the steps with a server and a pool of connections to the vendors. The server is not yet listening. */
export function createGateway({ snapshot, record, log, vendorPages }: Options): RunningGateway {
  const connections = new Connections()
  const health = new Health(healthMemory(), monotonicMs)
  const places = new Places({ memory: placesMemory(), worker: 0, nowMs: monotonicMs })
  const seats = new Seats(health, places, () => snapshot().adaptive)
  const sinceMs = Date.now()
  const state = { draining: false }
  const gateway = {
    snapshot,
    dispatcher: (connectMs: number) => connections.within(connectMs),
    clock: realClock,
    seats,
    status: () => statusOf({ snapshot: snapshot(), health, seats, sinceMs, pages: vendorPages?.() }),
    concurrency: new Concurrency(),
    record,
    log,
    get draining() {
      return state.draining
    },
  }
  const server = createGatewayServer(gateway)
  return Object.assign(gateway, {
    server,
    async close(waitMs: number): Promise<void> {
      state.draining = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const idle = setInterval(() => server.closeIdleConnections(), closeIdleMs)
      const end = setTimeout(() => {
        // A bare cut would look like a network's fault, or even like the end of the answer.
        gateway.concurrency.endAll(new Failure('gateway-full', 'This gateway is stopping.', { retryAfterMs: 5000 }))
      }, waitMs)
      const cut = setTimeout(() => server.closeAllConnections(), waitMs + lastWordsMs)
      await closed
      clearInterval(idle)
      clearTimeout(end)
      clearTimeout(cut)
      await connections.destroy()
    },
  })
}
