import type { Limits, Plan } from '../core/plan.ts'
import type { NanoDollars } from '../core/price.ts'
import type { TryRecord } from '../core/receipt.ts'

/**
 * What the control plane does, in words: the admin API, the callers' own pages and the command line are other ways to say the same.
 * Times are Unix milliseconds. Every change names its actor, is written to the audit log with what was before and after, and takes effect
 * on all workers within 100 ms. Methods throw `ControlError` for what cannot be done.
 */
export interface ControlService {
  readonly keys: {
    /** Shown once: the key itself is in `secret` and nowhere else. */
    create(input: KeyInput, by: Actor): { key: Key; secret: string }
    list(query: KeyQuery): Page<Key>
    get(id: string): Key
    /** `version` as last read, or undefined to write over whatever is there. Fields that are left out stay; null removes. */
    change(id: string, change: KeyChange, version: number | undefined, by: Actor): Key
    disable(id: string, by: Actor): Key
    enable(id: string, by: Actor): Key
    /** For good; open streams of the key end. */
    revoke(id: string, by: Actor): Key
    /** A new secret for the same id; the one before works until `graceMs` have passed (24 h where nothing is said). */
    rotate(id: string, graceMs: number | undefined, by: Actor): { key: Key; secret: string }
  }
  readonly owners: {
    create(input: OwnerInput, by: Actor): Owner
    list(query: { prefix?: string; cursor?: string; limit?: number }): Page<Owner>
    get(id: string): Owner
    /** Fields that are left out stay; null or undefined removes. */
    change(id: string, change: OwnerChange, version: number | undefined, by: Actor): Owner
    /** Refused while it has keys that are not revoked. */
    remove(id: string, version: number | undefined, by: Actor): void
  }
  readonly plans: {
    /** Those of the file and the shipped ones too, which cannot be changed here. */
    list(): readonly PlanView[]
    get(name: string): PlanView
    /** Makes it or writes over it. The version 0 stands for one that must not be there yet. */
    put(plan: Plan, version: number | undefined, by: Actor): PlanView
    /** Refused while keys are on it. */
    remove(name: string, version: number | undefined, by: Actor): void
  }
  readonly tokens: {
    create(
      input: { name: string; scopes: readonly Scope[]; expiresAt?: number | undefined },
      by: Actor,
    ): { token: Token; secret: string }
    list(): readonly Token[]
    revoke(id: string, by: Actor): Token
    /** Who holds this token; undefined for none, or one that is revoked or has expired. Same time for all of them. */
    identify(secret: string): Token | undefined
  }
  readonly credentials: {
    list(): readonly VendorCredential[]
    /** Sealed at rest; refused with the reason where there is no key to seal with. Changing its origin needs the secret anew. */
    put(input: CredentialInput, version: number | undefined, by: Actor): VendorCredential
    remove(vendor: string, name: string, version: number | undefined, by: Actor): void
  }
  readonly usage: {
    /** Sums by the groups asked for, newest or largest first. */
    query(query: UsageQuery): readonly UsageRow[]
    /** Receipts one by one, newest first. */
    receipts(query: ReceiptQuery): Page<ReceiptView>
    receipt(id: string): ReceiptView | undefined
    /** What was said in a call, where its key asks for that to be kept and as long as it is. */
    content(id: string): CallContent | undefined
    /** The same as lines, in pieces that fit into memory. */
    export(query: ReceiptQuery, form: 'csv' | 'jsonl'): Iterable<string>
  }
  readonly audit: {
    list(query: {
      actor?: string
      target?: string
      from?: number
      to?: number
      cursor?: string
      limit?: number
    }): Page<AuditEntry>
  }
}

/** Who changes something: an admin token, a caller for its own key, or the program itself (`start`, `file`). */
export interface Actor {
  readonly type: 'token' | 'caller' | 'program'
  readonly id: string
}

export type Scope = 'read' | 'keys' | 'all'

export interface Page<T> {
  /** Sometimes fewer than asked for though more follow: where much had to be looked through for them. */
  readonly data: readonly T[]
  /** For the page after this one; undefined on the last. */
  readonly next: string | undefined
}

export type KeyState = 'active' | 'disabled' | 'revoked'

export interface KeyInput {
  readonly name: string
  readonly owner?: string | undefined
  /** Undefined: the default plan. */
  readonly plan?: string | undefined
  readonly expiresAt?: number | undefined
  /** Names or patterns with `*`; undefined for all that the plan has. */
  readonly models?: readonly string[] | undefined
  /** Addresses or networks in CIDR form. */
  readonly networks?: readonly string[] | undefined
  /** Tighter than the plan's. */
  readonly limits?: Limits | undefined
  readonly sandbox?: boolean | undefined
  readonly ladder?: string | undefined
  /** Keep what was said in its calls, for so long; undefined for never. */
  readonly captureMs?: number | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/** null removes, what is left out stays. */
export type KeyChange = { readonly [Name in keyof KeyInput]?: KeyInput[Name] | null }

export interface Key extends KeyInput {
  readonly id: string
  readonly plan: string
  readonly sandbox: boolean
  readonly state: KeyState
  readonly createdAt: number
  readonly changedAt: number
  /** Until when the secret before the last rotation works. */
  readonly formerUntil: number | undefined
  readonly lastUsedAt: number | undefined
  /** Grows with each change. */
  readonly version: number
}

export interface KeyQuery {
  readonly owner?: string
  readonly plan?: string
  readonly state?: KeyState
  /** Of its name or id. */
  readonly prefix?: string
  readonly cursor?: string
  readonly limit?: number
}

export interface OwnerInput {
  readonly name: string
  readonly email?: string | undefined
  /** Of all its keys together; undefined for what the plan of each key says of owners. */
  readonly limits?: Limits | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

export type OwnerChange = { readonly [Name in keyof OwnerInput]?: OwnerInput[Name] | null | undefined }

export interface Owner extends OwnerInput {
  readonly id: string
  readonly keys: number
  readonly createdAt: number
  readonly changedAt: number
  readonly version: number
}

export interface PlanView extends Plan {
  readonly source: 'shipped' | 'file' | 'api'
  readonly keys: number
  readonly version: number
}

export interface Token {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly createdAt: number
  readonly expiresAt: number | undefined
  readonly lastUsedAt: number | undefined
  readonly state: 'active' | 'revoked'
}

export interface CredentialInput {
  readonly vendor: string
  readonly name: string
  /** Undefined keeps the one that is there. */
  readonly secret?: string | undefined
  readonly weight?: number | undefined
  readonly origin?: string | undefined
  readonly callsMax?: number | undefined
}

export interface VendorCredential {
  readonly vendor: string
  readonly name: string
  readonly last4: string
  readonly weight: number
  readonly origin: string | undefined
  readonly callsMax: number | undefined
  /** The reference or variable it came from, or `api`. */
  readonly source: string
  readonly version: number
}

export type UsageGroup = 'key' | 'owner' | 'plan' | 'model' | 'vendor' | 'status' | 'hour' | 'day' | 'month'

export interface UsageFilter {
  /** From this time on, and before that. Hours are the finest that sums are kept by. */
  readonly from: number
  readonly to: number
  readonly key?: string
  readonly owner?: string
  readonly plan?: string
  readonly model?: string
  readonly vendor?: string
  readonly status?: number
}

export interface UsageQuery extends UsageFilter {
  readonly groupBy: readonly UsageGroup[]
  readonly limit?: number
}

export interface UsageRow {
  /** The value of each group asked for; times as the start of the hour, day or month, Unix milliseconds. */
  readonly group: Readonly<Partial<Record<UsageGroup, string | number>>>
  readonly calls: number
  /** Calls that ended with a failure. */
  readonly failed: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly thinkingTokens: number
  readonly nanoDollars: NanoDollars
  /** Calls with tokens of a model whose price is not known: their cost is not in the sum. */
  readonly unpriced: number
}

export interface ReceiptQuery extends UsageFilter {
  readonly failure?: string
  readonly cursor?: string
  readonly limit?: number
}

/** One call, as its receipt tells it. */
export interface ReceiptView {
  readonly id: string
  readonly clientId: string | undefined
  readonly key: string
  readonly owner: string | undefined
  readonly plan: string
  readonly dialect: string
  readonly modelAsked: string
  readonly model: string
  readonly vendor: string
  readonly ladder: string | undefined
  readonly simulated: boolean
  readonly stream: boolean
  readonly tries: readonly TryRecord[]
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly thinkingTokens: number
  readonly nanoDollars: NanoDollars | undefined
  readonly status: number
  /** `interrupted` where the program ended in the middle of the call. */
  readonly failure: string | undefined
  readonly blame: string | undefined
  readonly startedAt: number
  readonly firstByteAt: number | undefined
  readonly endedAt: number
  readonly requestBytes: number
  readonly replyBytes: number
  /** How many calls it stands for: more than 1 for refusals of a storm. */
  readonly times: number
}

/** What was said in one call: the beginning of both sides. */
export interface CallContent {
  readonly request: string
  readonly reply: string
  readonly expiresAt: number
}

export interface AuditEntry {
  readonly id: number
  readonly at: number
  readonly actor: Actor
  /** `key.create`, `plan.put`, … */
  readonly action: string
  /** `key:ab12cd34`, `plan:pro`, … */
  readonly target: string
  /** What was there and what is, without secrets. */
  readonly before: unknown
  readonly after: unknown
}

/** What cannot be done, for people and programs. */
export class ControlError extends Error {
  readonly status: 400 | 401 | 403 | 404 | 409 | 412 | 422 | 503
  readonly code: string
  /** The field it is about. */
  readonly path: string | undefined
  readonly fix: string | undefined

  constructor(
    status: ControlError['status'],
    code: string,
    message: string,
    { path, fix, cause }: { path?: string; fix?: string; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ControlError'
    this.status = status
    this.code = code
    this.path = path
    this.fix = fix
  }
}
