import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Log, Memories } from '../gateway/gateway.ts'
import { monotonicMs } from '../gateway/health/health.ts'
import { Plane, type PlaneSetup, type PlaneUpdate } from './plane.ts'
import type { FromWorker, ToWorker, WorkerSetup } from './worker.ts'

/** The workers that serve calls, seen from the control plane. */
export interface Fleet {
  /** Where they listen. */
  readonly port: number
  /** How many threads there are; 0 where the main one serves. */
  readonly workers: number
  /** Tells all of them; what one worker is too late for, it is started with. */
  update(update: PlaneUpdate): void
  /** Writes what waits in all journals. */
  flush(): Promise<void>
  /** Does a journal of this name still grow? */
  isLive(writer: string): boolean
  close(waitMs: number): Promise<void>
}

export interface FleetOptions {
  /** 0: the calls are served by this thread. */
  readonly workers: number
  readonly host: string
  readonly port: number
  readonly log: Log
  readonly memories: Memories
  /** What a worker is started with, as things are now. */
  readonly setup: (worker: number, startedMs: number) => PlaneSetup
  /** A worker is gone without having been told to; its journal is `writer`. */
  readonly onLost: (worker: number, writer: string) => void
  /** Too many workers were lost: nothing more can be done here. */
  readonly onHopeless: (error: Error) => void
}

/** How many workers may be lost in how long before it is no accident any more. */
const lostMax = 5
const lostSpanMs = 60_000
/** A worker that has not turned for so long hangs, and is replaced. */
const hangMs = 15_000
const lookMs = 1000

/** Starts the workers, and listens. Throws what listening throws. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  return options.workers === 0 ? startHere(options) : Threads.start(options)
}

async function startHere({ host, port, log, setup }: FleetOptions): Promise<Fleet> {
  const startedMs = Date.now()
  const plane = new Plane(setup(0, startedMs), log)
  const bound = await plane.listen(host, port, false)
  let closed = false
  return {
    port: bound,
    workers: 0,
    update: (update) => plane.update(update),
    flush: async () => plane.flush(),
    isLive: (writer) => !closed && writer === writerOf(0, startedMs),
    async close(waitMs) {
      await plane.close(waitMs)
      closed = true
    },
  }
}

function writerOf(worker: number, startedMs: number): string {
  return `worker-${worker}.${startedMs}`
}

/** One worker thread. */
interface Running {
  readonly worker: number
  readonly writer: string
  readonly thread: Worker
  readonly exited: Promise<unknown>
}

/** Worker threads that share one port; one that is lost is replaced. */
class Threads implements Fleet {
  readonly #options: FleetOptions
  readonly #beats: SharedArrayBuffer
  readonly #running = new Map<number, Running>()
  readonly #flushes = new Map<number, () => void>()
  #lostAt: number[] = []
  #flushId = 0
  #closing = false
  #look: NodeJS.Timeout | undefined
  port = 0

  get workers(): number {
    return this.#options.workers
  }

  static async start(options: FleetOptions): Promise<Threads> {
    const fleet = new Threads(options)
    try {
      // The first finds the port; without a shared one it is the only one that listens.
      fleet.port = await fleet.#begin(0, options.port)
      const others = Array.from({ length: options.workers - 1 }, (_, index) => fleet.#begin(index + 1, fleet.port))
      await Promise.all(others)
    } catch (error) {
      await fleet.close(0)
      throw error
    }
    fleet.#look = setInterval(() => fleet.#watch(), lookMs)
    return fleet
  }

  private constructor(options: FleetOptions) {
    this.#options = options
    this.#beats = new SharedArrayBuffer(options.workers * Int32Array.BYTES_PER_ELEMENT)
  }

  update(update: PlaneUpdate): void {
    for (const { thread } of this.#running.values()) thread.postMessage(update satisfies ToWorker)
  }

  async flush(): Promise<void> {
    await Promise.all(
      [...this.#running.values()].map(({ thread, exited }) => {
        this.#flushId += 1
        const id = this.#flushId
        const flushed = new Promise<void>((resolve) => this.#flushes.set(id, resolve))
        thread.postMessage({ type: 'flush', id } satisfies ToWorker)
        return Promise.race([flushed, exited])
      }),
    )
  }

  isLive(writer: string): boolean {
    return [...this.#running.values()].some((one) => one.writer === writer)
  }

  async close(waitMs: number): Promise<void> {
    this.#closing = true
    clearInterval(this.#look)
    await Promise.all(
      [...this.#running.values()].map(async ({ thread, exited }) => {
        thread.postMessage({ type: 'close', waitMs } satisfies ToWorker)
        const late = setTimeout(() => void thread.terminate(), waitMs + hangMs)
        await exited
        clearTimeout(late)
      }),
    )
  }

  /** Starts one worker and resolves with its port. */
  async #begin(worker: number, port: number): Promise<number> {
    const { host, setup } = this.#options
    const startedMs = Date.now()
    const workerData: WorkerSetup = {
      ...setup(worker, startedMs),
      listen: { host, port, reusePort: this.#options.workers > 1 },
      beats: this.#beats,
    }
    Atomics.store(new Int32Array(this.#beats), worker, 0)
    const thread = new Worker(new URL('worker.ts', import.meta.url), { workerData })
    const exited = once(thread, 'exit')
    this.#running.set(worker, { worker, writer: writerOf(worker, startedMs), thread, exited })
    return new Promise<number>((resolve, reject) => {
      thread.on('message', (message: FromWorker) => {
        if (message.type === 'listening') resolve(message.port)
        else if (message.type === 'failed') reject(Object.assign(new Error(message.message), { code: message.code }))
        else this.#hear(message)
      })
      thread.on('error', (error) => {
        this.#options.log.fault('worker', error)
        reject(error)
      })
      thread.on('exit', () => {
        reject(new Error('the worker ended before it listened'))
        this.#gone(worker, thread)
      })
    })
  }

  #hear(message: FromWorker): void {
    const { log } = this.#options
    if (message.type === 'fault') log.fault(message.requestId, message.text)
    else if (message.type === 'vendor') log.vendor(message.name, message.kind, message.message)
    else if (message.type === 'flushed') {
      this.#flushes.get(message.id)?.()
      this.#flushes.delete(message.id)
    }
  }

  #gone(worker: number, thread: Worker): void {
    const lost = this.#running.get(worker)
    if (lost?.thread !== thread) return
    this.#running.delete(worker)
    if (this.#closing || this.port === 0) return
    this.#options.onLost(worker, lost.writer)
    const nowMs = performance.now()
    this.#lostAt = [...this.#lostAt.filter((atMs) => nowMs - atMs < lostSpanMs), nowMs]
    if (this.#lostAt.length >= lostMax) {
      this.#options.onHopeless(new Error(`${lostMax} workers were lost within ${lostSpanMs / 1000} s`))
      return
    }
    this.#begin(worker, this.port).catch((error: unknown) => this.#options.log.fault('worker', error))
  }

  /** Ends workers that hang: their calls would wait for ever. */
  #watch(): void {
    const beats = new Int32Array(this.#beats)
    const now = Math.floor(monotonicMs() / 1000)
    for (const { worker, thread } of this.#running.values()) {
      const beat = Atomics.load(beats, worker)
      if (beat === 0 || now - beat < hangMs / 1000) continue
      this.#options.log.fault('worker', new Error(`worker ${worker} has not turned for ${now - beat} s and is ended`))
      void thread.terminate()
    }
  }
}
