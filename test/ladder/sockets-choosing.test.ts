import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { shippedLadders } from '../../src/vendors/index.ts'
import { ask, dialects, manners, receipts } from './support/ask.ts'
import { firstModel, secondModel, stage, thirdModel } from './support/stage.ts'
import { fails, textFrom, well } from './support/ways.ts'

describe('a ladder is chosen', () => {
  for (const { name, ...manner } of manners) {
    test(`by the model ladder/NAME: ${name}`, async (context) => {
      const { gateway, first } = await stage(context)
      first.answers(fails(529))
      const answer = await ask(gateway, { ...manner, model: 'ladder/two' })
      assert.deepEqual([answer.status, answer.text, answer.complete], [200, textFrom(secondModel), true])
      assert.equal(answer.model, secondModel, 'the body names the model that answered')
      assert.equal(answer.headers['x-keyrung-model'], secondModel)
      assert.equal(answer.headers['x-keyrung-vendor'], 'openai')
      assert.equal(answer.headers['x-keyrung-ladder'], 'two')
      assert.deepEqual(answer.trail, [`anthropic/${firstModel} 529 vendor-overloaded`, `openai/${secondModel} 200 ok`])
      const [receipt] = await receipts(gateway, 1)
      assert.deepEqual([receipt?.modelAsked, receipt?.model, receipt?.vendor], ['ladder/two', secondModel, 'openai'])
    })
  }

  for (const { name, ...manner } of manners) {
    test(`and the model is told as the vendor names it: ${name}`, async (context) => {
      const { gateway, first, second } = await stage(context)
      first.answers(fails(529))
      const dated = `${secondModel}-2025-04-14`
      second.answers((asked) => well({ ...asked, model: dated }))
      const answer = await ask(gateway, manner)
      assert.deepEqual([answer.model, answer.headers['x-keyrung-model']], [dated, dated])
      const [receipt] = await receipts(gateway, 1)
      assert.equal(receipt?.model, dated)
    })
  }

  test('and its first rung answers while it is well, with no trail to tell', async (context) => {
    const { gateway, second } = await stage(context)
    for (const { name, ...manner } of manners) {
      // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its manner
      const answer = await ask(gateway, { ...manner, model: 'ladder/two' })
      assert.deepEqual([answer.status, answer.model, answer.text], [200, firstModel, textFrom(firstModel)], name)
      assert.equal(answer.headers['x-keyrung-model'], firstModel)
      assert.equal(answer.headers['x-keyrung-ladder'], 'two')
      assert.equal(answer.headers['x-keyrung-attempts'], undefined)
    }
    assert.equal(second.asked.length, 0)
  })

  for (const dialect of dialects) {
    test(`by the header x-keyrung-ladder with a model, which stands first: ${dialect}`, async (context) => {
      const { gateway, first, second, third } = await stage(context)
      third.answers(fails(529))
      const headers = { 'x-keyrung-ladder': 'two' }
      const other = await ask(gateway, { dialect, model: thirdModel, headers })
      assert.deepEqual(
        [other.status, other.model],
        [200, firstModel],
        'a model outside the ladder comes before all of it',
      )
      assert.deepEqual(other.trail, [`deepseek/${thirdModel} 529 vendor-overloaded`, `anthropic/${firstModel} 200 ok`])
      second.answers(fails(529))
      const inner = await ask(gateway, { dialect, model: secondModel, headers })
      assert.equal(inner.status, 529, 'of a ladder that holds the model, those before it are not asked')
      assert.equal(first.asked.length, 1)
      assert.ok(second.asked.length > 0)
    })
  }

  test('by a rule of the operator that fits the name of the model', async (context) => {
    const { gateway, first } = await stage(context, { config: "ladderRules: [{ models: 'claude-*', ladder: two }]" })
    first.answers(fails(529))
    const answer = await ask(gateway, { model: firstModel })
    assert.deepEqual([answer.status, answer.model, answer.headers['x-keyrung-ladder']], [200, secondModel, 'two'])
    const other = await ask(gateway, { model: secondModel })
    assert.deepEqual([other.status, other.headers['x-keyrung-ladder']], [200, undefined])
  })

  test('not by a rule where the call says off', async (context) => {
    const { gateway, first, second } = await stage(context, { config: "ladderRules: [{ models: '*', ladder: two }]" })
    first.answers(fails(529))
    const answer = await ask(gateway, { model: firstModel, headers: { 'x-keyrung-ladder': 'off' } })
    assert.deepEqual([answer.status, answer.headers['x-keyrung-ladder']], [529, undefined])
    assert.equal(second.asked.length, 0)
  })

  test('by the key of the caller, before any rule, and after the word of the call', async (context) => {
    const { gateway, first, third } = await stage(context, {
      config: "ladderRules: [{ models: '*', ladder: one }]",
      declaredKeys: [{ name: 'team', key: 'key-of-a-team-that-climbs', ladder: 'two' }],
    })
    first.answers(fails(529))
    const own = await ask(gateway, { model: firstModel })
    assert.deepEqual([own.status, own.model, own.headers['x-keyrung-ladder']], [200, secondModel, 'two'])
    const said = await ask(gateway, { model: firstModel, headers: { 'x-keyrung-ladder': 'three' } })
    assert.equal(said.headers['x-keyrung-ladder'], 'three')
    const off = await ask(gateway, { model: firstModel, headers: { 'x-keyrung-ladder': 'off' } })
    assert.deepEqual([off.status, off.headers['x-keyrung-ladder']], [529, undefined])
    assert.equal(third.asked.length, 0)
  })
})

describe('a model is never swapped', () => {
  for (const { name, ...manner } of manners) {
    test(`where nobody named a ladder: ${name}`, async (context) => {
      const { gateway, first, second, third } = await stage(context)
      first.answers(fails(529))
      const answer = await ask(gateway, { ...manner, model: firstModel })
      assert.deepEqual([answer.status, answer.headers['x-keyrung-ladder']], [529, undefined])
      assert.equal(answer.headers['x-keyrung-model'], firstModel)
      assert.deepEqual([second.asked.length, third.asked.length], [0, 0])
      assert.ok(first.asked.every(({ model }) => model === firstModel))
    })
  }

  for (const [says, question] of [
    ['asked for by its ladder', { model: 'ladder/two' }],
    ['with a ladder by header', { model: firstModel, headers: { 'x-keyrung-ladder': 'two' } }],
    ['with a ladder by rule', { model: firstModel }],
  ] as const) {
    test(`where tokens are counted: ${says}`, async (context) => {
      const { gateway, first, second } = await stage(context, { config: "ladderRules: [{ models: '*', ladder: two }]" })
      const path = '/v1/messages/count_tokens'
      const good = await ask(gateway, { ...question, path })
      assert.deepEqual([good.status, good.body], [200, '{"input_tokens":42}'])
      first.answers(fails(529))
      const bad = await ask(gateway, { ...question, path })
      assert.equal(bad.status, 529)
      assert.ok(first.asked.every(({ model }) => model === firstModel))
      assert.equal(second.asked.length, 0)
    })
  }
})

describe('a ladder that there is not', () => {
  for (const dialect of dialects) {
    test(`is a 404 as a model, and a 400 as a header, that name those there are: ${dialect}`, async (context) => {
      const { gateway, first } = await stage(context, { config: 'shippedLadders: false' })
      const model = await ask(gateway, { dialect, model: 'ladder/tow' })
      assert.deepEqual([model.status, model.headers['x-keyrung-failure']], [404, 'model-unknown'])
      assert.match(model.message, /there is no ladder 'tow' here.*Ladders here: two, three, one\./s)
      if (dialect === 'openai') assert.deepEqual([model.error?.code, model.error?.param], ['model_not_found', 'model'])
      const header = await ask(gateway, { dialect, model: firstModel, headers: { 'x-keyrung-ladder': 'tow' } })
      assert.deepEqual([header.status, header.headers['x-keyrung-failure']], [400, 'request-invalid'])
      assert.match(header.message, /x-keyrung-ladder: there is no ladder 'tow' here.*Ladders here: two, three, one\./s)
      assert.equal(header.headers['x-should-retry'], 'false')
      assert.equal(first.asked.length, 0)
    })
  }

  test('is told without what was written for it, were that a script', async (context) => {
    const { gateway } = await stage(context)
    const answer = await ask(gateway, { model: 'ladder/<script>' })
    assert.equal(answer.status, 404)
    assert.doesNotMatch(answer.body, /<script>/)
  })

  test('two ladders for one call are a 400', async (context) => {
    const { gateway, first } = await stage(context)
    const answer = await ask(gateway, { model: 'ladder/two', headers: { 'x-keyrung-ladder': 'three' } })
    assert.equal(answer.status, 400)
    assert.match(answer.message, /Name the ladder in one place/)
    assert.equal(first.asked.length, 0)
  })
})

test('ladders are listed and shown as models, for both official SDKs', async (context) => {
  const { gateway } = await stage(context)
  const names = ['two', 'three', 'one', ...shippedLadders.map(({ name }) => name)].map((name) => `ladder/${name}`)
  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: gateway.key, maxRetries: 0 })
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key, maxRetries: 0 })
  const one: string[] = []
  for await (const model of anthropic.models.list()) one.push(model.id)
  const other: string[] = []
  for await (const model of openai.models.list()) other.push(model.id)
  for (const listed of [one, other]) {
    assert.deepEqual(listed.filter((id) => id.startsWith('ladder/')).toSorted(), names.toSorted())
  }
  for (const name of names) {
    // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its ladder
    assert.deepEqual(await shown(anthropic, openai, name), [name, 'model', name, 'model', 'keyrung'])
  }
  const { display_name: title, max_input_tokens: window } = await anthropic.models.retrieve('ladder/two')
  assert.equal(title, 'Ladder two, from Claude Sonnet 5')
  assert.equal(window, (await anthropic.models.retrieve(firstModel)).max_input_tokens)
  await assert.rejects(anthropic.models.retrieve('ladder/tow'), Anthropic.NotFoundError)
  await assert.rejects(openai.models.retrieve('ladder/tow'), OpenAI.NotFoundError)
})

async function shown(anthropic: Anthropic, openai: OpenAI, name: string): Promise<string[]> {
  const one = await anthropic.models.retrieve(name)
  const other = await openai.models.retrieve(name)
  return [one.id, one.type, other.id, other.object, other.owned_by]
}
