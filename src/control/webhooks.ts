import { createHmac } from 'node:crypto'
import type { Limits } from '../core/plan.ts'

/** Where budgets are told. */
export interface Hook {
  readonly url: string
  readonly secret: string
  /** Percent of a budget. */
  readonly thresholds: readonly number[]
}

/** What of a budget was used up to now. */
export interface BudgetUse {
  readonly scope: 'key' | 'owner'
  readonly id: string
  readonly name: string
  readonly limit: keyof Limits
  readonly max: number
  readonly used: number
  /** When the day or month began, Unix milliseconds. */
  readonly periodMs: number
}

export interface WebhooksOptions {
  readonly hooks: readonly Hook[]
  /** Sends one message; throws or gives the status. */
  readonly send: (url: string, body: string, headers: Readonly<Record<string, string>>) => Promise<number>
  /** Notes that this is told now; false where it was already. Kept over a restart. */
  readonly tell: (told: { subject: string; limit: string; percent: number; period: number }) => boolean
  readonly nowMs: () => number
  readonly sleep: (ms: number) => Promise<void>
  readonly onError: (error: Error) => void
}

/** How often one message is tried, and the wait before the second try; it doubles. */
const triesMax = 6
const waitMs = 1000
/** Messages that wait at once: more than that are dropped, and said so. */
const waitingMax = 1000

/**
 * Tells who asked for it when a key or an owner has used so much of a budget: once for each threshold and period, signed, and tried
 * again while nobody takes it.
 */
export class Webhooks {
  readonly #options: WebhooksOptions
  readonly #sending = new Set<Promise<void>>()
  readonly #closing = Promise.withResolvers<undefined>()
  #closed = false

  constructor(options: WebhooksOptions) {
    this.#options = options
  }

  /** Looks at a budget that was used, and tells what is to be told. */
  check(use: BudgetUse): void {
    const percents = new Set(this.#options.hooks.flatMap((hook) => hook.thresholds))
    for (const percent of percents) {
      if (use.used < (use.max * percent) / 100) continue
      const told = { subject: `${use.scope}:${use.id}`, limit: use.limit, percent, period: use.periodMs }
      if (!this.#options.tell(told)) continue
      for (const hook of this.#options.hooks) if (hook.thresholds.includes(percent)) this.#begin(hook, use, percent)
    }
  }

  /** When nothing is on its way any more. What cannot be told now is tried no further. */
  async close(): Promise<void> {
    this.#closed = true
    this.#closing.resolve(undefined)
    await Promise.all(this.#sending)
  }

  #begin(hook: Hook, use: BudgetUse, percent: number): void {
    if (this.#sending.size >= waitingMax) {
      this.#options.onError(new Error(`A webhook is not told of ${use.scope} ${use.id}: ${waitingMax} wait already.`))
      return
    }
    const sending = this.#deliver(hook, use, percent).finally(() => this.#sending.delete(sending))
    this.#sending.add(sending)
  }

  async #deliver(hook: Hook, use: BudgetUse, percent: number): Promise<void> {
    const { send, sleep, onError, nowMs } = this.#options
    const at = new Date(nowMs()).toISOString()
    const { periodMs, ...rest } = use
    const period = new Date(periodMs).toISOString()
    const body = JSON.stringify({ type: 'budget.threshold', at, percent, ...rest, period })
    let problem = ''
    for (let tried = 0; tried < triesMax; tried += 1) {
      if (tried > 0) await Promise.race([sleep(waitMs * 2 ** (tried - 1)), this.#closing.promise])
      if (this.#closed && tried > 0) break
      try {
        const status = await send(hook.url, body, signed(body, hook.secret, nowMs()))
        if (status >= 200 && status < 300) return
        problem = `it answered ${status}`
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error)
      }
    }
    onError(new Error(`A webhook at ${new URL(hook.url).host} was not told of ${use.scope} ${use.id}: ${problem}.`))
  }
}

/** The signature covers the time too, so that an old message cannot be sent again: HMAC-SHA-256 of `TIME.BODY`. */
function signed(body: string, secret: string, nowMs: number): Record<string, string> {
  const time = Math.floor(nowMs / 1000)
  const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')
  return { 'content-type': 'application/json', 'x-keyrung-signature': `t=${time},v1=${signature}` }
}
