import { existsSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { ConfigError } from '../control/config.ts'
import { vendors } from '../vendors/index.ts'
import type { Log } from '../gateway/gateway.ts'
import { banner } from './banner.ts'
import { readSettings, type Flags, type Settings } from './settings.ts'
import { start, type Started } from './start.ts'

/** `keyrung serve`: runs until it is told to stop. A second signal stops it at once. */
export async function serve(flags: Flags, version: string): Promise<void> {
  const settings = readSettings(flags, process.env, vendors)
  const log = errorLog()
  const started = await start(settings, log, {
    environment: process.env,
    version,
    onHopeless(error) {
      log.fault('workers', error)
      process.exit(1)
    },
  })
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
  reloadOn(settings.file, () => readSettings(flags, process.env, vendors), started)
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

/** A file is read again a little after its last change: editors write in several steps. */
const settleMs = 200

/** Takes the settings anew on SIGHUP and when the file has changed. A file that is wrong is told with its lines, and changes nothing. */
function reloadOn(file: string, read: () => Settings, started: Started): void {
  const reload = (): void => {
    try {
      started.reload(read())
      process.stderr.write(
        `${file}: read again, in force from now on. What the start alone can change (host, port, data, workers) is as it was.\n`,
      )
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      process.stderr.write(`${error.message}\nThe settings are as they were.\n`)
    }
  }
  process.on('SIGHUP', reload)
  if (!existsSync(file)) return
  let timer: NodeJS.Timeout | undefined
  // The folder, since editors put a new file in the place of the old one.
  watch(dirname(file), (_event, name) => {
    if (name !== basename(file)) return
    clearTimeout(timer)
    timer = setTimeout(reload, settleMs)
  }).unref()
}

/** How often the same trouble with a vendor is told. */
const vendorSilenceMs = 60_000

/**
 * What the operator has to know goes to standard error, a line each: bugs, and vendors that only the operator can mend, once
 * a minute. Never what was said in a call.
 */
function errorLog(): Log {
  const told = new Map<string, number>()
  const line = (text: string): void => {
    process.stderr.write(`${new Date().toISOString()} ${text.replaceAll(/[\r\n]+/g, ' | ')}\n`)
  }
  return {
    fault(requestId, cause) {
      line(`fault ${requestId} ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`)
    },
    vendor(name, kind, message) {
      const key = `${name} ${kind}`
      const nowMs = performance.now()
      if (nowMs - (told.get(key) ?? -Infinity) < vendorSilenceMs) return
      told.set(key, nowMs)
      line(`vendor ${key}: ${message}`)
    },
  }
}
