import { setImmediate as turn } from 'node:timers/promises'
import type { Caller } from '../core/caller.ts'
import type { Plan } from '../core/plan.ts'
import type { Seal } from './secrets-seal.ts'
import type { ControlService } from './service.ts'
import { auditService } from './service/audit.ts'
import { Callers } from './service/callers.ts'
import { Changes, type ChangeListener } from './service/changes.ts'
import { credentialService, openedCredentials, type CredentialSettings } from './service/credentials.ts'
import { keyService } from './service/keys.ts'
import { Ladders } from './service/ladders.ts'
import { ownerService } from './service/owners.ts'
import { Plans, planService } from './service/plans.ts'
import { Slots } from './service/slots.ts'
import { tokenService } from './service/tokens.ts'
import { usageService } from './service/usage.ts'
import type { Store } from './store/index.ts'
import type { Spent } from './store/usage.ts'

export type { ChangeEvent, ChangeListener } from './service/changes.ts'

export interface ControlOptions {
  readonly store: Store
  /** HMAC under the pepper: `keyDigest` of secrets.ts. */
  readonly digest: (key: string) => Uint8Array
  readonly keyPrefix: string
  readonly nowMs: () => number
  /** The names of all vendors. */
  readonly vendors: readonly string[]
  /** The names of all ladders, at this moment. */
  readonly ladders: () => Iterable<string>
  /** What vendors' keys are sealed with; without it none can be put here. */
  readonly seal?: Seal | undefined
  /** Vendors' keys that the file and the environment have. */
  readonly credentials?: CredentialSettings
  /** Plans that the file has. */
  readonly plans?: readonly Plan[]
  /** For keys that name no plan. */
  readonly defaultPlan?: string
  /** How many keys and owners there is room for in the memory that limits are counted in. */
  readonly slotsMax?: number
  /** Told what listeners throw. */
  readonly onError?: (error: unknown) => void
}

/**
 * The control plane over one store. It is the only one that changes it: what it knows by heart (plans, admin tokens) is not read
 * again before the next start.
 */
export class Control implements ControlService {
  readonly keys: ControlService['keys']
  readonly owners: ControlService['owners']
  readonly plans: ControlService['plans']
  readonly tokens: ControlService['tokens']
  readonly credentials: ControlService['credentials']
  readonly usage: ControlService['usage']
  readonly audit: ControlService['audit']
  readonly #store: Store
  readonly #nowMs: () => number
  readonly #slots: Slots
  readonly #callers: Callers
  readonly #changes: Changes
  readonly #plans: Plans
  readonly #sealed: Parameters<typeof openedCredentials>[0]

  /** Throws ConfigError where the plans and the keys do not fit together. */
  constructor(options: ControlOptions) {
    const { store, nowMs, digest, keyPrefix, vendors, seal, slotsMax = 100_000, onError = () => {} } = options
    const { credentials: declared = new Map<string, never>() } = options
    const changes = new Changes(store, nowMs, onError)
    const ladders = new Ladders(options.ladders)
    const plans = new Plans(store, options.plans ?? [], options.defaultPlan ?? 'unlimited')
    this.#slots = new Slots(slotsMax)
    const callers = new Callers(store, this.#slots)
    this.#store = store
    this.#nowMs = nowMs
    this.#callers = callers
    this.#changes = changes
    this.#plans = plans
    this.#sealed = { store, seal, declared }
    this.keys = keyService({ store, plans, ladders, callers, changes, keyPrefix, digest, nowMs })
    this.owners = ownerService({ store, callers, changes, nowMs })
    this.plans = planService({ store, plans, changes, ladders, nowMs })
    this.tokens = tokenService({ store, changes, digest, nowMs })
    this.credentials = credentialService({ store, changes, seal, vendors, declared, nowMs })
    this.usage = usageService(store, nowMs)
    this.audit = auditService(store)
  }

  /** Tells each change once it is stored, before the method that made it returns. Gives back how to hear no more. */
  onChange(listener: ChangeListener): () => void {
    return this.#changes.listen(listener)
  }

  /** All callers, to begin with; from then on `onChange` tells. */
  callers(): Iterable<Caller> {
    return this.#callers.all(this.#nowMs())
  }

  /** All plans in force, to begin with and whenever `onChange` says so. */
  allPlans(): Plan[] {
    return this.#plans.all().map(({ plan }) => plan)
  }

  /** Vendors' keys, opened, for nobody but the workers. `locked`: those that cannot be opened with the master key there is. */
  openedCredentials(): ReturnType<typeof openedCredentials> {
    return openedCredentials(this.#sealed)
  }

  /** Takes the plans of a file that was read anew. Throws ConfigError and changes nothing where they do not fit the keys. */
  redeclare(plans: readonly Plan[], defaultPlan: string): void {
    this.#plans.redeclare(plans, defaultPlan)
  }

  /** Where the limits of a key or owner are counted that is declared elsewhere: in the file. */
  slotOf(type: 'key' | 'owner', id: string): number {
    return this.#slots.of(type, id)
  }

  /** What has been used today and this month, for the counting of limits to go on from. */
  spent(): Spent[] {
    return this.#store.usage.spent(this.#nowMs())
  }

  /**
   * Deletes receipts that began, and captures that expired, before then; some at a time, so that nothing else waits. Sums stay.
   * Says how many of each.
   */
  async prune(before: {
    readonly receiptsBeforeMs?: number
    readonly capturesBeforeMs?: number
  }): Promise<{ receipts: number; captures: number }> {
    const { receiptsBeforeMs = 0, capturesBeforeMs = 0 } = before
    return {
      receipts: await inTurns(() => this.#store.receipts.prune(receiptsBeforeMs, prunedRows)),
      captures: await inTurns(() => this.#store.captures.prune(capturesBeforeMs, prunedRows)),
    }
  }
}

/** How many rows are deleted in one go: some milliseconds. */
const prunedRows = 1000

async function inTurns(prune: () => number): Promise<number> {
  let all = 0
  for (;;) {
    const some = prune()
    all += some
    if (some < prunedRows) return all
    await turn()
  }
}
