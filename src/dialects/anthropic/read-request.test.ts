import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../core/json.ts'
import { seal } from '../../core/opaque.ts'
import type { Prompt } from '../../core/prompt.ts'
import { dropped, request } from './request.ts'

function read(fields: JsonObject): Prompt {
  const json: JsonObject = {
    model: 'claude-x',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'Hi' }],
    ...fields,
  }
  return request.read(json, request.head(json, '/v1/messages'))
}

function path(index: number): string {
  return `messages.0.content.${index}`
}

function readContent(content: JsonObject[], role = 'user'): Prompt {
  return read({ messages: [{ role, content }] })
}

test('reads what every vendor has a word for', () => {
  const prompt = read({
    stream: true,
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'now', input: { zone: 'UTC' } }] },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'noon', is_error: true }],
      },
    ],
    tools: [{ name: 'now', input_schema: { type: 'object' }, strict: true, cache_control: { type: 'ephemeral' } }],
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
    stop_sequences: ['END'],
    temperature: 0.5,
    top_p: 0.9,
    top_k: 40,
    metadata: { user_id: 'u-1' },
    output_config: { effort: 'xhigh', format: { type: 'json_schema', schema: { type: 'object' } } },
  })
  assert.deepEqual(prompt, {
    model: 'claude-x',
    stream: true,
    system: [{ type: 'text', text: 'Be brief.', path: 'system.0', cacheMark: '1h' }],
    turns: [
      { role: 'user', path: 'messages.0', parts: [{ type: 'text', text: 'Hi', path: 'messages.0.content' }] },
      {
        role: 'assistant',
        path: 'messages.1',
        parts: [
          { type: 'tool-call', id: 'toolu_1', name: 'now', arguments: '{"zone":"UTC"}', path: 'messages.1.content.0' },
        ],
      },
      {
        role: 'user',
        path: 'messages.2',
        parts: [
          {
            type: 'tool-result',
            callId: 'toolu_1',
            parts: [{ type: 'text', text: 'noon', path: 'messages.2.content.0.content' }],
            failed: true,
            path: 'messages.2.content.0',
          },
        ],
      },
    ],
    tools: [{ name: 'now', schema: { type: 'object' }, path: 'tools.0', strict: true, cacheMark: '5m' }],
    toolChoice: { type: 'any' },
    toolsParallel: false,
    tokensMax: 100,
    stops: ['END'],
    sampling: { temperature: 0.5, topP: 0.9, topK: 40 },
    effort: 'xhigh',
    format: { type: 'json-schema', name: 'answer', schema: { type: 'object' } },
    user: 'u-1',
    extras: [],
  })
})

const thinkingCases: [JsonObject, Prompt['thinking']][] = [
  [
    { type: 'enabled', budget_tokens: 2048 },
    { type: 'on', budgetTokens: 2048 },
  ],
  [
    { type: 'adaptive', display: 'summarized' },
    { type: 'auto', show: true },
  ],
  [
    { type: 'adaptive', display: 'omitted' },
    { type: 'auto', show: false },
  ],
  [{ type: 'disabled' }, { type: 'off' }],
]
for (const [thinking, expected] of thinkingCases) {
  test(`reads thinking ${JSON.stringify(thinking)}`, () => {
    assert.deepEqual(read({ thinking, max_tokens: 4096 }).thinking, expected)
  })
}

test('reads media from every source that other vendors can take', () => {
  const prompt = readContent([
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
    { type: 'image', source: { type: 'url', url: 'https://a.example/b.png' } },
    { type: 'document', title: 'T', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } },
    {
      type: 'document',
      source: { type: 'text', media_type: 'text/plain', data: 'words' },
      citations: { enabled: false },
    },
  ])
  assert.deepEqual(
    prompt.turns[0]?.parts.map((part) => ('source' in part ? part.source : part.type)),
    [
      { type: 'base64', mediaType: 'image/png', data: 'AAAA' },
      { type: 'url', url: 'https://a.example/b.png' },
      { type: 'base64', mediaType: 'application/pdf', data: 'AAAA' },
      { type: 'text', text: 'words' },
    ],
  )
  assert.deepEqual(prompt.extras, [])
})

test('opens the states of thoughts, and gives the state of a Gemini call back to the call', () => {
  const google = seal({ vendor: 'google', data: 'sig' }, 'anthropic')
  const openai = seal({ vendor: 'openai', data: 'enc', id: 'rs_1' }, 'anthropic')
  const { turns } = readContent(
    [
      { type: 'thinking', thinking: 'own', signature: 'EvQB' },
      { type: 'redacted_thinking', data: 'cmVk' },
      { type: 'thinking', thinking: '', signature: openai },
      { type: 'thinking', thinking: '', signature: google },
      { type: 'tool_use', id: 'a', name: 'f', input: {} },
    ],
    'assistant',
  )
  assert.deepEqual(turns[0]?.parts, [
    { type: 'thinking', text: 'own', state: { vendor: 'anthropic', data: 'EvQB' }, path: path(0) },
    { type: 'thinking', text: '', state: { vendor: 'anthropic', data: 'cmVk' }, redacted: true, path: path(1) },
    { type: 'thinking', text: '', state: { vendor: 'openai', data: 'enc', id: 'rs_1' }, path: path(2) },
    { type: 'tool-call', id: 'a', name: 'f', arguments: '{}', state: { vendor: 'google', data: 'sig' }, path: path(4) },
  ])
})

const extraCases: [string, JsonObject, string, string?][] = [
  ['a container', { container: 'c' }, 'container', 'a container'],
  ['MCP servers', { mcp_servers: [{ type: 'url' }] }, 'mcp_servers', 'an MCP server'],
  ['where inference runs', { inference_geo: 'us' }, 'inference_geo', 'choosing where inference runs'],
  ['fast mode', { speed: 'fast' }, 'speed', 'fast mode'],
  ['a field that nobody knows', { quantum: 1 }, 'quantum'],
  ['an effort budget', { output_config: { task_budget: {} } }, 'output_config.task_budget'],
  [
    'a server tool',
    { tools: [{ type: 'web_search_20260318', name: 'web_search' }] },
    'tools.0',
    'the server tool web_search',
  ],
  [
    'a tool that only Claude knows',
    { tools: [{ type: 'bash_20250124', name: 'bash' }] },
    'tools.0',
    'the tool type bash_20250124',
  ],
  [
    'a search result',
    { messages: [{ role: 'user', content: [{ type: 'search_result', source: 's', title: 't', content: [] }] }] },
    'messages.0.content.0',
    'the block type search_result',
  ],
  [
    'a file of the Files API',
    { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }] },
    'messages.0.content.0.source',
    'a file of the Files API',
  ],
  [
    'citations',
    {
      messages: [
        {
          role: 'user',
          content: [{ type: 'document', source: { type: 'url', url: 'https://a' }, citations: { enabled: true } }],
        },
      ],
    },
    'messages.0.content.0.citations',
    'citing a document',
  ],
  ['a cache warm-up', { max_tokens: 0 }, 'max_tokens', 'warming a cache without an answer (max_tokens 0)'],
]
for (const [name, fields, path, what] of extraCases) {
  test(`keeps ${name} as an extra, by its path`, () => {
    assert.deepEqual(read(fields).extras, [what === undefined ? { path } : { path, what }])
  })
}

test('drops what does not change the answer, each with its reason', () => {
  const prompt = read({
    cache_control: { type: 'ephemeral' },
    context_management: { edits: [] },
    diagnostics: { previous_message_id: 'm' },
    service_tier: 'standard_only',
    speed: 'standard',
    mcp_servers: [],
    container: null,
    tools: [{ type: 'custom', name: 'f', input_schema: { type: 'object' }, eager_input_streaming: true }],
  })
  assert.deepEqual(prompt.extras, [])
  for (const reason of Object.values(dropped)) assert.ok(reason.length > 0)
})

test('leaves Claude Code’s bill out of the system texts, which would spoil every prompt cache', () => {
  const bill = 'x-anthropic-billing-header: cc_version=2.1.177.01c; cc_entrypoint=cli; cch=36ee5;'
  const blocks = [bill, 'You are Claude Code.', `${bill}\n\nAnd this.`, `Not ${bill}`]
  const { system } = read({ system: blocks.map((text) => ({ type: 'text', text })) })
  assert.deepEqual(
    system.map(({ text, path }) => [path, text]),
    [
      ['system.1', 'You are Claude Code.'],
      ['system.2', 'And this.'],
      ['system.3', `Not ${bill}`],
    ],
  )
  assert.deepEqual(read({ system: `${bill}\nHi.` }).system, [{ type: 'text', text: 'Hi.', path: 'system' }])
})

test('an answer by a schema is strict where OpenAI can be so, too', () => {
  const strictOf = (schema: JsonObject): unknown => {
    const { format } = read({ output_config: { format: { type: 'json_schema', schema } } })
    return format?.type === 'json-schema' && format.strict
  }
  const inner = {
    type: 'object',
    properties: { type: { type: 'string' } },
    required: ['type'],
    additionalProperties: false,
  }
  const list = { type: 'array', items: { anyOf: [inner, { type: 'null' }] } }
  const outer = { type: 'object', properties: { list }, required: ['list'], additionalProperties: false }
  assert.equal(strictOf(outer), true)
  assert.equal(strictOf({ ...outer, required: [] }), undefined)
  assert.equal(strictOf({ ...outer, properties: { list: { ...list, items: { type: 'object' } } } }), undefined)
  assert.equal(strictOf({ ...outer, allOf: [] }), undefined)
})

test('a tool choice that demands nothing needs no tools', () => {
  assert.deepEqual(read({ tool_choice: { type: 'auto' } }).toolChoice, { type: 'auto' })
})

test('lets a request without max_tokens pass, as those to count tokens are', () => {
  assert.equal(read({ max_tokens: null }).tokensMax, undefined)
})

const call = { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] }
const invalidCases: [string, JsonObject, string, RegExp][] = [
  ['messages that are no list', { messages: 'Hi' }, 'messages', /must be a list/],
  ['no messages', { messages: [] }, 'messages', /at least one/],
  [
    'an unknown role',
    { messages: [{ role: 'tool', content: 'x' }] },
    'messages.0.role',
    /"user", "assistant" or "system"/,
  ],
  [
    'a block without text',
    { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
    'messages.0.content.0.text',
    /required/,
  ],
  ['max_tokens as text', { max_tokens: '100' }, 'max_tokens', /whole number of at least 0/],
  ['a temperature above 1', { temperature: 1.5 }, 'temperature', /from 0 to 1/],
  ['a budget under 1024', { thinking: { type: 'enabled', budget_tokens: 10 } }, 'thinking.budget_tokens', /1024/],
  [
    'a budget that leaves no answer',
    { thinking: { type: 'enabled', budget_tokens: 1024 } },
    'max_tokens',
    /greater than/,
  ],
  ['an unknown effort', { output_config: { effort: 'huge' } }, 'output_config.effort', /low, medium/],
  ['an unknown tool choice', { tool_choice: { type: 'required' } }, 'tool_choice.type', /"any"/],
  ['a forced tool call without tools', { tool_choice: { type: 'any' } }, 'tool_choice', /while providing tools/],
  ['a tool without a schema', { tools: [{ name: 'f' }] }, 'tools.0.input_schema', /required/],
  ['a blank stop sequence', { stop_sequences: [' '] }, 'stop_sequences.0', /white space/],
  [
    'a call without its result',
    { messages: [call, { role: 'user', content: 'x' }] },
    'messages.0',
    /without `tool_result` blocks immediately after: a/,
  ],
  [
    'a result without its call',
    { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'b', content: 'x' }] }] },
    'messages.0.content.0',
    /unexpected `tool_use_id`/,
  ],
]
for (const [name, fields, path, message] of invalidCases) {
  test(`refuses ${name} and names the field`, () => {
    assert.throws(() => read(fields), { kind: 'request-invalid', path, message })
  })
}

test('refuses a request without a model', () => {
  assert.throws(() => request.head({}, '/v1/messages'), { kind: 'request-invalid', path: 'model' })
})
