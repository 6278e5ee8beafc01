import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Failure, failures, type FailureKind } from '../../core/failure.ts'
import { objectOf, parseJson, type JsonObject } from '../../core/json.ts'
import { readFailure } from './failure.ts'
import { openaiResponses } from './index.ts'

const { failure } = openaiResponses

describe('failures', () => {
  test('a recorded error answer is read', () => {
    const url = new URL('../../../test/fixtures/openai-responses/error.json', import.meta.url)
    const wire = { status: 429, contentType: 'application/json', body: readFileSync(url) }
    const { status, type, code } = failure.read(wire, {})
    assert.deepEqual([status, type, code], [429, 'insufficient_quota', 'insufficient_quota'])
  })

  test('every kind is told in a flat event with all its keys', () => {
    for (const kind of Object.keys(failures) as FailureKind[]) {
      const text = failure.writeEvent(new Failure(kind, 'What happened.', { path: 'input' }), 'req_1')
      const [, data = ''] = /^event: error\ndata: (.*)\n\n$/.exec(text) ?? []
      const event = objectOf(parseJson(data))
      assert.deepEqual(Object.keys(event), ['type', 'code', 'message', 'param', 'sequence_number'], kind)
      assert.deepEqual([event['type'], event['param']], ['error', 'input'])
      assert.ok(data.includes('What happened.'))
    }
  })

  test('what is written is read as the same kind where it is a vendor’s', () => {
    for (const kind of ['vendor-limit', 'vendor-broken', 'vendor-overloaded', 'vendor-slow'] as const) {
      const text = failure.writeEvent(new Failure(kind, 'What happened.'), '')
      const event = objectOf(parseJson(text.slice(text.indexOf('{'))))
      assert.equal(readFailure(event).kind, kind)
    }
  })

  const odd: JsonObject[] = [{}, { error: 'text' }, { error: {} }, { error: [] }, { response: 7 }, { message: {} }]
  for (const json of odd) {
    test(`an event of the shape ${JSON.stringify(json)} is read too`, () => {
      assert.equal(readFailure({ type: 'error', ...json }, 'xai').kind, 'vendor-broken')
    })
  }
})
