import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deeperThan, jsonErrorAt } from './json-error.ts'

const cases: [text: string, at: number][] = [
  ['model=x', 0],
  ['{"a":1,,}', 7],
  ['{"a":1', 6],
  ['{"a" 1}', 5],
  ['{"a":tru}', 8],
  ["{'a':1}", 1],
  ['[1,2', 4],
  ['[1,]', 3],
  ['{"a":1}}', 7],
  ['{"a":"x\ny"}', 7],
  ['{"a":[1,{"b":}]}', 13],
  ['', 0],
  ['nul', 3],
]
for (const [text, at] of cases) {
  test(`json-error: ${JSON.stringify(text)} stops being JSON at ${at}`, () => assert.equal(jsonErrorAt(text), at))
}

test('json-error: what a parser takes has no error before its end', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      assert.equal(jsonErrorAt(text), text.length)
    }),
  )
})

test('json-error: what a parser refuses has one, wherever a character was changed', () => {
  fc.assert(
    fc.property(fc.object(), fc.nat(), fc.constantFrom('', ',', '}', '"', 'x', '\\'), (value, place, instead) => {
      const whole = JSON.stringify(value)
      const at = place % whole.length
      const text = whole.slice(0, at) + instead + whole.slice(at + 1)
      let good = true
      try {
        JSON.parse(text)
      } catch {
        good = false
      }
      const found = jsonErrorAt(text)
      if (good) assert.equal(found, text.length)
      else assert.ok(found <= text.length)
    }),
  )
})

test('json-error: depth is counted in objects and lists', () => {
  assert.equal(deeperThan(JSON.parse('['.repeat(128) + ']'.repeat(128)), 128), false)
  assert.equal(deeperThan(JSON.parse('['.repeat(129) + ']'.repeat(129)), 128), true)
  assert.equal(deeperThan({ a: { b: 1 } }, 1), true)
})
