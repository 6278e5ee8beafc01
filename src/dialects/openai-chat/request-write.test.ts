import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { OpaqueState, Part, Prompt, ToolResultPart, Turn } from '../../core/prompt.ts'
import type { Model } from '../../core/vendor.ts'
import { openaiChat } from './index.ts'

const gpt: Model = {
  id: 'gpt',
  vendor: 'openai',
  thinking: 'effort',
  efforts: ['none', 'low', 'medium', 'high', 'xhigh'],
  outputMax: 1000,
}
const plain: Model = { id: 'gpt-4', vendor: 'openai', thinking: 'none', takes: ['tools'] }
const deepseek: Model = {
  id: 'ds',
  vendor: 'deepseek',
  thinking: 'switch',
  efforts: ['low', 'high', 'max'],
  takes: ['tools'],
}
const grok: Model = {
  id: 'grok',
  vendor: 'xai',
  thinking: 'effort',
  efforts: ['low', 'high'],
  refuses: ['stop', 'penalties', 'sampling', 'thinking-off'],
}

const path = 'messages.0.content.0'
const hi: Part = { type: 'text', text: 'Hi', path }
const call: Part = { type: 'tool-call', id: 'a', name: 'f', arguments: '', path }
const image: Part = {
  type: 'image',
  source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' },
  detail: 'original',
  path,
}

function turn(role: Turn['role'], ...parts: Part[]): Turn {
  return { role, parts, path: 'messages.0' }
}

function result(callId: string, ...parts: Part[]): Part {
  return { type: 'tool-result', callId, parts: parts as ToolResultPart['parts'], failed: false, path }
}

function write(fields: Partial<Prompt>, model = gpt): JsonObject {
  const base = {
    model: model.id,
    stream: false,
    system: [],
    turns: [turn('user', hi)],
    tools: [],
    stops: [],
    sampling: {},
    extras: [],
  }
  return openaiChat.request.write({ ...base, ...fields }, model)
}

function messages(model: Model, ...turns: Turn[]): unknown {
  return write({ turns }, model)['messages']
}

function thought(text: string, state?: OpaqueState): Part {
  return { type: 'thinking', text, path, ...(state && { state }) }
}

/** What DeepSeek's field holds for an assistant's turn that is followed by a result. */
function reasoning(model: Model, ...parts: Part[]): unknown {
  const [first] = messages(model, turn('assistant', ...parts), turn('user', result('a'))) as JsonObject[]
  return first?.['reasoning_content']
}

describe('messages', () => {
  const user = { role: 'user', content: 'Hi' }
  const calls = [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }]

  test('the system is a developer message for models of OpenAI that reason, else a system message', () => {
    const system = ['A', '', 'B'].map((text) => ({ type: 'text' as const, text, path }))
    assert.deepEqual(write({ system })['messages'], [{ role: 'developer', content: 'A\n\nB' }, user])
    for (const model of [plain, deepseek, grok]) {
      assert.deepEqual(write({ system }, model)['messages'], [{ role: 'system', content: 'A\n\nB' }, user])
    }
  })

  test('an instruction in mid-conversation stays where it is', () => {
    assert.deepEqual(messages(plain, turn('user', hi), turn('system', hi), turn('user', hi)), [
      user,
      { role: 'system', content: 'Hi' },
      user,
    ])
  })

  test('results come right after their calls, then their images, then what the user says', () => {
    const turns = [
      turn('assistant', hi, call, { ...call, id: 'b' }),
      turn('user', hi, result('a', hi, image)),
      turn('user', result('b'), { type: 'text', text: 'And?', path }),
    ]
    assert.deepEqual(messages(gpt, ...turns), [
      { role: 'assistant', content: 'Hi', tool_calls: [calls[0], { ...calls[0], id: 'b' }] },
      { role: 'tool', tool_call_id: 'a', content: 'Hi' },
      { role: 'tool', tool_call_id: 'b', content: '' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Image of tool call a:' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'original' } },
        ],
      },
      user,
      { role: 'user', content: 'And?' },
    ])
  })

  test('calls of neighbouring turns are one message, since the results of all come behind the last', () => {
    const turns = [turn('assistant', hi), turn('assistant', call), turn('assistant', hi, { ...call, id: 'b' })]
    assert.deepEqual(messages(gpt, ...turns, turn('user', result('b')), turn('user', result('a'))), [
      { role: 'assistant', content: 'Hi' },
      { role: 'assistant', content: 'Hi', tool_calls: [calls[0], { ...calls[0], id: 'b' }] },
      { role: 'tool', tool_call_id: 'b', content: '' },
      { role: 'tool', tool_call_id: 'a', content: '' },
    ])
  })

  test('an instruction between a call and its result comes behind the result', () => {
    assert.deepEqual(messages(gpt, turn('assistant', call), turn('system', hi), turn('user', result('a', hi))), [
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: 'a', content: 'Hi' },
      { role: 'developer', content: 'Hi' },
    ])
  })

  test('a failed result says so', () => {
    const failed = { ...result('a', hi), failed: true } as Part
    assert.deepEqual(messages(gpt, turn('assistant', call), turn('user', failed)), [
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: 'a', content: 'Error: Hi' },
    ])
  })

  test('a call id that is too long is shortened alike in the call and its result', () => {
    const id = 'x'.repeat(80)
    const [asked, told] = messages(gpt, turn('assistant', { ...call, id }), turn('user', result(id))) as JsonObject[]
    const short = /"id":"(x+_[0-9a-f]+)"/.exec(JSON.stringify(asked))?.[1]
    assert.equal(short?.length, 64)
    assert.equal(told?.['tool_call_id'], short)
  })

  test('media are written where the model takes them', () => {
    const parts: Part[] = [
      {
        type: 'document',
        source: { type: 'base64', mediaType: 'application/pdf', data: 'AAAA' },
        title: 'a.pdf',
        path,
      },
      { type: 'document', source: { type: 'text', text: 'Text' }, title: 'Title', path },
      { type: 'audio', source: { type: 'base64', mediaType: 'audio/mpeg', data: 'AAAA' }, path },
      { type: 'image', source: { type: 'url', url: 'https://a.example' }, path },
    ]
    assert.deepEqual(messages(gpt, turn('user', ...parts)), [
      {
        role: 'user',
        content: [
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
          { type: 'text', text: 'Title\n\nText' },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } },
          { type: 'image_url', image_url: { url: 'https://a.example' } },
        ],
      },
    ])
  })

  test('empty text and empty turns are left out', () => {
    assert.deepEqual(
      messages(gpt, turn('user', hi), turn('assistant', { type: 'text', text: '', path }), turn('user', hi)),
      [user, user],
    )
  })

  test('DeepSeek gets thoughts back: all on turns with calls, else its own', () => {
    const own = thought('own ', { vendor: 'deepseek', data: '' })
    const other = thought('other', { vendor: 'anthropic', data: 'sig' })
    assert.equal(reasoning(deepseek, own, other, call), 'own other')
    assert.equal(reasoning(deepseek, call), '')
    assert.equal(reasoning(deepseek, own, other, thought('unknown'), hi), 'own unknown')
    assert.equal(reasoning(deepseek, other, hi), undefined)
    assert.equal(reasoning(gpt, own, other, call), undefined)
    assert.equal(reasoning(grok, own, call), undefined)
  })

  test('only OpenAI keeps refusals apart', () => {
    const refusal: Part = { type: 'text', text: 'No.', refusal: true, path }
    const [first] = messages(gpt, turn('assistant', refusal), turn('user', hi)) as JsonObject[]
    assert.deepEqual(first, { role: 'assistant', content: null, refusal: 'No.' })
    const [other] = messages(grok, turn('assistant', refusal), turn('user', hi)) as JsonObject[]
    assert.deepEqual(other, { role: 'assistant', content: 'No.' })
  })
})

describe('options', () => {
  const tool = { name: 'f', description: 'D', schema: { type: 'object' }, path: 'tools.0' }
  const cases: [string, Partial<Prompt>, Model, JsonObject][] = [
    ['a stream asks for its usage', { stream: true }, gpt, { stream: true, stream_options: { include_usage: true } }],
    ['a limit above the model’s own is the model’s own', { tokensMax: 5000 }, gpt, { max_completion_tokens: 1000 }],
    ['a limit is kept', { tokensMax: 50 }, deepseek, { max_completion_tokens: 50 }],
    [
      'tools are functions',
      { tools: [tool], toolChoice: { type: 'any' }, toolsParallel: false },
      plain,
      {
        tools: [{ type: 'function', function: { name: 'f', description: 'D', parameters: { type: 'object' } } }],
        tool_choice: 'required',
        parallel_tool_calls: false,
      },
    ],
    ['a tool choice without tools is left out', { toolChoice: { type: 'auto' }, toolsParallel: false }, plain, {}],
    [
      'sampling is kept',
      { sampling: { temperature: 0.5, topP: 0.1, seed: 3, presencePenalty: 1 } },
      plain,
      { temperature: 0.5, top_p: 0.1, presence_penalty: 1, seed: 3 },
    ],
    [
      'sampling at its default is left out where it is refused',
      { sampling: { temperature: 1, frequencyPenalty: 0 } },
      grok,
      {},
    ],
    ['stops are kept', { stops: ['x'] }, gpt, { stop: ['x'] }],
    ['JSON is asked for', { format: { type: 'json' } }, deepseek, { response_format: { type: 'json_object' } }],
    [
      'a schema is asked for',
      { format: { type: 'json-schema', name: 'n', schema: {}, strict: true } },
      gpt,
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {}, strict: true } } },
    ],
    [
      'OpenAI gets the hints it knows',
      { user: 'u', cacheKey: 'k', verbosity: 'low' },
      gpt,
      { safety_identifier: 'u', prompt_cache_key: 'k', verbosity: 'low' },
    ],
    ['others get fewer', { user: 'u', cacheKey: 'k', verbosity: 'low' }, grok, { user: 'u' }],
    ['or none', { user: 'u', cacheKey: 'k', verbosity: 'low' }, deepseek, {}],
    ['an effort is kept', { effort: 'low' }, gpt, { reasoning_effort: 'low' }],
    ['an effort that the model has not is the nearest', { effort: 'max' }, gpt, { reasoning_effort: 'xhigh' }],
    ['of two nearest, the one nearer to high', { effort: 'medium' }, deepseek, { reasoning_effort: 'high' }],
    ['a budget is an effort', { thinking: { type: 'on', budgetTokens: 10_000 } }, gpt, { reasoning_effort: 'medium' }],
    ['thinking off is none', { thinking: { type: 'off' } }, gpt, { reasoning_effort: 'none' }],
    [
      'thinking off is a switch where the model has one',
      { effort: 'none' },
      deepseek,
      { thinking: { type: 'disabled' } },
    ],
    ['thinking off is nothing where there is none', { thinking: { type: 'off' } }, plain, {}],
    ['thinking left to the model is nothing', { thinking: { type: 'auto' } }, grok, {}],
  ]
  for (const [name, fields, model, expected] of cases) {
    test(name, () => {
      const base = { model: model.id, messages: [{ role: 'user', content: 'Hi' }] }
      assert.deepEqual(write(fields, model), { ...base, ...expected })
    })
  }

  test("a user's id that is too long becomes a fingerprint of 64 characters", () => {
    assert.match(write({ user: 'u'.repeat(65) })['safety_identifier'] as string, /^[0-9a-f]{64}$/)
  })
})

describe('what cannot be expressed is refused by its path', () => {
  const tool = { name: 'f', schema: {}, path: 'tools.0' }
  const user = (...parts: Part[]): Partial<Prompt> => ({ turns: [turn('user', ...parts)] })
  const cases: [string, Partial<Prompt>, Model, string][] = [
    ['top_k', { sampling: { topK: 5 } }, gpt, 'top_k'],
    ['a temperature', { sampling: { temperature: 0.2 } }, grok, 'temperature'],
    ['a penalty', { sampling: { presencePenalty: 1 } }, grok, 'presence_penalty'],
    ['a stop', { stops: ['x'] }, grok, 'stop'],
    ['five stops', { stops: ['a', 'b', 'c', 'd', 'e'] }, gpt, 'stop'],
    ['an image', user(image), plain, path],
    ['an image in a result', { turns: [turn('assistant', call), turn('user', result('a', image))] }, plain, path],
    [
      'a PDF',
      user({ type: 'document', source: { type: 'base64', mediaType: 'application/pdf', data: '' }, path }),
      plain,
      path,
    ],
    ['a document by its URL', user({ type: 'document', source: { type: 'url', url: 'https://a' }, path }), gpt, path],
    [
      'a sound',
      user({ type: 'audio', source: { type: 'base64', mediaType: 'audio/wav', data: '' }, path }),
      plain,
      path,
    ],
    [
      'a sound of another format',
      user({ type: 'audio', source: { type: 'base64', mediaType: 'audio/ogg', data: '' }, path }),
      gpt,
      path,
    ],
    ['a prefill', { turns: [turn('user', hi), turn('assistant', hi)] }, gpt, 'messages.0'],
    ['an image in an assistant’s turn', { turns: [turn('assistant', image), turn('user', hi)] }, gpt, path],
    ['a schema', { format: { type: 'json-schema', name: 'n', schema: {} } }, deepseek, 'response_format'],
    ['a tool', { tools: [tool] }, { ...plain, takes: [] }, 'tools.0'],
    ['a tool with a long name', { tools: [{ ...tool, name: 'n'.repeat(65) }] }, gpt, 'tools.0'],
    ['a tool beside reasoning', { tools: [tool] }, { ...gpt, refuses: ['tools-on-chat'] }, 'tools.0'],
    ['thinking', { thinking: { type: 'on' } }, plain, 'thinking'],
    ['an effort', { effort: 'high' }, plain, 'effort'],
    ['thinking off', { thinking: { type: 'off' } }, grok, 'thinking'],
    ['an effort of a model that has none', { effort: 'low' }, { id: 'g', vendor: 'xai', thinking: 'always' }, 'effort'],
  ]
  for (const [name, fields, model, at] of cases) {
    test(name, () => {
      assert.throws(
        () => write(fields, model),
        (thrown) => thrown instanceof Failure && thrown.kind === 'unsupported' && thrown.path === at,
      )
    })
  }

  test('a tool beside no reasoning is not', () => {
    const model: Model = { ...gpt, refuses: ['tools-on-chat'] }
    assert.equal(write({ tools: [tool], effort: 'none' }, model)['reasoning_effort'], 'none')
  })
})
