import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { models, shippedLadders } from '../../src/vendors/index.ts'
import { startTestGateway } from '../support/gateway.ts'
import { lastOf, recordingFetch } from './calls.ts'
import { lines, png, weatherSchema } from './matrix.ts'

const gateway = await startTestGateway({ config: 'aliases: { best: claude-sonnet-5 }' })
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})
const { fetch, seen } = recordingFetch()
const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: gateway.key, maxRetries: 0, fetch })
const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key, maxRetries: 0, fetch })
const names = [
  'best',
  ...models.map((model) => model.id),
  ...shippedLadders.map(({ name }) => `ladder/${name}`),
].toSorted()

describe('the models', () => {
  test('are listed for the Anthropic SDK, page after page', async () => {
    const listed: Anthropic.ModelInfo[] = []
    const before = seen.length
    for await (const model of anthropic.models.list({ limit: 7 })) listed.push(model)
    assert.deepEqual(listed.map((model) => model.id).toSorted(), names)
    assert.equal(seen.length - before, Math.ceil(names.length / 7), 'a request a page')
    for (const model of listed) {
      assert.equal(model.type, 'model')
      assert.notEqual(model.display_name, '')
      assert.ok(Number.isFinite(Date.parse(model.created_at)))
    }
  })

  test('are listed at once where the caller asks for 1000, as Claude Code does', async () => {
    const page = await anthropic.models.list({ limit: 1000 })
    assert.deepEqual([page.data.length, page.has_more], [names.length, false])
    assert.deepEqual([page.first_id, page.last_id], [page.data[0]?.id, page.data.at(-1)?.id])
  })

  test('go backwards too', async () => {
    const all = (await anthropic.models.list({ limit: 1000 })).data.map((model) => model.id)
    const page = await anthropic.models.list({ limit: 3, before_id: all[5] as string })
    assert.deepEqual(
      page.data.map((model) => model.id),
      all.slice(2, 5),
    )
    assert.equal(page.has_more, true)
  })

  test('are listed for the OpenAI SDK', async () => {
    const listed: OpenAI.Model[] = []
    for await (const model of openai.models.list()) listed.push(model)
    assert.deepEqual(listed.map((model) => model.id).toSorted(), names)
    for (const model of listed) {
      assert.equal(model.object, 'model')
      assert.ok(Number.isInteger(model.created))
      assert.match(model.owned_by, /^(anthropic|openai|google|xai|deepseek|keyrung)$/)
    }
  })

  for (const name of ['best', 'ladder/opus', 'anthropic/claude-sonnet-5', ...lines.map((line) => line.model)]) {
    test(`${name} is shown to both`, async () => {
      const one = await anthropic.models.retrieve(name)
      assert.deepEqual([one.id, one.type], [name, 'model'])
      assert.equal(one._request_id, lastOf(seen).headers.get('request-id'))
      const other = await openai.models.retrieve(name)
      assert.deepEqual([other.id, other.object], [name, 'model'])
      assert.equal(other._request_id, lastOf(seen).headers.get('x-request-id'))
    })
  }

  test('that nobody has are not found, in either shape', async () => {
    await assert.rejects(anthropic.models.retrieve('llama-9'), Anthropic.NotFoundError)
    await assert.rejects(openai.models.retrieve('llama-9'), OpenAI.NotFoundError)
  })
})

describe('tokens are counted', () => {
  const tools: Anthropic.Tool[] = [{ name: 'weather', input_schema: weatherSchema }]
  const image: Anthropic.ImageBlockParam = {
    type: 'image',
    source: { type: 'base64', media_type: 'image/png', data: png.base64 },
  }
  for (const { vendor, model } of lines) {
    const count = async (params: Omit<Anthropic.MessageCountTokensParams, 'model'>): Promise<number> => {
      const { input_tokens } = await anthropic.messages.countTokens({ ...params, model })
      const { headers } = lastOf(seen)
      assert.equal(headers.get('x-keyrung-vendor'), vendor)
      // Where the vendor has no call for it, the answer says that it is an estimate.
      assert.equal(headers.get('x-keyrung-estimate') !== null, vendor === 'xai' || vendor === 'deepseek')
      assert.ok(Number.isInteger(input_tokens) && input_tokens > 0)
      return input_tokens
    }

    test(`for ${vendor}'s ${model}, and more for more`, async () => {
      const short = await count({ messages: [{ role: 'user', content: 'Hello' }] })
      const long = await count({ messages: [{ role: 'user', content: 'Hello, how do you do?'.repeat(20) }] })
      assert.ok(long > short)
      const system = await count({ system: 'Answer briefly.', messages: [{ role: 'user', content: 'Hello' }] })
      assert.ok(system > short)
      const tooled = await count({ tools, messages: [{ role: 'user', content: 'Hello' }] })
      assert.ok(tooled > short)
      const seeing = await count({ messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }, image] }] })
      assert.ok(seeing > short)
    })
  }

  for (const { vendor, model } of lines.filter(({ vendor }) => vendor !== 'xai' && vendor !== 'deepseek')) {
    test(`for ${vendor}'s ${model} as they are billed`, async () => {
      const asked = { model, system: 'Answer briefly.', messages: [{ role: 'user' as const, content: 'Hello' }] }
      const { input_tokens } = await anthropic.messages.countTokens(asked)
      const { usage } = await anthropic.messages.create({ ...asked, max_tokens: 100 })
      assert.equal(input_tokens, usage.input_tokens)
    })
  }
})
