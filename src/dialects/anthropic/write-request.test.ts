import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../core/json.ts'
import type { Part, Prompt, Turn } from '../../core/prompt.ts'
import type { Model } from '../../core/vendor.ts'
import { anthropic } from './index.ts'

const budgetModel: Model = { id: 'claude-b', vendor: 'anthropic', outputMax: 64_000, thinking: 'budget' }
const adaptiveModel: Model = {
  id: 'claude-a',
  vendor: 'anthropic',
  outputMax: 128_000,
  thinking: 'adaptive',
  efforts: ['low', 'medium', 'high', 'max'],
  refuses: ['sampling', 'prefill', 'budget'],
}
const deepseek: Model = {
  id: 'deepseek-d',
  vendor: 'deepseek',
  outputMax: 8000,
  takes: ['tools'],
  thinking: 'switch',
  efforts: ['low', 'high', 'max'],
}

function turn(role: Turn['role'], ...parts: Part[]): Turn {
  return { role, parts, path: 'messages[0]' }
}

function text(value: string): Part {
  return { type: 'text', text: value, path: 'messages[0].content[0]' }
}

function toolCall(id: string, json = '{}'): Part {
  return { type: 'tool-call', id, name: 'f', arguments: json, path: 'messages[1].tool_calls[0]' }
}

function toolResult(callId: string): Part {
  return { type: 'tool-result', callId, parts: [], failed: false, path: 'messages[2]' }
}

function thought(vendor?: string): Part {
  const part: Part = { type: 'thinking', text: 'hm', path: 'p' }
  if (vendor !== undefined) part.state = { vendor, data: 'sig' }
  return part
}

function write(fields: Partial<Prompt>, model: Model = budgetModel): JsonObject {
  return anthropic.request.write(prompt(fields), model)
}

function prompt(fields: Partial<Prompt>): Prompt {
  const turns = [turn('user', text('Hi'))]
  return { model: 'm', stream: false, system: [], turns, tools: [], stops: [], sampling: {}, extras: [], ...fields }
}

function messages(turns: Turn[], model: Model = budgetModel): unknown {
  return write({ turns }, model).messages
}

test('writes a small prompt, sized by the model where the caller did not', () => {
  assert.deepEqual(write({}), {
    model: 'm',
    max_tokens: 64_000,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
  })
})

test('puts tool results first and instructions where they stood, and leaves out what is empty', () => {
  const turns = [
    turn('user', text('Hi')),
    turn('assistant', text(' '), toolCall('functions.f:0', ''), toolCall('ok_1')),
    turn('user', toolResult('functions.f:0')),
    turn('system', text('Be brief.')),
    turn('user', text('see'), toolResult('ok_1')),
    turn('assistant', text('')),
  ]
  assert.deepEqual(messages(turns), [
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    {
      role: 'assistant',
      content: [
        { type: 'tool_use', id: 'functions_f_0_d6bdd4de', name: 'f', input: {} },
        { type: 'tool_use', id: 'ok_1', name: 'f', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'functions_f_0_d6bdd4de' },
        { type: 'tool_result', tool_use_id: 'ok_1' },
        { type: 'text', text: '<system>Be brief.</system>' },
        { type: 'text', text: 'see' },
      ],
    },
  ])
})

test('sends Anthropic its own thoughts alone, and DeepSeek any in a turn with tool calls', () => {
  const turns = [
    turn('user', text('Hi')),
    turn('assistant', thought('anthropic'), thought('openai'), thought(), toolCall('a')),
    turn('user', toolResult('a')),
    turn('assistant', thought('openai'), text('done')),
    turn('user', text('on')),
  ]
  const thoughts = (model: Model): string =>
    JSON.stringify(messages(turns, model))
      .match(/"signature":"\w*"/g)
      ?.join() ?? ''
  assert.equal(thoughts(budgetModel), '"signature":"sig"')
  assert.equal(thoughts(deepseek), '"signature":"","signature":"","signature":""')
})

type PlanCase = [string, Partial<Prompt>, Model, { thinking?: unknown; effort?: unknown; tokensMax?: number }]
const planCases: PlanCase[] = [
  ['nothing asked: nothing said', {}, adaptiveModel, {}],
  [
    'an effort alone turns thinking on',
    { effort: 'low' },
    budgetModel,
    { thinking: { type: 'enabled', budget_tokens: 2048 } },
  ],
  [
    'high effort is a larger budget',
    { effort: 'high' },
    budgetModel,
    { thinking: { type: 'enabled', budget_tokens: 16_384 } },
  ],
  [
    'a budget of ours leaves a quarter of the tokens to the answer',
    { effort: 'max', tokensMax: 4000 },
    budgetModel,
    { thinking: { type: 'enabled', budget_tokens: 3000 }, tokensMax: 4000 },
  ],
  [
    "the caller's budget stays under max_tokens",
    { thinking: { type: 'on', budgetTokens: 9000 }, tokensMax: 4000 },
    budgetModel,
    { thinking: { type: 'enabled', budget_tokens: 3999 }, tokensMax: 4000 },
  ],
  [
    'max_tokens is raised where nobody set it',
    { effort: 'high' },
    { id: 'x', vendor: 'anthropic', thinking: 'budget' },
    { thinking: { type: 'enabled', budget_tokens: 16_384 }, tokensMax: 20_480 },
  ],
  ['no effort turns it off', { effort: 'none' }, budgetModel, { thinking: { type: 'disabled' } }],
  [
    'adaptive takes an effort',
    { effort: 'medium' },
    adaptiveModel,
    { thinking: { type: 'adaptive' }, effort: 'medium' },
  ],
  [
    'the nearest accepted effort',
    { effort: 'minimal' },
    adaptiveModel,
    { thinking: { type: 'adaptive' }, effort: 'low' },
  ],
  [
    'of two as near, the one by the default',
    { effort: 'xhigh' },
    adaptiveModel,
    { thinking: { type: 'adaptive' }, effort: 'high' },
  ],
  [
    'adaptive shows its thoughts when asked',
    { thinking: { type: 'on', budgetTokens: 2000, show: true } },
    adaptiveModel,
    { thinking: { type: 'adaptive', display: 'summarized' }, effort: 'low' },
  ],
  [
    'an unknown model is asked as the caller asked',
    { thinking: { type: 'auto' } },
    { id: 'x', vendor: 'anthropic' },
    { thinking: { type: 'adaptive' } },
  ],
  [
    'DeepSeek has a switch and efforts',
    { effort: 'medium' },
    deepseek,
    { thinking: { type: 'enabled', budget_tokens: 6000 }, effort: 'high' },
  ],
]
for (const [name, fields, model, expected] of planCases) {
  test(`thinking: ${name}`, () => {
    const json = write(fields, model)
    const config = json.output_config as JsonObject | undefined
    assert.deepEqual(json.thinking, expected.thinking)
    assert.deepEqual(config?.effort, expected.effort)
    if (expected.tokensMax !== undefined) assert.equal(json.max_tokens, expected.tokensMax)
  })
}

function lowThinking(turns: Turn[], model: Model): unknown {
  return write({ effort: 'low', turns }, model).thinking
}

test('thinking: off for a call whose last tool calls another vendor made, on again afterwards', () => {
  const loop = (...parts: Part[]): Turn[] => [
    turn('user', text('Hi')),
    turn('assistant', ...parts, toolCall('a')),
    turn('user', toolResult('a')),
  ]
  const on = { type: 'enabled', budget_tokens: 2048 }
  assert.deepEqual(lowThinking(loop(thought('openai')), budgetModel), { type: 'disabled' })
  assert.deepEqual(lowThinking(loop(thought('anthropic')), budgetModel), on)
  assert.deepEqual(lowThinking([...loop(), turn('assistant', text('done')), turn('user', text('on'))], budgetModel), on)
  assert.deepEqual(lowThinking(loop(), adaptiveModel), { type: 'adaptive' })
  assert.deepEqual(lowThinking(loop(), deepseek), { type: 'disabled' })
  assert.deepEqual(lowThinking(loop(thought('openai')), deepseek), on)
})

test('sampling defaults are left out where the field is refused', () => {
  assert.equal(write({ sampling: { temperature: 1, topP: 1 } }, adaptiveModel).temperature, undefined)
  assert.deepEqual(write({ sampling: { temperature: 1, topK: 3 } }).temperature, 1)
})

test('a tool choice says that calls must come one by one', () => {
  const tools = [{ name: 'f', schema: {}, path: 'tools[0]', strict: true }]
  const json = write({ tools, toolsParallel: false })
  assert.deepEqual(json.tool_choice, { type: 'auto', disable_parallel_tool_use: true })
  assert.deepEqual(json.tools, [{ name: 'f', input_schema: { type: 'object' }, strict: true }])
  assert.equal(write({ toolsParallel: false }).tool_choice, undefined)
})

test('a document made of text becomes text for a model without documents', () => {
  const part: Part = { type: 'document', source: { type: 'text', text: 'words' }, title: 'T', path: 'p' }
  const block = { type: 'text', text: 'T\n\nwords' }
  assert.deepEqual(messages([turn('user', part)], deepseek), [{ role: 'user', content: [block] }])
})

test('counts without limits, sampling and stream', () => {
  const fields: Partial<Prompt> = { stream: true, tokensMax: 5, stops: ['x'], sampling: { temperature: 0 }, user: 'u' }
  assert.deepEqual(Object.keys(anthropic.count?.write(prompt(fields), budgetModel) ?? {}), ['model', 'messages'])
  assert.equal(anthropic.count?.read({ input_tokens: 7 }), 7)
  assert.throws(() => anthropic.count?.read({}), { kind: 'vendor-unreadable' })
})

const image: Part = {
  type: 'image',
  source: { type: 'base64', mediaType: 'image/bmp', data: '' },
  path: 'messages[0].content[1]',
}
const tool = { name: 'a.b', schema: {}, path: 'tools[0]' }
const good = { name: 'f', schema: {}, path: 'tools[0]' }
const refusedCases: [string, Partial<Prompt>, Model, string, RegExp][] = [
  ['a temperature above 1', { sampling: { temperature: 1.5 } }, budgetModel, 'temperature', /range is 0 to 1/],
  [
    'a temperature with thinking',
    { sampling: { temperature: 0 }, effort: 'low' },
    budgetModel,
    'temperature',
    /other than 1/,
  ],
  [
    'a temperature that the model refuses',
    { sampling: { temperature: 0.5 } },
    adaptiveModel,
    'temperature',
    /claude-a/,
  ],
  ['top_k with thinking', { sampling: { topK: 5 }, effort: 'low' }, budgetModel, 'top_k', /together with thinking/],
  ['a seed', { sampling: { seed: 1 } }, budgetModel, 'seed', /seed/],
  ['a penalty', { sampling: { presencePenalty: 1 } }, budgetModel, 'presence_penalty', /penalty/],
  ['JSON mode without a schema', { format: { type: 'json' } }, budgetModel, 'response_format', /without a schema/],
  ['a schema', { format: { type: 'json-schema', name: 'n', schema: {} } }, deepseek, 'response_format', /JSON schema/],
  [
    'a forced tool call with thinking',
    { tools: [good], toolChoice: { type: 'any' }, effort: 'low' },
    budgetModel,
    'tool_choice',
    /forcing/,
  ],
  [
    'a forced tool call where the model refuses it',
    { tools: [good], toolChoice: { type: 'tool', name: 'f' } },
    { ...adaptiveModel, refuses: ['forced-tool'] },
    'tool_choice',
    /forcing a tool call/,
  ],
  [
    'a schema with an object of unknown properties',
    {
      format: { type: 'json-schema', name: 'n', schema: { type: 'object', additionalProperties: { type: 'string' } } },
    },
    adaptiveModel,
    'response_format',
    /properties it does not name/,
  ],
  ['a limit too small for thinking', { effort: 'low', tokensMax: 500 }, budgetModel, 'max_tokens', /500/],
  [
    'thinking off where it cannot be',
    { effort: 'none' },
    { ...adaptiveModel, refuses: ['thinking-off'] },
    'effort',
    /turning thinking off/,
  ],
  [
    'thinking of a model that has none',
    { thinking: { type: 'on' } },
    { ...budgetModel, thinking: 'none' },
    'thinking',
    /thinking/,
  ],
  [
    'prefill',
    { turns: [turn('user', text('a')), turn('assistant', text('b'))] },
    adaptiveModel,
    'messages[0]',
    /prefill/,
  ],
  [
    'an image of a type it cannot see',
    { turns: [turn('user', image)] },
    budgetModel,
    'messages[0].content[1]',
    /image\/bmp/,
  ],
  ['an image', { turns: [turn('user', image)] }, deepseek, 'messages[0].content[1]', /an image/],
  ['a tool name in another alphabet', { tools: [tool] }, budgetModel, 'tools[0]', /tool name/],
  ['an empty conversation', { turns: [] }, budgetModel, 'messages', /user turn/],
]
for (const [name, fields, model, path, message] of refusedCases) {
  test(`refuses ${name} and names the field`, () => {
    assert.throws(() => write(fields, model), { kind: 'unsupported', path, message })
  })
}

test('refuses arguments that are no JSON object', () => {
  const turns = [turn('user', text('a')), turn('assistant', toolCall('a', '[1'))]
  assert.throws(() => write({ turns }), { kind: 'request-invalid', path: 'messages[1].tool_calls[0]' })
})

test('a limit above the model’s largest becomes the largest', () => {
  assert.equal(write({ tokensMax: 500_000 }).max_tokens, 64_000)
  assert.equal(write({ tokensMax: 500_000, effort: 'max' }).max_tokens, 64_000)
})

test('a temperature of 1 is not said beside a top_p, of which Claude takes only one', () => {
  const written = write({ sampling: { temperature: 1, topP: 0.9 } })
  assert.deepEqual([written.temperature, written.top_p], [undefined, 0.9])
})

test('a schema for the answer is closed, its bounds told in words', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      age: { type: 'integer', minimum: 1, description: 'In years.' },
      tags: { type: 'array', minItems: 1, maxItems: 3, items: { $ref: '#/$defs/tag' } },
      minimum: { oneOf: [{ type: 'null' }, { type: 'object', properties: { a: { type: 'string' } } }] },
    },
    $defs: { tag: { type: 'object', properties: { name: { type: 'string', minLength: 2 } }, required: ['name'] } },
    required: ['age'],
  }
  const config = write({ format: { type: 'json-schema', name: 'n', schema } }).output_config as JsonObject
  assert.deepEqual((config.format as JsonObject).schema, {
    type: 'object',
    properties: {
      age: { type: 'integer', description: 'In years.\n\n{minimum: 1}' },
      tags: { type: 'array', minItems: 1, items: { $ref: '#/$defs/tag' }, description: '{maxItems: 3}' },
      minimum: {
        anyOf: [
          { type: 'null' },
          { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
        ],
      },
    },
    $defs: {
      tag: {
        type: 'object',
        properties: { name: { type: 'string', description: '{minLength: 2}' } },
        required: ['name'],
        additionalProperties: false,
      },
    },
    required: ['age'],
    additionalProperties: false,
  })
})
