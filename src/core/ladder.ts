import type { Failure } from './failure.ts'
import type { Model, Vendor } from './vendor.ts'

/** The places to try for a call, best first, and how far to go. */
export interface Ladder {
  /** As the operator named it; undefined for a call of one model that nothing takes the place of. */
  readonly name: string | undefined
  /** Level by level; within a level the same model by its credentials, in the order of this call. */
  readonly rungs: readonly Rung[]
  readonly retries: RetryRules
  /** The next rung is started where the first has given no content by then; undefined for never. */
  readonly hedgeAfterMs: number | undefined
}

/** One place that can answer: a model of a vendor, by one credential. */
export interface Rung {
  /** Which rung of the operator's ladder it belongs to, from 0. Those of one level differ in their credentials only. */
  readonly level: number
  readonly vendor: Vendor
  readonly model: Model
  readonly credential: Credential
  /** A simulated vendor answers in its place. */
  readonly simulated: boolean
  readonly deadlines: Deadlines
  readonly cooldown: CooldownRules
  readonly breaker: BreakerRules
  readonly budget: BudgetRules
  /** Under which its health is kept, shared by all ladders: undefined for one that must leave no trace (a fault on demand). */
  readonly healthKey: string | undefined
  /** A model that only a caller knows: its health is kept by each worker for itself, among few, so that names cannot crowd out models. */
  readonly unheard?: boolean
  /** Headers for the simulated vendor: the fault that the caller asked for. */
  readonly headers?: Readonly<Record<string, string>>
}

/** One key of the operator's at a vendor, and where it is used. */
export interface Credential {
  /** The operator's name for it. */
  readonly name: string
  /** Its place among the vendor's, from 1: what callers may know of it. */
  readonly number: number
  /** Its share of the calls, against the other credentials of its vendor. */
  readonly weight: number
  readonly origin: string
  /** The path before the vendor's own, '' for none. */
  readonly base: string
  readonly secret: Secret
  /** Most calls at once; undefined for as many as come. */
  readonly callsMax: number | undefined
}

/** How long to wait for what, in milliseconds. */
export interface Deadlines {
  readonly connectMs: number
  /** To the first byte of a streamed answer while another rung is healthy, and where none is. */
  readonly firstByteMs: number
  readonly firstByteLastMs: number
  /** The same where the call asks for thinking. */
  readonly thinkingMs: number
  readonly thinkingLastMs: number
  /** Between bytes of an answer; a vendor's pings count. */
  readonly idleMs: number
  /** From the start of the call, all tries and waits included. */
  readonly wholeCallMs: number
  readonly streamedCallMs: number
}

/** Retries of one call. Waits in milliseconds. */
export interface RetryRules {
  readonly enabled: boolean
  /** Most tries of a call over all rungs; a try whose request was surely never sent is not counted. */
  readonly triesMax: number
  /** Most tries of a call that is itself a caller's retry. */
  readonly triesMaxRetried: number
  /** Most tries of the last healthy rung. While a healthier one exists, a rung has one. */
  readonly triesLastRung: number
  /** Most waiting added to one call in all. */
  readonly waitMsMax: number
  /** Same rung: a random time up to this, doubled for each try, at most `backoffMsMax`. */
  readonly backoffMs: number
  readonly backoffLimitedMs: number
  readonly backoffMsMax: number
}

/** How long a place is left alone after an answer that asks for it, in milliseconds; each doubles while it goes on. */
export interface CooldownRules {
  readonly enabled: boolean
  /** A longer time is not believed, though a vendor said so. */
  readonly statedMsMax: number
  /** Limited, and no time said. */
  readonly limitedMs: number
  readonly limitedMsMax: number
  /** The credential was refused. */
  readonly refusedMs: number
  readonly refusedMsMax: number
  /** The model is not there. */
  readonly missingMs: number
}

/** When a place counts as down, and how it is found to be up again. */
export interface BreakerRules {
  readonly enabled: boolean
  readonly failuresInRow: number
  /** From 0 to 1, of at least `callsMin` calls in `windowMs` (1 to 60 s). */
  readonly failureShare: number
  readonly callsMin: number
  readonly windowMs: number
  /** How long it is left alone; doubles each time a probe fails. */
  readonly openMs: number
  readonly openMsMax: number
  /** Good probes in a row that close it. */
  readonly probesGood: number
}

/** How many retries on the same rung all calls together may make. */
export interface BudgetRules {
  readonly enabled: boolean
  /** Of the calls in `windowMs` (1 to 60 s), from 0 to 1. */
  readonly share: number
  readonly windowMs: number
  /** So many may be under way whatever the share. At most 16. */
  readonly floor: number
}

/**
 * How many calls a credential may have under way where the operator sets no number: found by trying. One more for each window of
 * successes, fewer by `factor` when the vendor says that it is too much (AIMD).
 */
export interface AdaptiveRules {
  readonly enabled: boolean
  readonly start: number
  readonly least: number
  readonly most: number
  /** From 0 to 1. */
  readonly factor: number
}

/** How a rung stands at this moment, by all calls that went there. */
export interface Standing {
  /**
   * `well`: may be tried. `probe`: was failing, and one call may find out whether it still is. `resting`: better left alone,
   * by our own judgement. `barred`: the vendor said when it may be asked again. `full`: has as many calls as it may.
   */
  readonly type: 'well' | 'probe' | 'resting' | 'barred' | 'full'
  /** Why it rests. */
  readonly reason?: 'limited' | 'failing' | 'refused' | 'missing'
  /** How much longer it rests or is barred, in milliseconds; 0 otherwise. */
  readonly forMs: number
  readonly failuresInRow: number
  /** Does the budget admit a retry here? */
  readonly retries: boolean
}

/** What is left to say about one try. */
export interface Try {
  readonly rung: number
  readonly failure: Failure
  /** When it failed, since the start of the call. */
  readonly atMs: number
  /** The vendor was not asked: the request cannot be written for this rung, or does not fit there. */
  readonly unfit?: boolean
}

/** What the policy may look at besides the history. */
export interface Moment {
  readonly elapsedMs: number
  /** How long was waited between tries, in all. */
  readonly waitedMs: number
  /** From the start of the call: no try that would begin later is made. */
  readonly untilMs: number
  /** The call is a caller's own retry of an earlier one. */
  readonly retried: boolean
  standing(rung: number): Standing
  /** From 0 to 1, below 1. */
  readonly random: () => number
}

export type Step =
  | {
      type: 'try'
      rung: number
      waitMs: number
      /** It needs a place as a probe, or one in the budget of retries, which another call may have taken meanwhile. */
      claim: 'probe' | 'retry' | undefined
    }
  /** `back`: of the rungs that were not asked, since they are barred or full, the one that may be soonest, and when. */
  | { type: 'stop'; back?: { rung: number; forMs: number } }

/**
 * What to do after these tries: the whole policy of retry and fallback, a pure function of the history and the moment.
 * docs/ladder.md tells it for people; the numbers' reasons are there.
 */
export function nextStep(ladder: Ladder, tries: readonly Try[], moment: Moment): Step {
  const last = tries.at(-1)
  if (last === undefined) return firstStep(ladder, moment)
  // Not the last one only: of two that were under way at once, the first to fail may have been the one that ends the call.
  if (!tries.every((one, index) => passesOn(ladder, one, index))) return { type: 'stop' }
  const reconnected = last.failure.stale ? onceMore(tries, last, moment) : undefined
  if (reconnected !== undefined) return reconnected
  if (!ladder.retries.enabled) return { type: 'stop' }
  const most = triesMax(ladder.retries, moment)
  if (sent(tries) >= most || asked(tries) >= 2 * most) return stop(ladder, tries, moment)
  const open = ladder.rungs
    .map((_, rung) => candidate(ladder, tries, rung, moment))
    .filter((one) => one !== undefined)
    .filter(({ waitMs }) => moment.elapsedMs + waitMs < moment.untilMs)
  const [best] = open.toSorted((one, other) => one.order - other.order || one.waitMs - other.waitMs)
  if (best === undefined) return stop(ladder, tries, moment)
  return { type: 'try', rung: best.rung, waitMs: best.waitMs, claim: best.claim }
}

/** Does this failure leave other rungs a chance? What cannot be written for one says nothing of the others, but the rules of the model asked for are the caller's. */
function passesOn({ rungs }: Ladder, { rung, failure, unfit }: Try, index: number): boolean {
  return failure.moves.length > 0 || (unfit === true && (index > 0 || rungs[rung]?.level !== 0))
}

/** The same place at once, by a new connection: the first time that a kept one had been closed, and where the place may be tried. */
function onceMore(tries: readonly Try[], { rung }: Try, moment: Moment): Step | undefined {
  if (tries.filter((one) => one.failure.stale).length > 1 || moment.elapsedMs >= moment.untilMs) return undefined
  const { type } = moment.standing(rung)
  if (type === 'barred' || type === 'full') return undefined
  return { type: 'try', rung, waitMs: 0, claim: type === 'probe' ? 'probe' : undefined }
}

/** When to come back to a rung that has as many calls as it may: a guess, since calls end when they end. */
const fullMs = 1000

/** Nothing more is tried. */
function stop(ladder: Ladder, tries: readonly Try[], moment: Moment): Step {
  let back: { rung: number; forMs: number } | undefined
  for (let rung = 0; rung < ladder.rungs.length; rung += 1) {
    if (tries.some((one) => one.rung === rung || (one.unfit === true && sameLevel(ladder, one.rung, rung)))) continue
    const { type, forMs } = moment.standing(rung)
    const leftMs = type === 'full' ? fullMs : forMs
    if ((type === 'full' || type === 'barred') && (back === undefined || leftMs < back.forMs))
      back = { rung, forMs: leftMs }
  }
  return { type: 'stop', ...(back !== undefined && { back }) }
}

/** How many tries a call may have in all. */
export function triesMax(rules: RetryRules, { retried }: Pick<Moment, 'retried'>): number {
  if (!rules.enabled) return 1
  return retried ? Math.min(rules.triesMax, rules.triesMaxRetried) : rules.triesMax
}

/** Tries that a vendor may have worked on. */
function sent(tries: readonly Try[]): number {
  return tries.filter((one) => one.unfit !== true && !one.failure.unsent).length
}

/** All tries, those too whose requests were never sent: connecting takes its time as well. */
function asked(tries: readonly Try[]): number {
  return tries.filter((one) => one.unfit !== true).length
}

/** Where a call begins: the first rung that is well, or for a caller's retry the healthiest. */
function firstStep(ladder: Ladder, moment: Moment): Step {
  const { rungs } = ladder
  let best = -1
  let bestBadness = Infinity
  let barred: { rung: number; forMs: number } | undefined
  for (let rung = 0; rung < rungs.length; rung += 1) {
    const standing = moment.standing(rung)
    const badness = badnessOf(standing, moment.retried)
    // The usual call: nothing else is looked at.
    if (badness === 0) return { type: 'try', rung, waitMs: 0, claim: standing.type === 'probe' ? 'probe' : undefined }
    if (standing.type === 'barred') {
      if (barred === undefined || standing.forMs < barred.forMs) barred = { rung, forMs: standing.forMs }
    } else if (badness < bestBadness) {
      best = rung
      bestBadness = badness
    }
  }
  if (best >= 0) {
    const claim = moment.standing(best).type === 'probe' ? 'probe' : undefined
    return { type: 'try', rung: best, waitMs: 0, claim }
  }
  if (barred === undefined) return stop(ladder, [], moment)
  const waitMs = obeyed(barred.forMs, moment)
  const fits =
    ladder.retries.enabled &&
    moment.waitedMs + waitMs <= ladder.retries.waitMsMax &&
    moment.elapsedMs + waitMs < moment.untilMs
  return fits ? { type: 'try', rung: barred.rung, waitMs, claim: undefined } : stop(ladder, [], moment)
}

/** 0 for a rung to begin at; more for one to begin at only where there is no better. */
function badnessOf({ type, forMs, failuresInRow }: Standing, retried: boolean): number {
  if (type === 'full' || type === 'barred') return Infinity
  if (type === 'resting') return 1e6 + forMs
  return retried ? failuresInRow : 0
}

/** Of a wait that a vendor demands a little more, so that not all who wait come at once. */
function obeyed(forMs: number, { random }: Moment): number {
  return Math.ceil(forMs * (1 + random() / 10))
}

interface Candidate {
  rung: number
  waitMs: number
  claim: 'probe' | 'retry' | undefined
  /** 0: at once and elsewhere; 1: after a wait; 2: at once, though it is not well. */
  order: 0 | 1 | 2
}

/** May this rung be tried next, when, and how gladly? */
function candidate(ladder: Ladder, tries: readonly Try[], rung: number, moment: Moment): Candidate | undefined {
  const level = tries.filter((one) => sameLevel(ladder, one.rung, rung))
  if (level.some((one) => one.unfit === true)) return undefined
  const here = level.findLast((one) => one.rung === rung)
  const standing = moment.standing(rung)
  if (standing.type === 'full') return undefined
  if (here !== undefined) return again(ladder, tries, here, standing, moment)
  const reached = level.every((one) => opens(ladder, one, rung))
  if (standing.type === 'barred')
    return reached ? waiting(ladder, { rung, claim: undefined }, standing.forMs, moment) : undefined
  if (!reached) return undefined
  if (standing.type === 'resting') return { rung, waitMs: 0, claim: undefined, order: 2 }
  return { rung, waitMs: 0, claim: standing.type === 'probe' ? 'probe' : undefined, order: 0 }
}

function sameLevel({ rungs }: Ladder, one: number, other: number): boolean {
  return rungs[one]?.level === rungs[other]?.level
}

/** Does a failure of the same model by another credential leave this one a chance? */
function opens({ rungs }: Ladder, tried: Try, rung: number): boolean {
  if (tried.failure.moves.includes('credential')) return true
  return tried.failure.sign === 'broken' && rungs[tried.rung]?.credential.origin !== rungs[rung]?.credential.origin
}

/** The same place once more: after a wait, within the budget, and only where it may have changed. */
function again(
  ladder: Ladder,
  tries: readonly Try[],
  here: Try,
  standing: Standing,
  moment: Moment,
): Candidate | undefined {
  const { rung, failure } = here
  const { retries } = ladder
  if (moment.retried || !failure.moves.includes('again')) return undefined
  const times = tries.filter((one) => one.rung === rung).length
  const free = failure.unsent && tries.filter((one) => one.rung === rung && one.failure.unsent).length === 1
  if (!free && (times >= retries.triesLastRung || !standing.retries)) return undefined
  const claim = free ? undefined : 'retry'
  const statedMs = leftOf(failure, moment.elapsedMs - here.atMs) ?? 0
  if (standing.type === 'barred' || statedMs > 0) {
    return waiting(ladder, { rung, claim }, Math.max(statedMs, standing.forMs), moment)
  }
  if (standing.type === 'resting' && standing.reason !== 'limited') return undefined
  // On the last of those that were tried: a rung that was left for another is not gone back to.
  const later = tries.slice(tries.lastIndexOf(here) + 1)
  if (later.some((one) => one.unfit !== true && one.rung !== rung && one.failure.moves.includes('again')))
    return undefined
  const baseMs = failure.sign === 'limited' ? retries.backoffLimitedMs : retries.backoffMs
  const waitMs = Math.floor(moment.random() * Math.min(baseMs * 2 ** (times - 1), retries.backoffMsMax))
  if (moment.waitedMs + waitMs > retries.waitMsMax) return undefined
  return { rung, waitMs, claim, order: 1 }
}

/** A rung whose vendor said when: worth waiting for if it is soon. */
function waiting(
  { retries }: Ladder,
  place: Pick<Candidate, 'rung' | 'claim'>,
  forMs: number,
  moment: Moment,
): Candidate | undefined {
  const waitMs = obeyed(forMs, moment)
  return moment.waitedMs + waitMs > retries.waitMsMax ? undefined : { ...place, waitMs, order: 1 }
}

/**
 * Which of the failures the caller is told, where none of the tries succeeded: the one that a retry can cure soonest, else that
 * of the first rung, which the caller asked for. Its `retryAfterMs` counts from `elapsedMs`.
 */
export function verdict(tries: readonly Try[], elapsedMs: number): { failure: Failure; rung: number } {
  const lasting = tries.filter((one, index) => !tries.slice(index + 1).some((later) => later.rung === one.rung))
  const curable = lasting
    .filter((one) => one.failure.retry)
    .map(({ failure, atMs, rung }) => ({ failure, rung, leftMs: leftOf(failure, elapsedMs - atMs) }))
    .toSorted((one, other) => (one.leftMs ?? 0) - (other.leftMs ?? 0) || one.rung - other.rung)
  const [soonest] = curable
  if (soonest !== undefined) return { failure: withRetryAfter(soonest.failure, soonest.leftMs), rung: soonest.rung }
  const [first] = lasting.toSorted((one, other) => one.rung - other.rung)
  if (first === undefined) throw new Error('a verdict on no tries')
  return first
}

function leftOf({ retryAfterMs }: Failure, agoMs: number): number | undefined {
  if (retryAfterMs === undefined || agoMs < handledMs) return retryAfterMs
  return Math.max(0, retryAfterMs - agoMs)
}

/** What passes between an answer and its being weighed: a time that was stated is told as it was. */
const handledMs = 50

function withRetryAfter(failure: Failure, retryAfterMs: number | undefined): Failure {
  return retryAfterMs === failure.retryAfterMs || retryAfterMs === undefined ? failure : failure.after(retryAfterMs)
}

/** A secret that prints as its beginning only, wherever it ends up. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The secret itself: for the header of a request, and for nothing else. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return this.#value === '' ? '(none)' : `${this.#value.slice(0, 4)}…(${this.#value.length})`
  }

  toJSON(): string {
    return this.toString()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/** What the simulated vendors take for a key. */
export const sandboxSecret = new Secret('sandbox')
