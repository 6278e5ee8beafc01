import type { Call } from '../core/call.ts'
import type { Caller } from '../core/caller.ts'
import { Failure } from '../core/failure.ts'
import type { Ladder, Rung } from '../core/ladder.ts'
import type { Plan } from '../core/plan.ts'
import { upperBound } from '../core/price.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Gateway } from './gateway.ts'
import { monotonicMs } from './health/health.ts'
import { checkHolds } from './identify.ts'
import type { End } from './limits/concurrency.ts'
import type { CallFacts, Estimate } from './limits/estimate.ts'
import { limitFailure } from './limits/failure.ts'
import { limitHeaders } from './limits/headers.ts'
import type { Account, Amounts, Moment, Reservation } from './limits/table.ts'
import { checkPlan } from './rights.ts'
import type { Tab } from './tab.ts'

/** A call's place among those under way, and what is held back for it of its caller's limits. */
export interface Admission {
  /** The call is over: what it has not used is given back. Once. */
  leave(): void
}

interface Asking {
  caller: Caller
  plan: Plan
  call: Call
  ladder: Ladder
  tab: Tab
  end: End
}

/** Step 4: may the call be made now? Throws Failure `gateway-full`, `key-wrong`, `not-allowed`, `plan-limit` or `plan-budget`. */
export function admit(gateway: Gateway, snapshot: Snapshot, asking: Asking): Admission {
  if (gateway.draining) {
    throw new Failure('gateway-full', 'This gateway is stopping and takes no new calls.', { retryAfterMs: 5000 })
  }
  if (snapshot.refusesUnwritten && !gateway.recorder.healthy) {
    throw new Failure('gateway-full', 'This gateway cannot write down its calls, and takes none until it can.', {
      retryAfterMs: 10_000,
      fix: 'The operator must make room on the disk of the data folder.',
    })
  }
  const { caller, plan, call, tab, end } = asking
  // Its body may have come for minutes.
  checkHolds(snapshot, caller)
  checkPlan(call, plan)
  const leavePlace = gateway.concurrency.admit(snapshot.callsMax, caller.id, end)
  try {
    const held = hold(gateway, asking)
    return {
      leave() {
        leavePlace()
        settle(gateway, held, tab)
      },
    }
  } catch (error) {
    leavePlace()
    throw error
  }
}

interface Held {
  reservation: Reservation
  facts: CallFacts
  estimate: Estimate | undefined
}

/** Takes what the call may use out of the limits of its key and owner, all of it or nothing, and notes it. */
function hold(gateway: Gateway, { caller, plan, call, ladder, tab }: Asking): Held {
  const { model, vendor, simulated } = ladder.rungs[0] as Rung
  const tokensMax = call.dialect.request.tokensMax(call.json)?.tokens ?? model.outputMax
  const facts: CallFacts = { keyId: caller.id, vendor: vendor.name, model: model.id, tokensMax }
  const account = accountOf(caller, plan)
  // A count of tokens uses none; a key without limits needs no estimate.
  const estimate =
    call.purpose === 'count' || !isLimited(account) ? undefined : gateway.ratios.estimate(call.body, facts)
  const { inputTokens = 0, outputTokens = 0 } = estimate ?? {}
  const bound =
    simulated || estimate === undefined ? undefined : upperBound(model, { inputTokens, outputTokensMax: outputTokens })
  const nanoDollars = bound?.type === 'known' ? bound.nano : 0
  const at = now()
  const reserved = gateway.limits.reserve(account, { inputTokens, outputTokens, nanoDollars }, at)
  if (isLimited(account)) {
    tab.limitHeaders = limitHeaders(gateway.limits.state(account, at), call.dialect.name, at)
  }
  if (reserved.type === 'refused') throw limitFailure(reserved, plan)
  tab.reserved = { input: inputTokens, output: outputTokens, nano: nanoDollars }
  gateway.recorder.admitted({
    id: tab.id,
    key: caller.id,
    owner: caller.owner,
    plan: plan.name,
    model: model.id,
    vendor: vendor.name,
    startedMs: tab.startedMs,
    reserved: tab.reserved,
    dialect: call.dialect.name,
    simulated,
  })
  return { reservation: reserved, facts, estimate }
}

/** What a key and its owner may use: the plan's limits, with those of the key in their place where it has its own. */
export function accountOf(caller: Caller, plan: Plan): Account {
  return {
    keySlot: caller.keySlot,
    ownerSlot: caller.ownerSlot,
    keyLimits: caller.limits === undefined ? plan.limits : { ...plan.limits, ...caller.limits },
    ownerLimits: caller.ownerLimits ?? plan.ownerLimits,
  }
}

const limited = new WeakMap<object, boolean>()

function isLimited({ keyLimits, ownerLimits, ownerSlot }: Account): boolean {
  return has(keyLimits) || (ownerSlot !== undefined && has(ownerLimits))
}

function has(limits: object): boolean {
  let found = limited.get(limits)
  if (found === undefined) {
    found = Object.keys(limits).length > 0
    limited.set(limits, found)
  }
  return found
}

function now(): Moment {
  return { nowMs: monotonicMs(), dateMs: Date.now() }
}

/** Puts what was used in the place of what was held back. */
function settle(gateway: Gateway, { reservation, facts, estimate }: Held, tab: Tab): void {
  const { input, output } = tab.tokens()
  const told = { inputTokens: input, outputTokens: output, nanoDollars: tab.nanoDollars ?? 0 }
  const broken = tab.failure !== undefined && tab.status === 200 && tab.firstByteMs > 0
  gateway.limits.settle(reservation, broken ? ofBroken(told, reservation.asked) : told, now())
  // Only a natural end tells how long answers are.
  if (estimate !== undefined && tab.failure === undefined && tab.tries.length === 1) {
    gateway.ratios.learn(estimate, facts, tab.usage)
  }
}

/**
 * What an answer has used that broke off. Vendors tell the output at the end only: by leaving just before, a caller would have it for
 * nothing. So it is at least what was held back: it was paid for, more or less.
 */
function ofBroken(told: Amounts, asked: Amounts): Amounts {
  return {
    inputTokens: told.inputTokens > 0 ? told.inputTokens : asked.inputTokens,
    outputTokens: Math.max(told.outputTokens, asked.outputTokens),
    nanoDollars: Math.max(told.nanoDollars, asked.nanoDollars),
  }
}
