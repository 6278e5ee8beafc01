import { vendors } from '../vendors/index.ts'
import type { Log } from '../gateway/gateway.ts'
import { banner } from './banner.ts'
import { readSettings, type Flags } from './settings.ts'
import { start } from './start.ts'

/** `keyrung serve`: runs until it is told to stop. A second signal stops it at once. */
export async function serve(flags: Flags, version: string): Promise<void> {
  const settings = readSettings(flags, process.env, vendors)
  const started = await start(settings, errorLog)
  let stopping = false
  const stop = (): void => {
    if (stopping) process.exit(1)
    stopping = true
    process.stderr.write('Stopping: calls under way may end.\n')
    started.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  stopWithNpm(stop)
  // Last: who reads it may send a signal at once.
  process.stdout.write(banner(started, settings, version))
}

/**
 * Started by `npm start`, a signal to npm reaches a shell in between that ends without passing it on (dash does). So when
 * that parent is gone, the gateway stops as if it had got the signal itself.
 */
function stopWithNpm(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    stop()
  }, parentCheckMs)
  watch.unref()
}

const parentCheckMs = 250

/** Faults go to standard error, a line each: what went wrong in the program, never what was said in a call. */
const errorLog: Log = {
  fault(requestId, cause) {
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    process.stderr.write(`${new Date().toISOString()} fault ${requestId} ${stack.replaceAll('\n', ' | ')}\n`)
  },
}
