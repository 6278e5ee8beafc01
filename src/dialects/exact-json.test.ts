import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactJson } from './exact-json.ts'

const cases: [name: string, text: string, written: string | undefined][] = [
  ['an id of 64 bits', '{"id":1234567890123456789,"n":[-98765432109876543210]}', undefined],
  ['small numbers', '{"a":1,"b":1.5,"c":[]}', undefined],
  ['digits in a text', '{"a":"1234567890123456789"}', undefined],
  ['a fraction', '{"a":0.12345678901234567890}', '{"a":0.12345678901234568}'],
]
for (const [name, text, written = text] of cases) {
  test(`${name} is written as it was read`, () => assert.equal(JSON.stringify(exactJson(text)), written))
}

test('what is no JSON is undefined', () => {
  assert.equal(exactJson('{"a":1234567890123456789'), undefined)
  assert.equal(exactJson('{'), undefined)
})
