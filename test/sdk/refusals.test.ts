import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { startTestGateway } from '../support/gateway.ts'
import { refusedByName as anthropicRefusedByName } from './ask-anthropic.ts'
import { refusedByName as openaiRefusedByName } from './ask-openai.ts'
import { lines, weatherSchema } from './matrix.ts'

const gateway = await startTestGateway()
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})
// The version before 2026-10-21, which still knows sampling.
const defaultHeaders = { 'anthropic-version': '2023-06-01' }
const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: gateway.key, maxRetries: 0, defaultHeaders })
const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key, maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'Hello' }]

describe("what only Anthropic's own models can do is refused by name elsewhere", () => {
  const fields: [params: object, field: RegExp][] = [
    [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, /tools\.0/],
    [{ container: 'container_1' }, /container/],
    [{ mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'one' }] }, /mcp_servers/],
    [{ speed: 'fast' }, /speed/],
    [{ not_yet_known: true }, /not_yet_known/],
    [{ messages: [{ role: 'user', content: [{ type: 'not_yet_known' }] }] }, /messages\.0\.content\.0/],
    [
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'file_1' } }] }] },
      /messages\.0\.content\.0/,
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'file_1' } }] }] },
      /messages\.0\.content\.0/,
    ],
  ]
  for (const { vendor, model } of lines.filter((line) => line.vendor !== 'anthropic')) {
    for (const [params, field] of fields) {
      test(`${JSON.stringify(params).slice(0, 90)} to ${vendor}'s ${model}`, async () => {
        const asked = { model, max_tokens: 1000, messages, ...params }
        await anthropicRefusedByName(anthropic.messages.create(asked), field)
        await anthropicRefusedByName(anthropic.messages.stream(asked).finalMessage(), field)
      })
    }
  }

  for (const { vendor, model } of lines.filter((line) => line.vendor !== 'anthropic' && line.vendor !== 'google')) {
    test(`top_k to ${vendor}'s ${model}`, async () => {
      const asked = { model, max_tokens: 1000, messages, top_k: 5 }
      await anthropicRefusedByName(anthropic.messages.create(asked), /top_k/)
    })
  }
})

describe("what only OpenAI's own models can do is refused by name elsewhere", () => {
  const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: weatherSchema } }]
  const fields: [params: object, field: RegExp][] = [
    [{ n: 2 }, /\bn\b/],
    [{ logprobs: true }, /logprobs/],
    [{ logit_bias: { 5: 1 } }, /logit_bias/],
    [{ modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } }, /modalities|audio/],
    [{ web_search_options: {} }, /web_search_options/],
    [{ prediction: { type: 'content', content: 'x' } }, /prediction/],
    [{ tools: [...tools, { type: 'custom', custom: { name: 'free' } }] }, /tools(\.1|\[1\])/],
    [{ not_yet_known: true }, /not_yet_known/],
    [
      { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file_1' } }] }] },
      /messages(\.0|\[0\])\.content(\.0|\[0\])/,
    ],
  ]
  for (const { vendor, model } of lines.filter((line) => line.vendor === 'anthropic' || line.vendor === 'google')) {
    for (const [params, field] of fields) {
      test(`${JSON.stringify(params).slice(0, 90)} to ${vendor}'s ${model}`, async () => {
        const asked = { model, messages, ...params }
        await openaiRefusedByName(openai.chat.completions.create(asked), field)
        await openaiRefusedByName(openai.chat.completions.create({ ...asked, stream: true }), field)
      })
    }
  }
})
