import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSealed, open, seal } from './opaque.ts'

test('opaque: a state in its own vendor’s dialect stays as it came', () => {
  assert.equal(seal({ vendor: 'anthropic', data: 'sig==' }, 'anthropic'), 'sig==')
  assert.deepEqual(open('sig==', 'anthropic'), { vendor: 'anthropic', data: 'sig==' })
})

test('opaque: a foreign state is sealed, known as such, and comes back whole', () => {
  const state = { vendor: 'google', data: 'a/b+c=ü', id: 'rs_1' }
  const sealed = seal(state, 'anthropic')
  assert.ok(isSealed(sealed))
  assert.match(sealed, /^~keyrung~[\w-]+$/)
  assert.deepEqual(open(sealed, 'anthropic'), state)
})

test('opaque: a sealed text that somebody broke belongs to nobody', () => {
  assert.deepEqual(open('~keyrung~@@@', 'anthropic'), { vendor: 'unknown', data: '' })
  assert.equal(isSealed(7), false)
})
