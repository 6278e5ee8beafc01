import type { Usage } from './event.ts'
import type { Blame, FailureKind } from './failure.ts'
import type { DialectName } from './dialect.ts'
import type { NanoDollars } from './price.ts'

/** What is written down of each call, and all that is: no prompt, no reply, no secret. Times are Unix milliseconds. */
export interface Receipt {
  id: string
  keyId: string
  /** The caller's own id of the call (`x-client-request-id`). */
  clientId: string | undefined
  dialect: DialectName
  /** The model as the caller named it. */
  modelAsked: string
  /** The model as the vendor named it, or as it was asked. */
  model: string
  vendor: string
  simulated: boolean
  stream: boolean
  /** One entry a try, in order. */
  tries: TryRecord[]
  usage: Usage
  /** The status the caller got; 499 where it had gone. */
  status: number
  failure: FailureKind | undefined
  blame: Blame | undefined
  startedMs: number
  /** When the first byte of the answer went out; 0 for none. */
  firstByteMs: number
  endedMs: number
  requestBytes: number
  replyBytes: number
}

/** A receipt with who pays for the call, and what: as the journal (type `receipt`) and the database keep it. */
export interface Billed extends Receipt {
  owner: string | undefined
  plan: string
  ladder: string | undefined
  /** Undefined: the model has no price. 0 for what was simulated or never reached a vendor. */
  nanoDollars?: NanoDollars | undefined
  reserved: Reserved
  /** How many calls it stands for, its sums with them: more than 1 for the refusals of a storm. */
  times: number
}

/** That a call was admitted (type `intent`): without a receipt later, the program ended in the middle of it. */
export interface Intent {
  id: string
  key: string
  owner: string | undefined
  plan: string
  model: string
  vendor: string
  startedMs: number
  reserved: Reserved
  dialect?: DialectName | undefined
  simulated?: boolean | undefined
}

/** What was set aside for a call before it was made. */
export interface Reserved {
  input: number
  output: number
  nano: NanoDollars
}

export interface TryRecord {
  vendor: string
  model: string
  /** The operator's credential, by its place among the vendor's, from 1. */
  credential: number
  /** The vendor's status; 0 where none came. */
  status: number
  /**
   * `ok`, or the kind of failure. `cancelled`: another rung answered first. A rung that was not tried says why: `cooling` (it asked for a
   * pause), `failing` (it counts as down), `full` (it has as many calls as it may),
   * `refused` (its vendor does not take the key), `missing` (its vendor has no such model).
   */
  outcome: 'ok' | FailureKind | 'cancelled' | Passed
  durationMs: number
  /** How long was waited before it. */
  waitMs?: number
  /** The vendor was not asked, because the request cannot be written for this model. */
  unfit?: true
  /** Started beside another that had given no content yet. */
  hedge?: true
  /** What a try that gave no answer has used all the same. */
  usage?: Usage
  /** The vendor's own id of the request, for its support. */
  vendorRequestId?: string
}

/** Why a rung was not tried. */
export type Passed = 'cooling' | 'failing' | 'full' | 'refused' | 'missing'
