import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitsPattern } from './pattern.ts'

const cases: [sentence: string, pattern: string, name: string, fits: boolean][] = [
  ['a pattern without a star is the name itself', 'gpt-5.6', 'gpt-5.6', true],
  ['and nothing else', 'gpt-5.6', 'gpt-5.6-luna', false],
  ['nor is a dot any letter', 'gpt-5.6', 'gpt-5x6', false],
  ['a star at the end is any end', 'claude-opus-*', 'claude-opus-5-5', true],
  ['also none', 'claude-opus-*', 'claude-opus-', true],
  ['a star at the beginning is any beginning', '*-flash', 'gemini-3.8-flash', true],
  ['a star in the middle is any middle', 'claude-*-5', 'claude-opus-5', true],
  ['beginning and end do not share letters', 'aba*aba', 'ababa', false],
  ['several stars take their parts in order', '*claude*opus*', 'anthropic/claude-opus-5', true],
  ['and not out of order', '*opus*claude*', 'claude-opus-5', false],
  ['a part is not found in the end', 'a*b*b', 'ab', false],
  ['a star alone is all', '*', 'whatever', true],
]

for (const [sentence, pattern, name, fits] of cases) {
  test(`pattern: ${sentence}`, () => assert.equal(fitsPattern(pattern, name), fits))
}

test('pattern: a name of any length is looked at once', () => {
  assert.equal(fitsPattern('*claude*opus*x', 'claude'.repeat(1_000_000)), false)
})
