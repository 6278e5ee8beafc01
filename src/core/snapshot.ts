import type { Dialect, DialectName } from './dialect.ts'
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
}

export interface Caller {
  readonly id: string
  readonly name: string
  readonly digest: Buffer
}

export interface VendorSetup {
  readonly vendor: Vendor
  /** Scheme, host and port. */
  readonly origin: string
  /** The path before the vendor's own, '' for none. */
  readonly base: string
  /** Undefined where no key is set and the sandbox is off. */
  readonly secret: Secret | undefined
  readonly simulated: boolean
}
