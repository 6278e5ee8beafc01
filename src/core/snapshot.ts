import type { Names } from './catalogue.ts'
import type { Caller } from './caller.ts'
import type { Dialect, DialectName } from './dialect.ts'
import type { JsonObject } from './json.ts'
import type {
  AdaptiveRules,
  BreakerRules,
  BudgetRules,
  CooldownRules,
  Credential,
  Deadlines,
  RetryRules,
} from './ladder.ts'
import type { Plan } from './plan.ts'
import type { Model, Vendor } from './vendor.ts'

/**
 * All that the data plane knows of keys, vendors and settings. Made by the control plane, never changed: a call sees
 * one snapshot from start to end.
 */
export interface Snapshot extends Names {
  readonly version: number
  /**
   * Callers by the public id of their key. The one thing here that changes: a caller's row is put in the place of the one before, so a call,
   * which looks once, sees either.
   */
  readonly callers: ReadonlyMap<string, Caller>
  /** Callers whose keys were declared by the operator and have no id inside, by their digest in hex. */
  readonly callersByDigest: ReadonlyMap<string, Caller>
  readonly keyPrefix: string
  readonly plans: ReadonlyMap<string, Plan>
  /** For callers whose plan is gone. */
  readonly defaultPlan: Plan
  /** No call is made while receipts cannot be written. */
  readonly refusesUnwritten: boolean
  /** The admin API stands on the callers' port too. */
  readonly adminHere: boolean
  /** Networks of reverse proxies whose word on a caller's address is taken. */
  readonly trustedProxies: readonly string[]
  /** The digest under which keys are kept: HMAC-SHA-256 with the pepper. */
  readonly digest: (key: string) => Buffer
  readonly dialects: Readonly<Record<DialectName, Dialect>>
  /** Path prefixes below which the routes stand: '' for the root. */
  readonly mounts: readonly string[]
  readonly bodyBytesMax: number
  readonly callsMax: number
  readonly pingMs: number
  readonly rules: PlaceRules
  readonly retries: RetryRules
  readonly adaptive: AdaptiveRules
  /** Ladders by name: those that Keyrung ships and the operator's own, each with the rungs that can be used here. */
  readonly ladders: ReadonlyMap<string, LadderPlan>
  /** Which ladder a model asked for belongs to, where neither call nor caller says: the first that fits. */
  readonly ladderRules: readonly { readonly models: string; readonly ladder: string }[]
  readonly status: StatusRules
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

/** What is in force at a rung, where its ladder says nothing else. */
export interface PlaceRules {
  readonly deadlines: Deadlines
  readonly cooldown: CooldownRules
  readonly breaker: BreakerRules
  readonly budget: BudgetRules
}

/** A ladder as it was declared: a call makes its `Ladder` of it. */
export interface LadderPlan {
  readonly name: string
  readonly levels: readonly Level[]
  readonly retries: RetryRules
  readonly hedgeAfterMs: number | undefined
}

/** One rung of a plan: a model, and the credentials by which it may be asked. */
export interface Level {
  readonly setup: VendorSetup
  readonly model: Model
  readonly credentials: readonly Credential[]
  readonly rules: PlaceRules
  /** A name that only a caller knows, and of which there may be any number. */
  readonly unheard?: boolean
}

/** Who may see `/status`, and whether the vendors' own pages are shown there. */
export interface StatusRules {
  readonly public: boolean
  readonly vendorPages: boolean
  /** How old a reading of a vendor's page may be. */
  readonly everyMs: number
}

/** Where an API is. */
export interface Place {
  readonly origin: string
  readonly base: string
}

export interface VendorSetup {
  readonly vendor: Vendor
  /** False: the operator has switched it off, and it is neither asked nor simulated. */
  readonly enabled: boolean
  /** None where no key is set and the sandbox is off. */
  readonly credentials: readonly Credential[]
  /** Where this vendor is simulated; undefined while the sandbox is off. */
  readonly sandbox: Place | undefined
  readonly simulated: boolean
}
