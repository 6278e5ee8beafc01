import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Ledger } from '../control/ledger.ts'
import { publish } from '../control/publish.ts'
import { ConfigError } from '../control/config.ts'
import { keyDigest } from '../control/secrets.ts'
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
import { models, vendors } from '../vendors/index.ts'
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
  const { config, secrets, origins, declaredKeys } = settings
  const store = new Store(config.data)
  const callers = store.callers()
  const digest = keyDigest(config.data, callers.length > 0)
  const declared = declaredKeys.map(({ name, key }): Caller => ({ id: name, name, digest: digest(key) }))
  const newKey =
    callers.length === 0 && declared.length === 0 ? firstKey(store, config.keyPrefix, digest, callers) : undefined
  const sandbox = config.sandbox.enabled ? await startSandbox({ paceMs: config.sandbox.paceMs }) : undefined
  const snapshot = publish({
    config,
    callers,
    declared,
    digest,
    vendors,
    models,
    dialects,
    secrets,
    origins,
    sandboxOrigin: sandbox === undefined ? undefined : (vendor) => sandbox.origin(vendor),
    sandbox: sandbox === undefined ? undefined : sandboxOffer,
    pages: errorPages(),
  })
  const ledger = new Ledger(store, (error) => log.fault('ledger', error))
  const gateway = createGateway({ snapshot: () => snapshot, record: (receipt) => ledger.add(receipt), log })
  const { host, port } = config.server
  try {
    gateway.server.listen(port, host)
    await once(gateway.server, 'listening')
  } catch (error) {
    await sandbox?.close()
    store.close()
    throw new ConfigError([cannotListen(error, host, port)])
  }
  const address = gateway.server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    newKey,
    snapshot,
    sandbox,
    store,
    flush: () => ledger.flush(),
    async close() {
      await gateway.close(config.server.drainMs)
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

function firstKey(store: Store, prefix: string, digest: (key: string) => Buffer, callers: Caller[]): string {
  const { key, id } = newCallerKey(prefix)
  const caller: Caller = { id, name: 'first', digest: digest(key) }
  store.addCaller(caller, Date.now())
  callers.push(caller)
  return key
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
