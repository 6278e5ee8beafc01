import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Ledger } from '../control/ledger.ts'
import { publish } from '../control/publish.ts'
import { ConfigError } from '../control/config.ts'
import { keyDigest } from '../control/secrets.ts'
import { fetchPage, StatusPages } from '../control/status-pages/index.ts'
import { Store } from '../control/store.ts'
import { newCallerKey } from '../core/key.ts'
import type { Caller, SandboxOffer, Snapshot } from '../core/snapshot.ts'
import { dialects } from '../dialects/index.ts'
import { createGateway, type Log } from '../gateway/gateway.ts'
import {
  callerHeader,
  faultHeader,
  faultList,
  findFault,
  startSandbox,
  unknownFault,
  type Sandbox,
} from '../sandbox/index.ts'
import { models, shippedLadders, vendors } from '../vendors/index.ts'
import { errorPages } from './pages.ts'
import type { Settings } from './settings.ts'

/** A gateway that listens, with all that belongs to it. */
export interface Started {
  /** `http://host:port`, without a path. */
  url: string
  /** The first caller's key, made at the first start; undefined on every later one. */
  newKey: string | undefined
  snapshot: Snapshot
  sandbox: Sandbox | undefined
  store: Store
  /** Writes the receipts that wait. */
  flush(): void
  close(): Promise<void>
}

/** Joins the parts and listens. Throws ConfigError where the port or the data folder cannot be had. */
export async function start(settings: Settings, log: Log): Promise<Started> {
  const { config, file, credentials, origins, declaredKeys } = settings
  const store = new Store(config.data)
  const callers = store.callers()
  const digest = keyDigest(config.data, callers.length > 0)
  const declared = declaredKeys.map(({ name, key, ladder }): Caller => ({
    id: name,
    name,
    digest: digest(key),
    ...(ladder === undefined ? {} : { ladder }),
  }))
  const first = callers.length === 0 && declared.length === 0 ? firstKey(config.keyPrefix, digest) : undefined
  const sandbox = config.sandbox.enabled ? await startSandbox({ paceMs: config.sandbox.paceMs }) : undefined
  const giveUp = async (): Promise<void> => {
    await sandbox?.close()
    store.close()
  }
  let snapshot: Snapshot
  try {
    snapshot = publish({
      config,
      file,
      callers: first === undefined ? callers : [first.caller],
      declared,
      digest,
      vendors,
      models,
      shippedLadders,
      dialects,
      credentials,
      origins,
      sandboxOrigin: sandbox === undefined ? undefined : (vendor) => sandbox.origin(vendor),
      sandbox: sandbox === undefined ? undefined : sandboxOffer,
      pages: errorPages(),
    })
  } catch (error) {
    await giveUp()
    throw error
  }
  const ledger = new Ledger(store, (error) => log.fault('ledger', error))
  const pages = statusPages(snapshot)
  const gateway = createGateway({
    snapshot: () => snapshot,
    record: (receipt) => ledger.add(receipt),
    log,
    ...(snapshot.status.vendorPages && { vendorPages: () => pages.current() }),
  })
  const { host, port } = config.server
  try {
    gateway.server.listen(port, host)
    await once(gateway.server, 'listening')
  } catch (error) {
    await giveUp()
    throw new ConfigError([cannotListen(error, host, port)])
  }
  // Last: a key that was kept by a start that failed would never be shown.
  if (first !== undefined) store.addCaller(first.caller, Date.now())
  const address = gateway.server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    newKey: first?.key,
    snapshot,
    sandbox,
    store,
    flush: () => ledger.flush(),
    async close() {
      await gateway.close(config.server.drainMs)
      await pages.idle()
      await sandbox?.close()
      ledger.close()
      store.close()
    },
  }
}

const sandboxOffer: SandboxOffer = {
  faultHeader,
  callerHeader,
  faults: faultList().map(({ name, about, moment, example }) => ({ model: `sandbox/${example}`, name, moment, about })),
  refusal: (name) => (findFault(name) === undefined ? unknownFault(name) : undefined),
}

/** The status pages of the vendors that are live: of a simulated one nobody can say how it does. */
function statusPages({ vendors: setups, status }: Snapshot): StatusPages {
  const sources = [...setups.values()].flatMap(({ vendor: { name, statusPage }, simulated, credentials }) =>
    statusPage === undefined || simulated || credentials.length === 0 ? [] : [{ vendor: name, ...statusPage }],
  )
  return new StatusPages({ sources, request: fetchPage, everyMs: status.everyMs, nowMs: Date.now })
}

function firstKey(prefix: string, digest: (key: string) => Buffer): { key: string; caller: Caller } {
  const { key, id } = newCallerKey(prefix)
  return { key, caller: { id, name: 'first', digest: digest(key) } }
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
