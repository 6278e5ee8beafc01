import { Failure, type FailureKind } from '../../../src/core/failure.ts'
import type { Chance } from './chance.ts'

/**
 * How a place behaves for a while. Each but `healthy` may hold for a share of the calls only; the others find it healthy. Failures
 * show after `afterMs`, where that is not left to chance.
 */
export type State = (
  | { readonly type: 'healthy' }
  /** Answers well, after so long. */
  | { readonly type: 'slow'; readonly ms: number }
  /** Asks for a pause: so long, until this state ends, or without saying how long. */
  | { readonly type: 'limited' | 'overloaded'; readonly retryAfterMs?: number | 'end' }
  /** Answers with a failure of this kind. */
  | { readonly type: 'failing'; readonly kind: FailureKind }
  /** Nobody listens: surely nothing was sent. */
  | { readonly type: 'unreachable' }
  /** Closes connections that it had kept, as a call comes; the next connection is a new one. */
  | { readonly type: 'stale' }
  /** Not a byte. */
  | { readonly type: 'stalling' }
  /** A first byte, and then silence. */
  | { readonly type: 'halting' }
  /** Streams break after their first content; what is not streamed breaks at once. */
  | { readonly type: 'breaking' }
) & { readonly share?: number; readonly afterMs?: number }

/** What a place does when: each state until its time. The last goes on for ever. */
export type Timeline = readonly { readonly untilMs: number; readonly state: State }[]

/** What will happen to one call at a vendor, in milliseconds from its start. */
export interface Script {
  /** When the first byte comes; Infinity for never. */
  readonly headMs: number
  readonly status: number
  /** When the answer may be committed to, or its failure shows. */
  readonly outcomeMs: number
  readonly failure: Failure | undefined
  /** Of a stream: when it ends, and how. */
  readonly endMs: number
  readonly broken: Failure | undefined
}

/** What is sure of a healthy place: a first byte, and a whole answer or the first content of a stream, within these times. */
export const healthyHeadMsMax = 200
export const healthyMsMax = 300

const healthy: State = { type: 'healthy' }

/** The state at this time, and when it ends. */
export function stateAt(timeline: Timeline, ms: number): { state: State; untilMs: number } {
  return timeline.find(({ untilMs }) => ms < untilMs) ?? { state: timeline.at(-1)?.state ?? healthy, untilMs: Infinity }
}

/** Is the place healthy from then until then, both included? */
export function isHealthy(timeline: Timeline, fromMs: number, toMs: number): boolean {
  let startMs = -Infinity
  for (const { untilMs, state } of timeline) {
    if (untilMs > fromMs && startMs <= toMs && state.type !== 'healthy') return false
    startMs = untilMs
  }
  return startMs > toMs || (timeline.at(-1)?.state.type ?? 'healthy') === 'healthy'
}

interface Asked {
  readonly vendor: string
  readonly stream: boolean
  /** The longest silence that is put up with. */
  readonly idleMs: number
  readonly connectMs: number
  readonly chance: Chance
}

/** What the vendor does with a call that comes now, as its server and then its place there stand. */
export function scriptOf(timelines: readonly Timeline[], nowMs: number, asked: Asked): Script {
  for (const timeline of timelines) {
    const { state, untilMs } = stateAt(timeline, nowMs)
    if (state.type === 'healthy' || !asked.chance.yes(state.share ?? 1)) continue
    return scripted(state, untilMs - nowMs, asked)
  }
  return answer(0, asked)
}

function answer(delayMs: number, { stream, chance }: Asked): Script {
  const headMs = delayMs + chance.between(2, stream ? healthyHeadMsMax : healthyMsMax)
  const outcomeMs = stream ? headMs + chance.between(0, healthyMsMax - healthyHeadMsMax) : headMs
  const endMs = outcomeMs + (stream ? chance.spread(10, 20_000) : 0)
  return { headMs, status: 200, outcomeMs, failure: undefined, endMs, broken: undefined }
}

function scripted(state: State, leftMs: number, asked: Asked): Script {
  const { chance, vendor } = asked
  const soonMs = state.afterMs ?? chance.between(5, 100)
  const failing = (
    kind: FailureKind,
    afterMs: number,
    details: ConstructorParameters<typeof Failure>[2] = {},
  ): Script => {
    const { status } = new Failure(kind, '')
    const failure = new Failure(kind, `${vendor}: ${state.type}.`, { vendor, ...details })
    const sent = !failure.unsent && Number.isFinite(afterMs)
    return {
      headMs: sent ? afterMs : Infinity,
      status: sent ? status : 0,
      outcomeMs: afterMs,
      failure,
      endMs: 0,
      broken: undefined,
    }
  }
  switch (state.type) {
    case 'healthy':
      return answer(0, asked)
    case 'slow':
      return answer(state.ms, asked)
    case 'limited':
    case 'overloaded': {
      const retryAfterMs = state.retryAfterMs === 'end' ? Math.min(leftMs, 7_200_000) : state.retryAfterMs
      const kind = state.type === 'limited' ? 'vendor-limit' : 'vendor-overloaded'
      return failing(kind, soonMs, retryAfterMs === undefined ? {} : { retryAfterMs })
    }
    case 'failing':
      return failing(state.kind, soonMs)
    case 'unreachable':
      return failing('vendor-unreachable', chance.yes(0.5) ? 2 : asked.connectMs, { unsent: true })
    case 'stale':
      // After more than a second it would be no stale connection.
      return failing('vendor-unreachable', state.afterMs ?? chance.spread(1, 900), { stale: true })
    case 'stalling':
      return failing('vendor-slow', Infinity)
    case 'halting': {
      const halted = failing('vendor-slow', soonMs + asked.idleMs)
      return { ...halted, headMs: soonMs, status: 200 }
    }
    case 'breaking': {
      const broken = failing(chance.yes(0.7) ? 'vendor-cut' : 'vendor-broken', soonMs)
      if (!asked.stream) return { ...broken, status: 200 }
      const well = answer(0, asked)
      return { ...well, endMs: well.outcomeMs + chance.spread(1, 5000), broken: broken.failure }
    }
  }
}
