import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Json, JsonObject } from '../core/json.ts'
import { sampleOf } from './schema-sample.ts'

const cases: { name: string; schema: JsonObject; sample: Json }[] = [
  {
    name: 'a text property holds its own name',
    schema: { type: 'object', properties: { city: { type: 'string' } } },
    sample: { city: 'city' },
  },
  { name: 'an object without properties is empty', schema: { type: 'object' }, sample: {} },
  {
    name: 'a required property without a schema is there',
    schema: { type: 'object', required: ['city'] },
    sample: { city: 'city' },
  },
  { name: 'const wins over everything', schema: { const: 7, type: 'string' }, sample: 7 },
  { name: 'the first of an enum is taken', schema: { enum: ['celsius', 'kelvin'] }, sample: 'celsius' },
  { name: 'the first of several types is taken', schema: { type: ['integer', 'null'] }, sample: 1 },
  { name: "Gemini's capitals are types", schema: { type: 'BOOLEAN' }, sample: true },
  { name: 'the first of anyOf is taken', schema: { anyOf: [{ type: 'null' }, { type: 'string' }] }, sample: null },
  {
    name: 'allOf is one object',
    schema: {
      allOf: [
        { properties: { a: { type: 'integer' } }, required: ['a'] },
        { properties: { b: { type: 'boolean' } }, required: ['b'] },
      ],
    },
    sample: { a: 1, b: true },
  },
  {
    name: 'references point into $defs',
    schema: { $defs: { city: { enum: ['Oslo'] } }, properties: { city: { $ref: '#/$defs/city' } } },
    sample: { city: 'Oslo' },
  },
  { name: 'a reference to nothing is a text', schema: { $ref: '#/$defs/none' }, sample: 'text' },
  { name: 'minimum and multipleOf hold', schema: { type: 'integer', minimum: 7, multipleOf: 5 }, sample: 10 },
  { name: 'exclusive bounds hold', schema: { type: 'integer', exclusiveMinimum: 3, maximum: 4 }, sample: 4 },
  { name: 'maximum holds', schema: { type: 'number', maximum: 0 }, sample: 0 },
  {
    name: 'arrays have the fewest items',
    schema: { type: 'array', items: { type: 'integer' }, minItems: 2 },
    sample: [1, 1],
  },
  { name: 'arrays that must be empty are', schema: { type: 'array', maxItems: 0 }, sample: [] },
  { name: 'tuples have all their items', schema: { prefixItems: [{ type: 'null' }, { const: 2 }] }, sample: [null, 2] },
  { name: 'lengths hold', schema: { type: 'string', minLength: 6, maxLength: 6 }, sample: 'text..' },
  { name: 'formats hold', schema: { type: 'string', format: 'date' }, sample: '2026-01-02' },
]

suite('a sample of a schema', () => {
  for (const { name, schema, sample } of cases) {
    test(name, () => {
      assert.deepEqual(sampleOf(schema), sample)
    })
  }

  test('a schema that contains itself comes to an end', () => {
    const node: JsonObject = { type: 'object', properties: { next: { $ref: '#' } }, required: [] }
    assert.ok(JSON.stringify(sampleOf(node)).length < 200)
  })

  test('a schema that must contain itself comes to an end too', () => {
    const node: JsonObject = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }
    assert.ok(JSON.stringify(sampleOf(node)).length < 1000)
  })
})
