import { Failure } from '../../../src/core/failure.ts'
import { triesMax, type Rung, type Standing } from '../../../src/core/ladder.ts'
import type { TryRecord } from '../../../src/core/receipt.ts'
import { callMsMax } from '../../../src/gateway/patience.ts'
import { isPassed } from '../../../src/gateway/trail.ts'
import {
  firstOf,
  isLoser,
  isOf,
  isOpen,
  isStale,
  isUnsent,
  isWell,
  metBefore,
  unfitAt,
  unfitUntaken,
  waitedMs,
  wasHealthy,
} from './history.ts'
import type { CallLog, Played, TakeLog, TryLog } from './log.ts'

/** What must hold of each call, whatever happens: undefined where it does, else what is wrong. */
export type Invariant = (call: CallLog, played: Played) => string | undefined

/** Numbers of milliseconds are sums of fractions. */
const roundingMs = 1e-3

/** So much before its end, the time of a call is taken to be over. */
const earlyMs = 2

/** A caller gets one answer or one failure, and a bug of ours is neither. */
function everyCallEndsOnce({ ends, answer, failure, bug }: CallLog): string | undefined {
  if (bug !== undefined) return `a bug: ${bug instanceof Error ? (bug.stack ?? bug.message) : JSON.stringify(bug)}`
  if (ends !== 1) return `it ended ${ends} times`
  if (answer === undefined && failure === undefined) return 'neither an answer nor a failure'
  return failure?.failure.kind === 'gateway-fault' ? `a gateway-fault: ${failure.failure.message}` : undefined
}

/** The answer is committed to: another try would be paid for and thrown away. */
function nothingIsTriedAfterAnAnswer({ answer, tries }: CallLog): string | undefined {
  if (answer === undefined) return undefined
  const late = tries.find(({ beganOrder }) => beganOrder > answer.order)
  if (late !== undefined) return `rung ${late.rung} was tried after the answer`
  const winner = tries.find(({ outcome }) => outcome === answer.answer)
  if (winner === undefined) return 'the answer is that of no try'
  const open = tries.find((one) => one !== winner && (one.overMs ?? Infinity) > answer.atMs)
  return open === undefined ? undefined : `rung ${open.rung} went on after another had answered`
}

/** What no rung can help against ends the call. What cannot be written for a later rung is that rung's own rule, and says nothing of the others. */
function nothingIsTriedAfterAFailureThatNothingCures(call: CallLog): string | undefined {
  const met = metBefore(call, Infinity)
  const end = met.find(({ failure, unfit, rung }, index) => {
    if (failure.moves.length > 0) return false
    return !unfit || (index === 0 && call.ladder.rungs[rung]?.level === 0)
  })
  const later = end && call.takes.find(({ order, granted }) => granted && order > end.order)
  return later === undefined ? undefined : `rung ${later.rung} was taken after a failure that nothing cures`
}

/** Tokens for nobody. */
function nothingIsTriedAfterTheCallerHasGone({ gone, tries, endedMs }: CallLog): string | undefined {
  if (gone === undefined) return undefined
  const late = tries.find(({ beganOrder }) => beganOrder > gone.order)
  if (late !== undefined) return `rung ${late.rung} was tried after the caller had gone`
  const open = tries.find(({ overMs }) => (overMs ?? Infinity) > gone.atMs)
  if (open !== undefined) return `rung ${open.rung} went on after the caller had gone`
  return endedMs === gone.atMs ? undefined : 'the call went on after the caller had gone'
}

/** What a vendor asked for is kept to, by the call that was told always, and by all calls where cooldowns are on. */
function noPlaceIsTriedBeforeItsRetryAfter({ tries }: CallLog): string | undefined {
  return firstOf(tries, (one) => {
    const early = one.barredUntilMs - one.beganMs
    if (one.at.cooldown.enabled && early > 0)
      return `rung ${one.rung} was tried ${early} ms before the time that it had asked for`
    return firstOf(tries, ({ rung, outcome, outcomeMs, outcomeOrder }) => {
      if (rung !== one.rung || outcomeOrder > one.beganOrder || !(outcome instanceof Failure)) return undefined
      const ownEarly = outcomeMs + (outcome.retryAfterMs ?? 0) - one.beganMs
      return ownEarly > roundingMs
        ? `rung ${rung} was tried again ${ownEarly} ms before the time that it had told this call`
        : undefined
    })
  })
}

/** Every try may be paid for, so their number is bounded: all but those whose request was surely never sent. */
function triesKeepWithinTheirBounds({ tries, ladder, spec }: CallLog): string | undefined {
  const most = triesMax(ladder.retries, spec)
  const sent = tries.filter((one) => !isUnsent(one)).length
  if (sent > most) return `${sent} tries, and ${most} are allowed`
  // What was never sent takes its time too. One stale connection in the whole call is free.
  if (tries.length > 2 * most + 1)
    return `${tries.length} tries with those that were never sent, and ${2 * most} are allowed`
  return firstOf(ladder.rungs.keys(), (rung) => {
    const here = tries.filter((one) => one.rung === rung)
    const once = spec.retried || !ladder.retries.enabled
    // Free are one stale connection in the whole call, and one unsent request on each rung.
    const free = once ? here.filter(isStale).length : here.filter(isUnsent).length
    const most = (once ? 1 : ladder.retries.triesLastRung) + Math.min(free, once ? 1 : 2)
    return here.length > most ? `${here.length} tries of rung ${rung}, and ${most} are allowed` : undefined
  })
}

/** A caller that waits no longer must not be paid for. The first try is made at once, whatever the request's own coming has left. */
function noTryBeginsTooLate({ tries, startedMs, climbedMs, untilMs }: CallLog): string | undefined {
  const late = tries.find(({ beganMs }) => beganMs > climbedMs && beganMs - startedMs >= untilMs)
  return late === undefined
    ? undefined
    : `rung ${late.rung} was tried after ${late.beganMs - startedMs} ms, and the caller waits ${untilMs}`
}

/** What a call waits between its tries, by the vendors' clock and not by ours, is bounded, and told in the trail. */
function waitsKeepWithinTheirBounds({
  tries,
  takes,
  tab,
  ladder,
  climbedMs,
  endedMs = Infinity,
  gone,
}: CallLog): string | undefined {
  let idleMs = 0
  let busyUntilMs = climbedMs
  for (const one of tries) {
    idleMs += Math.max(0, one.beganMs - busyUntilMs)
    busyUntilMs = Math.max(busyUntilMs, one.outcomeMs, one.overMs ?? 0)
  }
  idleMs += Math.max(0, endedMs - busyUntilMs)
  const { enabled, waitMsMax } = ladder.retries
  const mostMs = enabled ? waitMsMax : 0
  if (idleMs > mostMs + roundingMs) return `${idleMs} ms without a try under way, and ${mostMs} may be waited`
  const told = tab.tries.reduce((sum, { waitMs = 0 }) => sum + waitMs, 0)
  const inVain = takes.find((take) => take.left === 'unfit' && waitedMs(take) > 0)
  if (inVain !== undefined) return `it waited for rung ${inVain.rung}, which its request cannot be written for`
  // A wait that led to no try is in nobody's record.
  if (gone !== undefined || takes.some(({ left }) => left !== undefined)) return undefined
  return Math.abs(told - idleMs) > roundingMs ? `${told} ms of waiting were told, and ${idleMs} passed` : undefined
}

/** A caller's SDK tries again by itself: here, only a stale connection is. */
function aCallersOwnRetryTriesNoRungTwice({ spec, tries }: CallLog): string | undefined {
  if (!spec.retried) return undefined
  const twice = tries.find((one, index) =>
    tries.slice(0, index).some((before) => before.rung === one.rung && !isStale(before)),
  )
  return twice === undefined ? undefined : `rung ${twice.rung} was tried twice`
}

/** Nobody gets another model where the one asked for can answer. A caller's own retry begins at the healthiest, having met a failure already. */
function aCallBeginsAtTheFirstRungThatIsWell(call: CallLog): string | undefined {
  const [first] = call.takes
  if (first === undefined) return undefined
  const badness = first.standings.map((standing, rung) => {
    // Nobody waits for a rung that could not be asked.
    return standing.type === 'barred' && unfitAt(call, rung) !== undefined
      ? Infinity
      : badnessOf(standing, call.spec.retried)
  })
  const best = badness.indexOf(Math.min(...badness))
  return best === first.rung ? undefined : `it began at rung ${first.rung}, and ${best} is better`
}

function badnessOf({ type, forMs, failuresInRow }: Standing, retried: boolean): number {
  if (type === 'full') return Infinity
  if (type === 'barred') return 2e12 + forMs
  if (type === 'resting') return 1e12 + forMs
  return retried ? failuresInRow : 0
}

/** The next try goes to the first rung that is well and was not tried; to another, or back, only where there is none. */
function aCallGoesOnToTheFirstRungThatIsWell(call: CallLog): string | undefined {
  return firstOf(call.takes, (take) => {
    const met = metBefore(call, take.order)
    if (met.length === 0 || met.at(-1)?.failure.stale === true || isHedge(call, take)) return undefined
    const better = firstWell(call, take)
    return better < 0 || better === take.rung
      ? undefined
      : `it went on to rung ${take.rung}, and ${better} is well and was not tried`
  })
}

/** A rung that was left for another that failed too is not gone back to: only the last of them may have a second try, or one that told its time. */
function aRungThatWasLeftIsNotGoneBackTo(call: CallLog): string | undefined {
  return firstOf(call.takes, (take) => {
    const met = metBefore(call, take.order)
    const here = met.findLastIndex(({ rung, unfit }) => rung === take.rung && !unfit)
    const hadTime = take.standings[take.rung]?.type === 'barred' || (met[here]?.failure.retryAfterMs ?? 0) > 0
    if (here < 0 || hadTime || isHedge(call, take)) return undefined
    const later = met.slice(here + 1).find(({ failure, unfit }) => !unfit && failure.moves.includes('again'))
    return later === undefined ? undefined : `it went back to rung ${take.rung}, after rung ${later.rung}`
  })
}

/** A place that counts as down gets its probes and nothing else, unless nothing better is left. */
function aPlaceThatIsDownIsLeftAlone(call: CallLog): string | undefined {
  return firstOf(call.takes, (take) => {
    const standing = take.standings[take.rung] as Standing
    const isDown = standing.type === 'probe' || (standing.type === 'resting' && standing.reason === 'failing')
    const met = metBefore(call, take.order)
    if (!isDown || take.claim === 'probe' || met.at(-1)?.failure.stale === true) return undefined
    const better = firstWell(call, take)
    return better < 0 ? undefined : `rung ${take.rung} is down and was taken, though ${better} is not`
  })
}

/** The first rung that was well at that time, and left to be tried; -1 for none. */
function firstWell(call: CallLog, take: TakeLog): number {
  const met = metBefore(call, take.order)
  const neverTaken = metBefore(call, Infinity).filter(({ order }) => order === unfitUntaken)
  return take.standings.findIndex(
    (one, rung) => isWell(one) && isOpen(call, met, rung) && isOpen(call, neverTaken, rung),
  )
}

function isHedge({ tries }: CallLog, take: TakeLog): boolean {
  return tries.some((one) => one.take === take && one.record.hedge === true)
}

/** A hedge is paid for twice: it comes when its time has come, beside one try, at a rung of another level that is well. */
function hedgesKeepTheirRules({ tries, ladder }: CallLog): string | undefined {
  return firstOf(tries, (one) => {
    if (one.record.hedge !== true) return undefined
    const beside = tries.filter(
      (other) => other !== one && other.beganOrder < one.beganOrder && other.outcomeOrder > one.beganOrder,
    )
    const [first] = beside
    if (first === undefined || beside.length > 1) return `a hedge beside ${beside.length} tries`
    const afterMs = one.beganMs - first.beganMs
    if (Math.abs(afterMs - (ladder.hedgeAfterMs ?? Infinity)) > roundingMs) return `a hedge after ${afterMs} ms`
    if (one.take?.standings[one.rung]?.type !== 'well') return `a hedge at rung ${one.rung}, which is not well`
    return one.at.level === first.at.level ? 'a hedge at the same level' : undefined
  })
}

/** Who waits for a silent rung gets a second one beside it, where the ladder says so, a try is left, and a rung is well. */
function aSilentRungGetsAHedge(call: CallLog): string | undefined {
  const { ladder, tries, spec } = call
  return firstOf(tries, (one, index) => {
    const { whenSilent } = one
    const dueMs = one.beganMs + (ladder.hedgeAfterMs ?? Infinity)
    const isAlone = tries.every(
      (other) => other === one || other.outcomeMs <= one.beganMs || other.beganMs >= dueMs - roundingMs,
    )
    if (whenSilent === undefined || !isAlone || one.outcomeMs <= dueMs + roundingMs) return undefined
    if (!ladder.retries.enabled || index + 1 >= triesMax(ladder.retries, spec)) return undefined
    const tried = new Set([...metBefore(call, one.beganOrder), one].map(({ rung }) => ladder.rungs[rung]?.level))
    const next = whenSilent.findIndex(
      ({ type }, rung) => type === 'well' && !tried.has(ladder.rungs[rung]?.level) && unfitAt(call, rung) === undefined,
    )
    if (next < 0) return undefined
    const hedge = tries.find(({ record, beganMs }) => record.hedge === true && Math.abs(beganMs - dueMs) <= roundingMs)
    if (hedge === undefined) return `rung ${one.rung} was silent, and rung ${next} was not started beside it`
    return hedge.rung === next
      ? undefined
      : `rung ${hedge.rung} was started beside rung ${one.rung}, and not rung ${next}`
  })
}

/** Nobody waits for longer than is allowed; and the short wait for a first byte is for those who have somewhere else to go. */
function patienceIsKeptTo(call: CallLog): string | undefined {
  const { tries, startedMs, untilMs, spec } = call
  return firstOf(tries, (one) => {
    const { firstByteMs, firstByteLastMs, streamedCallMs, wholeCallMs } = one.at.deadlines
    const sinceMs = one.beganMs - startedMs
    const tookMs = one.outcomeMs - one.beganMs
    const totalMs = Math.max(1, (spec.stream ? streamedCallMs : wholeCallMs) - sinceMs)
    if ((one.overMs ?? Infinity) - one.beganMs > totalMs + roundingMs)
      return `rung ${one.rung} had ${totalMs} ms, and took longer`
    if (tookMs > Math.max(1, untilMs - sinceMs) + roundingMs)
      return `rung ${one.rung} was waited for beyond what the caller waits`
    if (!(one.outcome instanceof Failure) || !one.outcome.message.endsWith('late (first byte).')) return undefined
    if (tookMs < (spec.stream ? firstByteMs : firstByteLastMs) - roundingMs)
      return `rung ${one.rung} was given up after ${tookMs} ms`
    if (spec.stream && tookMs >= firstByteLastMs - roundingMs) return undefined
    return hadElsewhere(call, one.outcomeOrder)
      ? undefined
      : `rung ${one.rung} was given up after ${tookMs} ms, with nowhere else to go`
  })
}

/** Could a call that gave up then have gone to another rung? */
function hadElsewhere(call: CallLog, order: number): boolean {
  const { tries, ladder, spec } = call
  const begun = tries.filter(({ beganOrder }) => beganOrder < order)
  if (begun.length >= triesMax(ladder.retries, spec)) return false
  const levels = new Set(begun.map(({ at }) => at.level))
  return ladder.rungs.some(({ level }, rung) => !levels.has(level) && unfitAt(call, rung) === undefined)
}

/** The tries that are recorded are those that the vendors saw, and became what is said of them. */
function theTrailTellsWhatTheVendorsSaw({ tab, tries, answer, failure }: CallLog): string | undefined {
  const asked = tab.tries.filter((one) => one.unfit !== true && !isPassed(one.outcome))
  if (asked.length !== tries.length || asked.some((one, index) => one !== tries[index]?.record)) {
    return `${asked.length} tries are recorded, and the vendors saw ${tries.length}`
  }
  return firstOf(tries, (one) => {
    const { record, at, outcome, rung } = one
    if (!isOf(record, at)) return `rung ${rung} is recorded as another`
    const broken = answer !== undefined && outcome === answer.answer ? failure?.failure : undefined
    const became = isLoser(one) ? 'cancelled' : outcome instanceof Failure ? outcome.kind : (broken?.kind ?? 'ok')
    if (record.outcome !== became) return `rung ${rung} is recorded as ${record.outcome}, and was ${became}`
    const tookMs = one.outcomeMs - one.beganMs
    return Math.abs(record.durationMs - tookMs) <= 0.5 + roundingMs
      ? undefined
      : `rung ${rung} took ${tookMs} ms, and ${record.durationMs} are recorded`
  })
}

/** Of each model above the one that answered, the trail says why it did not; and what it says of those not asked was so. */
function theTrailTellsWhyOthersWereNotAsked(call: CallLog): string | undefined {
  const { tab, ladder, takes, seen, answer, tries } = call
  const level = tries.find(({ outcome }) => answer !== undefined && outcome === answer.answer)?.at.level ?? 0
  const silent = ladder.rungs.find(
    (rung) =>
      rung.level < level &&
      !ladder.rungs.some((one) => one.level === rung.level && tab.tries.some((record) => isOf(record, one))),
  )
  if (silent !== undefined) return `nothing is said of level ${silent.level}, and level ${level} answered`
  return firstOf(tab.tries, (record) => {
    const rung = ladder.rungs.findIndex((one) => isOf(record, one))
    if (record.unfit === true) {
      const kind = unfitAt(call, rung)
      return kind === record.outcome
        ? undefined
        : `rung ${rung} is told to be unfit (${record.outcome}), and is ${kind ?? 'fit'}`
    }
    if (!isPassed(record.outcome)) return undefined
    const stood = [...takes.map(({ standings }) => standings[rung]), seen[rung]?.standing]
    return stood.some((one) => one !== undefined && passedAs(one) === record.outcome)
      ? undefined
      : `rung ${rung} is told to be ${record.outcome}, and was not`
  })
}

function passedAs({ type, reason }: Standing): TryRecord['outcome'] {
  if (type === 'full') return 'full'
  if (reason === 'refused' || reason === 'missing') return reason
  return type === 'barred' || reason === 'limited' ? 'cooling' : 'failing'
}

/** Who is not answered is told a failure that there was; of those a retry can cure the one that is over soonest, with the time that is left. */
function theFailureToldIsTrue(call: CallLog): string | undefined {
  const { failure, answer, gone } = call
  if (failure === undefined || answer !== undefined || failure.failure === gone?.failure) return undefined
  const { kind, message, retry, retryAfterMs = 0 } = failure.failure
  const met = metBefore(call, Infinity)
  const isUnasked = kind === 'gateway-full' || message.includes('said when to come back')
  const isMet = met.some((one) => one.failure.kind === kind && (one.unfit || one.failure.message === message))
  if (!isMet && !isUnasked) return `${kind} is told (${message}), and no rung said so`
  if (met.at(-1)?.failure.moves.length === 0 && !isUnasked && !retry) return undefined
  const leftMs = timesLeft(call, failure.atMs)
  if (leftMs.length === 0) return retry ? `${kind} is told, as if a retry could help` : undefined
  if (!retry) return `${kind} is told, as if a retry could not help`
  const soonestMs = Math.min(...leftMs)
  const apartMs = retryAfterMs - soonestMs
  return apartMs >= -1 && apartMs <= handledMs + 1
    ? undefined
    : `it is told to come back in ${retryAfterMs} ms, and ${soonestMs} is true`
}

/** When a full rung is held to be free again: a guess of the policy's. */
const fullMs = 1000

/** A time that a vendor said so shortly ago is told as it said it. */
const handledMs = 50

/** By how much another call's pause must be longer to count, as what all know is rounded. */
const longerMs = 1000

/** For each rung that a retry may help at, when: by what it told this call, and what it told others. */
function timesLeft(call: CallLog, nowMs: number): number[] {
  const { ladder, seen } = call
  const met = metBefore(call, Infinity)
  // Else a later call gets no further than this one.
  const mayGoOn = ladder.retries.enabled && !met.some(({ failure, unfit }) => failure.moves.length === 0 && !unfit)
  return [...ladder.rungs.keys()].flatMap((rung) => {
    const level = ladder.rungs[rung]?.level
    if (met.some((one) => one.unfit && ladder.rungs[one.rung]?.level === level)) return []
    const standing = seen[rung]?.standing
    const unaskedMs = standing?.type === 'full' ? fullMs : standing?.type === 'barred' ? standing.forMs : 0
    const last = met.findLast((one) => one.rung === rung)
    const isAhead = unaskedMs > 0 && (met.length === 0 || mayGoOn) && unfitAt(call, rung) === undefined
    if (last === undefined) return isAhead ? [unaskedMs] : []
    if (!last.failure.retry) return []
    const ownMs = last.atMs + (last.failure.retryAfterMs ?? 0) - nowMs
    const knownMs = standing?.type === 'barred' && !last.unfit ? standing.forMs : 0
    return [knownMs >= ownMs + longerMs ? knownMs : Math.max(0, ownMs)]
  })
}

/**
 * While a rung that can take the call is healthy from its start to its end, the call is answered. These are all the exceptions: the caller leaves;
 * a failure came first that nothing cures; the tries were used up on rungs that came first, or retries are off; the caller's time is over; the
 * rung is full; its vendor had asked for a longer pause than a call may wait; another key of its model met what it would meet too.
 */
function aHealthyRungAnswers(call: CallLog, { scene }: Played): string | undefined {
  const { answer, failure, gone, tries, takes, ladder, spec, startedMs, untilMs } = call
  if (answer !== undefined || gone !== undefined || failure === undefined) return undefined
  const met = metBefore(call, Infinity)
  if (met.some((one, index) => one.failure.moves.length === 0 && !(one.unfit && index > 0))) return undefined
  const elapsedMs = failure.atMs - startedMs
  if (elapsedMs >= untilMs - 1) return undefined
  const sent = tries.filter((one) => !isUnsent(one)).length
  const most = triesMax(ladder.retries, spec)
  const isSpent = sent >= most || tries.length >= 2 * most || (!ladder.retries.enabled && met.length > 0)
  const leftMs = Math.min(
    untilMs - elapsedMs,
    ladder.retries.enabled ? ladder.retries.waitMsMax - takes.reduce((sum, take) => sum + waitedMs(take), 0) : 0,
  )
  return firstOf(ladder.rungs.keys(), (rung) => {
    if (unfitAt(call, rung) !== undefined || !wasHealthy(scene, call, rung, [startedMs, failure.atMs])) return undefined
    if (tries.some((one) => one.rung === rung)) return `rung ${rung} was healthy and was tried, and the call failed`
    if (isSpent || !isOpen(call, met, rung)) return undefined
    const standing = call.seen[rung]?.standing
    if (standing?.type === 'full' || (standing?.type === 'barred' && standing.forMs * 1.1 + 1 >= leftMs))
      return undefined
    return `rung ${rung} was healthy all the time, and was not tried (${standing?.type ?? 'not looked at'})`
  })
}

/**
 * What is learnt of a place is what its vendor did: nothing where the caller had left, had another answer, or where the call had no more time, though
 * the place had some, or the answer had begun.
 */
function theHealthIsToldWhatTheVendorDid(call: CallLog): string | undefined {
  return firstOf(call.tries, (one) => {
    const { take, outcome, rung } = one
    const broken = outcome === call.answer?.answer ? call.failure?.failure : undefined
    const became = outcome instanceof Failure ? outcome : broken
    const told = take?.told?.sign ?? 'well'
    const did = became?.kind === 'vendor-slow' && isOutOfTime(call, one) ? 'nothing' : (became?.sign ?? 'well')
    return told === did ? undefined : `of rung ${rung} it is learnt: ${told}, and it did: ${did}`
  })
}

/** Was the time of the call over when the try ended, and not that of the place? */
function isOutOfTime(
  { spec, startedMs, untilMs }: CallLog,
  { at, outcome, beganMs, overMs = Infinity }: TryLog,
): boolean {
  const { firstByteMs, firstByteLastMs } = at.deadlines
  if (!(outcome instanceof Failure)) return overMs - startedMs >= callMsMax(at.deadlines, spec.stream)
  return overMs - startedMs >= untilMs - earlyMs && overMs - beganMs < (spec.stream ? firstByteMs : firstByteLastMs)
}

/** A right that is not given back is lost to all calls that come, one that is given back twice lets in too many. */
function everyRightToTryIsGivenBackOnce({ takes, tries }: CallLog): string | undefined {
  const wrong = takes.find(({ granted, ends }) => ends !== (granted ? 1 : 0))
  if (wrong !== undefined) return `the right to try rung ${wrong.rung} was given back ${wrong.ends} times`
  const begun = takes.filter(({ begunMs }) => begunMs !== undefined).length
  return begun === tries.length ? undefined : `${begun} tries were begun, and the vendors saw ${tries.length}`
}

/** Where nobody else could have come in between, what the policy says to take is there to be taken: else a call would ask in vain for ever. */
function whatIsToBeTriedCanBe({ takes }: CallLog): string | undefined {
  const refused = takes.find(({ granted }) => !granted)
  return refused === undefined ? undefined : `rung ${refused.rung} was to be tried, and could not be taken`
}

/** All that must hold of a call. */
export const ofEachCall: readonly Invariant[] = [
  everyCallEndsOnce,
  nothingIsTriedAfterAnAnswer,
  nothingIsTriedAfterAFailureThatNothingCures,
  nothingIsTriedAfterTheCallerHasGone,
  noPlaceIsTriedBeforeItsRetryAfter,
  triesKeepWithinTheirBounds,
  noTryBeginsTooLate,
  waitsKeepWithinTheirBounds,
  aCallersOwnRetryTriesNoRungTwice,
  aCallBeginsAtTheFirstRungThatIsWell,
  aCallGoesOnToTheFirstRungThatIsWell,
  aRungThatWasLeftIsNotGoneBackTo,
  aPlaceThatIsDownIsLeftAlone,
  hedgesKeepTheirRules,
  aSilentRungGetsAHedge,
  patienceIsKeptTo,
  theTrailTellsWhatTheVendorsSaw,
  theTrailTellsWhyOthersWereNotAsked,
  theFailureToldIsTrue,
  aHealthyRungAnswers,
  theHealthIsToldWhatTheVendorDid,
  everyRightToTryIsGivenBackOnce,
  whatIsToBeTriedCanBe,
]

/** What must hold of all calls together, at each place: undefined where it does, else what is wrong and in which call. */
export type InvariantOfAll = (played: Played) => Wrong | undefined

export interface Wrong {
  readonly what: string
  /** Undefined where it is nobody's in particular. */
  readonly call: number | undefined
}

/** After so long a right counts as lost by its worker, and another takes its place (src/gateway/health/seats.ts). */
const leaseMs = 120_000

/** Whether a place that was down is up again is found out by one call, not by a crowd. */
function probesComeOneAtATime({ calls }: Played): Wrong | undefined {
  for (const [place, takes] of takesByPlace(calls, (take) => take.claim === 'probe')) {
    let before: TakeOf | undefined
    for (const one of takes) {
      const untilMs = before === undefined ? -Infinity : Math.min(before.take.endedMs, before.take.atMs + leaseMs)
      if (one.take.atMs < untilMs)
        return { what: `a probe of ${place} beside that of call ${before?.call.number}`, call: one.call.number }
      before = one
    }
  }
  return undefined
}

/** When a vendor is down, retries at the same place must not multiply what it has to bear: a few at once, or a share of its calls. */
function retriesKeepToTheBudget({ calls }: Played): Wrong | undefined {
  const begun = Map.groupBy(
    calls.flatMap(({ tries }) => tries),
    ({ at }) => at.healthKey,
  )
  for (const [place, takes] of takesByPlace(calls, isRetry)) {
    const tries = begun.get(place) ?? []
    for (const [index, { call, take, rung }] of takes.entries()) {
      const { enabled, floor, share, windowMs } = rung.budget
      const earlier = takes.slice(Math.max(0, index - 5000), index)
      const underWay = earlier.filter((one) => Math.min(one.take.endedMs, one.take.atMs + leaseMs) > take.atMs).length
      if (!enabled || underWay < floor) continue
      const retries = earlier.filter((one) => one.take.atMs > take.atMs - windowMs).length
      // Counted by the second: up to one second more than the window.
      const fromMs = take.atMs - Math.ceil(windowMs / 1000) * 1000 - 1000
      const all = tries.filter(({ beganMs, beganOrder }) => beganMs >= fromMs && beganOrder < take.order).length
      if (retries < share * all) continue
      const what = `a retry at ${place} beside ${underWay} under way, after ${retries} retries and ${all} tries in ${windowMs} ms`
      return { what, call: call.number }
    }
  }
  return undefined
}

/** The same place again in the same call, by what was seen and not by what was claimed. Free is what was surely not sent, once. */
function isRetry(take: TakeLog, call: CallLog): boolean {
  const here = metBefore(call, take.order).filter(({ rung, unfit }) => rung === take.rung && !unfit)
  const unsent = here.filter(({ failure }) => failure.unsent).length
  return here.length > 0 && !(here.at(-1)?.failure.unsent === true && unsent === 1)
}

interface TakeOf {
  readonly call: CallLog
  readonly take: TakeLog
  readonly rung: Rung
}

/** The rights to try that were given, by place and in the order in which they were. */
function takesByPlace(
  calls: readonly CallLog[],
  wanted: (take: TakeLog, call: CallLog) => boolean,
): Map<string | undefined, TakeOf[]> {
  const all = calls.flatMap((call) =>
    call.takes
      .map((take): TakeOf => ({ call, take, rung: call.ladder.rungs[take.rung] as Rung }))
      // What is asked by a name that nobody knows leaves no trace.
      .filter(({ take, rung }) => take.granted && wanted(take, call) && rung.healthKey !== undefined),
  )
  return Map.groupBy(
    all.toSorted((one, other) => one.take.order - other.take.order),
    ({ rung }) => rung.healthKey,
  )
}

/** An operator's bound of calls at once by a key, over all models that it is used for. */
function noKeyHasMoreCallsThanItMay({ calls }: Played): Wrong | undefined {
  const underWay = new Map<string, TakeOf[]>()
  const takes = [...takesByPlace(calls, () => true).values()].flat()
  for (const one of takes.toSorted((a, b) => a.take.order - b.take.order)) {
    const { callsMax, name } = one.rung.credential
    if (callsMax === undefined) continue
    const key = `${one.rung.vendor.name}#${name}`
    const open = (underWay.get(key) ?? []).filter(({ take }) => take.endedMs > one.take.atMs)
    underWay.set(key, [...open, one])
    if (open.length >= callsMax)
      return { what: `${open.length + 1} calls at once by ${key}, which may have ${callsMax}`, call: one.call.number }
  }
  return undefined
}

/** What is still held when nobody is there will be missing for ever. */
function nothingIsHeldInTheEnd({ held }: Played): Wrong | undefined {
  const [first] = held
  return first === undefined ? undefined : { what: `still held: ${held.join(', ')}`, call: undefined }
}

/** All that must hold of all calls together. */
export const ofAllCalls: readonly InvariantOfAll[] = [
  probesComeOneAtATime,
  retriesKeepToTheBudget,
  noKeyHasMoreCallsThanItMay,
  nothingIsHeldInTheEnd,
]
