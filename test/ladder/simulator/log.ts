import type { Failure } from '../../../src/core/failure.ts'
import type { Ladder, Rung, Standing } from '../../../src/core/ladder.ts'
import type { TryRecord } from '../../../src/core/receipt.ts'
import type { Snapshot } from '../../../src/core/snapshot.ts'
import type { Answer, Patience } from '../../../src/gateway/attempt.ts'
import type { Tab } from '../../../src/gateway/tab.ts'
import type { CallSpec, Scene } from './scene.ts'

/** All that happened in a simulation, for the invariants to judge. Times are the clock's; `order` tells what came first at one time. */
export interface Played {
  readonly scene: Scene
  readonly snapshot: Snapshot
  readonly calls: readonly CallLog[]
  /** What is still held after all calls have ended, in words. */
  readonly held: readonly string[]
}

/** One call, as seen from outside the gateway and from below. */
export interface CallLog {
  readonly number: number
  readonly spec: CallSpec
  readonly ladder: Ladder
  readonly tab: Tab
  readonly startedMs: number
  /** From the start: no answer that begins later is of use. */
  readonly untilMs: number
  /** When the climb began, the request having been read. */
  climbedMs: number
  readonly takes: TakeLog[]
  readonly tries: TryLog[]
  /** How each rung stood when it was last looked at. */
  readonly seen: ({ standing: Standing; order: number } | undefined)[]
  answer: { answer: Answer; atMs: number; order: number } | undefined
  /** Why no answer came, or why it broke. */
  failure: { failure: Failure; atMs: number } | undefined
  /** Something else than a Failure was thrown. */
  bug: unknown
  /** The caller has left, or the gateway has ended the call. */
  gone: { failure: Failure; atMs: number; order: number } | undefined
  endedMs: number | undefined
  /** How often it came to an end. */
  ends: number
}

/** The right to one try was asked for. */
export interface TakeLog {
  readonly rung: number
  readonly claim: 'probe' | 'retry' | undefined
  readonly atMs: number
  readonly order: number
  /** How all rungs stood just before. */
  readonly standings: readonly Standing[]
  granted: boolean
  /** When the try began; undefined for one that was not made. */
  begunMs: number | undefined
  /** How often it was given back, when, and why without a try. */
  ends: number
  endedMs: number
  /** What was told of the place when its try was over. */
  told: Failure | undefined
  left: 'unfit' | 'barred' | 'gone' | undefined
}

/** A vendor was asked. */
export interface TryLog {
  readonly rung: number
  readonly at: Rung
  readonly take: TakeLog | undefined
  readonly record: TryRecord
  readonly patience: Patience
  readonly beganMs: number
  readonly beganOrder: number
  /** Until when the vendor had asked to be left alone, as far as the gateway had been told and believes; -Infinity for never. */
  readonly barredUntilMs: number
  /** How all rungs stood when it had been silent for so long that the ladder's hedge is due. */
  whenSilent: readonly Standing[] | undefined
  /** The answer that could be committed to, or the failure; undefined while there is neither. */
  outcome: Answer | Failure | undefined
  outcomeMs: number
  outcomeOrder: number
  /** When the vendor's side was over, and how. */
  overMs: number | undefined
  ending: Failure | undefined
}
