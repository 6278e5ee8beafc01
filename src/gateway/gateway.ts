import type { Server } from 'node:http'
import type { Dispatcher } from 'undici'
import { Failure, type FailureKind } from '../core/failure.ts'
import type { Snapshot } from '../core/snapshot.ts'
import { realClock, type Clock } from './clock.ts'
import { Connections } from './connections.ts'
import type { ControlAddress } from './forward.ts'
import { Health, healthMemory, monotonicMs } from './health/health.ts'
import { Places, placesMemory } from './health/places.ts'
import { Seats } from './health/seats.ts'
import { Concurrency } from './limits/concurrency.ts'
import { TokenRatios } from './limits/estimate.ts'
import { limitMemory, LimitTable } from './limits/table.ts'
import { Recorder, type Journal } from './recorder.ts'
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
  /** What the callers have used of their limits, as all workers know it. */
  readonly limits: LimitTable
  /** How many bytes a token has, as learnt. */
  readonly ratios: TokenRatios
  /** Writes down what becomes of calls. */
  readonly recorder: Recorder
  /** Where what is not a call is answered; undefined where there is no control plane. */
  readonly control: ControlAddress | undefined
  /** The gateway is stopping: new calls are sent away, those under way end. */
  readonly draining: boolean
  readonly log: Log
}

/** The gateway's own words: a closed set of facts, so that no prompt and no secret can slip in. */
export interface Log {
  /** A bug of ours, met while serving a call. */
  fault(requestId: string, cause: unknown): void
  /** A vendor that cannot be used until the operator does something; may come often. */
  vendor(name: string, kind: FailureKind, message: string): void
}

/** What all workers share. */
export interface Memories {
  readonly health: SharedArrayBuffer
  readonly places: SharedArrayBuffer
  readonly limits: SharedArrayBuffer
}

/** Memories for so many keys and owners. */
export function newMemories(limitSlots: number): Memories {
  return { health: healthMemory(), places: placesMemory(), limits: limitMemory(limitSlots) }
}

/** While stopping: how often connections whose call has ended are closed, and how long last words may take to go out. */
const closeIdleMs = 100
const lastWordsMs = 1000

interface Options {
  snapshot: () => Snapshot
  journal: Journal
  log: Log
  memories: Memories
  /** Which worker this is, from 0. */
  worker: number
  control?: ControlAddress
}

/** A running gateway: the server that callers reach, and how to stop it. */
export interface RunningGateway extends Gateway {
  readonly server: Server
  /** Stops taking calls, lets those under way go on for at most `waitMs`, then ends them with a failure in their dialect. */
  close(waitMs: number): Promise<void>
}

/** Joins the steps with a server and a pool of connections to the vendors. The server is not yet listening. */
export function createGateway({ snapshot, journal, log, memories, worker, control }: Options): RunningGateway {
  const connections = new Connections()
  const health = new Health(memories.health, monotonicMs)
  const places = new Places({ memory: memories.places, worker, nowMs: monotonicMs })
  const recorder = new Recorder(journal)
  const state = { draining: false }
  const gateway = {
    snapshot,
    dispatcher: (connectMs: number) => connections.within(connectMs),
    clock: realClock,
    seats: new Seats(health, places, () => snapshot().adaptive),
    concurrency: new Concurrency(),
    limits: new LimitTable(memories.limits, worker),
    ratios: new TokenRatios(),
    recorder,
    control,
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
      recorder.close()
      await connections.destroy()
    },
  })
}
