import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Body } from './body.ts'
import { splice } from './splice.ts'
import type { Patch } from './dialect.ts'

const cases: [sentence: string, body: string, patch: Patch, result: string][] = [
  [
    'a field is replaced and all else stays as it is',
    '{ "a" : 1,\n "model": "x" , "b":[1, 2]}',
    { model: 'y' },
    '{ "a" : 1,\n "model": "y", "b":[1, 2]}',
  ],
  ['a field that is not there is added', '{"a":1}', { b: { c: 2 } }, '{"b":{"c":2},"a":1}'],
  ['a field is removed', '{"a":1,"b":2,"c":3}', { b: undefined }, '{"a":1,"c":3}'],
  ['the only field is removed', '{"a":1}', { a: undefined }, '{}'],
  ['a field is added to an empty object', ' {} ', { a: 1 }, ' {"a":1} '],
  [
    'fields of inner objects are not touched',
    '{"x":{"model":"in"},"model":"out"}',
    { model: 'y' },
    '{"x":{"model":"in"},"model":"y"}',
  ],
  [
    'quotes and brackets in text do not confuse it',
    '{"t":"a\\"}],{\\\\","model":"x"}',
    { model: 'y' },
    '{"t":"a\\"}],{\\\\","model":"y"}',
  ],
  [
    'a field that stands twice stands once afterwards',
    '{"model":"x","a":1,"model":"z"}',
    { model: 'y' },
    '{"a":1,"model":"y"}',
  ],
  ['a name in escapes is the same name', '{"\\u006dodel":"x"}', { model: 'y' }, '{"\\u006dodel":"y"}'],
]

for (const [sentence, body, patch, result] of cases) {
  test(`splice: ${sentence}`, () => {
    const spliced = splice(new Body([Buffer.from(body)]), patch).toString()
    assert.deepEqual(JSON.parse(spliced), JSON.parse(result))
    assert.equal(spliced, result)
  })
}

test('splice: means the same as setting the fields of the parsed object', () => {
  const body = fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 6 })
  fc.assert(
    fc.property(
      body,
      fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }),
      fc.constantFrom(undefined, 2),
      (json, patch, indent) => {
        const names = Object.keys(json)
        const full: Patch = { ...(patch as Patch), ...(names[0] === undefined ? {} : { [names[0]]: undefined }) }
        const expected: Record<string, unknown> = { ...json }
        for (const [name, value] of Object.entries(full)) {
          if (value === undefined) delete expected[name]
          else expected[name] = value
        }
        const spliced = splice(new Body([Buffer.from(JSON.stringify(json, null, indent))]), full)
        assert.deepEqual(JSON.parse(spliced.toString()), JSON.parse(JSON.stringify(expected)))
      },
    ),
  )
})
