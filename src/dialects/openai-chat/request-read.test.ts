import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { seal } from '../../core/opaque.ts'
import type { Prompt } from '../../core/prompt.ts'
import { openaiChat } from './index.ts'
import { dropped } from './request-read.ts'

function read(fields: object): Prompt {
  const json = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...fields } as JsonObject
  return openaiChat.request.read(json, { model: 'm', stream: false })
}

const ask = { role: 'user', content: 'Hi' }
const asked = { role: 'user', parts: [{ type: 'text', text: 'Hi', path: 'messages[0]' }], path: 'messages[0]' }
const calling = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '' } }],
}
const answer = { role: 'tool', tool_call_id: 'a', content: '42' }

function partPath(index: number): string {
  return `messages[0].content[${index}]`
}

describe('messages', () => {
  test('instructions before the first turn are the system, later ones turns', () => {
    const messages = [
      { role: 'system', content: 'A' },
      { role: 'developer', content: [{ type: 'text', text: 'B' }] },
      ask,
      { role: 'system', content: 'C' },
    ]
    const prompt = read({ messages })
    assert.deepEqual(prompt.system, [
      { type: 'text', text: 'A', path: 'messages[0]' },
      { type: 'text', text: 'B', path: 'messages[1].content[0]' },
    ])
    assert.deepEqual(
      prompt.turns.map(({ role, path }) => [role, path]),
      [
        ['user', 'messages[2]'],
        ['system', 'messages[3]'],
      ],
    )
  })

  test('all kinds of content are read', () => {
    const content = [
      { type: 'text', text: 'Look' },
      { type: 'text', text: '' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
      { type: 'image_url', image_url: { url: 'https://a.example/b.png' } },
      { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
      { type: 'file', file: { filename: 'a.txt', file_data: 'data:text/plain;charset=utf-8;base64,SGk=' } },
    ]
    assert.deepEqual(read({ messages: [{ role: 'user', content }] }).turns[0]?.parts, [
      { type: 'text', text: 'Look', path: partPath(0) },
      {
        type: 'image',
        source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' },
        detail: 'low',
        path: partPath(2),
      },
      { type: 'image', source: { type: 'url', url: 'https://a.example/b.png' }, path: partPath(3) },
      { type: 'audio', source: { type: 'base64', mediaType: 'audio/mpeg', data: 'AAAA' }, path: partPath(4) },
      {
        type: 'document',
        source: { type: 'base64', mediaType: 'application/pdf', data: 'AAAA' },
        title: 'a.pdf',
        path: partPath(5),
      },
      { type: 'document', source: { type: 'text', text: 'Hi' }, title: 'a.txt', path: partPath(6) },
    ])
  })

  test('calls and their results are read, neighbouring results as one turn', () => {
    const two = [...calling.tool_calls, { id: 'b', type: 'function', function: { name: 'g', arguments: '{"x": 1.0}' } }]
    const messages = [
      ask,
      { ...calling, content: 'Hm.', tool_calls: two },
      { ...answer, tool_call_id: 'b' },
      answer,
      ask,
    ]
    assert.deepEqual(read({ messages }).turns, [
      asked,
      {
        role: 'assistant',
        path: 'messages[1]',
        parts: [
          { type: 'text', text: 'Hm.', path: 'messages[1]' },
          { type: 'tool-call', id: 'a', name: 'f', arguments: '{}', path: 'messages[1].tool_calls[0]' },
          { type: 'tool-call', id: 'b', name: 'g', arguments: '{"x": 1.0}', path: 'messages[1].tool_calls[1]' },
        ],
      },
      {
        role: 'user',
        path: 'messages[2]',
        parts: ['b', 'a'].map((callId, index) => ({
          type: 'tool-result',
          callId,
          parts: [{ type: 'text', text: '42', path: `messages[${index + 2}]` }],
          failed: false,
          path: `messages[${index + 2}]`,
        })),
      },
      { role: 'user', parts: [{ type: 'text', text: 'Hi', path: 'messages[4]' }], path: 'messages[4]' },
    ])
  })

  test('thinking comes back with its state', () => {
    const signature = seal({ vendor: 'anthropic', data: 'sig' }, 'openai')
    const messages = [
      ask,
      {
        role: 'assistant',
        content: 'A',
        refusal: 'No.',
        reasoning_content: 'Hm.',
        reasoning_details: [
          { type: 'reasoning.text', text: 'Hm.', signature, index: 0 },
          {
            type: 'reasoning.encrypted',
            data: seal({ vendor: 'anthropic', data: 'blob' }, 'openai'),
            redacted: true,
            index: 1,
          },
          { type: 'reasoning.encrypted', data: 'theirs', format: 'anthropic-claude-v1', index: 2 },
          { type: 'reasoning.unknown' },
        ],
      },
    ]
    const path = 'messages[1]'
    assert.deepEqual(read({ messages }).turns[1]?.parts, [
      { type: 'thinking', text: 'Hm.', state: { vendor: 'anthropic', data: 'sig' }, path },
      { type: 'thinking', text: '', state: { vendor: 'anthropic', data: 'blob' }, redacted: true, path },
      { type: 'thinking', text: '', state: { vendor: 'anthropic', data: 'theirs' }, path },
      { type: 'text', text: 'A', path },
      { type: 'text', text: 'No.', refusal: true, path },
    ])
  })

  test("thinking of vendors that give no state is read as text, Gemini's state on its call", () => {
    const extra = { google: { thought_signature: 'S' } }
    const messages = [
      ask,
      { ...calling, reasoning_content: 'Hm.', tool_calls: [{ ...calling.tool_calls[0], extra_content: extra }] },
      answer,
    ]
    const [thinking, call] = read({ messages }).turns[1]?.parts ?? []
    assert.deepEqual(thinking, { type: 'thinking', text: 'Hm.', path: 'messages[1]' })
    assert.deepEqual(call?.type === 'tool-call' && call.state, { vendor: 'google', data: 'S' })
  })

  test('a message that an SDK gave out can be sent back as it is', () => {
    const message = {
      ...calling,
      refusal: null,
      annotations: [],
      audio: null,
      function_call: null,
      parsed: null,
      tool_calls: [
        { ...calling.tool_calls[0], index: 0, function: { name: 'f', arguments: '{}', parsed_arguments: {} } },
      ],
    }
    assert.deepEqual(read({ messages: [ask, message, answer] }).extras, [])
  })
})

describe('options', () => {
  test('are carried', () => {
    const prompt = read({
      tools: [
        { type: 'function', function: { name: 'f', description: 'D', parameters: { type: 'object' }, strict: true } },
        { type: 'function', function: { name: 'g' } },
      ],
      tool_choice: { type: 'function', function: { name: 'f' } },
      parallel_tool_calls: false,
      max_completion_tokens: 9,
      max_tokens: 8,
      temperature: 0.5,
      top_p: 0.9,
      presence_penalty: 1,
      frequency_penalty: -1,
      seed: 7,
      stop: ['x', 'y'],
      reasoning_effort: 'high',
      verbosity: 'low',
      safety_identifier: 'u1',
      user: 'u2',
      prompt_cache_key: 'k',
      stream_options: { include_usage: true, include_obfuscation: false },
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } },
    })
    assert.deepEqual(prompt, {
      model: 'm',
      stream: false,
      system: [],
      turns: [asked],
      tools: [
        { name: 'f', description: 'D', schema: { type: 'object' }, strict: true, path: 'tools[0]' },
        { name: 'g', schema: { type: 'object', properties: {} }, path: 'tools[1]' },
      ],
      toolChoice: { type: 'tool', name: 'f' },
      toolsParallel: false,
      tokensMax: 9,
      stops: ['x', 'y'],
      sampling: { temperature: 0.5, topP: 0.9, presencePenalty: 1, frequencyPenalty: -1, seed: 7 },
      effort: 'high',
      verbosity: 'low',
      user: 'u1',
      cacheKey: 'k',
      streamUsage: true,
      format: { type: 'json-schema', name: 'n', schema: { type: 'object' }, strict: true },
      extras: [],
    })
  })

  test('at their defaults, or null, ask for nothing', () => {
    const bare = read({})
    const defaults = {
      n: 1,
      logprobs: false,
      top_logprobs: 0,
      logit_bias: {},
      modalities: ['text'],
      response_format: { type: 'text' },
      audio: null,
      stop: null,
      tools: null,
      anything: null,
    }
    assert.deepEqual(read(defaults), bare)
  })

  test('that do not change the answer are dropped', () => {
    const fields = {
      store: true,
      metadata: { a: 'b' },
      service_tier: 'flex',
      prompt_cache_retention: '24h',
      prompt_cache_options: {},
    }
    for (const name of Object.keys(fields)) assert.equal(typeof dropped[name], 'string')
    assert.deepEqual(read(fields), read({}))
  })

  const tools = [{ type: 'function', function: { name: 'f' } }]
  const words = [
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'any' }],
  ] as const
  for (const [word, choice] of words) {
    test(`the tool choice "${word}" is read`, () =>
      assert.deepEqual(read({ tools, tool_choice: word }).toolChoice, choice))
  }

  test("Anthropic's words for thinking are read", () => {
    const budget = { type: 'enabled', budget_tokens: 3000 }
    assert.deepEqual(read({ thinking: budget }).thinking, { type: 'on', budgetTokens: 3000 })
    assert.deepEqual(read({ thinking: { type: 'adaptive' } }).thinking, { type: 'auto' })
  })

  test("DeepSeek's switch of thinking is read", () => {
    assert.deepEqual(read({ thinking: { type: 'disabled' } }).thinking, { type: 'off' })
    assert.deepEqual(read({ thinking: { type: 'enabled' } }).thinking, { type: 'on' })
  })
})

describe('what only OpenAI can carry is noted', () => {
  const cases: [object, string][] = [
    [{ n: 2 }, 'n'],
    [{ logprobs: true, top_logprobs: 3 }, 'logprobs'],
    [{ logit_bias: { 50256: -100 } }, 'logit_bias'],
    [{ prediction: { type: 'content', content: 'x' } }, 'prediction'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ audio: { voice: 'alloy' } }, 'audio'],
    [{ web_search_options: {} }, 'web_search_options'],
    [{ moderation: {} }, 'moderation'],
    [{ functions: [] }, 'functions'],
    [{ function_call: 'auto' }, 'function_call'],
    [{ tools: [{ type: 'custom', custom: { name: 'c' } }] }, 'tools[0]'],
    [{ tool_choice: { type: 'allowed_tools', allowed_tools: {} } }, 'tool_choice'],
    [{ brand_new: 1 }, 'brand_new'],
    [{ thinking: { type: 'enabled', brand_new: 1 } }, 'thinking.brand_new'],
    [{ response_format: { type: 'json_object', schema: {} } }, 'response_format.schema'],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'n', brand_new: 1 } } },
      'response_format.json_schema.brand_new',
    ],
    [
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: 'https://a.example/b.png', brand_new: 1 } }],
          },
        ],
      },
      'messages[0].content[0].image_url.brand_new',
    ],
    [{ stream_options: { brand_new: 1 } }, 'stream_options.brand_new'],
    [{ messages: [{ ...ask, brand_new: 1 }] }, 'messages[0].brand_new'],
    [
      { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] },
      'messages[0].content[0].file.file_id',
    ],
    [{ messages: [{ role: 'assistant', audio: { id: 'x' } }] }, 'messages[0].audio'],
    [{ messages: [{ role: 'function', name: 'f', content: 'x' }] }, 'messages[0]'],
  ]
  for (const [fields, path] of cases) {
    test(path, () =>
      assert.deepEqual(
        read(fields).extras.map((extra) => extra.path),
        [path],
      ),
    )
  }
})

describe('a mistake is told in OpenAI’s words', () => {
  const cases: [string, object, string, string | undefined, RegExp][] = [
    [
      'no messages',
      { messages: undefined },
      'messages',
      'missing_required_parameter',
      /^Missing required parameter: 'messages'\.$/,
    ],
    ['empty messages', { messages: [] }, 'messages', 'empty_array', /empty array/],
    [
      'messages that are no list',
      { messages: 'Hi' },
      'messages',
      'invalid_type',
      /expected an array of objects, but got a string instead/,
    ],
    ['no role', { messages: [{ content: 'Hi' }] }, 'messages[0].role', 'missing_required_parameter', /Missing/],
    [
      'a wrong role',
      { messages: [{ role: 'bot', content: 'Hi' }] },
      'messages[0].role',
      'invalid_value',
      /^Invalid value: 'bot'\. Supported values are: 'system', .* and 'developer'\.$/,
    ],
    [
      'content that is a number',
      { messages: [{ role: 'user', content: 5 }] },
      'messages[0].content',
      'invalid_type',
      /one of a string or array of objects, but got an integer/,
    ],
    ['no content', { messages: [{ role: 'user' }] }, 'messages[0].content', 'missing_required_parameter', /Missing/],
    [
      'an unknown part',
      { messages: [{ role: 'user', content: [{ type: 'video' }] }] },
      'messages[0].content[0].type',
      'invalid_value',
      /'video'/,
    ],
    [
      'an image in a system message',
      { messages: [{ role: 'system', content: [{ type: 'image_url' }] }] },
      'messages[0].content[0].type',
      'invalid_value',
      /'text'/,
    ],
    [
      'a broken image URL',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'ftp://x' } }] }] },
      'messages[0].content[0].image_url.url',
      'invalid_value',
      /data:image\/png/,
    ],
    [
      'a result without its call',
      { messages: [ask, answer] },
      'messages[1].role',
      undefined,
      /must be a response to a preceding message/,
    ],
    [
      'a call without its result',
      { messages: [ask, calling, ask] },
      'messages[2].role',
      undefined,
      /did not have response messages: a$/,
    ],
    [
      'a call at the very end',
      { messages: [ask, calling] },
      'messages[1].role',
      undefined,
      /did not have response messages: a$/,
    ],
    ['a temperature out of range', { temperature: 3 }, 'temperature', 'decimal_above_max_value', /<= 2, but got 3/],
    ['no tokens', { max_tokens: 0 }, 'max_tokens', 'integer_below_min_value', />= 1, but got 0/],
    ['too many stops', { stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop', 'array_above_max_length', /maximum length 4/],
    [
      'a tool without a name',
      { tools: [{ type: 'function', function: {} }] },
      'tools[0].function.name',
      'missing_required_parameter',
      /Missing/,
    ],
    [
      'a tool of an unknown type',
      { tools: [{ type: 'magic' }] },
      'tools[0].type',
      'invalid_value',
      /'function' and 'custom'/,
    ],
    [
      'an unknown tool choice',
      { tool_choice: 'maybe' },
      'tool_choice',
      'invalid_value',
      /'none', 'auto', and 'required'/,
    ],
    [
      'a forced tool call without tools',
      { tool_choice: 'required' },
      'tool_choice',
      undefined,
      /only allowed when 'tools' are specified/,
    ],
    ['an unknown effort', { reasoning_effort: 'huge' }, 'reasoning_effort', 'invalid_value', /'max'/],
    [
      'a schema without a name',
      { response_format: { type: 'json_schema', json_schema: {} } },
      'response_format.json_schema.name',
      'missing_required_parameter',
      /Missing/,
    ],
  ]
  for (const [name, fields, path, code, message] of cases) {
    test(name, () => {
      assert.throws(
        () => read(fields),
        (thrown) => {
          assert.ok(thrown instanceof Failure)
          assert.deepEqual([thrown.kind, thrown.path, thrown.code], ['request-invalid', path, code])
          assert.match(thrown.message, message)
          return true
        },
      )
    })
  }
})
