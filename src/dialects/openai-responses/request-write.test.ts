import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../core/failure.ts'
import { textOf, type JsonObject } from '../../core/json.ts'
import { seal } from '../../core/opaque.ts'
import type { Part, Prompt, Turn } from '../../core/prompt.ts'
import type { Model } from '../../core/vendor.ts'
import { openaiResponses } from './index.ts'

const { request, count } = openaiResponses

const gpt: Model = {
  id: 'gpt-5.5',
  vendor: 'openai',
  thinking: 'effort',
  efforts: ['none', 'low', 'medium', 'high', 'xhigh'],
  refuses: ['sampling'],
  outputMax: 128_000,
  takes: ['image', 'pdf', 'tools', 'schema'],
}
const plain: Model = { id: 'gpt-4.1', vendor: 'openai', thinking: 'none', takes: ['image', 'tools'] }
const grok: Model = { id: 'grok-4', vendor: 'xai', thinking: 'always' }

const hello: Turn = { role: 'user', path: 'messages.0', parts: [{ type: 'text', text: 'Hi', path: 'messages.0' }] }

function prompt(fields: Partial<Prompt> = {}): Prompt {
  const base = { model: 'm', stream: false, system: [], turns: [hello], tools: [], stops: [], sampling: {}, extras: [] }
  return { ...base, ...fields }
}

function turn(role: Turn['role'], ...parts: Part[]): Turn {
  return { role, parts, path: 'messages.1' }
}

function items(model: Model, ...turns: Turn[]): unknown[] {
  return request.write(prompt({ turns }), model)['input'] as unknown[]
}

const path = 'messages.1.content.0'
const png = { type: 'base64' as const, mediaType: 'image/png', data: 'AAAA' }

describe('a request is written', () => {
  test('nothing is stored, and reasoning is asked back encrypted', () => {
    assert.deepEqual(request.write(prompt({ stream: true }), gpt), {
      model: 'm',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }],
      stream: true,
      store: false,
      include: ['reasoning.encrypted_content'],
    })
  })

  test('a model that does not reason is not asked for reasoning', () => {
    assert.equal('include' in request.write(prompt(), plain), false)
  })

  test('system parts are joined into instructions, later ones are developer (xAI: system) messages', () => {
    const system = ['Be kind.', '', 'Be brief.'].map((text) => ({ type: 'text' as const, text, path: 'system' }))
    const later = turn('system', { type: 'text', text: 'In French.', path })
    const written = request.write(prompt({ system, turns: [hello, later] }), gpt)
    assert.equal(written['instructions'], 'Be kind.\n\nBe brief.')
    const content = [{ type: 'input_text', text: 'In French.' }]
    assert.deepEqual(items(gpt, later), [{ type: 'message', role: 'developer', content }])
    assert.deepEqual(items(grok, later), [{ type: 'message', role: 'system', content }])
  })

  test('outputs of calls come first, then one message of all the rest', () => {
    const user = turn(
      'user',
      { type: 'text', text: 'And now?', path },
      { type: 'image', source: png, path },
      { type: 'tool-result', callId: 'c1', failed: false, path, parts: [{ type: 'text', text: '2', path }] },
      { type: 'tool-result', callId: 'c2', failed: true, path, parts: [{ type: 'text', text: 'no', path }] },
      { type: 'tool-result', callId: 'c3', failed: false, path, parts: [{ type: 'image', source: png, path }] },
    )
    const image = { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' }
    assert.deepEqual(items(gpt, user), [
      { type: 'function_call_output', call_id: 'c1', output: '2' },
      { type: 'function_call_output', call_id: 'c2', output: 'Error: no' },
      { type: 'function_call_output', call_id: 'c3', output: [image] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'And now?' }, image] },
    ])
  })

  test('documents are files by URL or bytes, plain texts are texts', () => {
    const user = turn(
      'user',
      { type: 'document', source: { type: 'base64', mediaType: 'application/pdf', data: 'BB' }, title: 'Plan', path },
      { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' }, path },
      { type: 'document', source: { type: 'text', text: 'Plain.' }, path },
      { type: 'document', source: { type: 'text', text: 'Plain.' }, title: 'Notes', path },
    )
    assert.deepEqual((items(gpt, user) as JsonObject[])[0]?.['content'], [
      { type: 'input_file', filename: 'Plan.pdf', file_data: 'data:application/pdf;base64,BB' },
      { type: 'input_file', file_url: 'https://example.com/a.pdf' },
      { type: 'input_text', text: 'Plain.' },
      { type: 'input_text', text: 'Notes\n\nPlain.' },
    ])
  })

  test('only the vendor’s own reasoning with its content goes back, and not at the end of an answer', () => {
    const state = { vendor: 'openai', data: 'gAAA', id: 'rs_1' }
    const assistant = turn(
      'assistant',
      { type: 'thinking', text: 'Claude’s', state: { vendor: 'anthropic', data: 'sig' }, path },
      { type: 'thinking', text: 'No content', state: { vendor: 'openai', data: '', id: 'rs_0' }, path },
      { type: 'thinking', text: 'Mine', state, path },
      { type: 'text', text: 'Sure.', path },
      { type: 'tool-call', id: 'c1', name: 'add', arguments: '', path },
      { type: 'thinking', text: '', state, path },
    )
    const text = { type: 'message', role: 'assistant', content: 'Sure.' }
    const call = { type: 'function_call', call_id: 'c1', name: 'add', arguments: '{}' }
    const summary = [{ type: 'summary_text', text: 'Mine' }]
    assert.deepEqual(items(gpt, assistant), [
      { type: 'reasoning', id: 'rs_1', summary, encrypted_content: 'gAAA' },
      text,
      call,
    ])
    assert.deepEqual(items(grok, assistant), [text, call])
  })

  test('long ids of calls are cut the same way for call and output', () => {
    const id = `call_${'x'.repeat(80)}`
    const [call, output] = items(
      gpt,
      turn('assistant', { type: 'tool-call', id, name: 'add', arguments: '{}', path }),
      turn('user', { type: 'tool-result', callId: id, failed: false, path, parts: [] }),
    ) as JsonObject[]
    assert.equal(call?.['call_id'], output?.['call_id'])
    assert.equal(textOf(call?.['call_id'])?.length, 64)
  })

  test('a message with a refusal keeps its parts', () => {
    const assistant = turn(
      'assistant',
      { type: 'text', text: 'Well.', path },
      { type: 'text', text: 'No.', refusal: true, path },
    )
    assert.deepEqual(items(gpt, assistant, hello).at(0), {
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'output_text', text: 'Well.' },
        { type: 'refusal', refusal: 'No.' },
      ],
    })
  })

  test('instructions without any turn are the input', () => {
    const system = [{ type: 'text' as const, text: 'Write a poem.', path: 'messages[0]' }]
    const written = request.write(prompt({ system, turns: [] }), gpt)
    assert.equal('instructions' in written, false)
    assert.deepEqual(written['input'], [{ type: 'message', role: 'developer', content: 'Write a poem.' }])
  })

  test('a limit under 16 tokens, which the API refuses, becomes 16', () => {
    assert.equal(request.write(prompt({ tokensMax: 1 }), gpt)['max_output_tokens'], 16)
    assert.equal(request.write(prompt({ tokensMax: 17 }), gpt)['max_output_tokens'], 17)
  })

  test('tools are flat and strict only where the caller said so', () => {
    const tools = [{ name: 'add', schema: { type: 'object' }, path: 'tools.0' }]
    const written = request.write(prompt({ tools, toolChoice: { type: 'any' }, toolsParallel: false }), gpt)
    assert.deepEqual(written['tools'], [
      { type: 'function', name: 'add', parameters: { type: 'object' }, strict: false },
    ])
    assert.equal(written['tool_choice'], 'required')
    assert.equal(written['parallel_tool_calls'], false)
  })

  test('the rest of the options', () => {
    const written = request.write(
      prompt({
        tokensMax: 500_000,
        sampling: { temperature: 1, topP: 1, presencePenalty: 0 },
        format: { type: 'json-schema', name: 'out', schema: { type: 'object' } },
        verbosity: 'low',
        user: 'u'.repeat(80),
        cacheKey: 'chat-7',
      }),
      gpt,
    )
    assert.equal(written['max_output_tokens'], 128_000)
    assert.equal('temperature' in written, false)
    assert.deepEqual(written['text'], {
      format: { type: 'json_schema', name: 'out', schema: { type: 'object' } },
      verbosity: 'low',
    })
    assert.equal(textOf(written['safety_identifier'])?.length, 64)
    assert.equal(written['prompt_cache_key'], 'chat-7')
    assert.equal(request.write(prompt({ user: 'u1' }), grok)['user'], 'u1')
  })

  test('a token count asks for the input alone', () => {
    assert.deepEqual(count?.write(prompt({ stream: true, tokensMax: 5 }), gpt), {
      model: 'm',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }],
    })
    assert.equal(count?.read({ object: 'response.input_tokens', input_tokens: 11 }), 11)
    assert.deepEqual(count?.fold(11), { object: 'response.input_tokens', input_tokens: 11 })
    assert.throws(() => count?.read({}), { kind: 'vendor-unreadable' })
  })
})

describe('how hard a model thinks', () => {
  const cases: readonly (readonly [string, Partial<Prompt>, Model, unknown])[] = [
    ['nothing asked, nothing sent', {}, gpt, undefined],
    ['an effort it has', { effort: 'high' }, gpt, { effort: 'high' }],
    ['the nearest below the top', { effort: 'max' }, gpt, { effort: 'xhigh' }],
    ['little is not none', { effort: 'minimal' }, gpt, { effort: 'low' }],
    ['thinking on without a measure', { thinking: { type: 'on' } }, gpt, { effort: 'medium', summary: 'auto' }],
    ['a budget', { thinking: { type: 'on', budgetTokens: 30_000 } }, gpt, { effort: 'high', summary: 'auto' }],
    ['thinking left to the model', { thinking: { type: 'auto' } }, gpt, { summary: 'auto' }],
    ['off', { thinking: { type: 'off' } }, gpt, { effort: 'none' }],
    [
      'off where the least is low',
      { thinking: { type: 'off' } },
      { ...gpt, efforts: ['low', 'high'] },
      { effort: 'low' },
    ],
    ['off for one that never thinks', { thinking: { type: 'off' } }, plain, undefined],
    ['thinking on for one that always thinks', { thinking: { type: 'on' } }, grok, { summary: 'auto' }],
    ['an effort for an unknown one', { effort: 'high' }, { id: 'new', vendor: 'openai' }, { effort: 'high' }],
    [
      'an effort where it is not known which there are',
      { effort: 'max' },
      { id: 'new', vendor: 'openai', thinking: 'effort' },
      { effort: 'max' },
    ],
  ]
  for (const [name, fields, model, expected] of cases) {
    test(name, () => assert.deepEqual(request.write(prompt(fields), model)['reasoning'], expected))
  }
})

describe('what cannot be expressed is refused at its field', () => {
  const audio: Part = { type: 'audio', source: { type: 'base64', mediaType: 'audio/wav', data: 'AA' }, path }
  const pdf: Part = { type: 'document', source: { type: 'base64', mediaType: 'application/pdf', data: 'AA' }, path }
  const cases: readonly (readonly [string, Partial<Prompt>, Model])[] = [
    ['stop', { stops: ['END'] }, gpt],
    ['top_k', { sampling: { topK: 5 } }, gpt],
    ['seed', { sampling: { seed: 0 } }, gpt],
    ['presence_penalty', { sampling: { presencePenalty: 1 } }, gpt],
    ['temperature', { sampling: { temperature: 0.2 } }, gpt],
    ['thinking', { thinking: { type: 'on' } }, plain],
    ['effort', { effort: 'high' }, plain],
    ['thinking', { thinking: { type: 'off' } }, grok],
    ['effort', { effort: 'high' }, grok],
    ['response_format', { format: { type: 'json-schema', name: 'x', schema: {} } }, plain],
    [path, { turns: [turn('user', audio)] }, gpt],
    [path, { turns: [turn('user', pdf)] }, plain],
    ['tools.0', { tools: [{ name: 'a.b', schema: {}, path: 'tools.0' }] }, gpt],
    ['messages.1', { turns: [hello, turn('assistant', { type: 'text', text: 'It is', path })] }, gpt],
  ]
  for (const [where, fields, model] of cases) {
    test(`${where} for ${model.id}`, () => {
      assert.throws(
        () => request.write(prompt(fields), model),
        (error) => error instanceof Failure && error.kind === 'unsupported' && error.path === where,
      )
    })
  }
})

const sealed = (vendor: string): JsonObject => ({
  type: 'reasoning',
  id: 'rs_x',
  summary: [],
  encrypted_content: seal({ vendor, data: 'blob', id: 'rs_own' }, 'openai'),
})

describe('a request that is passed on', () => {
  test('keeps its own states unsealed and loses others’', () => {
    const rest = { role: 'user', content: 'Hi' }
    const input = [sealed('anthropic'), rest, sealed('xai')]
    assert.deepEqual(request.purge({ input }, 'xai'), {
      input: [rest, { type: 'reasoning', id: 'rs_own', summary: [], encrypted_content: 'blob' }],
    })
  })
  test('is left alone where nothing has to change', () => {
    const own = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' }
    assert.deepEqual(request.purge({ input: [own] }, 'openai'), {})
    assert.deepEqual(request.purge({ input: 'keyrung-state.' }, 'openai'), {})
  })
})

test('what was read is written the same', () => {
  const json = {
    model: 'gpt-5.5',
    instructions: 'Be kind.',
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Add' }] },
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'gAAA' },
      { type: 'message', role: 'assistant', content: 'Sure.' },
      { type: 'function_call', call_id: 'c1', name: 'add', arguments: '{"a":12345678901234567890}' },
      { type: 'function_call_output', call_id: 'c1', output: '2' },
    ],
    tools: [{ type: 'function', name: 'add', parameters: { type: 'object' }, strict: true }],
    tool_choice: { type: 'function', name: 'add' },
    reasoning: { effort: 'low', summary: 'auto' },
    text: { format: { type: 'json_object' }, verbosity: 'high' },
    max_output_tokens: 1000,
    stream: true,
    store: false,
    include: ['reasoning.encrypted_content'],
  }
  assert.deepEqual(request.write(request.read(json, request.head(json, '')), gpt), json)
})
