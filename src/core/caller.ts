import type { Limits } from './plan.ts'

/**
 * Whom a key belongs to and what it may do, as the data plane knows it: plain data that is cloned to each worker, so it is
 * small and nothing in it is shared.
 */
export interface Caller {
  /** The public id of its key. */
  readonly id: string
  readonly name: string
  /** The operator made the key and declared it in the file: it has no id inside, and is found by its digest. */
  readonly declared?: true
  /** Of the key; has its 32 bytes to itself, since a clone copies whatever else lies in the same buffer. */
  readonly digest: Uint8Array
  /** The secret before the last rotation, which works until then. */
  readonly former?: { readonly digest: Uint8Array; readonly untilMs: number }
  readonly state: CallerState
  readonly expiresMs?: number
  readonly owner?: string
  /** By name. */
  readonly plan: string
  /** Its own, tighter than the plan's. */
  readonly limits?: Limits
  /** Those of all keys of its owner together, where they are not the plan's. */
  readonly ownerLimits?: Limits
  /** Names of models or patterns with `*`; absent: all that the plan has. */
  readonly models?: readonly string[]
  /** Addresses, or networks in CIDR form, that it may call from; absent: all. */
  readonly networks?: readonly string[]
  /** It may ask for faults of the sandbox. */
  readonly sandbox: boolean
  /** The ladder for its calls, where the call names none. */
  readonly ladder?: string
  /** How long what was said in its calls is kept; absent: it is not. */
  readonly captureMs?: number
  /** Where its limits are counted; `noSlot` for one whose calls are all refused. */
  readonly keySlot: number
  readonly ownerSlot?: number
}

/** `disabled` can be undone, `revoked` cannot. */
export type CallerState = 'active' | 'disabled' | 'revoked'

export const noSlot = -1
