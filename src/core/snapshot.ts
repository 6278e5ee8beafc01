import type { Dialect, DialectName } from './dialect.ts'
import type { JsonObject } from './json.ts'
import type { Deadlines, Secret } from './ladder.ts'
import type { Model, Vendor } from './vendor.ts'

/**
 * All that the data plane knows of keys, vendors and settings. Made by the control plane, never changed: a call sees
 * one snapshot from start to end.
 */
export interface Snapshot {
  readonly version: number
  /** Callers by the public id of their key. */
  readonly callers: ReadonlyMap<string, Caller>
  /** Callers whose keys were declared by the operator and have no id inside, by their digest in hex. */
  readonly callersByDigest: ReadonlyMap<string, Caller>
  readonly keyPrefix: string
  /** The digest under which keys are kept: HMAC-SHA-256 with the pepper. */
  readonly digest: (key: string) => Buffer
  readonly vendors: ReadonlyMap<string, VendorSetup>
  readonly dialects: Readonly<Record<DialectName, Dialect>>
  readonly models: ReadonlyMap<string, Model>
  /** Names of the operator's own: alias to `model` or `vendor/model`. */
  readonly aliases: ReadonlyMap<string, string>
  /** Path prefixes below which the routes stand: '' for the root. */
  readonly mounts: readonly string[]
  readonly bodyBytesMax: number
  readonly callsMax: number
  readonly pingMs: number
  readonly deadlines: Deadlines
  readonly triesMax: number
  /** Undefined while the sandbox is off. */
  readonly sandbox: SandboxOffer | undefined
  /** The pages on errors as HTML, by name; '' is the overview. */
  readonly pages: ReadonlyMap<string, string>
}

/** What the simulated vendors can do on demand, and how they are asked. */
export interface SandboxOffer {
  /** The headers that tell them the fault and who asks. */
  readonly faultHeader: string
  readonly callerHeader: string
  /** For people: each fault with a sentence about it. */
  readonly faults: readonly JsonObject[]
  /** What is wrong with the name of a fault; undefined for one that there is. */
  readonly refusal: (name: string) => string | undefined
}

export interface Caller {
  readonly id: string
  readonly name: string
  readonly digest: Buffer
}

/** Where an API is. */
export interface Place {
  readonly origin: string
  readonly base: string
}

export interface VendorSetup {
  readonly vendor: Vendor
  /** Scheme, host and port. */
  readonly origin: string
  /** The path before the vendor's own, '' for none. */
  readonly base: string
  /** Where this vendor is simulated; undefined while the sandbox is off. */
  readonly sandbox: Place | undefined
  /** Undefined where no key is set and the sandbox is off. */
  readonly secret: Secret | undefined
  readonly simulated: boolean
}
