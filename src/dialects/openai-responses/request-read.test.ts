import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { seal } from '../../core/opaque.ts'
import type { Prompt } from '../../core/prompt.ts'
import { openaiResponses } from './index.ts'

const { request } = openaiResponses

function read(fields: JsonObject): Prompt {
  const json = { model: 'gpt-5.5', input: 'Hi', ...fields }
  return request.read(json, request.head(json, '/v1/responses'))
}

function refusal(fields: JsonObject): Failure {
  try {
    read(fields)
  } catch (error) {
    assert.ok(error instanceof Failure)
    return error
  }
  throw new Error('was not refused')
}

const tool = { type: 'function', name: 'add', parameters: { type: 'object' } }
const call = { type: 'function_call', call_id: 'call_1', name: 'add', arguments: '{"a":1}' }
const answer = { type: 'function_call_output', call_id: 'call_1', output: '2' }

describe('a request is read', () => {
  test('a text alone is one user turn', () => {
    const { turns, stream, model } = read({ stream: true })
    assert.deepEqual(turns, [{ role: 'user', parts: [{ type: 'text', text: 'Hi', path: 'input' }], path: 'input' }])
    assert.equal(stream, true)
    assert.equal(model, 'gpt-5.5')
  })

  test('instructions and leading developer messages are the system prompt, later ones are turns', () => {
    const prompt = read({
      instructions: 'Be kind.',
      input: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
        { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Now in French.' }] },
      ],
    })
    assert.deepEqual(prompt.system, [
      { type: 'text', text: 'Be kind.', path: 'instructions' },
      { type: 'text', text: 'Be brief.', path: 'input[0].content' },
    ])
    assert.deepEqual(
      prompt.turns.map(({ role, path }) => [role, path]),
      [
        ['user', 'input[1]'],
        ['system', 'input[2]'],
      ],
    )
  })

  test('the items of one answer are one assistant turn, neighbouring outputs one user turn', () => {
    const second = { ...call, call_id: 'call_2', arguments: '' }
    const { turns } = read({
      input: [
        { role: 'user', content: 'Add' },
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'gAAA' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Sure.', annotations: [] }] },
        call,
        second,
        answer,
        { ...answer, call_id: 'call_2' },
      ],
    })
    assert.deepEqual(turns.slice(1), [
      {
        role: 'assistant',
        path: 'input[1]',
        parts: [
          { type: 'thinking', text: 'Hm.', path: 'input[1]', state: { vendor: 'openai', data: 'gAAA', id: 'rs_1' } },
          { type: 'text', text: 'Sure.', path: 'input[2].content[0]' },
          { type: 'tool-call', id: 'call_1', name: 'add', arguments: '{"a":1}', path: 'input[3]' },
          { type: 'tool-call', id: 'call_2', name: 'add', arguments: '{}', path: 'input[4]' },
        ],
      },
      {
        role: 'user',
        path: 'input[5]',
        parts: [
          {
            type: 'tool-result',
            callId: 'call_1',
            failed: false,
            path: 'input[5]',
            parts: [{ type: 'text', text: '2', path: 'input[5].output' }],
          },
          {
            type: 'tool-result',
            callId: 'call_2',
            failed: false,
            path: 'input[6]',
            parts: [{ type: 'text', text: '2', path: 'input[6].output' }],
          },
        ],
      },
    ])
  })

  test('images and files come by URL or as bytes', () => {
    const { turns } = read({
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
            { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: null },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' },
            { type: 'input_file', file_url: 'https://example.com/b.pdf' },
          ],
        },
      ],
    })
    assert.deepEqual(turns[0]?.parts, [
      {
        type: 'image',
        source: { type: 'url', url: 'https://example.com/a.png' },
        path: 'input[0].content[0]',
        detail: 'low',
      },
      {
        type: 'image',
        source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' },
        path: 'input[0].content[1]',
      },
      {
        type: 'document',
        source: { type: 'base64', mediaType: 'application/pdf', data: 'BBBB' },
        path: 'input[0].content[2]',
        title: 'a.pdf',
      },
      {
        type: 'document',
        source: { type: 'url', url: 'https://example.com/b.pdf' },
        path: 'input[0].content[3]',
      },
    ])
  })

  test('a sealed state is opened: Gemini’s goes onto its call, redacted thinking stays redacted', () => {
    const google = { vendor: 'google', data: 'sig' }
    const redacted = { vendor: 'anthropic', data: 'blob', id: 'redacted' }
    const { turns } = read({
      input: [
        { type: 'reasoning', id: 'rs_0', summary: [], encrypted_content: seal(redacted, 'openai') },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: seal(google, 'openai') },
        call,
        answer,
      ],
    })
    assert.deepEqual(turns[0]?.parts, [
      { type: 'thinking', text: '', path: 'input[0]', redacted: true, state: { vendor: 'anthropic', data: 'blob' } },
      { type: 'tool-call', id: 'call_1', name: 'add', arguments: '{"a":1}', path: 'input[2]', state: google },
    ])
  })

  test('options are carried in the core’s words', () => {
    const prompt = read({
      tools: [{ ...tool, description: 'Adds.', strict: true }],
      tool_choice: { type: 'function', name: 'add' },
      parallel_tool_calls: false,
      max_output_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      reasoning: { effort: 'high', summary: 'detailed' },
      text: {
        format: { type: 'json_schema', name: 'out', schema: { type: 'object' }, strict: true },
        verbosity: 'low',
      },
      safety_identifier: 'user-1',
      prompt_cache_key: 'chat-7',
    })
    assert.deepEqual(prompt.tools, [
      { name: 'add', schema: { type: 'object' }, path: 'tools[0]', description: 'Adds.', strict: true },
    ])
    assert.deepEqual(prompt.toolChoice, { type: 'tool', name: 'add' })
    assert.equal(prompt.toolsParallel, false)
    assert.equal(prompt.tokensMax, 100)
    assert.deepEqual(prompt.sampling, { temperature: 0.5, topP: 0.9 })
    assert.deepEqual([prompt.effort, prompt.thinking], ['high', { type: 'auto', show: true }])
    assert.deepEqual(prompt.format, { type: 'json-schema', name: 'out', schema: { type: 'object' }, strict: true })
    assert.deepEqual([prompt.verbosity, prompt.user, prompt.cacheKey], ['low', 'user-1', 'chat-7'])
    assert.deepEqual(prompt.extras, [])
  })

  test('allowed_tools leaves the allowed ones', () => {
    const choice = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'add' }] }
    const { tools, toolChoice } = read({ tools: [tool, { ...tool, name: 'sub' }], tool_choice: choice })
    assert.deepEqual([tools.map(({ name }) => name), toolChoice], [['add'], { type: 'any' }])
  })

  test('effort none switches thinking off', () => {
    const { effort, thinking } = read({ reasoning: { effort: 'none' } })
    assert.deepEqual([effort, thinking], ['none', { type: 'off' }])
  })

  test('nulls, defaults and fields that change nothing are accepted', () => {
    const { extras } = read({
      background: false,
      conversation: null,
      previous_response_id: null,
      truncation: 'disabled',
      top_logprobs: 0,
      include: ['reasoning.encrypted_content'],
      metadata: { a: 'b' },
      service_tier: 'auto',
      store: true,
      stream_options: { include_obfuscation: false },
      prompt_cache_retention: '24h',
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      temperature: null,
    })
    assert.deepEqual(extras, [])
  })
})

describe('what only OpenAI has is noted by its path', () => {
  const cases: readonly (readonly [string, JsonObject])[] = [
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['conversation', { conversation: 'conv_1' }],
    ['background', { background: true }],
    ['prompt', { prompt: { id: 'pmpt_1' } }],
    ['context_management', { context_management: [{ type: 'compaction' }] }],
    ['truncation', { truncation: 'auto' }],
    ['top_logprobs', { top_logprobs: 3 }],
    ['include[0]', { include: ['message.output_text.logprobs'] }],
    ['frequency_penalty', { frequency_penalty: 1 }],
    ['tools[0]', { tools: [{ type: 'web_search' }] }],
    ['tools[0].defer_loading', { tools: [{ ...tool, defer_loading: true }] }],
    ['reasoning.mode', { reasoning: { mode: 'pro' } }],
    ['text.tone', { text: { tone: 'warm' } }],
    ['input[0]', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['input[0]', { input: [{ type: 'web_search_call', id: 'ws_1' }] }],
    [
      'input[0].content[0].file_id',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] },
    ],
    ['input[0].content[0]', { input: [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] }],
    ['input[0].recipient', { input: [{ role: 'user', content: 'Hi', recipient: 'x' }] }],
  ]
  for (const [path, fields] of cases) {
    test(`${path} of ${JSON.stringify(fields)}`, () => {
      assert.deepEqual(
        read(fields).extras.map((extra) => extra.path),
        [path],
      )
    })
  }
  test('a hosted tool is named', () => {
    assert.equal(read({ tools: [{ type: 'web_search' }] }).extras[0]?.what, 'the hosted tool web_search')
  })
})

describe('a request that breaks OpenAI’s rules is refused at its field', () => {
  const cases: readonly (readonly [string, JsonObject, RegExp])[] = [
    ['input', { input: null }, /Missing required parameter: 'input'/],
    ['input', { input: 7 }, /expected a string or an array of items, but got an integer/],
    ['input[0]', { input: ['Hi'] }, /expected an object, but got a string/],
    ['input[0].type', { input: [{}] }, /Missing required parameter/],
    ['input[0].role', { input: [{ role: 'tool', content: 'x' }] }, /'tool'. Supported values are: 'user'/],
    ['input[0].content', { input: [{ role: 'user' }] }, /Missing required parameter/],
    ['input[0].content[0].text', { input: [{ role: 'user', content: [{ type: 'input_text' }] }] }, /Missing/],
    [
      'input[0].content[0].image_url',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'ftp://x' }] }] },
      /Invalid value/,
    ],
    ['input[0]', { input: [call] }, /No tool output found for function call call_1/],
    ['input[0]', { input: [answer] }, /No tool call found for function call output with call_id call_1/],
    ['temperature', { temperature: 3 }, /Expected a value <= 2, but got 3/],
    ['max_output_tokens', { max_output_tokens: 0 }, /Expected a value >= 1/],
    ['max_output_tokens', { max_output_tokens: '9' }, /expected an integer, but got a string/],
    ['tools[0].name', { tools: [{ ...tool, name: 'a b' }] }, /1 to 128 letters/],
    ['tool_choice', { tool_choice: 'any' }, /Supported values are: 'none', 'auto', 'required'/],
    ['tool_choice', { tools: [tool], tool_choice: { type: 'function', name: 'sub' } }, /'sub' not found in 'tools'/],
    ['reasoning.effort', { reasoning: { effort: 'huge' } }, /'huge'/],
    ['text.format.type', { text: { format: { type: 'xml' } } }, /'xml'/],
    ['text.format.schema', { text: { format: { type: 'json_schema', name: 'x' } } }, /Missing/],
    ['model', { model: null }, /Missing required parameter: 'model'/],
    ['stream', { stream: 'yes' }, /expected a boolean/],
  ]
  for (const [path, fields, message] of cases) {
    test(`${path} of ${JSON.stringify(fields)}`, () => {
      const failure = refusal(fields)
      assert.equal(failure.kind, 'request-invalid')
      assert.equal(failure.path, path)
      assert.match(failure.message, message)
    })
  }
  test('a part of the conversation that lies at OpenAI may hold the call', () => {
    assert.equal(read({ input: [answer], previous_response_id: 'resp_1' }).turns.length, 1)
  })
})
