import { Failure, failureOf } from '../../../src/core/failure.ts'
import type { Ladder, Rung, Standing } from '../../../src/core/ladder.ts'
import type { Snapshot } from '../../../src/core/snapshot.ts'
import type { Answer, Attempt, Running } from '../../../src/gateway/attempt.ts'
import { climb, type Climb, type Climbed } from '../../../src/gateway/climb.ts'
import { Health, healthMemory } from '../../../src/gateway/health/health.ts'
import { Places, placesMemory } from '../../../src/gateway/health/places.ts'
import { Seats, type Seat } from '../../../src/gateway/health/seats.ts'
import { callMsMax } from '../../../src/gateway/patience.ts'
import { route } from '../../../src/gateway/route.ts'
import { Tab } from '../../../src/gateway/tab.ts'
import { ScriptedTry } from './attempts.ts'
import { Chance } from './chance.ts'
import type { CallLog, Played, TakeLog, TryLog } from './log.ts'
import type { CallSpec, Scene } from './scene.ts'
import { callOf, placeName, snapshotOf } from './stage.ts'
import { scriptOf } from './vendors.ts'
import { VirtualTime } from './virtual-time.ts'
import { callerOf, unlimited } from '../../support/bare.ts'

/** A line of what happens, by the call and the place that it is about. */
export type Trace = (line: { atMs: number; call: number; place: string | undefined; text: string }) => void

/** Lets all calls of a scene happen: the real climb, seats and health, with a clock and vendors of our own. */
export async function play(scene: Scene, trace?: Trace): Promise<Played> {
  const { stackTraceLimit } = Error
  // Every failure is an Error, and nobody looks at where most of them were made: a tenth of the whole time.
  if (trace === undefined) Error.stackTraceLimit = 0
  try {
    const stage = new Stage(scene, trace)
    for (const [number, spec] of scene.calls.entries())
      stage.time.at(scene.startMs + spec.atMs, () => stage.begin(number, spec))
    await stage.time.run()
    return stage.played()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** Steps of one call without anything happening in between: more are a loop without an end. */
const stepsMax = 1000

/** The gateway's workers, the vendors, and what is known of both. */
class Stage {
  readonly time: VirtualTime
  readonly calls: CallLog[] = []
  readonly #scene: Scene
  readonly #snapshot: Snapshot
  readonly #trace: Trace | undefined
  /** Of the gateway's choices, and of the vendors': so that a change of the one leaves the other as it was. */
  readonly #chance: Chance
  readonly #vendorsChance: Chance
  readonly #workers: readonly Worker[]
  /** Until when each place has asked to be left alone, as far as the gateway was told. */
  readonly #barred = new Map<string, number>()
  #order = 0

  constructor(scene: Scene, trace: Trace | undefined) {
    this.#scene = scene
    this.#trace = trace
    this.time = new VirtualTime(scene.startMs)
    this.#snapshot = snapshotOf(scene)
    this.#chance = new Chance(scene.seed)
    this.#vendorsChance = new Chance(scene.seed + 1_000_003)
    const memory = healthMemory()
    const places = placesMemory()
    const { nowMs } = this.time
    this.#workers = Array.from({ length: scene.workers }, (_, worker) => ({
      health: new Health(memory, nowMs),
      places: new Places({ memory: places, worker, nowMs }),
    }))
  }

  begin(number: number, spec: CallSpec): void {
    const ladder = this.#route(spec)
    const startedMs = this.time.nowMs()
    const whole = callMsMax((ladder.rungs[0] as Rung).deadlines, spec.stream)
    const call: CallLog = {
      number,
      spec,
      ladder,
      tab: new Tab('openai-chat', 0),
      startedMs,
      untilMs: Math.min(spec.patienceMs ?? Infinity, whole),
      climbedMs: startedMs + (spec.readMs ?? 0),
      takes: [],
      tries: [],
      seen: ladder.rungs.map(() => undefined),
      answer: undefined,
      failure: undefined,
      bug: undefined,
      gone: undefined,
      endedMs: undefined,
      ends: 0,
    }
    this.calls.push(call)
    this.#say(call, undefined, () => `begins: ${JSON.stringify(spec)}, over ${ladder.rungs.map(placeName).join(', ')}`)
    this.time.at(call.climbedMs, () => void this.#exchange(call))
  }

  played(): Played {
    return { scene: this.#scene, snapshot: this.#snapshot, calls: this.calls, held: this.#held() }
  }

  #route({ model }: CallSpec): Ladder {
    return route(this.#snapshot, model, {
      dialect: this.#snapshot.dialects['openai-chat'],
      caller: callerOf('caller', new Uint8Array()),
      plan: unlimited,
      fault: undefined,
      ladder: undefined,
      counting: false,
      random: this.#chance.random,
    })
  }

  /** The part of `exchange` that is about the climb: ask, give the answer, and settle whatever has come of it. */
  async #exchange(call: CallLog): Promise<void> {
    const gone: Climb['gone'] = { failure: undefined, cancel: undefined }
    this.#leaving(call, gone)
    let climbed: Climbed | undefined
    let failure: Failure | undefined
    try {
      climbed = await climb(callOf(call.spec), call.ladder, this.#means(call, gone))
      call.answer = { answer: climbed.answer, atMs: this.time.nowMs(), order: this.#next() }
      this.#say(call, undefined, () => 'is answered')
      failure = await this.#relay(climbed.answer)
    } catch (thrown) {
      if (!(thrown instanceof Failure)) call.bug = thrown
      failure = failureOf(thrown)
    }
    climbed?.over(failure)
    if (failure !== undefined) call.failure = { failure, atMs: this.time.nowMs() }
    call.endedMs = this.time.nowMs()
    call.ends += 1
    this.#say(call, undefined, () => `ends${failure === undefined ? '' : ` with ${told(failure)}`}`)
  }

  #leaving(call: CallLog, gone: Climb['gone']): void {
    const { leavesAfterMs } = call.spec
    if (leavesAfterMs === undefined) return
    this.time.at(call.startedMs + leavesAfterMs, () => {
      if (call.endedMs !== undefined) return
      // Whoever ends it, it is the same to the climb.
      const kind = call.number % 4 === 0 ? 'gateway-full' : 'caller-gone'
      const failure = new Failure(kind, 'The call has to end.')
      call.gone = { failure, atMs: this.time.nowMs(), order: this.#next() }
      this.#say(call, undefined, () => `is left: ${kind}`)
      gone.failure ??= failure
      gone.cancel?.(failure)
    })
  }

  #relay(answer: Answer): Promise<Failure | undefined> {
    if (answer.type === 'whole') return Promise.resolve(undefined)
    return new Promise((resolve) => {
      answer.attach({ data: () => true, end: resolve })
    })
  }

  #means(call: CallLog, gone: Climb['gone']): Climb {
    const { health, places } = this.#workers[call.spec.worker] as Worker
    return {
      snapshot: this.#snapshot,
      clock: this.time.clock(this.#chance.random),
      seats: new WatchedSeats(health, places, () => this.#snapshot.adaptive, this.#watcher(call)),
      attempt: (one) => this.#attempt(call, one),
      dispatcher: () => ({}) as never,
      context: { id: 'id', model: call.spec.model, createdMs: 0, request: {}, streamUsage: false },
      tab: call.tab,
      log: { vendor: () => {} },
      startedMs: call.startedMs,
      untilMs: call.untilMs,
      retried: call.spec.retried,
      gone,
    }
  }

  #watcher(call: CallLog): Watcher {
    let stepsAtMs = -1
    let steps = 0
    const count = (): void => {
      const nowMs = this.time.nowMs()
      if (nowMs !== stepsAtMs) {
        stepsAtMs = nowMs
        steps = 0
      }
      steps += 1
      if (steps > stepsMax) throw new Error('The climb turns in circles.')
    }
    return {
      rungs: call.ladder.rungs,
      looked: (rung, standing) => {
        count()
        call.seen[rung] = { standing, order: this.#next() }
      },
      taking: (rung, claim, standings) => {
        count()
        const take: TakeLog = {
          rung,
          claim,
          atMs: this.time.nowMs(),
          order: this.#next(),
          standings,
          granted: false,
          begunMs: undefined,
          ends: 0,
          endedMs: Infinity,
          told: undefined,
          left: undefined,
        }
        call.takes.push(take)
        return take
      },
      taken: (take) => {
        const { rung, claim, standings, granted } = take
        this.#say(call, call.ladder.rungs[rung], () => {
          const stand = standings.map(standingOf).join(', ')
          return `${granted ? 'takes' : 'is refused'}${claim === undefined ? '' : ` as ${claim}`}; they stand ${stand}`
        })
      },
      begun: (take) => {
        take.begunMs = this.time.nowMs()
      },
      left: (take, isBarred) => {
        take.ends += 1
        take.endedMs = this.time.nowMs()
        take.left = call.gone !== undefined ? 'gone' : isBarred && take.endedMs > take.atMs ? 'barred' : 'unfit'
      },
      ended: (take, failure) => {
        take.ends += 1
        take.endedMs = this.time.nowMs()
        take.told = failure
        if (failure !== undefined) this.#heard(call.ladder.rungs[take.rung] as Rung, failure)
      },
    }
  }

  /** The gateway has been told when a place may be asked again. */
  #heard({ healthKey, cooldown }: Rung, { sign, retryAfterMs }: Failure): void {
    if (healthKey === undefined || (sign !== 'limited' && sign !== 'broken') || retryAfterMs === undefined) return
    const untilMs = this.time.nowMs() + Math.min(retryAfterMs, cooldown.statedMsMax)
    if (untilMs > (this.#barred.get(healthKey) ?? -Infinity)) this.#barred.set(healthKey, untilMs)
  }

  #attempt(call: CallLog, one: Attempt): Running {
    const { rung } = one
    const index = call.ladder.rungs.indexOf(rung)
    const seen: TryLog = {
      rung: index,
      at: rung,
      take: call.takes.findLast((take) => take.rung === index && take.granted),
      record: one.record,
      patience: one.patience,
      beganMs: this.time.nowMs(),
      beganOrder: this.#next(),
      barredUntilMs: this.#barred.get(rung.healthKey ?? '') ?? -Infinity,
      whenSilent: undefined,
      outcome: undefined,
      outcomeMs: Infinity,
      outcomeOrder: Infinity,
      overMs: undefined,
      ending: undefined,
    }
    call.tries.push(seen)
    this.#lookWhenSilent(call, seen)
    this.#say(call, rung, () => `try begins${one.record.hedge === true ? ', beside another' : ''}`)
    const { servers, places } = this.#scene
    const timelines = [servers[rung.credential.origin] ?? [], places[placeName(rung)] ?? []]
    const script = scriptOf(timelines, this.time.nowMs() - this.#scene.startMs, {
      vendor: rung.vendor.name,
      stream: call.spec.stream,
      idleMs: rung.deadlines.idleMs,
      connectMs: rung.deadlines.connectMs,
      chance: this.#vendorsChance,
    })
    return new ScriptedTry(one, script, this.time, {
      settled: (outcome) => {
        seen.outcome = outcome
        seen.outcomeMs = this.time.nowMs()
        seen.outcomeOrder = this.#next()
        this.#say(call, rung, () => (outcome instanceof Failure ? `fails: ${told(outcome)}` : 'answers'))
      },
      over: (failure) => {
        seen.overMs = this.time.nowMs()
        seen.ending = failure
      },
    })
  }

  #lookWhenSilent({ ladder, spec }: CallLog, seen: TryLog): void {
    if (ladder.hedgeAfterMs === undefined) return
    const { health, places } = this.#workers[spec.worker] as Worker
    const seats = new Seats(health, places, () => this.#snapshot.adaptive)
    this.time.after(ladder.hedgeAfterMs, () => {
      if (seen.outcome === undefined) seen.whenSilent = ladder.rungs.map((rung) => seats.standing(rung))
    })
  }

  /** Every place must be free, and so must be the places for retries and probes: else they would run out one day. */
  #held(): string[] {
    const held: string[] = []
    const { health, places } = this.#workers[0] as Worker
    const all = new Map(this.calls.flatMap(({ ladder }) => ladder.rungs).map((one) => [one.healthKey, one]))
    const rungs = [...all.values()]
    for (const rung of rungs) {
      const taken = places.of(`${rung.vendor.name}#${rung.credential.name}`)?.taken ?? 0
      if (taken !== 0) held.push(`${taken} calls of ${rung.vendor.name}#${rung.credential.name}`)
      const one = { ...rung, budget: { enabled: true, floor: 1, share: 0, windowMs: 1000 } }
      if (!health.of(rung.healthKey as string).standing(one).retries) held.push(`a retry at ${placeName(rung)}`)
    }
    // Then no breaker is open any more, and whoever comes may be the probe.
    this.time.skip(Math.max(...rungs.map(({ breaker }) => breaker.openMsMax)) + 20)
    for (const rung of rungs) {
      const { reason } = health
        .of(rung.healthKey as string)
        .standing({ ...rung, cooldown: { ...rung.cooldown, enabled: false } })
      if (reason === 'failing') held.push(`a probe at ${placeName(rung)}`)
    }
    return held
  }

  #next(): number {
    return (this.#order += 1)
  }

  #say({ number }: CallLog, rung: Rung | undefined, text: () => string): void {
    if (this.#trace === undefined) return
    const place = rung === undefined ? undefined : placeName(rung)
    this.#trace({ atMs: this.time.nowMs() - this.#scene.startMs, call: number, place, text: text() })
  }
}

/** What a thread of the gateway has of its own. */
interface Worker {
  readonly health: Health
  readonly places: Places
}

interface Watcher {
  readonly rungs: readonly Rung[]
  looked(rung: number, standing: Standing): void
  taking(rung: number, claim: TakeLog['claim'], standings: readonly Standing[]): TakeLog
  taken(take: TakeLog): void
  begun(take: TakeLog): void
  left(take: TakeLog, isBarred: boolean): void
  ended(take: TakeLog, failure: Failure | undefined): void
}

/** The real seats, as one call has them, with an eye on what it asks and takes. */
class WatchedSeats extends Seats {
  readonly #watcher: Watcher

  constructor(...[health, places, adaptive, watcher]: [...ConstructorParameters<typeof Seats>, Watcher]) {
    super(health, places, adaptive)
    this.#watcher = watcher
  }

  override standing(rung: Rung): Standing {
    const standing = super.standing(rung)
    this.#watcher.looked(this.#watcher.rungs.indexOf(rung), standing)
    return standing
  }

  override take(rung: Rung, claim: TakeLog['claim']): Seat | undefined {
    const { rungs } = this.#watcher
    const standings = rungs.map((one) => super.standing(one))
    const take = this.#watcher.taking(rungs.indexOf(rung), claim, standings)
    const seat = super.take(rung, claim)
    take.granted = seat !== undefined
    this.#watcher.taken(take)
    return seat === undefined ? undefined : this.#watched(seat, take)
  }

  #watched(seat: Seat, take: TakeLog): Seat {
    const [begin, end, leave] = [seat.begin.bind(seat), seat.end.bind(seat), seat.leave.bind(seat)]
    seat.begin = () => {
      this.#watcher.begun(take)
      begin()
    }
    seat.end = (failure, contentMs) => {
      end(failure, contentMs)
      this.#watcher.ended(take, failure)
    }
    seat.leave = () => {
      const { isBarred } = seat
      leave()
      this.#watcher.left(take, isBarred)
    }
    return seat
  }
}

function standingOf({ type, reason, forMs, failuresInRow, retries }: Standing): string {
  const why = reason === undefined ? '' : ` (${reason}, ${forMs} ms)`
  return `${type}${why}${failuresInRow > 0 ? `, ${failuresInRow} failures` : ''}${retries ? '' : ', no retries'}`
}

function told({ kind, message, retryAfterMs, stale, unsent }: Failure): string {
  const more = [
    stale ? 'stale' : unsent ? 'unsent' : '',
    retryAfterMs === undefined ? '' : `back in ${retryAfterMs} ms`,
  ]
  return [kind, ...more.filter((one) => one !== ''), message].join(', ')
}
