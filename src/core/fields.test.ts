import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Body } from './body.ts'
import { lazyObject, topLevelFields } from './fields.ts'

const bodyOf = (text: string, size = Infinity): Body => {
  const bytes = Buffer.from(text)
  const count = Math.max(1, Math.ceil(bytes.length / size))
  return new Body(
    Array.from({ length: count }, (_, index) =>
      bytes.subarray(index * size || 0, Math.min(bytes.length, (index + 1) * size)),
    ),
  )
}

const lazyOf = (text: string, size?: number): ReturnType<typeof lazyObject> =>
  lazyObject(bodyOf(text, size), 1000, (error) => {
    throw error
  })

test('fields: a lazy object is the parsed object, field by field, in whatever pieces it came', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom(undefined, 1, '\t'),
      fc.constantFrom(1, 2, 5, 1000),
      (json, indent, size) => {
        const text = JSON.stringify(json, null, indent)
        const lazy = lazyOf(text, size)
        assert.deepEqual({ ...lazy }, JSON.parse(text))
      },
    ),
  )
})

test('fields: the last of two fields of one name counts, as for any parser', () => {
  assert.deepEqual({ ...lazyOf('{"a":1,"b":2,"a":3}') }, { a: 3, b: 2 })
})

test('fields: a name like a method of objects is a field like any other', () => {
  const lazy = lazyOf('{"__proto__":{"x":1},"constructor":2}')
  assert.deepEqual(Object.keys(lazy ?? {}), ['__proto__', 'constructor'])
  assert.equal(Reflect.get({}, 'x'), undefined)
})

test('fields: a field can be set anew', () => {
  const lazy = lazyOf('{"a":1}') ?? {}
  lazy.a = 2
  assert.equal(lazy.a, 2)
})

test('fields: a value that is no JSON is a SyntaxError when it is read, and not before', () => {
  const lazy = lazyOf('{"a":1,"b":[1,,2]}') ?? {}
  assert.equal(lazy.a, 1)
  assert.throws(() => lazy.b, SyntaxError)
})

for (const text of [
  '',
  '[]',
  '"x"',
  '{',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{"a":1',
  '{"a":1}}',
  '{"a":1} x',
  '{"a":"x}',
  '{"a":[1}',
  '{a:1}',
  '{,}',
]) {
  test(`fields: the outline of ${JSON.stringify(text)} does not close`, () => {
    assert.equal(topLevelFields(bodyOf(text)), undefined)
  })
}

test('fields: whatever a parser takes, the outline takes too', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      let parsed: unknown
      try {
        parsed = JSON.parse(text)
      } catch {
        return
      }
      const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      assert.equal(topLevelFields(bodyOf(text)) !== undefined, isObject)
    }),
  )
})

test('body: bytes are found in it also across its pieces', () => {
  for (const size of [1, 2, 3, 4, 100]) {
    assert.equal(bodyOf('abc~mark~def', size).includes('~mark~'), true)
    assert.equal(bodyOf('abc~mar~def', size).includes('~mark~'), false)
    assert.equal(bodyOf('abcdefgh', size).slice(2, 5).toString(), 'cde')
  }
})

test('fields: an object deeper than allowed has no outline', () => {
  const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
  assert.equal(topLevelFields(bodyOf(nested(9)), 10)?.length, 1)
  assert.equal(topLevelFields(bodyOf(nested(10)), 10), undefined)
})
