import { parentPort, workerData } from 'node:worker_threads'
import { Failure } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import { monotonicMs } from '../gateway/health/health.ts'
import { Plane, type PlaneSetup, type PlaneUpdate } from './plane.ts'

/** What a worker thread is started with. */
export interface WorkerSetup extends PlaneSetup {
  readonly listen: { readonly host: string; readonly port: number; readonly reusePort: boolean }
  /** One cell a worker: when it last turned, in seconds. */
  readonly beats: SharedArrayBuffer
}

/** What a worker is told, besides updates. */
export type ToWorker = PlaneUpdate | { type: 'flush'; id: number } | { type: 'close'; waitMs: number }

/** What a worker tells. */
export type FromWorker =
  | { type: 'listening'; port: number }
  | { type: 'failed'; code: string; message: string }
  | { type: 'flushed'; id: number }
  | { type: 'closed' }
  | { type: 'fault'; requestId: string; text: string }
  | { type: 'vendor'; name: string; kind: FailureKind; message: string }

/** How often a worker shows that it lives. */
const beatMs = 500
/** How long the calls of a worker that is about to end have to be told so. */
const lastWordsMs = 500

const port = parentPort
if (port === null) throw new Error('this file is the start of a worker thread')
const setup = workerData as WorkerSetup
const tell = (message: FromWorker): void => port.postMessage(message)

const plane = new Plane(setup, {
  fault: (requestId, cause) => tell({ type: 'fault', requestId, text: textOf(cause) }),
  vendor: (name, kind, message) => tell({ type: 'vendor', name, kind, message }),
})

const beats = new Int32Array(setup.beats)
const beat = setInterval(() => Atomics.store(beats, setup.worker, Math.floor(monotonicMs() / 1000)), beatMs)
beat.unref()

// A bug that nobody caught: what is under way ends with its name, in the callers' dialects, and the thread is replaced.
process.once('uncaughtException', (error) => {
  tell({ type: 'fault', requestId: 'worker', text: textOf(error) })
  plane.gateway.concurrency.endAll(new Failure('gateway-fault', 'The gateway met a bug of its own.', { cause: error }))
  setTimeout(() => {
    plane.gateway.recorder.close()
    process.exit(1)
  }, lastWordsMs)
})

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'flush':
      plane.flush()
      tell({ type: 'flushed', id: message.id })
      return
    case 'close':
      void close(message.waitMs)
      return
    default:
      plane.update(message)
  }
})

const { host, port: wanted, reusePort } = setup.listen
plane.listen(host, wanted, reusePort).then(
  (bound) => tell({ type: 'listening', port: bound }),
  (error: unknown) => tell({ type: 'failed', code: codeOf(error), message: String(error) }),
)

async function close(waitMs: number): Promise<void> {
  await plane.close(waitMs)
  tell({ type: 'closed' })
  port?.close()
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'unknown'
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}
