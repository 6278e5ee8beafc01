import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { ConfigError, type Config } from '../control/config.ts'
import type { Actor } from '../control/service.ts'
import type { Store } from '../control/store/index.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Log } from '../gateway/gateway.ts'
import { startSandbox, type Sandbox } from '../sandbox/index.ts'
import { ControlPlane } from './control-plane.ts'
import { startFleet, type Fleet } from './fleet.ts'
import type { Settings } from './settings.ts'

/** A gateway that listens, with all that belongs to it. */
export interface Started {
  /** `http://host:port`, without a path. */
  url: string
  /** Where the admin API is. */
  adminUrl: string | undefined
  /** The first caller's key and the first admin token, made at the first start; undefined on every later one. */
  newKey: string | undefined
  newToken: string | undefined
  readonly snapshot: Snapshot
  sandbox: Sandbox | undefined
  store: Store
  control: ControlPlane['control']
  /** How many worker threads serve the calls; 0: this one does. */
  workers: number
  /** Brings what has ended into the database; all of it where this thread serves the calls, else what is in the journals. */
  flush(): void
  /** The same for all workers. */
  flushAll(): Promise<void>
  /** Looks now how far budgets are used, and not in the next round only. */
  checkBudgets(): void
  /** Takes new settings as a whole. Throws ConfigError and changes nothing where they cannot work. */
  reload(settings: Settings): void
  close(): Promise<void>
}

export interface StartOptions {
  environment?: NodeJS.ProcessEnv
  version?: string
  /** Nothing more can be done: the program must end. */
  onHopeless?: (error: Error) => void
}

const program: Actor = { type: 'program', id: 'start' }

/** Joins the parts and listens. Throws ConfigError where the settings, the port or the data folder cannot be had. */
export async function start(settings: Settings, log: Log, options: StartOptions = {}): Promise<Started> {
  const { config } = settings
  const { environment = {}, version = '0', onHopeless = () => {} } = options
  const sandbox = config.sandbox.enabled ? await startSandbox({ paceMs: config.sandbox.paceMs }) : undefined
  let fleet: Fleet | undefined
  let plane: ControlPlane | undefined
  try {
    plane = new ControlPlane({
      settings,
      sandbox,
      environment,
      version,
      log,
      isLive: (writer) => fleet?.isLive(writer) ?? false,
      tell: (update) => fleet?.update(update),
    })
    fleet = await begin(plane, settings, log, onHopeless)
  } catch (error) {
    await plane?.close()
    await sandbox?.close()
    throw error
  }
  return started({ plane, fleet, settings, sandbox })
}

async function begin(
  plane: ControlPlane,
  { config }: Settings,
  log: Log,
  onHopeless: (error: Error) => void,
): Promise<Fleet> {
  const control = await plane.open()
  const { host, port, workers } = config.server
  try {
    return await startFleet({
      workers: workers === 'auto' ? availableParallelism() : workers,
      host,
      port,
      log,
      memories: plane.memories,
      setup: (worker, startedMs) => ({
        worker,
        startedMs,
        settings: plane.settings,
        callers: plane.callers(),
        pepper: plane.pepper,
        memories: plane.memories,
        journal: { folder: join(config.data, 'journal'), syncMs: config.ledger.syncMs, sync: config.ledger.sync },
        control,
        pages: plane.pages,
      }),
      onLost(worker, writer) {
        plane.lost(worker)
        plane.importer.drain(writer)
      },
      onHopeless,
    })
  } catch (error) {
    throw error instanceof ConfigError ? error : new ConfigError([cannotListen(error, host, port)])
  }
}

interface Parts {
  plane: ControlPlane
  fleet: Fleet
  settings: Settings
  sandbox: Sandbox | undefined
}

function started({ plane, fleet, settings, sandbox }: Parts): Started {
  const { config } = settings
  // Last: what was kept by a start that failed would never be shown.
  const { newKey, newToken } = firstSecrets(plane, settings)
  const importAll = (): void => {
    while (plane.importer.runOnce());
  }
  return {
    url: urlOf(config.server.host, fleet.port),
    adminUrl: adminUrl(config, fleet.port, plane.adminPort),
    newKey,
    newToken,
    get snapshot() {
      return plane.snapshot
    },
    sandbox,
    store: plane.store,
    control: plane.control,
    workers: fleet.workers,
    flush() {
      void fleet.flush()
      importAll()
    },
    async flushAll() {
      await fleet.flush()
      importAll()
    },
    checkBudgets: () => plane.checkBudgets(),
    reload: (next) => plane.reload(next),
    async close() {
      await fleet.close(config.server.drainMs)
      await sandbox?.close()
      await plane.close()
    },
  }
}

/** The first key and the first token, where there are none yet. */
function firstSecrets({ control, store }: ControlPlane, { declaredKeys, config }: Settings) {
  const newKey =
    store.keys.any() || declaredKeys.length > 0
      ? undefined
      : control.keys.create({ name: 'first', sandbox: true }, program).secret
  const newToken =
    !config.admin.enabled || control.tokens.list().length > 0
      ? undefined
      : control.tokens.create({ name: 'first', scopes: ['all'] }, program).secret
  return { newKey, newToken }
}

function adminUrl({ admin, server }: Config, port: number, own: number | undefined): string | undefined {
  if (!admin.enabled) return undefined
  return own === undefined ? urlOf(server.host, port) : urlOf(admin.host ?? server.host, own)
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function cannotListen(error: unknown, host: string, port: number): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken. Stop what listens there, or start with --port ${port + 1}.`
  if (code === 'EACCES')
    return `Port ${port} may not be used by this user. Start with --port 8787 or another above 1023.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${host} is no address of this machine. Start with --host 127.0.0.1.`
  return `Cannot listen on ${host}:${port} (${String(code)}).`
}
