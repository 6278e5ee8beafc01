import type { Caller } from '../core/caller.ts'
import type { Names } from '../core/catalogue.ts'
import type { Dialect, DialectName } from '../core/dialect.ts'
import { sandboxSecret, Secret, type Credential } from '../core/ladder.ts'
import type { Plan } from '../core/plan.ts'
import type { Place, SandboxOffer, Snapshot, VendorSetup } from '../core/snapshot.ts'
import type { Model, Vendor } from '../core/vendor.ts'
import { ConfigError, settingAt, type Config } from './config.ts'
import { ladderPlans, placeRules } from './ladders.ts'

interface Publication {
  config: Config
  /** The file that the configuration came from, for what is wrong in it. */
  file: string
  /** By the id of their keys; and those declared in the configuration, by their digest in hex. */
  callers: ReadonlyMap<string, Caller>
  declared: ReadonlyMap<string, Caller>
  plans: readonly Plan[]
  digest: (key: string) => Buffer
  vendors: readonly Vendor[]
  models: readonly Model[]
  shippedLadders: readonly { readonly name: string; readonly rungs: readonly string[] }[]
  dialects: Readonly<Record<DialectName, Dialect>>
  /** The operator's keys at each vendor that has any. */
  credentials: ReadonlyMap<string, readonly CredentialSetting[]>
  origins: ReadonlyMap<string, string>
  /** Where the simulated vendors are; undefined while the sandbox is off. */
  sandboxOrigin: ((vendor: string) => string) | undefined
  sandbox?: SandboxOffer | undefined
  pages?: ReadonlyMap<string, string>
}

/** One key of the operator's at a vendor, as it was found. */
export interface CredentialSetting {
  name: string
  secret: string
  /** The reference or the variable that it came from. */
  from: string
  weight: number
  origin: string | undefined
  callsMax: number | undefined
}

/** The one arrow from the control plane to the data plane: all that calls need, as values that never change. Throws ConfigError. */
export function publish(from: Publication): Snapshot {
  const { config } = from
  const plans = new Map(from.plans.map((plan) => [plan.name, plan]))
  checkPlans(from, plans)
  const names: Names = {
    vendors: new Map(from.vendors.map((vendor) => [vendor.name, setup(vendor, from)])),
    models: new Map(from.models.map((model) => [model.id, model])),
    aliases: new Map(Object.entries(config.aliases)),
  }
  return {
    ...names,
    version: 1,
    callers: from.callers,
    callersByDigest: from.declared,
    plans,
    defaultPlan: plans.get(config.defaultPlan) as Plan,
    trustedProxies: config.server.trustedProxies,
    adminHere: config.admin.enabled && config.admin.port === undefined,
    refusesUnwritten: config.ledger.diskFull === 'refuse',
    keyPrefix: config.keyPrefix,
    digest: from.digest,
    dialects: from.dialects,
    // Longest first, so that a mount inside another is found; the root is ''.
    mounts: config.server.mounts
      .map((mount) => (mount === '/' ? '' : mount))
      .toSorted((one, other) => other.length - one.length),
    bodyBytesMax: config.server.bodyBytesMax,
    callsMax: config.server.callsMax,
    pingMs: config.server.pingMs,
    rules: placeRules(config),
    retries: config.retries,
    adaptive: config.adaptiveConcurrency,
    ladders: ladderPlans({ config, names, shipped: from.shippedLadders, file: from.file }),
    ladderRules: config.ladderRules,
    status: config.status,
    sandbox: from.sandbox,
    pages: from.pages ?? new Map(),
  }
}

function setup(vendor: Vendor, { config, credentials, origins, sandboxOrigin }: Publication): VendorSetup {
  if (config.vendors[vendor.name]?.enabled === false) {
    return { vendor, enabled: false, sandbox: undefined, simulated: false, credentials: [] }
  }
  const settings = credentials.get(vendor.name) ?? []
  const origin = origins.get(vendor.name) ?? vendor.origin
  const sandbox = sandboxOrigin === undefined ? undefined : placeOf(sandboxOrigin(vendor.name))
  if (settings.length > 0) {
    return {
      vendor,
      enabled: true,
      sandbox,
      simulated: false,
      credentials: settings.map((one, index) => credentialOf(one, index + 1, placeOf(one.origin ?? origin))),
    }
  }
  if (sandbox === undefined) return { vendor, enabled: true, sandbox, simulated: false, credentials: [] }
  return { vendor, enabled: true, sandbox, simulated: true, credentials: [sandboxCredential(sandbox)] }
}

function credentialOf({ name, secret, weight, callsMax }: CredentialSetting, number: number, place: Place): Credential {
  return { name, number, weight, callsMax, ...place, secret: new Secret(secret) }
}

/** What a simulated vendor is asked with. */
function sandboxCredential(place: Place): Credential {
  return { name: 'sandbox', number: 1, weight: 1, callsMax: undefined, ...place, secret: sandboxSecret }
}

function placeOf(address: string): Place {
  const url = new URL(address)
  return { origin: url.origin, base: url.pathname.replace(/\/$/, '') }
}

/** Keys of the file must be on plans that there are. Throws ConfigError. */
function checkPlans({ config, file }: Publication, plans: ReadonlyMap<string, Plan>): void {
  for (const [index, { plan }] of config.keys.entries()) {
    if (plan === undefined || plans.has(plan)) continue
    const known = [...plans.keys()].join(', ')
    throw new ConfigError([
      `${settingAt(config, file, ['keys', index, 'plan'])}: there is no plan '${plan}'. Known: ${known}.`,
    ])
  }
}
