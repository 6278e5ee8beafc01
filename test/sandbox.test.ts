import Anthropic from '@anthropic-ai/sdk'
import { FunctionCallingConfigMode, GoogleGenAI } from '@google/genai'
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import OpenAI from 'openai'
import { startSandbox, type Sandbox } from '../src/sandbox/index.ts'

/** The simulated vendors, asked by the vendors' own SDKs without a gateway in between. */

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const schema = {
  type: 'object' as const,
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const said = (model: string): string => `You said: "Hello"\nThis is the sandbox's ${model}.`

let sandbox: Sandbox
before(async () => {
  sandbox = await startSandbox()
})
after(() => sandbox.close())

for (const [vendor, base, model] of [
  ['anthropic', '', 'claude-haiku-4-5'],
  ['deepseek', '/anthropic', 'deepseek-flash'],
] as const) {
  suite(`@anthropic-ai/sdk at the simulated ${vendor}`, () => {
    let client: Anthropic
    before(() => {
      client = new Anthropic({ apiKey: 'sandbox', baseURL: sandbox.origin(vendor) + base, maxRetries: 0 })
    })
    const asked = { model, max_tokens: 4000, messages: [{ role: 'user' as const, content: 'Hello' }] }
    const thinking = { type: 'enabled' as const, budget_tokens: 2000 }
    const tools: Anthropic.Tool[] = [{ name: 'weather', input_schema: schema }]

    test('a whole answer and a streamed one are the same', async () => {
      const whole = await client.messages.create(asked)
      const streamed = await client.messages.stream(asked).finalMessage()
      assert.equal(anthropicText(whole), said(model))
      assert.equal(whole.stop_reason, 'end_turn')
      assert.deepEqual(streamed.content, whole.content)
      assert.deepEqual(streamed.usage, whole.usage)
    })

    test('an image arrives', async () => {
      const source = { type: 'base64' as const, media_type: 'image/png' as const, data: pixel }
      const messages = [{ role: 'user' as const, content: [{ type: 'image' as const, source }] }]
      assert.match(anthropicText(await client.messages.create({ ...asked, messages })), /image\/png and 70 bytes/)
    })

    test('tools are called in parallel, with thinking that comes back and is known', async () => {
      const question = { role: 'user' as const, content: 'Twice, in parallel' }
      const request = { ...asked, thinking, tools, messages: [question] }
      const called = await client.messages.stream(request).finalMessage()
      const calls = called.content.filter((block) => block.type === 'tool_use')
      assert.equal(called.stop_reason, 'tool_use')
      assert.equal(called.content[0]?.type, 'thinking')
      assert.deepEqual(
        calls.map((call) => [call.name, call.input]),
        [
          ['weather', { city: 'city' }],
          ['weather', { city: 'city' }],
        ],
      )
      const content = calls.map(({ id }, index) => {
        return { type: 'tool_result' as const, tool_use_id: id, content: 'Rain', is_error: index === 1 }
      })
      const answer = await client.messages.create({
        ...request,
        messages: [question, { role: 'assistant', content: called.content }, { role: 'user', content }],
      })
      assert.equal(anthropicText(answer), 'The tool weather says: Rain\nThe tool weather reported an error: Rain')
    })

    test('the limit and the stop hold', async () => {
      const quiet = { ...asked, thinking: { type: 'disabled' as const } }
      const long = await client.messages.create({ ...quiet, max_tokens: 3 })
      assert.equal(long.stop_reason, 'max_tokens')
      assert.equal(long.usage.output_tokens, 3)
      const stopped = await client.messages.create({ ...quiet, stop_sequences: ['Hell'] })
      assert.equal(anthropicText(stopped), 'You said: "')
      assert.equal(stopped.stop_reason, 'stop_sequence')
    })
  })
}

suite('@anthropic-ai/sdk at the simulated anthropic alone', () => {
  test('its tool runner comes to an end', async () => {
    const client = new Anthropic({ apiKey: 'sandbox', baseURL: sandbox.origin('anthropic'), maxRetries: 0 })
    const final = await client.beta.messages.toolRunner({
      model: 'claude-opus-5',
      max_tokens: 1000,
      messages: [{ role: 'user', content: 'Hello' }],
      tools: [{ name: 'weather', input_schema: schema, run: () => 'Rain', parse: (input: unknown) => input }],
    })
    assert.deepEqual(
      final.content.map((block) => block.type === 'text' && block.text),
      ['The tool weather says: Rain'],
    )
  })

  test('counts, lists models, and throws what it throws for the real one', async () => {
    const client = new Anthropic({ apiKey: 'sandbox', baseURL: sandbox.origin('anthropic'), maxRetries: 0 })
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    const counted = await client.messages.countTokens({ model: 'claude-opus-5', messages })
    assert.equal(counted.input_tokens, 5)
    const names: string[] = []
    for await (const model of client.models.list()) names.push(model.id)
    assert.ok(names.includes('claude-opus-5'))
    await assert.rejects(
      client.messages.create({ model: 'claude-none', max_tokens: -1, messages }),
      (error) => error instanceof Anthropic.BadRequestError && error.requestID?.startsWith('req_') === true,
    )
  })
})

for (const [vendor, base, model, reasons] of [
  ['openai', '/v1', 'gpt-4o', false],
  ['xai', '/v1', 'grok-4.5', true],
  ['deepseek', '', 'deepseek-v4-pro', true],
] as const) {
  suite(`openai's chat at the simulated ${vendor}`, () => {
    let client: OpenAI
    before(() => {
      client = new OpenAI({ apiKey: 'sandbox', baseURL: sandbox.origin(vendor) + base, maxRetries: 0 })
    })
    const asked = { model, messages: [{ role: 'user' as const, content: 'Hello' }] }
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: schema } }]

    test('a whole answer and a streamed one are the same', async () => {
      const whole = await client.chat.completions.create(asked)
      const stream = client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } })
      const streamed = await stream.finalChatCompletion()
      assert.equal(whole.choices[0]?.message.content, said(model))
      assert.equal(streamed.choices[0]?.message.content, said(model))
      assert.equal(streamed.choices[0]?.finish_reason, 'stop')
      assert.deepEqual(streamed.usage, whole.usage)
      const reasoning = whole.usage?.completion_tokens_details?.reasoning_tokens ?? 0
      assert.equal(reasoning > 0, reasons)
      assert.equal('reasoning_content' in whole.choices[0].message, reasons)
    })

    test('tools are called and their results quoted', async () => {
      const stream = client.chat.completions.stream({ ...asked, tools })
      const { choices } = await stream.finalChatCompletion()
      const message = choices[0]?.message
      const call = message?.tool_calls?.[0]
      assert.ok(message !== undefined && call?.type === 'function')
      assert.equal(choices[0]?.finish_reason, 'tool_calls')
      assert.deepEqual(JSON.parse(call.function.arguments), { city: 'city' })
      const { parsed: _parsed, ...turn } = message
      // The SDK adds fields of its own to calls, which OpenAI refuses; reasoning must go back to DeepSeek.
      const calls = [{ id: call.id, type: call.type, function: { name: 'weather', arguments: '{"city":"city"}' } }]
      const answer = await client.chat.completions.create({
        ...asked,
        tools,
        messages: [
          ...asked.messages,
          { ...turn, tool_calls: calls },
          { role: 'tool', tool_call_id: call.id, content: 'Rain' },
        ],
      })
      assert.equal(answer.choices[0]?.message.content, 'The tool weather says: Rain')
    })
  })
}

suite("openai's chat at the simulated openai alone", () => {
  test('an image arrives, a schema is kept to, errors are known', async () => {
    const client = new OpenAI({ apiKey: 'sandbox', baseURL: `${sandbox.origin('openai')}/v1`, maxRetries: 0 })
    const url = `data:image/png;base64,${pixel}`
    const seen = await client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
    })
    assert.match(seen.choices[0]?.message.content ?? '', /image\/png and 70 bytes/)
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    const fitted = await client.chat.completions.create({
      model: 'gpt-4o',
      messages,
      response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } },
    })
    assert.deepEqual(JSON.parse(fitted.choices[0]?.message.content ?? ''), { city: 'city' })
    await assert.rejects(
      client.chat.completions.create({ model: 'gpt-5', messages, max_tokens: 9 }),
      (error) => error instanceof OpenAI.BadRequestError && error.code === 'unsupported_parameter',
    )
  })
})

for (const [vendor, model] of [
  ['openai', 'gpt-5.6'],
  ['xai', 'grok-4.5'],
] as const) {
  suite(`openai's responses at the simulated ${vendor}`, () => {
    let client: OpenAI
    before(() => {
      client = new OpenAI({ apiKey: 'sandbox', baseURL: `${sandbox.origin(vendor)}/v1`, maxRetries: 0 })
    })
    const asked = {
      model,
      input: 'Hello',
      store: false,
      include: ['reasoning.encrypted_content' as const],
      reasoning: { effort: 'high' as const, summary: 'auto' as const },
    }
    const tools = [{ type: 'function' as const, name: 'weather', parameters: schema, strict: true }]

    test('a whole answer and a streamed one are the same', async () => {
      const whole = await client.responses.create(asked)
      const streamed = await client.responses.stream(asked).finalResponse()
      assert.equal(whole.output_text, said(model))
      assert.equal(streamed.output_text, said(model))
      assert.deepEqual(streamed.usage, whole.usage)
      assert.ok((whole.usage?.output_tokens_details.reasoning_tokens ?? 0) > 0)
    })

    test('tools are called, and encrypted reasoning that comes back is known', async () => {
      const { output } = await client.responses.create({ ...asked, tools })
      const call = output.find((item) => item.type === 'function_call')
      const reasoning = output.find((item) => item.type === 'reasoning')
      assert.ok(call !== undefined && typeof reasoning?.encrypted_content === 'string')
      const answer = await client.responses.create({
        ...asked,
        tools,
        input: [
          { role: 'user', content: 'Hello' },
          reasoning,
          call,
          { type: 'function_call_output', call_id: call.call_id, output: 'Rain' },
        ],
      })
      assert.equal(answer.output_text, 'The tool weather says: Rain')
    })
  })
}

suite('@google/genai at the simulated google', () => {
  const model = 'gemini-3.8-flash'
  let client: GoogleGenAI
  before(() => {
    client = new GoogleGenAI({ apiKey: 'sandbox', httpOptions: { baseUrl: sandbox.origin('google') } })
  })

  test('a whole answer and a streamed one are the same', async () => {
    const config = { thinkingConfig: { includeThoughts: true } }
    const whole = await client.models.generateContent({ model, contents: 'Hello', config })
    let text = ''
    let thoughts = ''
    let usage: unknown
    for await (const chunk of await client.models.generateContentStream({ model, contents: 'Hello', config })) {
      text += chunk.text ?? ''
      const parts = chunk.candidates?.[0]?.content?.parts ?? []
      thoughts += parts.map((part) => (part.thought === true ? part.text : '')).join('')
      usage = chunk.usageMetadata
    }
    assert.equal(whole.text, said(model))
    assert.equal(text, said(model))
    assert.equal(thoughts, 'The last message has 1 word. I will say what arrived.')
    assert.deepEqual(usage, whole.usageMetadata)
  })

  test('functions are called, and their signatures that come back are known', async () => {
    const contents = [
      { role: 'user', parts: [{ text: 'Hello' }, { inlineData: { mimeType: 'image/png', data: pixel } }] },
    ]
    const config = {
      tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: schema }] }],
      toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
    }
    const called = await client.models.generateContent({ model, contents, config })
    const turn = called.candidates?.[0]?.content
    const [call] = called.functionCalls ?? []
    assert.ok(turn !== undefined && call?.name !== undefined)
    assert.deepEqual(call.args, { city: 'city' })
    const functionResponse = {
      ...(call.id !== undefined && { id: call.id }),
      name: call.name,
      response: { output: 'Rain' },
    }
    const history = [...contents, turn, { role: 'user', parts: [{ functionResponse }] }]
    const answer = await client.models.generateContent({ model, contents: history, config })
    assert.equal(answer.text, 'The tool weather says: Rain')
  })

  test('tokens are counted and errors are known', async () => {
    const counted = await client.models.countTokens({ model, contents: 'Hello' })
    assert.equal(counted.totalTokens, 5)
    await assert.rejects(
      client.models.generateContent({ model: 'gpt-5', contents: 'Hello' }),
      (error) => error instanceof Error && 'status' in error && error.status === 404,
    )
  })
})

function anthropicText(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}
