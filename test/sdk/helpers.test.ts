import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import OpenAI from 'openai'
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod'
import * as z from 'zod'
import { startTestGateway } from '../support/gateway.ts'
import { lines } from './matrix.ts'
import { clock, weather } from './turns-anthropic.ts'

const gateway = await startTestGateway()
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})
const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: gateway.key, maxRetries: 0 })
const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key, maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'Hello' }]

describe("the SDKs' own tool loops", () => {
  const schema = { type: 'object' as const, properties: { city: { type: 'string' as const } }, required: ['city'] }
  for (const { vendor, model } of lines) {
    for (const stream of [false, true]) {
      test(`Anthropic's runs against ${vendor}'s ${model}, ${stream ? 'streamed' : 'whole'}`, async () => {
        const tool = { name: 'weather', input_schema: schema, run: sunIn, parse: cityIn }
        const runner = anthropic.beta.messages.toolRunner({ model, max_tokens: 1000, messages, tools: [tool], stream })
        const { content } = await runner.runUntilDone()
        assert.equal(textIn(content), 'The tool weather says: sun in city')
      })

      test(`OpenAI's runs against ${vendor}'s ${model}, ${stream ? 'streamed' : 'whole'}`, async () => {
        const tool = {
          name: 'weather',
          description: 'The weather.',
          parameters: schema,
          parse: cityInText,
          function: sunIn,
        }
        const tools = [{ type: 'function' as const, function: tool }]
        const { completions } = openai.chat
        const runner = stream
          ? completions.runTools({ model, messages, tools, stream })
          : completions.runTools({ model, messages, tools })
        assert.equal(await runner.finalContent(), 'The tool weather says: sun in city')
      })
    }
  }
})

describe("the SDKs' own schemas", () => {
  const report = z.object({
    city: z.string(),
    sky: z.enum(['blue', 'grey']),
    degrees: z.number(),
    winds: z.array(z.string()),
  })
  const expected = { city: 'city', sky: 'blue', degrees: 1.5, winds: ['winds'] }

  for (const { vendor, model } of lines.filter((line) => line.schema)) {
    test(`Anthropic's parse the answer of ${vendor}'s ${model}`, async () => {
      const output_config = { format: zodOutputFormat(report) }
      const { parsed_output } = await anthropic.messages.parse({ model, max_tokens: 1000, messages, output_config })
      assert.deepEqual(parsed_output, expected)
    })

    test(`OpenAI's parse the answer of ${vendor}'s ${model}`, async () => {
      const response_format = zodResponseFormat(report, 'report')
      const { choices } = await openai.chat.completions.parse({ model, messages, response_format })
      assert.deepEqual(choices[0]?.message.parsed, expected)
    })

    test(`OpenAI's parse the arguments of ${vendor}'s ${model}, and go back with them`, async () => {
      const tools = [zodFunction({ name: 'report', parameters: report })]
      const { choices } = await openai.chat.completions.parse({ model, messages, tools })
      const message = choices[0]?.message
      const [call] = message?.tool_calls ?? []
      assert.ok(message !== undefined && call?.type === 'function')
      assert.deepEqual(call.function.parsed_arguments, expected)
      const result = { role: 'tool' as const, tool_call_id: call.id, content: 'noted' }
      const next = await openai.chat.completions.parse({ model, tools, messages: [...messages, message, result] })
      assert.equal(next.choices[0]?.message.content, 'The tool report says: noted')
    })
  }
})

describe("Anthropic's beta namespace", () => {
  for (const { vendor, model } of lines) {
    test(`reaches ${vendor}'s ${model}`, async () => {
      const betas = ['interleaved-thinking-2025-05-14', 'not-yet-known-2099-01-01']
      const message = await anthropic.beta.messages.create({ model, max_tokens: 1000, messages, betas })
      assert.match(textIn(message.content), /You said: "Hello"/)
      const { input_tokens } = await anthropic.beta.messages.countTokens({ model, messages, betas })
      assert.ok(input_tokens > 0)
    })
  }
})

describe('a request as coding agents make it', () => {
  const mark = { cache_control: { type: 'ephemeral' as const, ttl: '1h' as const } }
  for (const { vendor, model, thinking } of lines) {
    test(`is answered by ${vendor}'s ${model}`, async () => {
      const stream = anthropic.messages.stream({
        model,
        max_tokens: 8192,
        system: [
          { type: 'text', text: 'You are an agent.' },
          { type: 'text', text: 'Follow the rules of the project.', ...mark },
        ],
        tools: [weather, { ...clock, ...mark }],
        metadata: {
          user_id: JSON.stringify({ device_id: 'd'.repeat(64), account_uuid: '', session_id: 's'.repeat(36) }),
        },
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: '<reminder>Be brief.</reminder>' },
              { type: 'text', text: 'Go', ...mark },
            ],
          },
        ],
        ...(thinking === undefined ? {} : { thinking }),
      })
      const message = await stream.finalMessage()
      assert.equal(message.stop_reason, 'tool_use')
      const { usage } = message
      const written = usage.cache_creation_input_tokens ?? 0
      if (vendor === 'anthropic') assert.ok(written > 0 && usage.cache_creation?.ephemeral_1h_input_tokens === written)
      assert.ok(usage.input_tokens + written > 0)
    })
  }
})

function cityIn(value: unknown): { city: string } {
  return z.object({ city: z.string() }).parse(value)
}

function cityInText(text: string): { city: string } {
  return cityIn(JSON.parse(text))
}

function sunIn({ city }: { city: string }): string {
  return `sun in ${city}`
}

function textIn(content: readonly { type: string }[]): string {
  return content.map((block) => ('text' in block && typeof block.text === 'string' ? block.text : '')).join('')
}
