import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { sign, signed } from './signature.ts'

suite('signatures of thoughts', () => {
  test('a vendor knows its own', () => {
    assert.ok(signed('google', sign('google', 'a thought'), 'a thought'))
  })
  test('a thought that was left out is not compared', () => {
    assert.ok(signed('google', sign('google', 'a thought')))
  })
  test("another vendor's is refused", () => {
    assert.ok(!signed('anthropic', sign('google', 'a thought')))
  })
  test('a changed thought is refused', () => {
    assert.ok(!signed('google', sign('google', 'a thought'), 'another'))
  })
  test('anything else is refused', () => {
    for (const text of ['', 'EqQBCgIYAhIM', 'c2FuZGJveC5nb29nbGU=']) assert.ok(!signed('google', text))
  })
})
