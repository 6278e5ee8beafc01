import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { objectOf, type JsonObject } from '../core/json.ts'
import { startSandbox, type Sandbox } from './index.ts'
import { sign } from './signature.ts'

/** A request that its vendor refuses, and how. `says` is looked for in the whole body. */
interface Case {
  name: string
  json: JsonObject
  status?: number
  says: string
  headers?: Record<string, string>
}

const hi = { role: 'user', content: 'Hi' }
const toolUse = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }
const toolResult = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'Rain' }
const tool = { name: 'weather', input_schema: { type: 'object' } }
const messages = { model: 'claude-sonnet-4-5', max_tokens: 2000, messages: [hi] }
const newer = { ...messages, model: 'claude-opus-5' }
const thinks = { thinking: { type: 'enabled', budget_tokens: 1024 } }

const anthropicCases: Case[] = [
  { name: 'no max_tokens', json: { model: 'claude-opus-5', messages: [hi] }, says: 'max_tokens: Field required' },
  { name: 'an unknown field', json: { ...messages, n: 1 }, says: 'n: Extra inputs are not permitted' },
  {
    name: 'an unknown field of a block',
    json: { ...messages, messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', id: 1 }] }] },
    says: 'messages.0.content.0.text.id: Extra inputs are not permitted',
  },
  { name: 'temperature on a new model', json: { ...newer, temperature: 1 }, says: '`temperature` is deprecated' },
  {
    name: 'temperature in the new API version',
    json: { ...messages, temperature: 1 },
    headers: { 'anthropic-version': '2026-10-21' },
    says: 'temperature: Extra inputs',
  },
  { name: 'a temperature over 1', json: { ...messages, temperature: 1.5 }, says: 'less than or equal to 1' },
  { name: 'more tokens than the model gives', json: { ...messages, max_tokens: 64_001 }, says: '64001 > 64000' },
  {
    name: 'an empty text block',
    json: { ...messages, messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] },
    says: 'text content blocks must be non-empty',
  },
  {
    name: 'an empty message',
    json: { ...messages, messages: [{ role: 'user', content: '' }] },
    says: 'must have non-empty content',
  },
  { name: 'no messages', json: { ...messages, messages: [] }, says: 'at least one message is required' },
  {
    name: 'a call without a result',
    json: { ...messages, tools: [tool], messages: [hi, { role: 'assistant', content: [toolUse] }, hi] },
    says: 'without `tool_result` blocks immediately after: toolu_1',
  },
  {
    name: 'a result after other content',
    json: {
      ...messages,
      tools: [tool],
      messages: [
        hi,
        { role: 'assistant', content: [toolUse] },
        { role: 'user', content: [{ type: 'text', text: 'Here:' }, toolResult] },
      ],
    },
    says: 'without `tool_result` blocks immediately after: toolu_1',
  },
  {
    name: 'a result without a call',
    json: { ...messages, messages: [{ role: 'user', content: [toolResult] }] },
    says: 'unexpected `tool_use_id`',
  },
  {
    name: 'a tool id with a colon',
    json: { ...messages, messages: [hi, { role: 'assistant', content: [{ ...toolUse, id: 'f:0' }] }, hi] },
    says: 'tool_use.id: String should match pattern',
  },
  {
    name: 'a signature of another vendor',
    json: {
      ...messages,
      messages: [hi, { role: 'assistant', content: [thought('google')] }, hi],
    },
    says: 'Invalid `signature` in `thinking` block',
  },
  {
    name: 'a tool loop that lost its thinking',
    json: {
      ...messages,
      ...thinks,
      tools: [tool],
      messages: [hi, { role: 'assistant', content: [toolUse] }, { role: 'user', content: [toolResult] }],
    },
    says: 'Expected `thinking` or `redacted_thinking`, but found `tool_use`',
  },
  { name: 'a budget over the limit', json: { ...messages, ...thinks, max_tokens: 1024 }, says: 'must be greater than' },
  { name: 'a budget on a new model', json: { ...newer, ...thinks }, says: 'Use \\"thinking.type.adaptive\\"' },
  {
    name: 'no thinking on a model that always thinks',
    json: { ...newer, model: 'claude-fable-5', thinking: { type: 'disabled' } },
    says: 'is not supported for this model',
  },
  {
    name: 'a prefill on a new model',
    json: { ...newer, messages: [hi, { role: 'assistant', content: 'So' }] },
    says: 'does not support assistant message prefill',
  },
  {
    name: 'no version',
    json: messages,
    headers: { 'anthropic-version': '' },
    says: 'anthropic-version: header is required',
  },
  {
    name: 'an image of a wrong type',
    json: { ...messages, messages: [{ role: 'user', content: [picture('image/bmp', 'AAAA')] }] },
    says: "media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
  },
  {
    name: 'bytes that are no base64',
    json: { ...messages, messages: [{ role: 'user', content: [picture('image/png', '???')] }] },
    says: 'invalid base64 data',
  },
  {
    name: 'a forced tool call of a model that always thinks',
    json: { ...newer, model: 'claude-opus-5-5', tools: [tool], tool_choice: { type: 'any' } },
    says: "tool_choice: 'any' is not supported for this model",
  },
  {
    name: 'an open object inside a schema for the answer',
    json: { ...newer, output_config: answerBy({ type: 'array', items: { type: 'object', properties: {} } }) },
    says: "For 'object' type, 'additionalProperties' must be explicitly set to false",
  },
  {
    name: 'a bound in a schema for the answer',
    json: { ...newer, output_config: answerBy({ type: 'integer', minimum: 1 }) },
    says: "For 'integer' type, property 'minimum' is not supported",
  },
  {
    name: 'a tool choice without tools',
    json: { ...messages, tool_choice: { type: 'any' } },
    says: 'tool_choice may only be specified while providing tools',
  },
  {
    name: 'a schema without a type',
    json: { ...messages, tools: [{ name: 'x', input_schema: {} }] },
    says: 'tools.0.custom.input_schema.type: Field required',
  },
  {
    name: 'a thread',
    json: { ...messages, thread: { type: 'create' } },
    headers: { 'anthropic-beta': 'message-threads-2026-08-12' },
    says: '"error_code":"thread_unsupported_request"',
  },
  { name: 'a model of another vendor', json: { ...messages, model: 'gpt-5' }, status: 404, says: 'model: gpt-5' },
]

const chat = { model: 'gpt-4o', messages: [hi] }
const reasoning = { ...chat, model: 'gpt-5.6' }
const chatTool = { type: 'function', function: { name: 'weather' } }
const chatCall = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }

const chatCases: Case[] = [
  { name: 'an unknown field', json: { ...chat, top_k: 1 }, says: "Unknown parameter: 'top_k'." },
  {
    name: 'an unknown field of a message',
    json: { ...chat, messages: [hi, { role: 'assistant', content: 'x', reasoning_content: 'y' }, hi] },
    says: "Unknown parameter: 'messages[1].reasoning_content'.",
  },
  { name: 'max_tokens on a reasoning model', json: { ...reasoning, max_tokens: 9 }, says: 'max_completion_tokens' },
  { name: 'temperature on one', json: { ...reasoning, temperature: 0.5 }, says: 'Only the default (1) value' },
  { name: 'stop on one', json: { ...reasoning, stop: ['x'] }, says: "'stop' is not supported with this model" },
  {
    name: 'tools with reasoning',
    json: { ...reasoning, tools: [chatTool] },
    says: 'Function tools with reasoning_effort are not supported for gpt-5.6 in /v1/chat/completions',
  },
  { name: 'an effort it has not', json: { ...reasoning, model: 'gpt-5', reasoning_effort: 'none' }, says: "'minimal'" },
  { name: 'a model of the other endpoint', json: { ...chat, model: 'o3-pro' }, status: 404, says: 'v1/responses' },
  {
    name: 'a call without a result',
    json: { ...chat, messages: [hi, { role: 'assistant', content: null, tool_calls: [chatCall] }, hi] },
    says: 'did not have response messages: call_1',
  },
  {
    name: 'a result without a call',
    json: { ...chat, messages: [hi, { role: 'tool', tool_call_id: 'call_1', content: 'x' }] },
    says: "must be a response to a preceeding message with 'tool_calls'",
  },
  {
    name: 'an image in a result',
    json: {
      ...chat,
      messages: [
        hi,
        { role: 'assistant', tool_calls: [chatCall] },
        { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'image_url', image_url: { url: 'https://x' } }] },
      ],
    },
    says: "Image URLs are only allowed for messages with role 'user'",
  },
  { name: 'five stops', json: { ...chat, stop: ['a', 'b', 'c', 'd', 'e'] }, says: 'maximum length 4' },
  {
    name: 'a long tool id',
    json: { ...chat, messages: [hi, { role: 'assistant', tool_calls: [{ ...chatCall, id: 'x'.repeat(65) }] }] },
    says: 'maximum length 64, but got a string with length 65',
  },
  {
    name: 'a tool name with a dot',
    json: { ...chat, tools: [{ type: 'function', function: { name: 'a.b' } }] },
    says: "Invalid 'tools[0].function.name': string does not match pattern",
  },
  {
    name: 'an open schema in strict mode',
    json: {
      ...chat,
      tools: [{ type: 'function', function: { name: 'x', strict: true, parameters: { type: 'object' } } }],
    },
    says: "'additionalProperties' is required to be supplied and to be false",
  },
  {
    name: 'JSON mode without the word',
    json: { ...chat, response_format: { type: 'json_object' } },
    says: "the word 'json'",
  },
  {
    name: 'a model of another vendor',
    json: { ...chat, model: 'claude-opus-5' },
    status: 404,
    says: 'model_not_found',
  },
]

const responses = { model: 'gpt-5.6', input: [hi] }
const reasoningItem = { type: 'reasoning', id: 'rs_1', summary: [] }
const callItem = { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{}' }
const outputItem = { type: 'function_call_output', call_id: 'call_1', output: 'Rain' }

const responsesCases: Case[] = [
  { name: 'a stop', json: { ...responses, stop: ['x'] }, says: "Unknown parameter: 'stop'." },
  { name: 'fewer tokens than it gives', json: { ...responses, max_output_tokens: 15 }, says: 'Expected a value >= 16' },
  {
    name: 'temperature on a reasoning model',
    json: { ...responses, temperature: 0 },
    says: "'temperature' is not supported",
  },
  {
    name: 'reasoning of another vendor',
    json: { ...responses, input: [hi, { ...reasoningItem, encrypted_content: sign('xai', '') }, callItem, outputItem] },
    says: 'invalid_encrypted_content',
  },
  {
    name: 'reasoning without its content',
    json: { ...responses, input: [hi, reasoningItem, callItem, outputItem] },
    status: 404,
    says: 'Items are not persisted',
  },
  {
    name: 'reasoning that nothing follows',
    json: { ...responses, input: [hi, { ...reasoningItem, encrypted_content: sign('openai', '') }, hi] },
    says: 'without its required following item',
  },
  { name: 'a result without a call', json: { ...responses, input: [hi, outputItem] }, says: 'No tool call found' },
  { name: 'a call without a result', json: { ...responses, input: [hi, callItem] }, says: 'No tool output found' },
  {
    name: "a user's text in an assistant's message",
    json: { ...responses, input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] },
    says: "Supported values are: 'output_text' and 'refusal'.",
  },
  {
    name: 'an id of another kind',
    json: { ...responses, input: [hi, { ...callItem, id: 'call_1' }, outputItem] },
    says: "Expected an ID that begins with 'fc'.",
  },
  {
    name: 'encrypted reasoning of a model that has none',
    json: { ...responses, model: 'gpt-4.1', include: ['reasoning.encrypted_content'] },
    says: 'Encrypted content is not supported with this model.',
  },
]

const asks = turn('user', { text: 'Hi' })
const gemini = { contents: [asks] }
const functionCall = { functionCall: { name: 'weather', args: {} } }
const signedCall = { ...functionCall, thoughtSignature: sign('google', '') }
const functionResponse = { functionResponse: { name: 'weather', response: { output: 'Rain' } } }

const googleCases: Case[] = [
  { name: 'an unknown field', json: { ...gemini, stop: 1 }, says: 'Unknown name \\"stop\\": Cannot find field.' },
  {
    name: 'an unknown field of a part',
    json: { contents: [{ parts: [{ text: 'Hi', cache: 1 }] }] },
    says: 'Unknown name \\"cache\\" at \'contents[0].parts[0]\'',
  },
  {
    name: "a word of JSON Schema in Google's own",
    json: {
      ...gemini,
      tools: [{ functionDeclarations: [{ name: 'x', parameters: { additionalProperties: false } }] }],
    },
    says: 'Unknown name \\"additionalProperties\\" at \'tools[0].function_declarations[0].parameters\'',
  },
  { name: 'two turns of one role', json: { contents: [asks, asks] }, says: 'alternate between user and model' },
  {
    name: 'fewer responses than calls',
    json: { contents: [asks, turn('model', signedCall, functionCall), turn('user', functionResponse)] },
    says: 'the number of function response parts is equal to the number of function call parts',
  },
  {
    name: 'responses in another order',
    json: {
      contents: [
        asks,
        turn('model', signedCall, { functionCall: { name: 'clock', args: {} } }),
        turn('user', { functionResponse: { name: 'clock', response: {} } }, functionResponse),
      ],
    },
    says: 'match the name and the order',
  },
  {
    name: 'a call without its signature',
    json: { contents: [asks, turn('model', functionCall), turn('user', functionResponse)] },
    says: 'Function call is missing a thought_signature in functionCall parts.',
  },
  {
    name: 'a signature of another vendor',
    json: {
      contents: [
        asks,
        turn('model', { ...functionCall, thoughtSignature: sign('xai', '') }),
        turn('user', functionResponse),
      ],
    },
    says: 'Corrupted thought signature.',
  },
  {
    name: 'six stops',
    json: { ...gemini, generationConfig: { stopSequences: ['1', '2', '3', '4', '5', '6'] } },
    says: 'stop_sequences',
  },
  { name: 'a penalty', json: { ...gemini, generationConfig: { presencePenalty: 1 } }, says: 'Penalty is not enabled' },
  {
    name: 'no thinking',
    json: { ...gemini, generationConfig: { thinkingConfig: { thinkingBudget: 0 } } },
    says: 'Budget 0 is invalid',
  },
  { name: 'nothing', json: { contents: [] }, says: 'contents is not specified' },
]

const grok = { model: 'grok-4.5', messages: [hi] }

const xaiCases: Case[] = [
  { name: 'a stop', json: { ...grok, stop: ['x'] }, says: '"error":"Model grok-4.5 does not support parameter stop."' },
  { name: 'a penalty', json: { ...grok, presence_penalty: 1 }, says: 'presencePenalty' },
  { name: 'no effort', json: { ...grok, reasoning_effort: 'none' }, says: 'Invalid reasoning effort: none' },
  {
    name: 'a file',
    json: { ...grok, messages: [{ role: 'user', content: [{ type: 'file', file: {} }] }] },
    status: 422,
    says: 'unknown variant `file`',
  },
  { name: 'a model of another vendor', json: { ...grok, model: 'gpt-5' }, status: 404, says: 'does not exist' },
]

const deep = { model: 'deepseek-flash', messages: [hi] }

const deepseekCases: Case[] = [
  {
    name: 'a developer',
    json: { ...deep, messages: [{ role: 'developer', content: 'x' }] },
    says: 'unknown variant `developer`',
  },
  {
    name: 'a schema',
    json: { ...deep, response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } },
    says: 'This response_format type is unavailable now',
  },
  {
    name: 'an image',
    json: { ...deep, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x' } }] }] },
    says: 'unknown variant `image_url`, expected `text`',
  },
  {
    name: 'a tool loop that lost its thinking',
    json: {
      ...deep,
      messages: [
        hi,
        { role: 'assistant', content: '', tool_calls: [chatCall] },
        { role: 'tool', tool_call_id: 'call_1', content: 'x' },
      ],
    },
    says: 'The `reasoning_content` in the thinking mode must be passed back to the API.',
  },
  {
    name: 'a model of another vendor',
    json: { ...deep, model: 'gpt-5' },
    status: 400,
    says: 'supported API model names',
  },
]

const deepseekAnthropicCases: Case[] = [
  {
    name: 'a tool loop that lost its thinking',
    json: {
      ...messages,
      model: 'deepseek-v4-pro',
      messages: [hi, { role: 'assistant', content: [toolUse] }, { role: 'user', content: [toolResult] }],
    },
    says: '"code":"invalid_request_error"',
  },
  {
    name: 'a document',
    json: { ...messages, model: 'deepseek-flash', messages: [{ role: 'user', content: [{ type: 'document' }] }] },
    says: 'unknown variant `document`',
  },
]

/** What a vendor's refusal looks like, whatever it says. */
const shapes: Readonly<Record<string, (json: JsonObject) => boolean>> = {
  anthropic: (json) => json['type'] === 'error' && typeof objectOf(json['error'])['type'] === 'string',
  openai: (json) => ['message', 'type', 'param', 'code'].every((key) => objectOf(json['error'])[key] !== undefined),
  google: (json) => typeof objectOf(json['error'])['code'] === 'number',
  xai: (json) => typeof json['error'] === 'string' && typeof json['code'] === 'string',
  deepseek: (json) => objectOf(json['error'])['param'] === null,
}

const routes: [vendor: string, path: string, cases: Case[]][] = [
  ['anthropic', '/v1/messages', anthropicCases],
  ['openai', '/v1/chat/completions', chatCases],
  ['openai', '/v1/responses', responsesCases],
  ['google', '/v1beta/models/gemini-3.8-flash:generateContent', googleCases],
  ['xai', '/v1/chat/completions', xaiCases],
  ['deepseek', '/chat/completions', deepseekCases],
  ['deepseek', '/anthropic/v1/messages', deepseekAnthropicCases],
]

suite('simulated vendors refuse what the real ones refuse', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await startSandbox()
  })
  after(() => sandbox.close())

  for (const [vendor, path, cases] of routes) {
    suite(`${vendor} ${path}`, () => {
      for (const { name, json, status = 400, says, headers } of cases) {
        test(name, async () => {
          const response = await fetch(sandbox.origin(vendor) + path, {
            method: 'POST',
            headers: credentials(vendor, headers),
            body: JSON.stringify(json),
          })
          const text = await response.text()
          assert.ok(text.includes(says), text)
          assert.equal(response.status, status, text)
          assert.ok(shapes[vendor]?.(JSON.parse(text) as JsonObject), text)
        })
      }
    })
  }
})

function credentials(vendor: string, headers: Record<string, string> = {}): Record<string, string> {
  const usual: Record<string, string> =
    vendor === 'google'
      ? { 'x-goog-api-key': 'sandbox' }
      : { authorization: 'Bearer sandbox', 'anthropic-version': '2023-06-01' }
  const all = { ...usual, ...headers }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

function thought(vendor: string): JsonObject {
  return { type: 'thinking', thinking: 'Hm.', signature: sign(vendor, 'Hm.') }
}

/** A schema for the answer whose one property is called as a bound is. */
function answerBy(minimum: JsonObject): JsonObject {
  const schema = { type: 'object', properties: { minimum }, additionalProperties: false }
  return { format: { type: 'json_schema', schema } }
}

function picture(mediaType: string, data: string): JsonObject {
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data } }
}

function turn(role: string, ...parts: JsonObject[]): JsonObject {
  return { role, parts }
}
