import { Failure } from '../../../src/core/failure.ts'
import type { Rung, Standing } from '../../../src/core/ladder.ts'
import type { TryRecord } from '../../../src/core/receipt.ts'
import type { CallLog, TakeLog, TryLog } from './log.ts'
import { placeName, unfitAs } from './stage.ts'
import { isHealthy } from './vendors.ts'
import type { Scene } from './scene.ts'

/** What a call had met by a time, in the order in which it met it. */
export interface Met {
  readonly rung: number
  readonly failure: Failure
  readonly unfit: boolean
  readonly atMs: number
  readonly order: number
}

/** What the call had met before this moment: its failed tries, and the rungs that its request cannot be written for. Of a call that is over. */
export function metBefore(call: CallLog, order: number): readonly Met[] {
  const kept = metByCall.get(call)
  const all = kept ?? allMet(call)
  if (kept === undefined) metByCall.set(call, all)
  return all.filter((one) => one.order < order)
}

/** Nearly every invariant asks for it. */
const metByCall = new WeakMap<CallLog, readonly Met[]>()

function allMet(call: CallLog): readonly Met[] {
  const failed = call.tries.flatMap((one): Met[] => {
    const { rung, outcome, outcomeMs, outcomeOrder } = one
    return outcome instanceof Failure
      ? [{ rung, failure: outcome, unfit: false, atMs: outcomeMs, order: outcomeOrder }]
      : []
  })
  return [...failed, ...unfitOnes(call)].toSorted((one, other) => one.order - other.order)
}

/** The order of a rung that was found to be unfit without its turn: nobody is to wait for it, or to be told of it. When that was is not known. */
export const unfitUntaken = Number.MAX_SAFE_INTEGER

function unfitOnes(call: CallLog): Met[] {
  const met = (rung: number, atMs: number, order: number): Met[] => {
    const kind = unfitAt(call, rung)
    return kind === undefined ? [] : [{ rung, failure: new Failure(kind, ''), unfit: true, atMs, order }]
  }
  const taken = call.takes.filter(({ left }) => left === 'unfit')
  const { endedMs = Infinity, failure, ladder, tab, tries } = call
  const told = [...ladder.rungs.keys()].filter((rung) => {
    if (taken.some((take) => take.rung === rung)) return false
    // Of the only rung there is no trail.
    if (ladder.rungs.length === 1) return tries.length === 0 && failure?.failure.kind === unfitAt(call, rung)
    return tab.tries.some((record) => record.unfit === true && isOf(record, ladder.rungs[rung] as Rung))
  })
  return [
    ...taken.flatMap((take) => met(take.rung, take.endedMs, take.order)),
    ...told.flatMap((rung) => met(rung, endedMs, unfitUntaken)),
  ]
}

/** Is it this rung that the trail speaks of? */
export function isOf(record: TryRecord, { vendor, model, credential }: Rung): boolean {
  return record.vendor === vendor.name && record.model === model.id && record.credential === credential.number
}

/** Does what was met leave this rung a chance? It was not tried yet, and no other key of its model met what it would meet too. */
export function isOpen({ ladder: { rungs } }: CallLog, met: readonly Met[], rung: number): boolean {
  return met.every((one) => {
    if (rungs[one.rung]?.level !== rungs[rung]?.level) return true
    if (one.rung === rung || one.unfit) return false
    const elsewhere = rungs[one.rung]?.credential.origin !== rungs[rung]?.credential.origin
    return one.failure.moves.includes('credential') || (one.failure.sign === 'broken' && elsewhere)
  })
}

/** Why the request of this call cannot be written for this rung, if it cannot. */
export function unfitAt({ spec, ladder }: CallLog, rung: number): ReturnType<typeof unfitAs> {
  const one = ladder.rungs[rung]
  return one === undefined ? undefined : unfitAs(spec, one, ladder)
}

/** Were the rung's server and the place there healthy, from then until then? */
export function wasHealthy(
  { servers, places, startMs }: Scene,
  { ladder }: CallLog,
  rung: number,
  [fromMs, toMs]: readonly [number, number],
): boolean {
  const one = ladder.rungs[rung] as Rung
  return [servers[one.credential.origin], places[placeName(one)]].every(
    (timeline) => timeline === undefined || isHealthy(timeline, fromMs - startMs, toMs - startMs),
  )
}

/** May a call begin there as a matter of course? */
export function isWell({ type }: Standing): boolean {
  return type === 'well' || type === 'probe'
}

/** Cancelled, because another rung answered first. */
export function isLoser({ outcome }: TryLog): boolean {
  return (
    outcome instanceof Failure && outcome.kind === 'caller-gone' && outcome.message === 'Another rung answered first.'
  )
}

export function isUnsent({ outcome }: TryLog): boolean {
  return outcome instanceof Failure && outcome.unsent
}

export function isStale({ outcome }: TryLog): boolean {
  return outcome instanceof Failure && outcome.stale
}

/** How long was waited for this try, or in vain. */
export function waitedMs({ granted, begunMs, endedMs, atMs }: TakeLog): number {
  return granted ? Math.min(begunMs ?? Infinity, endedMs) - atMs : 0
}

/** The first thing that is said of any. */
export function firstOf<T>(all: Iterable<T>, say: (one: T, index: number) => string | undefined): string | undefined {
  let index = 0
  for (const one of all) {
    const said = say(one, index)
    if (said !== undefined) return said
    index += 1
  }
  return undefined
}
