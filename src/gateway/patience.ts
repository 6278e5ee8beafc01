import type { IncomingHttpHeaders } from 'node:http'
import type { Call } from '../core/call.ts'
import type { Deadlines, Rung } from '../core/ladder.ts'
import type { Patience } from './attempt.ts'

interface Surroundings {
  /** Since the start of the call. */
  elapsedMs: number
  /** From the start of the call: an answer that begins later is of no use to the caller. */
  untilMs: number
  /** Is there another healthy rung that could take the call? */
  elsewhere: () => boolean
}

/**
 * How long one try may take. A streamed answer must show a first byte: sooner where another rung could answer, later where the call
 * asks for thinking. One that is not streamed comes with its last token, so it has all the time of the call, and only
 * where another rung could answer the longer of the two times to a first byte.
 */
export function patience(call: Call, rung: Rung, { elapsedMs, untilMs, elsewhere }: Surroundings): Patience {
  const { deadlines } = rung
  const left = (fromStartMs: number): number => Math.max(1, fromStartMs - elapsedMs)
  const thinks = (): boolean => call.dialect.request.thinks(call.json)
  const common = { commitMs: left(untilMs), totalMs: left(callMsMax(deadlines, call.head.stream)) }
  if (call.head.stream) {
    return { ...common, firstByteMs: deadlines.firstByteMs, longer: () => streamedMs(deadlines, elsewhere(), thinks()) }
  }
  return {
    ...common,
    firstByteMs: deadlines.firstByteLastMs,
    longer: () => (elsewhere() ? streamedMs(deadlines, false, thinks()) : Infinity),
  }
}

function streamedMs(deadlines: Deadlines, elsewhere: boolean, thinks: boolean): number {
  if (thinks) return elsewhere ? deadlines.thinkingMs : deadlines.thinkingLastMs
  return elsewhere ? deadlines.firstByteMs : deadlines.firstByteLastMs
}

/** How long a call may take in all. */
export function callMsMax(deadlines: Deadlines, stream: boolean): number {
  return stream ? deadlines.streamedCallMs : deadlines.wholeCallMs
}

/** What is left of a caller's patience for the answer's way back. */
const marginMs = 5000

/**
 * How long the caller waits for the beginning of an answer, where its SDK says so (`x-stainless-timeout`, in seconds), less what the way
 * back may take: 5 s, or a fifth of a short time. Infinity where it says nothing.
 */
export function callerWaitsMs(headers: IncomingHttpHeaders): number {
  const told = headers['x-stainless-timeout'] ?? headers['x-stainless-read-timeout']
  const timeoutMs = Number(told) * 1000
  if (typeof told !== 'string' || !Number.isFinite(timeoutMs) || timeoutMs <= 0) return Infinity
  return timeoutMs - Math.min(marginMs, timeoutMs / 5)
}

/** Is the call a caller's own retry of an earlier one? */
export function isRetry(headers: IncomingHttpHeaders): boolean {
  return Number(headers['x-stainless-retry-count'] ?? 0) >= 1
}
