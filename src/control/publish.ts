import type { Dialect, DialectName } from '../core/dialect.ts'
import { sandboxSecret, Secret } from '../core/ladder.ts'
import type { Caller, Place, SandboxOffer, Snapshot, VendorSetup } from '../core/snapshot.ts'
import type { Model, Vendor } from '../core/vendor.ts'
import type { Config } from './config.ts'

interface Publication {
  config: Config
  callers: readonly Caller[]
  /** Callers declared in the configuration, known by their digest alone. */
  declared: readonly Caller[]
  digest: (key: string) => Buffer
  vendors: readonly Vendor[]
  models: readonly Model[]
  dialects: Readonly<Record<DialectName, Dialect>>
  /** The secret of each vendor that has one. */
  secrets: ReadonlyMap<string, string>
  origins: ReadonlyMap<string, string>
  /** Where the simulated vendors are; undefined while the sandbox is off. */
  sandboxOrigin: ((vendor: string) => string) | undefined
  sandbox?: SandboxOffer | undefined
  pages?: ReadonlyMap<string, string>
}

/** The one arrow from the control plane to the data plane: all that calls need, as values that never change. */
export function publish(from: Publication): Snapshot {
  const { config } = from
  return {
    version: 1,
    callers: new Map(from.callers.map((caller) => [caller.id, caller])),
    callersByDigest: new Map(from.declared.map((caller) => [caller.digest.toString('hex'), caller])),
    keyPrefix: config.keyPrefix,
    digest: from.digest,
    vendors: new Map(from.vendors.map((vendor) => [vendor.name, setup(vendor, from)])),
    dialects: from.dialects,
    models: new Map(from.models.map((model) => [model.id, model])),
    aliases: new Map(Object.entries(config.aliases)),
    // Longest first, so that a mount inside another is found; the root is ''.
    mounts: config.server.mounts
      .map((mount) => (mount === '/' ? '' : mount))
      .toSorted((one, other) => other.length - one.length),
    bodyBytesMax: config.server.bodyBytesMax,
    callsMax: config.server.callsMax,
    pingMs: config.server.pingMs,
    deadlines: config.deadlines,
    triesMax: config.triesMax,
    sandbox: from.sandbox,
    pages: from.pages ?? new Map(),
  }
}

function setup(vendor: Vendor, { secrets, origins, sandboxOrigin }: Publication): VendorSetup {
  const secret = secrets.get(vendor.name)
  const place = placeOf(origins.get(vendor.name) ?? vendor.origin)
  const sandbox = sandboxOrigin === undefined ? undefined : placeOf(sandboxOrigin(vendor.name))
  if (secret !== undefined) return { vendor, ...place, sandbox, secret: new Secret(secret), simulated: false }
  if (sandbox === undefined) return { vendor, ...place, sandbox, secret: undefined, simulated: false }
  return { vendor, ...sandbox, sandbox, secret: sandboxSecret, simulated: true }
}

function placeOf(address: string): Place {
  const url = new URL(address)
  return { origin: url.origin, base: url.pathname.replace(/\/$/, '') }
}
