import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { startTestGateway } from '../support/gateway.ts'
import { lastOf, receiptOf, recordingFetch } from './calls.ts'
import { lines } from './matrix.ts'

const alias = 'aliases: { best: claude-sonnet-5, cheap: google/gemini-2.5-flash }'
const gateway = await startTestGateway({ config: alias })
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})
const { url, key } = gateway
const messages = [{ role: 'user' as const, content: 'Hello' }]
const said = /You said: "Hello"/

describe('base URLs that work as they are', () => {
  for (const path of ['', '/', '/api/proxy', '/api/proxy/', '/v1', '/api/proxy/v1']) {
    test(`the Anthropic SDK at "${path}"`, async () => {
      const client = new Anthropic({ baseURL: url + path, apiKey: key, maxRetries: 0 })
      assert.match(await anthropicSays(client, 'gpt-4.1'), said)
      assert.match((await client.models.retrieve('gpt-4.1')).id, /gpt-4\.1/)
    })
  }

  for (const path of ['/v1', '/v1/', '/api/proxy/v1', '/v1/v1', '/api/proxy/v1/v1', '', '/api/proxy']) {
    test(`the OpenAI SDK at "${path}"`, async () => {
      const client = new OpenAI({ baseURL: url + path, apiKey: key, maxRetries: 0 })
      assert.match(await openaiSays(client, 'claude-sonnet-5'), said)
      assert.match((await client.models.retrieve('gpt-4.1')).id, /gpt-4\.1/)
    })
  }
})

describe('the key comes in the header of any dialect', () => {
  const headers: Record<string, string>[] = [
    { 'x-api-key': key },
    { authorization: `Bearer ${key}` },
    { authorization: `bearer ${key}` },
    { 'x-goog-api-key': key },
    { 'x-api-key': key, authorization: `Bearer ${key}` },
  ]
  for (const path of ['/v1/messages', '/v1/chat/completions']) {
    for (const header of headers) {
      test(`${path} with ${JSON.stringify(header).replaceAll(key, 'KEY')}`, async () => {
        const body = JSON.stringify({ model: 'gpt-4.1', max_tokens: 100, messages })
        const response = await fetch(url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...header },
          body,
        })
        assert.equal(response.status, 200)
        assert.match(await response.text(), /You said/)
      })
    }
  }

  test('the Anthropic SDK sends it either way', async () => {
    for (const credential of [{ apiKey: key }, { authToken: key }]) {
      const client = new Anthropic({ baseURL: url, maxRetries: 0, ...credential })
      assert.match(await anthropicSays(client, 'claude-sonnet-5'), said)
    }
  })
})

describe('model names', () => {
  const named = [
    { name: 'best', vendor: 'anthropic', model: 'claude-sonnet-5' },
    { name: 'cheap', vendor: 'google', model: 'gemini-2.5-flash' },
    ...lines.map(({ vendor, model }) => ({ name: `${vendor}/${model}`, vendor, model })),
    // Not in the catalogue: routed by its prefix.
    { name: 'gemini-9-ultra', vendor: 'google', model: 'gemini-9-ultra' },
    { name: 'claude-haiku-4-5-20251001', vendor: 'anthropic', model: 'claude-haiku-4-5-20251001' },
  ]
  for (const { name, vendor, model } of named) {
    test(`${name} is ${model} of ${vendor} for both SDKs`, async () => {
      const { fetch, seen } = recordingFetch()
      const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0, fetch })
      const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, fetch })
      for (const says of [() => anthropicSays(anthropic, name), () => openaiSays(openai, name)]) {
        assert.ok((await says()).includes(`This is the sandbox's ${model}.`))
        const { headers } = lastOf(seen)
        assert.equal(headers.get('x-keyrung-vendor'), vendor)
        assert.equal(headers.get('x-keyrung-model'), model)
        const receipt = receiptOf(gateway, headers.get('request-id') ?? '')
        assert.deepEqual([receipt.model_asked, receipt.model, receipt.vendor], [name, model, vendor])
      }
    })
  }
})

async function anthropicSays(client: Anthropic, model: string): Promise<string> {
  const { content } = await client.messages.create({ model, max_tokens: 100, messages })
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

async function openaiSays(client: OpenAI, model: string): Promise<string> {
  const { choices } = await client.chat.completions.create({ model, messages })
  return choices[0]?.message.content ?? ''
}
