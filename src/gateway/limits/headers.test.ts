import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limitHeaders } from './headers.ts'
import type { LimitState } from './state.ts'

const at = { dateMs: Date.UTC(2026, 10, 25, 12, 0, 0, 1) }

const state: LimitState = {
  requestsPerMinute: { scope: 'key', limit: 60, remaining: 9, resetMs: 999 },
  inputTokensPerMinute: { scope: 'owner', limit: 30_000, remaining: 20_000, resetMs: 20_000 },
  outputTokensPerMinute: { scope: 'key', limit: 8000, remaining: 1500, resetMs: 360_000 },
  callsAtOnce: { scope: 'key', limit: 5, remaining: 4, resetMs: undefined },
  nanoDollarsPerDay: { scope: 'key', limit: 5, remaining: 4, resetMs: 1 },
}

suite('limits: headers', () => {
  test('Anthropic’s tell the date of a reset, and of all tokens the limit with least left', () => {
    assert.deepEqual(limitHeaders(state, 'anthropic', at), {
      'anthropic-ratelimit-requests-limit': '60',
      'anthropic-ratelimit-requests-remaining': '9',
      'anthropic-ratelimit-requests-reset': '2026-11-25T12:00:01Z',
      'anthropic-ratelimit-tokens-limit': '8000',
      'anthropic-ratelimit-tokens-remaining': '1500',
      'anthropic-ratelimit-tokens-reset': '2026-11-25T12:06:01Z',
      'anthropic-ratelimit-input-tokens-limit': '30000',
      'anthropic-ratelimit-input-tokens-remaining': '20000',
      'anthropic-ratelimit-input-tokens-reset': '2026-11-25T12:00:21Z',
      'anthropic-ratelimit-output-tokens-limit': '8000',
      'anthropic-ratelimit-output-tokens-remaining': '1500',
      'anthropic-ratelimit-output-tokens-reset': '2026-11-25T12:06:01Z',
    })
  })

  for (const dialect of ['openai-chat', 'openai-responses'] as const) {
    test(`OpenAI’s tell how long until a reset: ${dialect}`, () => {
      assert.deepEqual(limitHeaders(state, dialect, at), {
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '9',
        'x-ratelimit-reset-requests': '999ms',
        'x-ratelimit-limit-tokens': '8000',
        'x-ratelimit-remaining-tokens': '1500',
        'x-ratelimit-reset-tokens': '6m0s',
      })
    })
  }

  test('a day’s tokens are told where they are the tighter limit', () => {
    const day = { scope: 'key', limit: 1_000_000, remaining: 12, resetMs: 5_400_000 } as const
    const headers = limitHeaders({ ...state, tokensPerDay: day }, 'openai-chat', at)
    assert.equal(headers['x-ratelimit-limit-tokens'], '1000000')
    assert.equal(headers['x-ratelimit-reset-tokens'], '1h30m0s')
  })

  test('of what has no limit nothing is told', () => {
    assert.deepEqual(limitHeaders({}, 'anthropic', at), {})
    assert.deepEqual(Object.keys(limitHeaders({ requestsPerMinute: state.requestsPerMinute! }, 'openai-chat', at)), [
      'x-ratelimit-limit-requests',
      'x-ratelimit-remaining-requests',
      'x-ratelimit-reset-requests',
    ])
  })

  test('Gemini has no such headers', () => assert.deepEqual(limitHeaders(state, 'gemini', at), {}))

  const durations: [ms: number, told: string][] = [
    [0, '0s'],
    [0.2, '1ms'],
    [12, '12ms'],
    [999.1, '1s'],
    [1500, '1.5s'],
    [59_999, '59.999s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [3_723_500, '1h2m3.5s'],
    [86_400_000, '24h0m0s'],
  ]
  for (const [resetMs, told] of durations) {
    test(`${resetMs} ms are ${told}`, () => {
      const one = { scope: 'key', limit: 1, remaining: 1, resetMs } as const
      assert.equal(limitHeaders({ requestsPerMinute: one }, 'openai-chat', at)['x-ratelimit-reset-requests'], told)
    })
  }
})
