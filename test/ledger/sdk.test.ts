import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { until } from '../ladder/support/waiting.ts'
import { well } from '../ladder/support/ways.ts'
import { awayFromMidnight, by, stage, type Stage } from './support/stage.ts'
import { begins, replies } from './support/usage.ts'

const config = `
plans:
  slow: { limits: { requestsPerMinute: 60, requestsBurst: 1 }, upgradeUrl: 'https://example.org/more' }
  day: { limits: { tokensPerDay: 1000 } }
  few: { limits: { callsAtOnce: 1 } }
  claude: { models: [claude-*] }
`
const messages = [{ role: 'user' as const, content: 'Hello' }]
const anthropicCall = { model: 'claude-sonnet-5', max_tokens: 100, messages }
const openaiCall = { model: 'gpt-4.1', max_completion_tokens: 100, messages }

let one: Stage

/** A client of each SDK with this key, and how it asks once, whole or streamed. */
function clients(key: string, maxRetries = 0) {
  const anthropic = new Anthropic({ baseURL: one.url, apiKey: key, maxRetries })
  const openai = new OpenAI({ baseURL: `${one.url}/v1`, apiKey: key, maxRetries })
  return [
    {
      name: 'Anthropic',
      sdk: Anthropic,
      requestsLeft: 'anthropic-ratelimit-requests-remaining',
      tokensLeft: 'anthropic-ratelimit-tokens-remaining',
      whole: () => anthropic.messages.create(anthropicCall).asResponse(),
      stream: async () => {
        for await (const _event of await anthropic.messages.create({ ...anthropicCall, stream: true }));
      },
    },
    {
      name: 'OpenAI',
      sdk: OpenAI,
      requestsLeft: 'x-ratelimit-remaining-requests',
      tokensLeft: 'x-ratelimit-remaining-tokens',
      whole: () => openai.chat.completions.create(openaiCall).asResponse(),
      stream: async () => {
        for await (const _event of await openai.chat.completions.create({ ...openaiCall, stream: true }));
      },
    },
  ] as const
}

describe('the official SDKs', () => {
  before(async () => {
    await awayFromMidnight()
    one = await stage({ workers: 0, config })
  })
  after(() => one.close())

  for (const index of [0, 1] as const) {
    const { name, sdk } = { name: ['Anthropic', 'OpenAI'][index], sdk: [Anthropic, OpenAI][index] ?? OpenAI }

    test(`${name}: a limit that is reached is a RateLimitError that says how long to wait`, async () => {
      one.vendor.answers(well)
      const client = clients(one.key({ plan: 'slow' }).secret)[index]
      const good = await client.whole()
      assert.equal(good.headers.get(client.requestsLeft), '0')
      for (const ask of [client.whole, client.stream]) {
        // eslint-disable-next-line no-await-in-loop -- one after the other
        await assert.rejects(ask(), (error) => {
          assert.ok(error instanceof sdk.RateLimitError, String(error))
          const { headers } = error
          assert.equal(error.status, 429)
          assert.match(error.message, /1 request a minute|60 requests a minute/)
          assert.match(error.message, /https:\/\/example\.org\/more/)
          assert.equal(headers?.get('x-should-retry'), 'true')
          const waitMs = Number(headers?.get('retry-after-ms'))
          assert.ok(waitMs > 0 && waitMs <= 1000)
          assert.equal(headers?.get('retry-after'), '1')
          assert.equal(headers?.get(client.requestsLeft), '0')
          assert.match(String(error.requestID), /^req_/)
          return true
        })
      }
    })

    test(`${name}: with retries, as they are by default, waits as long and is let in`, async () => {
      one.vendor.answers(well)
      const client = clients(one.key({ plan: 'slow' }).secret, 2)[index]
      const startMs = performance.now()
      await client.whole()
      await client.stream()
      // Never sooner than the limit allows.
      assert.ok(performance.now() - startMs >= 1000)
    })

    test(`${name}: a budget that is used up is a RateLimitError that is not tried again`, async () => {
      one.vendor.answers(replies({ input: 500, output: 500 }))
      const { secret, id } = one.key({ plan: 'day' })
      const client = clients(secret, 2)[index]
      await client.whole()
      await assert.rejects(client.whole(), (error) => {
        assert.ok(error instanceof sdk.RateLimitError, String(error))
        assert.equal(error.headers?.get('x-should-retry'), 'false')
        assert.equal(error.headers?.get(client.tokensLeft), '0')
        return true
      })
      await until(() => {
        one.gateway.flush()
        return one.gateway.store.receipts(1000).filter((row) => row.key_id === id).length === 2
      }, 'two receipts')
    })

    test(`${name}: as many calls as may be at once are a RateLimitError`, async () => {
      one.vendor.answers(begins)
      const client = clients(one.key({ plan: 'few' }).secret)[index]
      const from = one.vendor.asked.length
      const running = assert.rejects(client.stream())
      const asked = await one.vendor.ask(from)
      await assert.rejects(client.whole(), (error) => {
        assert.ok(error instanceof sdk.RateLimitError, String(error))
        assert.match(error.message, /1 call at once/)
        return true
      })
      asked.socket.destroy()
      await running
    })

    test(`${name}: a model that the plan does not have is a PermissionDeniedError`, async () => {
      const { secret } = one.key({ models: ['gemini-*'] })
      await assert.rejects(clients(secret)[index].whole(), (error) => {
        assert.ok(error instanceof sdk.PermissionDeniedError, String(error))
        assert.match(error.message, /may not use the model/)
        return true
      })
    })

    test(`${name}: a key that was revoked is an AuthenticationError, and in the midst of a stream an error of its SDK`, async () => {
      one.vendor.answers(begins)
      const { secret, id } = one.key()
      const client = clients(secret)[index]
      const from = one.vendor.asked.length
      const running = assert.rejects(client.stream(), (error) => {
        assert.ok(error instanceof sdk.APIError, String(error))
        assert.match(error.message, /The key was revoked/)
        return true
      })
      await one.vendor.ask(from)
      // The answer has begun, so that it is the stream that breaks.
      await until(() => one.vendor.asked[from]?.response.writableLength === 0, 'its first events are sent')
      one.gateway.control.keys.revoke(id, by)
      await running
      await assert.rejects(client.whole(), (error) => {
        assert.ok(error instanceof sdk.AuthenticationError, String(error))
        assert.match(error.message, /was revoked/)
        return true
      })
    })
  }
})
