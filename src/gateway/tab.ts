import type { OutgoingHttpHeaders } from 'node:http'
import type { Failure } from '../core/failure.ts'
import { inputAll, noUsage, type Usage } from '../core/event.ts'
import type { DialectName } from '../core/dialect.ts'
import { timeId } from '../core/id.ts'
import type { Capture } from './capture.ts'
import type { Caller } from '../core/caller.ts'
import type { Rung } from '../core/ladder.ts'
import type { Plan } from '../core/plan.ts'
import { costOf } from '../core/price.ts'
import type { Billed, Reserved, TryRecord } from '../core/receipt.ts'
import type { Model } from '../core/vendor.ts'

/** How much of a model's name is written down: it is the caller's or the vendor's text. */
const nameLengthMax = 200

const nothing: Reserved = Object.freeze({ input: 0, output: 0, nano: 0 })

/** What becomes known of one call on its way through the steps; in the end its receipt. */
export class Tab {
  readonly id: string
  readonly dialect: DialectName
  readonly startedMs: number
  /** The path prefix that the call came in by. */
  readonly mount: string
  keyId = ''
  owner: string | undefined
  plan = ''
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
  reserved: Reserved = nothing
  /** What is left of the caller's limits, as its dialect tells it. */
  limitHeaders: OutgoingHttpHeaders = {}
  /** What tries that gave no answer have cost, and whether all prices are known. */
  #nanoDollars = 0
  #priced = true
  status = 0
  failure: Failure | undefined
  firstByteMs = 0
  /** What is said, where the key asks for that to be kept. */
  capture: Capture | undefined
  captureMs = 0
  requestBytes = 0
  replyBytes = 0

  constructor(dialect: DialectName, startedMs: number, mount = '') {
    this.id = `req_${timeId(startedMs)}`
    this.dialect = dialect
    this.startedMs = startedMs
    this.mount = mount
  }

  /** Whose call it is. */
  by(caller: Caller, plan: Plan): void {
    this.keyId = caller.id
    this.owner = caller.owner
    this.plan = plan.name
    this.captureMs = caller.captureMs ?? 0
  }

  /** The rung that is tried now, or whose failure is told. */
  on({ vendor, model, simulated }: Rung): void {
    this.vendor = vendor.name
    this.model = model.id
    this.simulated = simulated
  }

  /** A try has used these tokens of this model: they are paid for, whatever became of it. */
  spend(usage: Usage, model: Model, simulated: boolean): void {
    if (simulated) return
    const cost = costOf(usage, model)
    if (cost.type === 'known') this.#nanoDollars += cost.nano
    else if (cost.tokens > 0) this.#priced = false
  }

  /** All tokens of the call, those of failed tries too. */
  tokens(): { input: number; output: number } {
    const all = [this.usage, ...this.tries.flatMap((one) => one.usage ?? [])]
    return {
      input: all.reduce((sum, usage) => sum + inputAll(usage), 0),
      output: all.reduce((sum, usage) => sum + usage.output, 0),
    }
  }

  /** What all of it has cost; undefined where a price is not known. */
  get nanoDollars(): number | undefined {
    return this.#priced ? this.#nanoDollars : undefined
  }

  receipt(endedMs: number): Billed {
    return {
      id: this.id,
      keyId: this.keyId,
      owner: this.owner,
      plan: this.plan,
      ladder: this.ladder,
      clientId: this.clientId,
      dialect: this.dialect,
      modelAsked: this.modelAsked.slice(0, nameLengthMax),
      model: this.model.slice(0, nameLengthMax),
      vendor: this.vendor,
      simulated: this.simulated,
      stream: this.stream,
      tries: this.tries,
      usage: this.usage,
      nanoDollars: this.nanoDollars,
      reserved: this.reserved,
      times: 1,
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
