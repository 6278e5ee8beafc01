import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerKeyParts, newCallerKey } from './key.ts'
import { randomId, timeId } from './id.ts'

test('key: a fresh key is of the published form and intact', () => {
  const { key, id } = newCallerKey('sk-aic-')
  assert.match(key, /^sk-aic-[0-9A-Za-z]{46}$/)
  assert.deepEqual(callerKeyParts(key, 'sk-aic-'), { id, intact: true })
})

test('key: one wrong character anywhere is a mistyped key', () => {
  const { key } = newCallerKey('sk-aic-')
  for (let at = 'sk-aic-'.length; at < key.length; at += 1) {
    const wrong = `${key.slice(0, at)}${key[at] === 'a' ? 'b' : 'a'}${key.slice(at + 1)}`
    assert.equal(callerKeyParts(wrong, 'sk-aic-')?.intact, false, `at ${at}`)
  }
})

test('key: text of another form has no parts', () => {
  for (const text of ['', 'sk-aic-', 'sk-ant-api03-xyz', `sk-aic-${'a'.repeat(45)}`, `sk-aic-${'ä'.repeat(46)}`]) {
    assert.equal(callerKeyParts(text, 'sk-aic-'), undefined)
  }
})

test('id: ids of a later time sort after those of an earlier one', () => {
  const times = [0, 1, 61, 62, 1_790_000_000_000, 1_790_000_000_001, 9_999_999_999_999]
  const ids = times.map((nowMs) => timeId(nowMs))
  assert.deepEqual(
    [...ids].toSorted((one, other) => (one < other ? -1 : 1)),
    ids,
  )
  assert.ok(ids.every((id) => /^[0-9A-Za-z]{24}$/.test(id)))
})

test('id: random ids have their length, use all 62 characters and do not repeat', () => {
  const ids = Array.from({ length: 2000 }, () => randomId(24))
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(new Set(ids.join('')).size, 62)
  assert.ok(ids.every((id) => id.length === 24))
})
