import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { recordingFetch } from '../sdk/calls.ts'
import { ask, receipts } from './support/ask.ts'
import type { LadderGateway } from './support/gateway.ts'
import { firstModel, secondModel, stage } from './support/stage.ts'
import type { Way } from './support/vendor.ts'
import { begin, errorEvent, fails, resets, textFrom } from './support/ways.ts'

const messages = [{ role: 'user' as const, content: 'Hello' }]

function clients(gateway: LadderGateway, maxRetries?: number) {
  const { fetch, seen } = recordingFetch()
  const retries = maxRetries === undefined ? {} : { maxRetries }
  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: gateway.key, fetch, ...retries })
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key, fetch, ...retries })
  return { anthropic, openai, seen }
}

const ways: [says: string, way: Way][] = [
  ['is overloaded', fails(529)],
  ['is limited', fails(429, { headers: { 'retry-after': '30' } })],
  ['refuses the key', fails(401)],
  ['resets the connection', resets],
]

describe('the official SDKs get an ordinary answer at the first request while the first rung', () => {
  for (const [says, way] of ways) {
    test(`${says}: Anthropic’s`, async (context) => {
      const { gateway, first } = await stage(context)
      first.answers(way)
      const { anthropic, seen } = clients(gateway)
      const asked = { model: 'ladder/two', max_tokens: 100, messages }
      const message = await anthropic.messages.create(asked)
      assert.deepEqual(
        message.content.map((block) => block.type === 'text' && block.text),
        [textFrom(secondModel)],
      )
      assert.deepEqual([message.model, message.stop_reason], [secondModel, 'end_turn'])
      const streamed = await anthropic.messages.stream(asked).finalMessage()
      assert.deepEqual([streamed.model, streamed.content.length], [secondModel, 1])
      assert.equal(seen.length, 2)
    })

    test(`${says}: OpenAI’s`, async (context) => {
      const { gateway, first } = await stage(context)
      first.answers(way)
      const { openai, seen } = clients(gateway)
      const asked = { model: 'ladder/two', messages }
      const completion = await openai.chat.completions.create(asked)
      assert.deepEqual([completion.model, completion.choices[0]?.message.content], [secondModel, textFrom(secondModel)])
      let text = ''
      for await (const { choices } of await openai.chat.completions.create({ ...asked, stream: true })) {
        text += choices[0]?.delta.content ?? ''
      }
      assert.equal(text, textFrom(secondModel))
      assert.equal(seen.length, 2)
    })
  }

  test('breaks its stream before any content', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers((asked) => {
      begin(asked)
      asked.response.end(errorEvent(asked))
    })
    const { anthropic, openai } = clients(gateway)
    const message = await anthropic.messages.stream({ model: 'ladder/two', max_tokens: 100, messages }).finalMessage()
    assert.equal(message.model, secondModel)
    const runner = openai.chat.completions.stream({ model: 'ladder/two', messages })
    assert.equal((await runner.finalChatCompletion()).choices[0]?.message.content, textFrom(secondModel))
  })
})

describe('a retry of the SDK’s own', () => {
  test('has two tries at most, and none twice at one place: Anthropic’s', async (context) => {
    const { gateway, first, second, third } = await stage(context)
    for (const vendor of [first, second, third]) vendor.answers(fails(529))
    const { anthropic, seen } = clients(gateway, 1)
    await assert.rejects(
      anthropic.messages.create({ model: 'ladder/three', max_tokens: 100, messages }),
      Anthropic.InternalServerError,
    )
    assert.equal(seen.length, 2)
    await checkTries(gateway)
  })

  test('has two tries at most, and none twice at one place: OpenAI’s', async (context) => {
    const { gateway, first, second, third } = await stage(context)
    for (const vendor of [first, second, third]) vendor.answers(fails(529))
    const { openai, seen } = clients(gateway, 1)
    await assert.rejects(
      openai.chat.completions.create({ model: 'ladder/three', messages }),
      OpenAI.InternalServerError,
    )
    assert.equal(seen.length, 2)
    await checkTries(gateway)
  })

  test('has one try of a single rung', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(fails(529))
    const answer = await ask(gateway, { model: 'ladder/one', headers: { 'x-stainless-retry-count': '1' } })
    assert.deepEqual([answer.status, first.asked.length], [529, 1])
  })

  test('begins at the rung that failed least', async (context) => {
    const { gateway, first, second } = await stage(context)
    first.answers(fails(529))
    await ask(gateway)
    const answer = await ask(gateway, { headers: { 'x-stainless-retry-count': '1' } })
    assert.deepEqual([answer.status, answer.model], [200, secondModel])
    assert.deepEqual([first.asked.length, second.asked.length], [1, 2])
    const plain = await ask(gateway, { headers: { 'x-stainless-retry-count': '0' } })
    assert.equal(plain.trail[0], `anthropic/${firstModel} 529 vendor-overloaded`)
  })
})

/** Three rungs for the call itself, two of them for its retry. */
async function checkTries(gateway: LadderGateway): Promise<void> {
  const [retry, call] = await receipts(gateway, 2)
  assert.deepEqual([call?.tries.length, retry?.tries.length], [3, 2])
  const places = retry?.tries.map(({ vendor }) => vendor)
  assert.equal(new Set(places).size, 2)
}
