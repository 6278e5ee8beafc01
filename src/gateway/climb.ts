import type { Dispatcher } from 'undici'
import type { Call } from '../core/call.ts'
import type { ReplyContext } from '../core/dialect.ts'
import { Failure, failureOf, type FailureKind } from '../core/failure.ts'
import {
  nextStep,
  triesMax,
  verdict,
  type Ladder,
  type Moment,
  type Rung,
  type Standing,
  type Step,
  type Try,
} from '../core/ladder.ts'
import type { Passed, TryRecord } from '../core/receipt.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Answer, Attempt, Running } from './attempt.ts'
import type { Clock } from './clock.ts'
import { fits } from './fit.ts'
import type { Log } from './gateway.ts'
import type { Seat, Seats } from './health/seats.ts'
import { callMsMax, patience } from './patience.ts'
import { prepare, type Sending } from './prepare.ts'
import type { Tab } from './tab.ts'
import { isPassed } from './trail.ts'

/** What a climb needs besides the call and its ladder. */
export interface Climb {
  snapshot: Snapshot
  /** Time and chance. */
  clock: Clock
  /** How each rung stands, and what becomes of its calls. */
  seats: Seats
  /** One try at one rung. */
  attempt: (one: Attempt) => Running
  dispatcher: (connectMs: number) => Dispatcher
  context: ReplyContext
  tab: Tab
  log: Pick<Log, 'vendor'>
  /** By the clock. */
  startedMs: number
  /** From the start: no answer that begins later is of use to the caller. */
  untilMs: number
  /** The call is a caller's own retry. */
  retried: boolean
  /** Set once the call has to end: the caller has left, or the gateway stops. `cancel` is called then. */
  gone: { failure: Failure | undefined; cancel: ((reason: Failure) => void) | undefined }
}

/** An answer, and what has to be called once when it has been given, or has failed on the way. */
export interface Climbed {
  answer: Answer
  over(failure: Failure | undefined): void
}

/** Step 5: tries the rungs, as `nextStep` says, until one answers. Throws the Failure to tell when none does. */
export function climb(call: Call, ladder: Ladder, means: Climb): Promise<Climbed> {
  return new Ascent(call, ladder, means).run()
}

/** A try under way. */
interface Going {
  rung: number
  running: Running
  seat: Seat
  record: TryRecord
  startedMs: number
}

/** One call's way up its ladder. */
class Ascent {
  readonly #call: Call
  readonly #ladder: Ladder
  readonly #means: Climb
  readonly #moment: Moment
  readonly #tries: Try[] = []
  /** Levels of which the trail has said why they were passed over. */
  readonly #told = new Set<number>()
  /** Tries under way, and how they will end. */
  readonly #open = new Map<Going, Promise<Ended>>()
  #waitedMs = 0

  constructor(call: Call, ladder: Ladder, means: Climb) {
    this.#call = call
    this.#ladder = ladder
    this.#means = means
    const { clock, seats, startedMs, untilMs, retried } = means
    const waitedMs = (): number => this.#waitedMs
    this.#moment = {
      get elapsedMs() {
        return clock.nowMs() - startedMs
      },
      get waitedMs() {
        return waitedMs()
      },
      untilMs,
      retried,
      standing: (rung) => seats.standing(ladder.rungs[rung] as Rung),
      random: clock.random,
    }
  }

  async run(): Promise<Climbed> {
    let misses = 0
    for (;;) {
      const step = nextStep(this.#ladder, this.#tries, this.#moment)
      if (step.type === 'stop') {
        if (step.back !== undefined && !this.#isFit(step.back.rung)) continue
        throw this.#verdict(step)
      }
      if (step.waitMs > 0 && !this.#isFit(step.rung)) continue
      const rung = this.#ladder.rungs[step.rung] as Rung
      // First: with its own seat, the call itself may make another rung full.
      this.#passOver(rung.level)
      const seat = this.#means.seats.take(rung, step.claim)
      // Another call has taken what this step needs: how the rungs stand has changed.
      if (seat === undefined) {
        misses += 1
        if (misses > missesMax) throw this.#verdict({ type: 'stop' })
        continue
      }
      if (step.waitMs > 0 && !(await this.#wait(step.waitMs, seat))) {
        seat.leave()
        continue
      }
      const going = this.#start(step.rung, seat, step.waitMs)
      const climbed = going === undefined ? undefined : await this.#follow(going)
      if (climbed !== undefined) return climbed
    }
  }

  /** False where the rung must be left alone for longer, as another call has learnt meanwhile. */
  async #wait(waitMs: number, seat: Seat): Promise<boolean> {
    const { clock, gone } = this.#means
    const sleep = clock.sleep(waitMs)
    gone.cancel = () => sleep.cancel()
    await sleep.done
    this.#waitedMs += waitMs
    return gone.failure !== undefined || !seat.isBarred
  }

  /** Begins a try; undefined where the request cannot be written for this rung, which is then noted. */
  #start(index: number, seat: Seat, waitMs: number, hedge?: true): Going | undefined {
    const { tab, clock, gone, context } = this.#means
    const rung = this.#ladder.rungs[index] as Rung
    let sending: Sending
    try {
      if (gone.failure !== undefined) throw gone.failure
      sending = this.#write(rung)
    } catch (thrown) {
      seat.leave()
      this.#unfit(index, failureOf(thrown))
      return undefined
    }
    tab.on(rung)
    const record = recordOf(rung, 'ok', { ...(waitMs > 0 && { waitMs }), ...(hedge && { hedge }) })
    tab.tries.push(record)
    seat.begin()
    const { elapsedMs } = this.#moment
    const running = this.#means.attempt({
      call: this.#call,
      rung,
      sending,
      context: { ...context, model: rung.model.id },
      patience: patience(this.#call, rung, {
        elapsedMs,
        untilMs: this.#means.untilMs,
        elsewhere: () => this.#elsewhere() !== undefined,
      }),
      dispatcher: this.#means.dispatcher(rung.deadlines.connectMs),
      record,
    })
    return { rung: index, running, seat, record, startedMs: clock.nowMs() }
  }

  /** The call as this rung gets it. Throws Failure for what the rung cannot take. */
  #write(rung: Rung): Sending {
    fits(this.#call, rung, this.#ladder)
    return prepare(this.#call, rung, this.#means.snapshot.dialects)
  }

  /** Can the request be written for this rung? If not, that is noted: nobody waits for it, and nobody is told to come back for it. */
  #isFit(index: number): boolean {
    try {
      this.#write(this.#ladder.rungs[index] as Rung)
      return true
    } catch (thrown) {
      this.#unfit(index, failureOf(thrown))
      return false
    }
  }

  #unfit(index: number, failure: Failure): void {
    const { gone, tab } = this.#means
    const rung = this.#ladder.rungs[index] as Rung
    if (gone.failure !== undefined || failure.kind === 'gateway-fault') throw gone.failure ?? failure
    // Of a call that can go nowhere else there is no trail to tell.
    if (this.#ladder.rungs.length > 1) tab.tries.push(recordOf(rung, failure.kind, { unfit: true }))
    this.#tries.push({ rung: index, failure, atMs: this.#moment.elapsedMs, unfit: true })
  }

  /** A try's answer, or that of the one started beside it where it lets the caller wait; undefined where none came. */
  async #follow(going: Going): Promise<Climbed | undefined> {
    const { gone, clock } = this.#means
    const { hedgeAfterMs } = this.#ladder
    const end = endOf(going)
    this.#open.set(going, end)
    gone.cancel = (reason) => {
      for (const one of this.#open.keys()) one.running.cancel(reason)
    }
    if (hedgeAfterMs === undefined) {
      const ended = await end
      this.#open.delete(going)
      return this.#weigh(ended)
    }
    const sleep = clock.sleep(hedgeAfterMs)
    let waiting: Promise<undefined> | undefined = sleep.done
    try {
      while (this.#open.size > 0) {
        const next: Ended | undefined = await Promise.race(
          waiting === undefined ? this.#open.values() : [...this.#open.values(), waiting],
        )
        if (next === undefined) {
          waiting = undefined
          const beside = this.#beside()
          if (beside !== undefined) this.#open.set(beside, endOf(beside))
          continue
        }
        this.#open.delete(next.going)
        const climbed = this.#weigh(next)
        if (climbed !== undefined) return climbed
      }
      return undefined
    } finally {
      sleep.cancel()
      // Those that lost, or were ended together with this one.
      for (const one of this.#open.keys()) this.#cancel(one)
    }
  }

  /** Starts the next healthy rung beside the one that has given nothing yet. */
  #beside(): Going | undefined {
    const index = this.#means.gone.failure === undefined ? this.#elsewhere() : undefined
    if (index === undefined) return undefined
    const rung = this.#ladder.rungs[index] as Rung
    this.#passOver(rung.level)
    const seat = this.#means.seats.take(rung, undefined)
    return seat === undefined ? undefined : this.#start(index, seat, 0, true)
  }

  /** The healthy rung of another level that a try would go to next, if the request can be written for it. */
  #elsewhere(): number | undefined {
    const { rungs, retries } = this.#ladder
    const { seats, tab } = this.#means
    const begun = tab.tries.filter((one) => one.unfit !== true && !isPassed(one.outcome)).length
    if (!retries.enabled || begun >= triesMax(retries, this.#moment)) return undefined
    const index = rungs.findIndex(
      (rung) => !this.#wasTried(rung.level) && seats.standing(rung).type === 'well' && this.#takes(rung),
    )
    return index < 0 ? undefined : index
  }

  /** Can the request be written for this rung? */
  #takes(rung: Rung): boolean {
    try {
      this.#write(rung)
      return true
    } catch {
      return false
    }
  }

  #weigh({ going, outcome }: Ended): Climbed | undefined {
    const { clock, tab, gone, log } = this.#means
    const { record, seat, rung: index } = going
    const rung = this.#ladder.rungs[index] as Rung
    const tookMs = clock.nowMs() - going.startedMs
    record.durationMs = Math.round(tookMs)
    if (outcome instanceof Failure) {
      record.outcome = outcome.kind
      if (record.usage !== undefined) tab.spend(record.usage, rung.model, rung.simulated)
      seat.end(this.#isHasty(rung, outcome, tookMs) ? hasty : outcome, undefined)
      this.#tries.push({ rung: index, failure: outcome, atMs: this.#moment.elapsedMs })
      if (tells.has(outcome.kind) && !outcome.stale) log.vendor(nameOf(rung), outcome.kind, outcome.message)
      if (gone.failure !== undefined) throw gone.failure
      return undefined
    }
    tab.on(rung)
    gone.cancel = going.running.cancel
    // Not all of the means: they hold the request, which is let go while its answer flows.
    const { startedMs } = this.#means
    const wholeMs = callMsMax(rung.deadlines, this.#call.head.stream)
    return {
      answer: outcome,
      over(failure) {
        tab.spend(tab.usage, rung.model, rung.simulated)
        if (failure !== undefined) record.outcome = failure.kind
        // A reader that was slow to the end of the call's time says nothing of the vendor.
        seat.end(failure?.kind === 'vendor-slow' && clock.nowMs() - startedMs >= wholeMs ? hasty : failure, tookMs)
      },
    }
  }

  /** Was the time of the call over before that of the place? Then it tells nothing of the place, or a few impatient callers would close it to all. */
  #isHasty({ deadlines }: Rung, { kind }: Failure, tookMs: number): boolean {
    return (
      kind === 'vendor-slow' &&
      tookMs < (this.#call.head.stream ? deadlines.firstByteMs : deadlines.firstByteLastMs) &&
      this.#moment.elapsedMs + earlyMs >= this.#means.untilMs
    )
  }

  #cancel({ rung: index, running, record, seat, startedMs }: Going): void {
    const { model, simulated } = this.#ladder.rungs[index] as Rung
    const { failure } = this.#means.gone
    const reason = failure ?? new Failure('caller-gone', 'Another rung answered first.')
    running.cancel(reason)
    if (record.usage !== undefined) this.#means.tab.spend(record.usage, model, simulated)
    record.outcome = failure?.kind ?? 'cancelled'
    record.durationMs = Math.round(this.#means.clock.nowMs() - startedMs)
    seat.end(reason, undefined)
  }

  /** Why the rungs above the one that is tried were not: a caller who gets another model than they asked must be able to see it. */
  #passOver(level: number): void {
    const { seats, tab } = this.#means
    for (const rung of this.#ladder.rungs) {
      if (rung.level >= level) return
      if (this.#told.has(rung.level) || this.#wasTried(rung.level)) continue
      this.#told.add(rung.level)
      tab.tries.push(recordOf(rung, passedOf(seats.standing(rung))))
    }
  }

  /** Has a rung of this level been tried, or is one under way? */
  #wasTried(level: number): boolean {
    const { rungs } = this.#ladder
    return [...this.#tries, ...this.#open.keys()].some((one) => rungs[one.rung]?.level === level)
  }

  /** What is told where nobody has answered. */
  #verdict(step: Extract<Step, { type: 'stop' }>): Failure {
    const { elapsedMs } = this.#moment
    const tries = this.#tries.map((one) => this.#heardSince(one))
    if (tries.length === 0) this.#passOver(Infinity)
    const unasked = step.back ?? (tries.length === 0 ? { rung: 0, forMs: 0 } : undefined)
    // What it would say if it were asked.
    if (unasked !== undefined) tries.push({ rung: unasked.rung, failure: this.#unasked(unasked), atMs: elapsedMs })
    const { failure, rung } = verdict(tries, elapsedMs)
    this.#means.tab.on(this.#ladder.rungs[rung] as Rung)
    return failure
  }

  /** A try as it is told now: its vendor may have asked another call for a longer pause since. */
  #heardSince(one: Try): Try {
    const { elapsedMs } = this.#moment
    const { type, forMs } = this.#moment.standing(one.rung)
    const { retry, retryAfterMs = 0 } = one.failure
    // What all calls know is rounded up by some milliseconds: this is to be another time, and not the same.
    if (!retry || type !== 'barred' || forMs < retryAfterMs - (elapsedMs - one.atMs) + longerMs) return one
    return { ...one, failure: one.failure.after(forMs), atMs: elapsedMs }
  }

  /** A rung that said when it may be asked again is not asked before, and one that is full not at all. */
  #unasked({ rung: index, forMs }: { rung: number; forMs: number }): Failure {
    const rung = this.#ladder.rungs[index] as Rung
    const { vendor, model } = rung
    const { type, reason } = this.#means.seats.standing(rung)
    if (type !== 'barred') {
      return new Failure('gateway-full', `This gateway has as many calls at ${vendor.title} as it may.`, {
        retryAfterMs: forMs,
      })
    }
    const details = { vendor: vendor.name, model: model.id, retryAfterMs: forMs }
    return reason === 'failing'
      ? new Failure(
          'vendor-overloaded',
          `${vendor.title} has more calls than it can take, and said when to come back.`,
          details,
        )
      : new Failure('vendor-limit', `${vendor.title} limits this gateway's rate, and said when to come back.`, details)
  }
}

/** What the health of a place is told of a try that its caller had no more time for. */
const hasty = new Failure('caller-gone', 'The time of the call was over.')

/** A timer may come so much early. */
const earlyMs = 2

/** How often in one call another may have been quicker: beyond any crowd, so that nothing can make the loop endless. */
const missesMax = 100

/** By how much a pause must be longer to be told: Retry-After is in seconds. */
const longerMs = 1000

/** What the operator has to know, though the call may succeed elsewhere. */
const tells: ReadonlySet<FailureKind> = new Set(['vendor-refuses', 'vendor-unreachable'])

interface Ended {
  going: Going
  outcome: Answer | Failure
}

function endOf(going: Going): Promise<Ended> {
  return going.running.outcome.then((outcome) => ({ going, outcome }))
}

function nameOf({ vendor, credential }: Rung): string {
  return credential.name === 'default' ? vendor.name : `${vendor.name} (${credential.name})`
}

function recordOf(rung: Rung, outcome: TryRecord['outcome'], more: Partial<TryRecord> = {}): TryRecord {
  const { vendor, model, credential } = rung
  return {
    vendor: vendor.name,
    model: model.id,
    credential: credential.number,
    status: 0,
    outcome,
    durationMs: 0,
    ...more,
  }
}

function passedOf({ type, reason }: Standing): Passed {
  if (type === 'full') return 'full'
  if (reason === 'refused' || reason === 'missing') return reason
  return type === 'barred' || reason === 'limited' ? 'cooling' : 'failing'
}
