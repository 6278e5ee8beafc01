import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { JsonObject } from '../../src/core/json.ts'
import { listOf, objectOf, textOf } from '../../src/core/json.ts'
import { well } from '../ladder/support/ways.ts'
import { call, dialects, get, type Dialect, type Got } from './support/calls.ts'
import { awayFromMidnight, by, stage, type Stage } from './support/stage.ts'
import { replies } from './support/usage.ts'

const upgradeUrl = 'https://example.org/more'

const config = `
aliases: { quick: gpt-4.1, good: claude-sonnet-5 }
ladders:
  both: { rungs: [gpt-4.1, claude-sonnet-5] }
  gpt: { rungs: [gpt-4.1] }
plans:
  claude: { models: [claude-*], upgradeUrl: '${upgradeUrl}' }
  openai: { models: [openai/*], upgradeUrl: '${upgradeUrl}' }
  plain: { features: [], upgradeUrl: '${upgradeUrl}' }
  short: { tokensMax: 100, upgradeUrl: '${upgradeUrl}' }
  small: { bodyBytesMax: 1000, upgradeUrl: '${upgradeUrl}' }
  silent: { models: [claude-*] }
`

let one: Stage

describe('a plan', () => {
  before(async () => {
    await awayFromMidnight()
    one = await stage({ workers: 0, config })
  })
  after(() => one.close())

  describe('names models', () => {
    const cases: [plan: string, model: string, status: number][] = [
      ['claude', 'claude-sonnet-5', 200],
      ['claude', 'anthropic/claude-sonnet-5', 200],
      ['claude', 'good', 200],
      ['claude', 'ladder/both', 200],
      ['claude', 'gpt-4.1', 403],
      ['claude', 'openai/gpt-4.1', 403],
      ['claude', 'quick', 403],
      ['claude', 'ladder/gpt', 403],
      ['openai', 'gpt-4.1', 200],
      ['openai', 'quick', 200],
      ['openai', 'claude-sonnet-5', 403],
      ['openai', 'anthropic/openai', 403],
    ]
    for (const [plan, model, status] of cases) {
      for (const dialect of dialects) {
        test(`${plan}: ${model}, ${dialect}: ${status}`, async () => {
          one.vendor.answers(well)
          const from = one.vendor.asked.length
          const answer = await call({ url: one.url, key: one.key({ plan }).secret, model, dialect })
          assert.equal(answer.status, status, answer.body)
          assert.equal(one.vendor.asked.length - from, status === 200 ? 1 : 0)
          if (status !== 200) checkRefused(answer)
        })
      }
    }

    test('and a key may have fewer of them', async () => {
      const { secret } = one.key({ plan: 'claude', models: ['*opus*', 'gpt-*'] })
      for (const [model, status] of [
        ['claude-opus-5-5', 200],
        ['claude-sonnet-5', 403],
        ['gpt-4.1', 403],
      ] as const) {
        // eslint-disable-next-line no-await-in-loop -- one after the other
        assert.equal((await call({ url: one.url, key: secret, model })).status, status, model)
      }
    })

    test('and those alone are listed and shown, in both shapes', async () => {
      const { secret } = one.key({ plan: 'claude' })
      const { json } = await get(`${one.url}/v1/models`, secret)
      const ids = listOf(json.data).map((model) => textOf(objectOf(model).id) ?? '')
      assert.ok(ids.length > 3 && ids.includes('good') && ids.includes('ladder/both'))
      assert.deepEqual(
        ids.filter((id) => !/^claude-|^good$|^ladder\//.test(id)),
        [],
      )
      assert.ok(!ids.includes('ladder/gpt'))
      const anthropic = await fetch(`${one.url}/v1/models?limit=1000`, { headers: { 'x-api-key': secret } })
      const others = listOf(((await anthropic.json()) as JsonObject).data).map(
        (model) => textOf(objectOf(model).id) ?? '',
      )
      assert.deepEqual(others, ids)
      assert.equal((await get(`${one.url}/v1/models/claude-sonnet-5`, secret)).status, 200)
      const refused = await get(`${one.url}/v1/models/gpt-4.1`, secret)
      assert.equal(refused.status, 403)
      assert.match(JSON.stringify(refused.json), new RegExp(upgradeUrl))
    })

    test('and without an address of a larger one the operator is named', async () => {
      const answer = await call({ url: one.url, key: one.key({ plan: 'silent' }).secret, model: 'gpt-4.1' })
      assert.match(answer.message, /Ask the operator for more than the plan 'silent'/)
    })
  })

  describe('leaves out features', () => {
    const image = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='
    const cases: [feature: string, dialect: Dialect, body: JsonObject][] = [
      ['streamed answers', 'anthropic', { stream: true }],
      ['streamed answers', 'openai', { stream: true }],
      ['tools', 'anthropic', { tools: [{ name: 'look', input_schema: { type: 'object' } }] }],
      [
        'tools',
        'openai',
        { tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }] },
      ],
      ['thinking', 'anthropic', { thinking: { type: 'adaptive' } }],
      [
        'images, files and sound',
        'anthropic',
        {
          messages: [
            {
              role: 'user',
              content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } }],
            },
          ],
        },
      ],
      [
        'images, files and sound',
        'openai',
        {
          messages: [
            {
              role: 'user',
              content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } }],
            },
          ],
        },
      ],
    ]
    for (const [feature, dialect, body] of cases) {
      test(`${feature}, ${dialect}`, async () => {
        const plain = one.key({ plan: 'plain' })
        const answer = await call({ url: one.url, key: plain.secret, dialect, body })
        checkRefused(answer)
        assert.match(answer.message, new RegExp(`the plan does not include ${feature}`))
        assert.equal((await call({ url: one.url, key: plain.secret, dialect })).status, 200)
        assert.equal((await call({ url: one.url, key: one.key().secret, dialect, body })).status, 200)
      })
    }
  })

  for (const dialect of dialects) {
    test(`has a largest number of tokens of an answer: ${dialect}`, async () => {
      const { secret } = one.key({ plan: 'short' })
      const answer = await call({ url: one.url, key: secret, dialect, tokensMax: 101 })
      checkRefused(answer)
      assert.match(answer.message, /^max_(completion_)?tokens: 101 is more than the 100 that the plan allows/)
      assert.equal((await call({ url: one.url, key: secret, dialect, tokensMax: 100 })).status, 200)
    })

    test(`has a largest body: ${dialect}`, async () => {
      const { secret } = one.key({ plan: 'small' })
      const question = { url: one.url, key: secret, dialect }
      for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
        // eslint-disable-next-line no-await-in-loop -- one after the other
        const answer = await call({ ...question, headers, body: { system_note: 'x'.repeat(1000) } })
        assert.deepEqual([answer.status, answer.failure], [413, 'body-too-large'])
        assert.match(answer.message, /larger than 1000 bytes, the most that the plan allows/)
        assert.match(answer.message, new RegExp(upgradeUrl))
      }
      assert.equal((await call(question)).status, 200)
    })
  }

  describe('may change', () => {
    const put = (plan: JsonObject): unknown =>
      one.gateway.control.plans.put({ limits: {}, ownerLimits: {}, ...plan } as never, undefined, by)

    test('in the midst of a minute, and its next call is counted by it, with what was used before', async () => {
      put({ name: 'changing', limits: { requestsPerMinute: 6, requestsBurst: 1 } })
      const { secret, id } = one.key({ plan: 'changing' })
      const status = async (): Promise<number> => (await call({ url: one.url, key: secret })).status
      assert.deepEqual([await status(), await status()], [200, 429])
      put({ name: 'changing', limits: {} })
      assert.deepEqual([await status(), await status()], [200, 200])
      put({ name: 'changing', limits: { requestsPerMinute: 6, requestsBurst: 1 } })
      assert.equal(await status(), 429)
      one.gateway.control.keys.change(id, { plan: 'unlimited' }, undefined, by)
      assert.equal(await status(), 200)
    })

    test('in the midst of a day, and what was used counts on, also from before there was a limit', async () => {
      put({ name: 'days', limits: {} })
      const { secret } = one.key({ plan: 'days' })
      one.vendor.answers(replies({ input: 500, output: 500 }))
      const answer = async (): Promise<[number, string]> => {
        const { status, failure } = await call({ url: one.url, key: secret })
        return [status, failure]
      }
      assert.deepEqual(await answer(), [200, ''])
      put({ name: 'days', limits: { tokensPerDay: 1000 } })
      assert.deepEqual(await answer(), [429, 'plan-budget'])
      put({ name: 'days', limits: { tokensPerDay: 2000 } })
      assert.deepEqual(await answer(), [200, ''])
      assert.deepEqual(await answer(), [429, 'plan-budget'])
      put({ name: 'days', limits: { tokensPerDay: 1 } })
      assert.deepEqual(await answer(), [429, 'plan-budget'])
    })
  })
})

function checkRefused(answer: Got): void {
  assert.deepEqual([answer.status, answer.failure, answer.headers['x-should-retry']], [403, 'not-allowed', 'false'])
  assert.match(answer.message, new RegExp(upgradeUrl))
}
