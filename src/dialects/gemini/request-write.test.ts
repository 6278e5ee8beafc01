import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, type FailureKind } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Part, Prompt, ToolCallPart, ToolResultPart, Turn } from '../../core/prompt.ts'
import type { Model } from '../../core/vendor.ts'
import { gemini } from './index.ts'

const three: Model = {
  id: 'gemini-3-test',
  vendor: 'google',
  thinking: 'level',
  efforts: ['low', 'high'],
  outputMax: 99,
}
const two: Model = { id: 'gemini-2.5-flash', vendor: 'google', thinking: 'budget' }

function prompt(more: Partial<Prompt> = {}): Prompt {
  return {
    model: 'gemini-x',
    stream: false,
    system: [],
    turns: [user({ type: 'text', text: 'Hi', path: 'p' })],
    tools: [],
    stops: [],
    sampling: {},
    extras: [],
    ...more,
  }
}

function user(...parts: Part[]): Turn {
  return { role: 'user', parts, path: 'user' }
}

function assistant(...parts: Part[]): Turn {
  return { role: 'assistant', parts, path: 'assistant' }
}

function failsAt(kind: FailureKind, path: string): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof Failure && thrown.kind === kind && thrown.path === path
}

function text(words: string): Part {
  return { type: 'text', text: words, path: `text ${words}` }
}

function call(id: string, more: Partial<ToolCallPart> = {}): ToolCallPart {
  return { type: 'tool-call', id, name: `f${id}`, arguments: '{"x":1}', path: `call ${id}`, ...more }
}

function result(callId: string, more: Partial<ToolResultPart> = {}): ToolResultPart {
  const parts: ToolResultPart['parts'] = [{ type: 'text', text: `r${callId}`, path: 'r' }]
  return { type: 'tool-result', callId, parts, failed: false, path: `result ${callId}`, ...more }
}

function contents(turns: Turn[], model: Model = two): unknown {
  return gemini.request.write(prompt({ turns }), model)['contents']
}

function options(more: Partial<Prompt>, model: Model = two): JsonObject | undefined {
  return gemini.request.write(prompt(more), model)['generationConfig'] as JsonObject | undefined
}

test('writes a plain request with nothing that was not asked for', () => {
  assert.deepEqual(gemini.request.write(prompt({ system: [{ type: 'text', text: 'Be brief.', path: 's' }] }), three), {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
  })
})

test('merges neighbours of one role and leaves empty texts and turns out', () => {
  const turns = [user(text('a')), user(text('')), user(text('b')), assistant(text('')), user(text('c'))]
  assert.deepEqual(contents(turns), [{ role: 'user', parts: [{ text: 'a' }, { text: 'b' }, { text: 'c' }] }])
})

test('marks an instruction in mid-conversation', () => {
  const system: Turn = { role: 'system', parts: [text('Stop.')], path: 's' }
  assert.deepEqual(contents([user(text('a')), system]), [
    { role: 'user', parts: [{ text: 'a' }, { text: '<system>\nStop.\n</system>' }] },
  ])
})

test('puts results first, in the order of their calls, with their ids', () => {
  const turns = [
    user(text('Hi')),
    assistant(call('1'), call('2')),
    user(result('2'), text('and')),
    user(result('1', { failed: true })),
  ]
  assert.deepEqual(contents(turns), [
    { role: 'user', parts: [{ text: 'Hi' }] },
    {
      role: 'model',
      parts: [
        { functionCall: { id: '1', name: 'f1', args: { x: 1 } } },
        { functionCall: { id: '2', name: 'f2', args: { x: 1 } } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { id: '1', name: 'f1', response: { error: 'r1' } } },
        { functionResponse: { id: '2', name: 'f2', response: { output: 'r2' } } },
        { text: 'and' },
      ],
    },
  ])
})

function partsOf(turns: Turn[], model: Model, index: number): unknown {
  return (contents(turns, model) as { parts: unknown[] }[])[index]?.parts
}

test('Gemini 3: the first call of a turn without a signature gets the documented placeholder', () => {
  const signed = call('3', { state: { vendor: 'google', data: 'S' } })
  const turns = [assistant(call('1'), call('2')), user(result('1'), result('2')), assistant(signed, call('4'))]
  const signatures = (index: number, model: Model): unknown[] =>
    (partsOf(turns, model, index) as JsonObject[]).map((part) => part['thoughtSignature'])
  assert.deepEqual(signatures(0, three), ['skip_thought_signature_validator', undefined])
  assert.deepEqual(signatures(2, three), ['S', undefined])
  assert.deepEqual(signatures(0, two), [undefined, undefined])
})

function thinking(vendor: string | undefined, data: string): Part {
  const path = 'thinking'
  return vendor === undefined
    ? { type: 'thinking', text: 'hm', path }
    : { type: 'thinking', text: 'hm', path, state: { vendor, data } }
}

const states: [string, Part[], unknown[]][] = [
  [
    'goes onto the text that follows',
    [thinking('google', 'S'), text('a'), text('b')],
    [{ text: 'a', thoughtSignature: 'S' }, { text: 'b' }],
  ],
  [
    'that came last stands on an empty text',
    [text('a'), thinking('google', 'S')],
    [{ text: 'a' }, { text: '', thoughtSignature: 'S' }],
  ],
  [
    'goes onto a call without one',
    [thinking('google', 'S'), call('1')],
    [{ functionCall: { id: '1', name: 'f1', args: { x: 1 } }, thoughtSignature: 'S' }],
  ],
  ['of another vendor is left out with its thoughts', [thinking('anthropic', 'S'), text('a')], [{ text: 'a' }]],
  ['that is missing leaves the thoughts out', [thinking(undefined, ''), text('a')], [{ text: 'a' }]],
]
for (const [name, parts, expected] of states) {
  test(`a state ${name}`, () => assert.deepEqual(partsOf([assistant(...parts)], two, 0), expected))
}

const png = { type: 'base64', mediaType: 'image/png', data: 'AAAA' } as const

test('images in results stand inside them from Gemini 3 on, beside them before', () => {
  const image = result('1', { parts: [{ type: 'image', path: 'i', source: png }] })
  const turns = [assistant(call('1')), user(image)]
  const inlineData = { mimeType: 'image/png', data: 'AAAA' }
  const response = { id: '1', name: 'f1', response: { output: '' } }
  assert.deepEqual(partsOf(turns, three, 1), [{ functionResponse: { ...response, parts: [{ inlineData }] } }])
  assert.deepEqual(partsOf(turns, two, 1), [{ functionResponse: response }, { inlineData }])
})

const media: [string, Part, unknown][] = [
  [
    'a base64 image',
    { type: 'image', path: 'i', source: png },
    { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
  ],
  [
    'an image by URL, its type by its name',
    { type: 'image', path: 'i', source: { type: 'url', url: 'https://a.example/b.webp?x=1' } },
    { fileData: { fileUri: 'https://a.example/b.webp?x=1', mimeType: 'image/webp' } },
  ],
  [
    'an image by a URL without a name',
    { type: 'image', path: 'i', source: { type: 'url', url: 'https://a.png/b' } },
    { fileData: { fileUri: 'https://a.png/b', mimeType: 'image/jpeg' } },
  ],
  [
    'a PDF by URL',
    { type: 'document', path: 'd', source: { type: 'url', url: 'https://a.example/b' } },
    { fileData: { fileUri: 'https://a.example/b', mimeType: 'application/pdf' } },
  ],
  ['a text document', { type: 'document', path: 'd', source: { type: 'text', text: 'words' } }, { text: 'words' }],
  [
    'audio',
    { type: 'audio', path: 'a', source: { type: 'base64', mediaType: 'audio/wav', data: 'AAAA' } },
    { inlineData: { mimeType: 'audio/wav', data: 'AAAA' } },
  ],
]
for (const [name, part, expected] of media) {
  test(`writes ${name}`, () => assert.deepEqual(partsOf([user(part)], two, 0), [expected]))
}

test('writes tools with JSON Schema, and none for a tool that takes nothing', () => {
  const schema = { type: 'object', properties: { x: { type: 'string' } }, additionalProperties: false }
  const request = gemini.request.write(
    prompt({
      tools: [
        { name: 'f', description: 'd', schema, path: 't' },
        { name: 'g', schema: { type: 'object', properties: {}, additionalProperties: false }, path: 't' },
      ],
      toolChoice: { type: 'tool', name: 'f' },
    }),
    two,
  )
  assert.deepEqual(request['tools'], [
    { functionDeclarations: [{ name: 'f', description: 'd', parametersJsonSchema: schema }, { name: 'g' }] },
  ])
  assert.deepEqual(request['toolConfig'], { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } })
})

test('writes options; a limit above the model’s own becomes its own', () => {
  const sampling = { temperature: 1, topP: 0.9, topK: 5, seed: 7, presencePenalty: 0.5, frequencyPenalty: 0 }
  const schema = { type: 'object' }
  const format = { type: 'json-schema', name: 'n', schema } as const
  assert.deepEqual(options({ sampling, stops: ['x'], tokensMax: 500, format }, three), {
    temperature: 1,
    topP: 0.9,
    topK: 5,
    seed: 7,
    presencePenalty: 0.5,
    stopSequences: ['x'],
    maxOutputTokens: 99,
    responseMimeType: 'application/json',
    responseJsonSchema: schema,
  })
})

const pro: Model = { id: 'gemini-2.5-pro', vendor: 'google', thinking: 'budget', refuses: ['thinking-off'] }
const gemma: Model = { id: 'gemma', vendor: 'google', thinking: 'level', efforts: ['minimal', 'high'] }
const unknown: Model = { id: 'gemini-9', vendor: 'google' }
const thoughts: [string, Partial<Prompt>, Model, JsonObject | undefined][] = [
  ['nothing', {}, three, undefined],
  ['effort medium between low and high', { effort: 'medium' }, three, { thinkingLevel: 'HIGH' }],
  ['effort max', { effort: 'max' }, unknown, { thinkingLevel: 'HIGH' }],
  [
    'a budget on a model with levels',
    { thinking: { type: 'on', budgetTokens: 2000 } },
    three,
    { thinkingLevel: 'LOW', includeThoughts: true },
  ],
  ['on without a budget', { thinking: { type: 'on' } }, three, { includeThoughts: true }],
  ['hidden', { thinking: { type: 'auto', show: false } }, three, undefined],
  ['off on a model with levels', { thinking: { type: 'off' } }, gemma, { thinkingLevel: 'MINIMAL' }],
  ['off on a model with budgets', { thinking: { type: 'off' } }, two, { thinkingBudget: 0 }],
  ['effort none', { effort: 'none' }, two, { thinkingBudget: 0 }],
  ['auto', { thinking: { type: 'auto' } }, two, { thinkingBudget: -1, includeThoughts: true }],
  [
    'too large a budget',
    { thinking: { type: 'on', budgetTokens: 64000, show: false } },
    two,
    { thinkingBudget: 24576 },
  ],
  ['effort max on a pro model', { effort: 'max' }, pro, { thinkingBudget: 32768 }],
]
for (const [name, more, model, expected] of thoughts) {
  test(`thinking: ${name}`, () => assert.deepEqual(options(more, model)?.['thinkingConfig'], expected))
}

const tool = { name: 'f', schema: { type: 'object' }, path: 'tools.0' }
const image: Part = { type: 'image', path: 'messages.0.content.1', source: png }
const web: Part = { type: 'image', path: 'i', source: { type: 'url', url: 'http://a.example' } }
const refused: [string, Partial<Prompt>, Partial<Model>, string][] = [
  ['switching thinking off where it cannot be', { thinking: { type: 'off' } }, pro, 'thinking'],
  ['effort none where thinking stays on', { effort: 'none' }, pro, 'effort'],
  ['six stop sequences', { stops: ['a', 'b', 'c', 'd', 'e', 'f'] }, {}, 'stop'],
  ['penalties', { sampling: { presencePenalty: 1 } }, { refuses: ['penalties'] }, 'presence_penalty'],
  ['a large seed', { sampling: { seed: 2 ** 40 } }, {}, 'seed'],
  ['one call a turn', { tools: [tool], toolsParallel: false }, {}, 'parallel_tool_calls'],
  ['a name with a space', { tools: [{ ...tool, name: 'a b' }] }, {}, 'tools.0'],
  ['a tool', { tools: [tool] }, { takes: [] }, 'tools.0'],
  ['JSON with tools before Gemini 3', { tools: [tool], format: { type: 'json' } }, {}, 'response_format'],
  ['an image', { turns: [user(image)] }, { takes: ['pdf'] }, 'messages.0.content.1'],
  ['an image by http', { turns: [user(web)] }, {}, 'i'],
  ['a prefilled answer', { turns: [user(text('a')), assistant(text('b'))] }, { refuses: ['prefill'] }, 'assistant'],
  ['a conversation without turns', { turns: [] }, {}, 'messages'],
]
for (const [name, more, model, path] of refused) {
  test(`${name} is unsupported, at ${path}`, () => {
    assert.throws(() => gemini.request.write(prompt(more), { ...two, ...model }), failsAt('unsupported', path))
  })
}

test('one call a turn without tools asks for nothing', () => {
  assert.equal(gemini.request.write(prompt({ toolsParallel: false }), two)['toolConfig'], undefined)
})

const invalid: [string, Turn[], string][] = [
  ['arguments that are no object', [assistant(call('1', { arguments: '[1]' }))], 'call 1'],
  ['a result without its call', [user(result('9'))], 'result 9'],
]
for (const [name, turns, path] of invalid) {
  test(`${name} is invalid, at ${path}`, () => {
    assert.throws(() => contents(turns), failsAt('request-invalid', path))
  })
}

test('a count holds the request without its options, and its model', () => {
  assert.deepEqual(gemini.count?.write(prompt({ tokensMax: 5, tools: [tool] }), two), {
    generateContentRequest: {
      model: 'models/gemini-x',
      contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
      tools: [{ functionDeclarations: [{ name: 'f' }] }],
    },
  })
  assert.equal(gemini.count?.read({ totalTokens: 4 }), 4)
  assert.throws(() => gemini.count?.read({}), Failure)
})

test('what was written is read back as it was', () => {
  const turns = [
    user(text('Hi'), image),
    assistant(thinking('google', 'T'), text('so'), call('1', { state: { vendor: 'google', data: 'S' } }), call('2')),
    user(result('1'), result('2', { failed: true })),
  ]
  const more: Partial<Prompt> = { turns, tools: [tool], toolChoice: { type: 'any' }, effort: 'high', stops: ['x'] }
  const written = gemini.request.write(prompt(more), three)
  const again = gemini.request.read(written, { model: 'gemini-x', stream: false })
  assert.deepEqual(again.extras, [])
  assert.deepEqual(gemini.request.write(again, three), written)
})
