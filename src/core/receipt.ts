import type { Usage } from './event.ts'
import type { Blame, FailureKind } from './failure.ts'
import type { DialectName } from './dialect.ts'

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

export interface TryRecord {
  vendor: string
  model: string
  /** The vendor's status; 0 where none came. */
  status: number
  /** 'ok' or the kind of failure. */
  outcome: 'ok' | FailureKind
  durationMs: number
  /** The vendor's own id of the request, for its support. */
  vendorRequestId?: string
}
