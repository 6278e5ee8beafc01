import type { OutgoingHttpHeaders } from 'node:http'
import type { DialectName } from '../../core/dialect.ts'
import type { Moment } from './refusal.ts'
import { tighterOf, type LimitLeft, type LimitState } from './state.ts'

/** What is left of the caller's limits, in the headers of its dialect; only of limits that there are. Gemini has none. */
export function limitHeaders(
  state: LimitState,
  dialect: DialectName,
  { dateMs }: Pick<Moment, 'dateMs'>,
): OutgoingHttpHeaders {
  switch (dialect) {
    case 'anthropic':
      return anthropicHeaders(state, dateMs)
    case 'openai-chat':
    case 'openai-responses':
      return openaiHeaders(state)
    case 'gemini':
      return {}
  }
}

function anthropicHeaders(state: LimitState, dateMs: number): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  const add = (name: string, left: LimitLeft | undefined): void => {
    if (left === undefined) return
    headers[`anthropic-ratelimit-${name}-limit`] = String(left.limit)
    headers[`anthropic-ratelimit-${name}-remaining`] = String(left.remaining)
    headers[`anthropic-ratelimit-${name}-reset`] = rfc3339(dateMs + (left.resetMs ?? 0))
  }
  add('requests', state.requestsPerMinute)
  add('tokens', tokens(state))
  add('input-tokens', state.inputTokensPerMinute)
  add('output-tokens', state.outputTokensPerMinute)
  return headers
}

function openaiHeaders(state: LimitState): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  const add = (name: string, left: LimitLeft | undefined): void => {
    if (left === undefined) return
    headers[`x-ratelimit-limit-${name}`] = String(left.limit)
    headers[`x-ratelimit-remaining-${name}`] = String(left.remaining)
    headers[`x-ratelimit-reset-${name}`] = goDuration(left.resetMs ?? 0)
  }
  add('requests', state.requestsPerMinute)
  add('tokens', tokens(state))
  return headers
}

/** Where one header stands for several limits, it is the one with least left: so Anthropic does. */
function tokens(state: LimitState): LimitLeft | undefined {
  const { inputTokensPerMinute, outputTokensPerMinute, tokensPerDay, tokensPerMonth } = state
  return tighterOf(tighterOf(inputTokensPerMinute, outputTokensPerMinute), tighterOf(tokensPerDay, tokensPerMonth))
}

/** Seconds as they are written: the same few come again and again, and to write four of them anew costs as much as a reservation. */
const written = new Map<number, string>()
const writtenMax = 100

/** To the second, rounded up: nobody comes too early. */
function rfc3339(dateMs: number): string {
  const second = Math.ceil(dateMs / 1000)
  let text = written.get(second)
  if (text === undefined) {
    if (written.size >= writtenMax) written.clear()
    text = new Date(second * 1000).toISOString().replace('.000Z', 'Z')
    written.set(second, text)
  }
  return text
}

/** A duration as Go prints it, and OpenAI sends it: `12ms`, `1.5s`, `6m0s`, `1h0m0s`. Rounded up to the millisecond. */
function goDuration(ms: number): string {
  const whole = Math.ceil(ms)
  if (whole > 0 && whole < 1000) return `${whole}ms`
  const minutes = Math.floor(whole / 60_000)
  const seconds = `${(whole % 60_000) / 1000}s`
  if (minutes === 0) return seconds
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`
}
