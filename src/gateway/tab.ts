import type { Failure } from '../core/failure.ts'
import { noUsage, type Usage } from '../core/event.ts'
import type { DialectName } from '../core/dialect.ts'
import { timeId } from '../core/id.ts'
import type { Rung } from '../core/ladder.ts'
import type { Receipt, TryRecord } from '../core/receipt.ts'

/** How much of a model's name is written down: it is the caller's or the vendor's text. */
const nameLengthMax = 200

/** What becomes known of one call on its way through the steps; in the end its receipt. */
export class Tab {
  readonly id: string
  readonly dialect: DialectName
  readonly startedMs: number
  /** The path prefix that the call came in by. */
  readonly mount: string
  keyId = ''
  /** The caller's own id of the call, from `x-client-request-id`. */
  clientId: string | undefined
  modelAsked = ''
  model = ''
  /** The ladder in force, by name. */
  ladder: string | undefined
  vendor = ''
  simulated = false
  stream = false
  tries: TryRecord[] = []
  usage: Usage = noUsage
  status = 0
  failure: Failure | undefined
  firstByteMs = 0
  requestBytes = 0
  replyBytes = 0

  constructor(dialect: DialectName, startedMs: number, mount = '') {
    this.id = `req_${timeId(startedMs)}`
    this.dialect = dialect
    this.startedMs = startedMs
    this.mount = mount
  }

  /** The rung that is tried now, or whose failure is told. */
  on({ vendor, model, simulated }: Rung): void {
    this.vendor = vendor.name
    this.model = model.id
    this.simulated = simulated
  }

  receipt(endedMs: number): Receipt {
    return {
      id: this.id,
      keyId: this.keyId,
      clientId: this.clientId,
      dialect: this.dialect,
      modelAsked: this.modelAsked.slice(0, nameLengthMax),
      model: this.model.slice(0, nameLengthMax),
      vendor: this.vendor,
      simulated: this.simulated,
      stream: this.stream,
      tries: this.tries,
      usage: this.usage,
      status: this.status,
      failure: this.failure?.kind,
      blame: this.failure?.blame,
      startedMs: this.startedMs,
      firstByteMs: this.firstByteMs,
      endedMs,
      requestBytes: this.requestBytes,
      replyBytes: this.replyBytes,
    }
  }
}
