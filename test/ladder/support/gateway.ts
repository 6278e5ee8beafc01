import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { found, type DeclaredKey } from '../../../src/cli/settings.ts'
import { parseConfig } from '../../../src/control/config.ts'
import { publish, type CredentialSetting } from '../../../src/control/publish.ts'
import type { Billed } from '../../../src/core/receipt.ts'
import type { SandboxOffer } from '../../../src/core/snapshot.ts'
import { dialects } from '../../../src/dialects/index.ts'
import {
  callerHeader,
  faultHeader,
  findFault,
  startSandbox,
  unknownFault,
  type Sandbox,
} from '../../../src/sandbox/index.ts'
import { models, shippedLadders, vendors } from '../../../src/vendors/index.ts'
import { bareGateway, byDigest, callerOf, unlimited } from '../../support/bare.ts'
import type { Vendor } from './vendor.ts'

/** One of several keys at a vendor. */
export interface KeySetting {
  weight?: number
  callsMax?: number
  /** Where it is used, if not where the others are. */
  vendor?: Vendor
}

interface Options {
  /** Vendors by name, each with keys `key-1`, `key-2`, …: one where nothing is said. */
  vendors?: Record<string, { at: Vendor | string; keys?: KeySetting[] }>
  /** Text of a keyrung.yaml. The sandbox is off unless it speaks of it. */
  config?: string
  declaredKeys?: DeclaredKey[]
}

/** A gateway before vendors of a test's own. */
export interface LadderGateway {
  url: string
  key: string
  /** Of the calls that have ended, in that order. */
  receipts: Billed[]
  faults: unknown[]
  /** What the operator was told of vendors: name and kind of failure. */
  told: string[]
  sandbox: Sandbox | undefined
  close(): Promise<void>
}

const callersKey = 'key-of-a-caller-who-climbs'
const drainMs = 2000

/** Starts a gateway on a free port. It has no store and no pages, which no call needs, and so costs little to start for each test. */
export async function startLadderGateway(options: Options): Promise<LadderGateway> {
  const text = options.config ?? ''
  const names = vendors.map((vendor) => vendor.name)
  const config = parseConfig(
    text.includes('sandbox:') ? text : `sandbox: { enabled: false }\n${text}`,
    'test.yaml',
    names,
  )
  const sandbox = config.sandbox.enabled ? await startSandbox({ paceMs: 0 }) : undefined
  const digest = (key: string): Buffer => Buffer.from(key)
  const live = Object.entries(options.vendors ?? {})
  const keys = options.declaredKeys ?? [{ name: 'caller', key: callersKey }]
  const snapshot = publish({
    config,
    file: 'test.yaml',
    callers: new Map(),
    declared: byDigest(
      ...keys.map(({ key, name, ladder }) => callerOf(name, digest(key), ladder === undefined ? {} : { ladder })),
    ),
    plans: [unlimited],
    digest,
    vendors,
    models,
    shippedLadders,
    dialects,
    credentials: new Map(live.map(([name, { keys: settings = [{}] }]) => [name, keysOf(name, settings)])),
    origins: new Map(live.map(([name, { at }]) => [name, typeof at === 'string' ? at : at.origin])),
    sandboxOrigin: sandbox === undefined ? undefined : (vendor) => sandbox.origin(vendor),
    ...(sandbox !== undefined && { sandbox: sandboxOffer }),
  })
  const receipts: Billed[] = []
  const faults: unknown[] = []
  const told: string[] = []
  const gateway = bareGateway({
    snapshot: () => snapshot,
    receipts,
    log: {
      fault: (_id, cause) => faults.push(cause),
      vendor: (name, kind) => told.push(`${name} ${kind}`),
    },
  })
  gateway.server.listen(0, '127.0.0.1')
  await once(gateway.server, 'listening')
  return {
    url: `http://127.0.0.1:${(gateway.server.address() as AddressInfo).port}`,
    key: keys[0]?.key ?? '',
    receipts,
    faults,
    told,
    sandbox,
    async close() {
      await gateway.close(drainMs)
      await sandbox?.close()
    },
  }
}

function keysOf(vendor: string, settings: KeySetting[]): CredentialSetting[] {
  return settings.map(({ weight = 1, callsMax, vendor: at }, index) => {
    const name = `key-${index + 1}`
    return { ...found(`${vendor}-${name}`, 'test'), name, weight, callsMax, origin: at?.origin }
  })
}

const sandboxOffer: SandboxOffer = {
  faultHeader,
  callerHeader,
  faults: [],
  refusal: (name) => (findFault(name) === undefined ? unknownFault(name) : undefined),
}
