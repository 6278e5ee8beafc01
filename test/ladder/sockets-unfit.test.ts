import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '../../src/core/json.ts'
import { pdf } from '../sdk/matrix.ts'
import { ask, receipts, type Dialect } from './support/ask.ts'
import { firstModel, secondModel, stage, thirdModel } from './support/stage.ts'
import { fails, well } from './support/ways.ts'

/** A small window (128,000 tokens) between two large ones. */
const smallModel = 'gpt-4o-mini'
const withPdf: JsonObject = {
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What does it say?' },
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: pdf.base64 } },
      ],
    },
  ],
}
const withSchema: JsonObject = {
  response_format: {
    type: 'json_schema',
    json_schema: {
      name: 'city',
      strict: true,
      schema: { type: 'object', properties: {}, additionalProperties: false },
    },
  },
}
/** Some 200,000 tokens, and more than 128,000 by any count. */
const long: JsonObject = { messages: [{ role: 'user', content: 'words '.repeat(200_000) }] }

const cases: [says: string, dialect: Dialect, unfitModel: string, body: JsonObject, kind: string][] = [
  ['a PDF', 'anthropic', thirdModel, withPdf, 'unsupported'],
  ['a schema for the answer', 'openai', thirdModel, withSchema, 'unsupported'],
  ['a prompt larger than its window', 'anthropic', smallModel, long, 'prompt-too-long'],
  ['a prompt larger than its window', 'openai', smallModel, long, 'prompt-too-long'],
]

describe('a rung that cannot take the request', () => {
  for (const [says, dialect, unfitModel, body, kind] of cases) {
    const vendor = unfitModel === smallModel ? 'openai' : 'deepseek'
    const config = `ladders:
  first: { rungs: [${unfitModel}, ${firstModel}, ${secondModel}] }
  middle: { rungs: [${firstModel}, ${unfitModel}, ${secondModel}] }
  last: { rungs: [${firstModel}, ${unfitModel}] }
  only: { rungs: [${unfitModel}] }`

    for (const stream of [false, true]) {
      test(`is not asked, and the next is, and it is no try: ${says}, ${dialect}, ${stream ? 'streamed' : 'whole'}`, async (context) => {
        const { gateway, first, second, third } = await stage(context, {
          ladders: config,
          config: 'retries: { triesMax: 2 }',
        })
        first.answers(fails(529))
        const answer = await ask(gateway, { model: 'ladder/middle', dialect, stream, body })
        assert.deepEqual([answer.status, answer.model], [200, secondModel])
        assert.deepEqual(answer.trail, [
          `anthropic/${firstModel} 529 vendor-overloaded`,
          `${vendor}/${unfitModel} 0 ${kind}`,
          `openai/${secondModel} 200 ok`,
        ])
        assert.equal(answer.items[1]?.parameters['unfit'], true)
        assert.deepEqual(
          [...second.asked, ...third.asked].map(({ model }) => model),
          [secondModel],
        )
        const [receipt] = await receipts(gateway, 1)
        assert.deepEqual([receipt?.tries[1]?.unfit, receipt?.tries[1]?.outcome], [true, kind])
      })
    }

    test(`is passed over as the first rung too: ${says}, ${dialect}`, async (context) => {
      const { gateway, third } = await stage(context, { ladders: config })
      const answer = await ask(gateway, { model: 'ladder/first', dialect, body })
      assert.deepEqual([answer.status, answer.model], [200, firstModel])
      assert.deepEqual(answer.trail, [`${vendor}/${unfitModel} 0 ${kind}`, `anthropic/${firstModel} 200 ok`])
      assert.equal(third.asked.length, 0)
    })

    test(`is not what the caller is told of where another failed: ${says}, ${dialect}`, async (context) => {
      const { gateway, first } = await stage(context, { ladders: config, config: 'retries: { backoffMs: 5 }' })
      first.answers(fails(529))
      const answer = await ask(gateway, { model: 'ladder/last', dialect, body })
      assert.deepEqual([answer.status, answer.headers['x-keyrung-model']], [529, firstModel])
    })
  }

  test('does not hide the one after it from a call that looks for a healthy rung', async (context) => {
    const { gateway, first, third } = await stage(context, {
      ladders: `ladders: { middle: { rungs: [${firstModel}, ${thirdModel}, ${secondModel}], hedgeAfterMs: 20 } }`,
    })
    first.answers((asked) => void setTimeout(() => well(asked), 2000))
    const answer = await ask(gateway, { model: 'ladder/middle', body: withPdf })
    assert.deepEqual([answer.status, answer.model], [200, secondModel], 'started beside the first')
    assert.equal(third.asked.length, 0)
  })

  test('as the only one says what it cannot take', async (context) => {
    const { gateway, third } = await stage(context, { ladders: `ladders: { only: { rungs: [${thirdModel}] } }` })
    const answer = await ask(gateway, { model: 'ladder/only', body: withPdf })
    assert.deepEqual([answer.status, answer.headers['x-keyrung-failure']], [400, 'unsupported'])
    assert.equal(answer.headers['x-should-retry'], 'false')
    assert.equal(third.asked.length, 0)
  })

  test('is passed over by a call that breaks the rules of all: the first says what is wrong', async (context) => {
    const { gateway, first, second } = await stage(context)
    const answer = await ask(gateway, { body: { max_tokens: -1 } })
    assert.deepEqual([answer.status, answer.headers['x-keyrung-failure']], [400, 'request-invalid'])
    assert.deepEqual([first.asked.length, second.asked.length], [0, 0])
  })
})
