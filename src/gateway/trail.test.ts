import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trail } from './trail.ts'

test('trail: each try is an item with its parameters, in order', () => {
  const text = trail([
    {
      vendor: 'anthropic',
      model: 'claude-opus-5',
      credential: 1,
      status: 529,
      outcome: 'vendor-overloaded',
      durationMs: 812,
    },
    { vendor: 'openai', model: 'gpt-5.6', credential: 1, status: 200, outcome: 'ok', durationMs: 904 },
  ])
  assert.equal(
    text,
    '"anthropic/claude-opus-5";status=529;outcome=vendor-overloaded;ms=812, "openai/gpt-5.6";status=200;outcome=ok;ms=904',
  )
})

test('trail: what a header cannot hold is left out of a name', () => {
  const text = trail([
    { vendor: 'x', model: 'a"b\\c\r\nd✓', credential: 1, status: 0, outcome: 'vendor-unreachable', durationMs: 1 },
  ])
  assert.equal(text, '"x/abcd";status=0;outcome=vendor-unreachable;ms=1')
})

test('trail: what is out of the ordinary is told of a try', () => {
  const one = { vendor: 'x', model: 'm', credential: 1, status: 0, durationMs: 0 }
  const told = (more: Partial<Parameters<typeof trail>[0][number]>): string =>
    trail([{ ...one, outcome: 'ok', ...more }])
  assert.equal(told({ credential: 2, waitMs: 40 }), '"x/m";status=0;outcome=ok;ms=0;credential=2;wait=40')
  assert.equal(told({ outcome: 'unsupported', unfit: true }), '"x/m";status=0;outcome=unsupported;ms=0;unfit')
  assert.equal(told({ outcome: 'cooling' }), '"x/m";status=0;outcome=cooling;ms=0;passed')
  assert.equal(told({ outcome: 'cancelled', hedge: true }), '"x/m";status=0;outcome=cancelled;ms=0;hedge')
})
