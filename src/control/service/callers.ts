import { noSlot, type Caller } from '../../core/caller.ts'
import { compact } from '../../core/json.ts'
import type { Limits } from '../../core/plan.ts'
import type { KeyRecord } from '../store/keys.ts'
import type { Store } from '../store/index.ts'
import type { Slots } from './slots.ts'

/** How long a revoked key is still told as revoked, and not as one that nobody knows. */
const revokedKnownMs = 30 * 24 * 3_600_000

/** Keys as the workers want them. */
export class Callers {
  readonly #store: Pick<Store, 'keys' | 'owners'>
  readonly #slots: Slots

  constructor(store: Pick<Store, 'keys' | 'owners'>, slots: Slots) {
    this.#store = store
    this.#slots = slots
  }

  /** Of one key, as it is stored. Throws ControlError where there is no place for its limits. */
  of(record: KeyRecord): Caller {
    const { owner } = record.key
    return callerOf(record, owner === undefined ? undefined : this.#store.owners.get(owner)?.limits, this.#slots)
  }

  *all(nowMs: number): Generator<Caller> {
    for (const record of this.#store.keys.each(nowMs - revokedKnownMs)) yield this.of(record)
  }
}

function callerOf({ key, digest, former }: KeyRecord, ownerLimits: Limits | undefined, slots: Slots): Caller {
  const revoked = key.state === 'revoked'
  return compact({
    id: key.id,
    name: key.name,
    digest,
    former,
    state: key.state,
    expiresMs: key.expiresAt,
    owner: key.owner,
    plan: key.plan,
    limits: key.limits,
    ownerLimits,
    models: key.models,
    networks: key.networks,
    sandbox: key.sandbox,
    ladder: key.ladder,
    captureMs: key.captureMs,
    // One that was revoked just now has calls under way, which are counted where they began.
    keySlot: revoked ? (slots.known('key', key.id) ?? noSlot) : slots.of('key', key.id),
    ownerSlot: ownerSlot(key, slots),
  }) as Caller
}

function ownerSlot({ owner, state }: KeyRecord['key'], slots: Slots): number | undefined {
  if (owner === undefined) return undefined
  return state === 'revoked' ? slots.known('owner', owner) : slots.of('owner', owner)
}
