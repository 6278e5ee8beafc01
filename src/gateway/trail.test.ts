import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trail } from './trail.ts'

test('trail: each try is an item with its parameters, in order', () => {
  const text = trail([
    { vendor: 'anthropic', model: 'claude-opus-5', status: 529, outcome: 'vendor-overloaded', durationMs: 812 },
    { vendor: 'openai', model: 'gpt-5.6', status: 200, outcome: 'ok', durationMs: 904 },
  ])
  assert.equal(
    text,
    '"anthropic/claude-opus-5";status=529;outcome=vendor-overloaded;ms=812, "openai/gpt-5.6";status=200;outcome=ok;ms=904',
  )
})

test('trail: what a header cannot hold is left out of a name', () => {
  const text = trail([{ vendor: 'x', model: 'a"b\\c\r\nd✓', status: 0, outcome: 'vendor-unreachable', durationMs: 1 }])
  assert.equal(text, '"x/abcd";status=0;outcome=vendor-unreachable;ms=1')
})
