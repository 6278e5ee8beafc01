import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, type FailureKind } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { gemini } from './index.ts'
import { sealState } from './state.ts'

const head = { model: 'gemini-x', stream: false }

const paths: [string, object][] = [
  ['/v1beta/models/gemini-x:generateContent', { model: 'gemini-x', stream: false }],
  ['/models/gemini-x:streamGenerateContent?alt=sse', { model: 'gemini-x', stream: true }],
  ['/v1beta/models/a%2Fb:countTokens', { model: 'a/b', stream: false }],
  ['/v1beta/models/ft:gpt:generateContent', { model: 'ft:gpt', stream: false }],
]
for (const [path, expected] of paths) {
  test(`reads ${path}`, () => assert.deepEqual(gemini.request.head({}, path), expected))
}

test('refuses a path without a model', () => {
  assert.throws(() => gemini.request.head({}, '/v1beta/models'), invalidAt(undefined))
})

test('writes the paths', () => {
  assert.equal(gemini.request.path(head), '/models/gemini-x:generateContent')
  assert.equal(gemini.request.path({ model: 'a/b', stream: true }), '/models/a%2Fb:streamGenerateContent?alt=sse')
  assert.equal(gemini.count?.path(head), '/models/gemini-x:countTokens')
})

function invalidAt(path: string | undefined, kind: FailureKind = 'request-invalid'): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof Failure && thrown.kind === kind && thrown.path === path
}

function user(...parts: JsonObject[]): JsonObject {
  return { role: 'user', parts }
}

function calling(name: string): JsonObject {
  return { functionCall: { name, args: {} } }
}

function answering(name: string, output: string): JsonObject {
  return { functionResponse: { name, response: { output } } }
}

function model(...parts: JsonObject[]): JsonObject {
  return { role: 'model', parts }
}

test('reads snake_case, single objects for lists and a missing role as Google does', () => {
  const prompt = gemini.request.read(
    {
      system_instruction: { parts: { text: 'Be brief.' } },
      contents: { parts: { inline_data: { mime_type: 'image/png', data: 'AAAA' } } },
      generation_config: { max_output_tokens: 5, top_p: 0.5, seed: null },
    },
    head,
  )
  assert.deepEqual(prompt.extras, [])
  assert.deepEqual(prompt.system, [{ type: 'text', text: 'Be brief.', path: 'systemInstruction.parts[0]' }])
  assert.deepEqual(prompt.turns[0]?.parts, [
    {
      type: 'image',
      path: 'contents[0].parts[0]',
      source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' },
    },
  ])
  assert.equal(prompt.tokensMax, 5)
  assert.deepEqual(prompt.sampling, { topP: 0.5 })
})

test('gives calls without ids stable ones and matches results by name and order', () => {
  const contents = [
    user({ text: 'Hi' }),
    model(calling('a'), calling('b'), calling('a')),
    user(answering('b', 'B')),
    user(answering('a', 'A1'), answering('a', 'A2')),
  ]
  const prompt = gemini.request.read({ contents }, head)
  const results = prompt.turns.flatMap((turn) => turn.parts).filter((part) => part.type === 'tool-result')
  assert.deepEqual(
    results.map((part) => [part.callId, part.parts[0]?.type === 'text' ? part.parts[0].text : '']),
    [
      ['call_1_1', 'B'],
      ['call_1_0', 'A1'],
      ['call_1_2', 'A2'],
    ],
  )
})

const answers: [string, JsonObject, { text: string; failed: boolean }][] = [
  ['output alone is the text', { output: 'x' }, { text: 'x', failed: false }],
  ['output that is no text is JSON', { output: { a: 1 } }, { text: '{"a":1}', failed: false }],
  ['error alone is a failure', { error: 'x' }, { text: 'x', failed: true }],
  ['anything else is all of it output', { error: 'x', more: 1 }, { text: '{"error":"x","more":1}', failed: false }],
]
for (const [name, response, expected] of answers) {
  test(`of a function's response, ${name}`, () => {
    const contents = [model({ functionCall: { name: 'f' } }), user({ functionResponse: { name: 'f', response } })]
    const part = gemini.request.read({ contents }, head).turns[1]?.parts[0]
    assert.ok(part?.type === 'tool-result')
    assert.equal(part.failed, expected.failed)
    assert.deepEqual(part.parts[0], {
      type: 'text',
      text: expected.text,
      path: 'contents[1].parts[0].functionResponse',
    })
  })
}

test('joins the pieces of a thought and opens sealed states', () => {
  const sealed = sealState({ vendor: 'anthropic', data: 's' })
  const contents = [
    model(
      { text: 'h', thought: true },
      { text: 'm', thought: true },
      { text: '', thought: true, thoughtSignature: sealed },
      { text: 'Hi', thoughtSignature: 'T' },
      { functionCall: { name: 'f' }, thoughtSignature: 'C' },
    ),
  ]
  const path = 'contents[0].parts'
  assert.deepEqual(gemini.request.read({ contents }, head).turns[0]?.parts, [
    { type: 'thinking', text: 'hm', path: `${path}[0]`, state: { vendor: 'anthropic', data: 's' } },
    { type: 'thinking', text: '', path: `${path}[3]`, state: { vendor: 'google', data: 'T' } },
    { type: 'text', text: 'Hi', path: `${path}[3]` },
    {
      type: 'tool-call',
      path: `${path}[4]`,
      id: 'call_0_0',
      name: 'f',
      arguments: '{}',
      state: { vendor: 'google', data: 'C' },
    },
  ])
})

test("Anthropic's redacted thinking comes back as such", () => {
  const state = { vendor: 'anthropic', data: 'R' }
  const writer = gemini.stream.writer({ id: 'r', model: 'm', createdMs: 0, request: {}, streamUsage: false })
  const event = JSON.parse(writer.write({ type: 'thinking-end', state, redacted: true }).slice(6))
  const prompt = gemini.request.read({ contents: [event.candidates[0].content] }, head)
  const path = 'contents[0].parts[0]'
  assert.deepEqual(prompt.turns[0]?.parts, [{ type: 'thinking', text: '', path, state, redacted: true }])
})

test('what only Google can do is listed by its path', () => {
  const prompt = gemini.request.read(
    {
      contents: [
        user({
          fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/x', mimeType: 'image/png' },
        }),
        user({ inlineData: { mimeType: 'video/mp4', data: 'AAAA' } }),
        model({ executableCode: { code: '1' } }),
      ],
      tools: [{ googleSearch: {} }, { functionDeclarations: [{ name: 'f', behavior: 'NON_BLOCKING' }] }],
      toolConfig: { functionCallingConfig: { mode: 'VALIDATED' }, retrievalConfig: {} },
      safetySettings: [
        { category: 'X', threshold: 'OFF' },
        { category: 'Y', threshold: 'BLOCK_LOW_AND_ABOVE' },
      ],
      generationConfig: { candidateCount: 2, responseLogprobs: true, speechConfig: {}, mediaResolution: 'X' },
      cachedContent: 'cachedContents/1',
      labels: { a: 'b' },
      somethingNew: 1,
    },
    head,
  )
  assert.deepEqual(
    prompt.extras.map((extra) => extra.path).toSorted(),
    [
      'cachedContent',
      'contents[0].parts[0].fileData',
      'contents[1].parts[0]',
      'contents[2].parts[0].executableCode',
      'generationConfig.candidateCount',
      'generationConfig.responseLogprobs',
      'generationConfig.speechConfig',
      'safetySettings[1]',
      'somethingNew',
      'toolConfig.functionCallingConfig.mode',
      'toolConfig.retrievalConfig',
      'tools[0].googleSearch',
      'tools[1].functionDeclarations[0].behavior',
    ].toSorted(),
  )
})

test('values that change nothing are accepted', () => {
  const generationConfig = {
    candidateCount: 1,
    responseLogprobs: false,
    responseModalities: ['TEXT'],
    presencePenalty: 0,
    responseMimeType: 'text/plain',
  }
  const prompt = gemini.request.read({ contents: [user({ text: 'a' })], generationConfig, store: false }, head)
  assert.deepEqual(prompt.extras, [])
  assert.deepEqual(prompt.sampling, {})
})

const choices: [JsonObject, object | undefined, string[]][] = [
  [{ mode: 'AUTO' }, { type: 'auto' }, ['f', 'g']],
  [{ mode: 'NONE' }, { type: 'none' }, ['f', 'g']],
  [{ mode: 'ANY' }, { type: 'any' }, ['f', 'g']],
  [{ mode: 'ANY', allowedFunctionNames: ['g'] }, { type: 'tool', name: 'g' }, ['f', 'g']],
  [{ mode: 'ANY', allowedFunctionNames: ['g', 'h'] }, { type: 'any' }, ['g']],
  [{}, undefined, ['f', 'g']],
]
for (const [functionCallingConfig, toolChoice, names] of choices) {
  test(`reads the tool choice ${JSON.stringify(functionCallingConfig)}`, () => {
    const tools = [{ functionDeclarations: [{ name: 'f' }, { name: 'g' }] }]
    const request = { contents: [user({ text: 'a' })], tools, toolConfig: { functionCallingConfig } }
    const prompt = gemini.request.read(request, head)
    assert.deepEqual(prompt.toolChoice, toolChoice)
    assert.deepEqual(
      prompt.tools.map((tool) => tool.name),
      names,
    )
  })
}

test("reads a schema in Google's older form as JSON Schema", () => {
  const parameters = {
    type: 'OBJECT',
    properties: {
      type: { type: 'STRING', enum: ['a'], nullable: true, example: 'a' },
      list: { type: 'ARRAY', items: { any_of: [{ type: 'INTEGER' }, { type: 'BOOLEAN' }] }, min_items: '1' },
    },
    required: ['type'],
    propertyOrdering: ['type', 'list'],
  }
  const request = { contents: [user({ text: 'a' })], tools: [{ functionDeclarations: [{ name: 'f', parameters }] }] }
  assert.deepEqual(gemini.request.read(request, head).tools[0]?.schema, {
    type: 'object',
    properties: {
      type: { type: ['string', 'null'], enum: ['a', null] },
      list: { type: 'array', items: { anyOf: [{ type: 'integer' }, { type: 'boolean' }] }, minItems: 1 },
    },
    required: ['type'],
  })
})

const thoughts: [JsonObject, object][] = [
  [{ thinkingBudget: 0 }, { thinking: { type: 'off' } }],
  [{ thinkingBudget: -1 }, { thinking: { type: 'auto', show: false } }],
  [{ thinkingBudget: 9, includeThoughts: true }, { thinking: { type: 'on', budgetTokens: 9, show: true } }],
  [{ thinkingLevel: 'HIGH' }, { effort: 'high' }],
  [
    { thinkingLevel: 'low', includeThoughts: true },
    { effort: 'low', thinking: { type: 'auto', show: true } },
  ],
  [{ includeThoughts: false }, {}],
]
for (const [thinkingConfig, expected] of thoughts) {
  test(`reads ${JSON.stringify(thinkingConfig)}`, () => {
    const request = { contents: [user({ text: 'a' })], generationConfig: { thinkingConfig } }
    const { thinking, effort } = gemini.request.read(request, head)
    assert.deepEqual(JSON.parse(JSON.stringify({ thinking, effort })), expected)
  })
}

const hello = [user({ text: 'a' })]
const broken: [string, JsonObject, string][] = [
  ['no contents', {}, 'contents'],
  ['a role that Google does not know', { contents: [{ role: 'system', parts: [] }] }, 'contents[0].role'],
  ['text that is a number', { contents: [user({ text: 5 })] }, 'contents[0].parts[0].text'],
  ['a part that is text', { contents: [{ parts: ['a'] }] }, 'contents[0].parts[0]'],
  ['a call by the user', { contents: [user({ functionCall: { name: 'f' } })] }, 'contents[0].parts[0].functionCall'],
  [
    'a result without its call',
    { contents: [user({ functionResponse: { name: 'f', response: {} } })] },
    'contents[0].parts[0].functionResponse',
  ],
  ['a temperature of 3', { contents: hello, generationConfig: { temperature: 3 } }, 'generationConfig.temperature'],
  [
    'six stop sequences',
    { contents: hello, generationConfig: { stopSequences: ['a', 'b', 'c', 'd', 'e', 'f'] } },
    'generationConfig.stopSequences',
  ],
  [
    'a budget and a level',
    { contents: hello, generationConfig: { thinkingConfig: { thinkingBudget: 1, thinkingLevel: 'LOW' } } },
    'generationConfig.thinkingConfig',
  ],
  [
    'a schema without JSON output',
    { contents: hello, generationConfig: { responseJsonSchema: {} } },
    'generationConfig.responseMimeType',
  ],
]
for (const [name, request, path] of broken) {
  test(`refuses ${name} at ${path}`, () => {
    assert.throws(() => gemini.request.read(request, head), invalidAt(path))
  })
}

test('reads the request inside a count request, with its path', () => {
  const prompt = gemini.request.read({ generateContentRequest: { model: 'models/x', contents: hello } }, head)
  assert.equal(prompt.turns[0]?.path, 'generateContentRequest.contents[0]')
  assert.deepEqual(prompt.extras, [])
})

test('a body that holds a state of another vendor holds the mark', () => {
  for (const data of ['s', 'longer', 'ü']) {
    const body = JSON.stringify({ thoughtSignature: sealState({ vendor: 'openai', data, id: 'rs_1' }) })
    assert.ok(gemini.request.marks.some((mark) => body.includes(mark)))
  }
})

test('purging leaves out the states of others, thoughts included, and signs their calls', () => {
  const foreign = sealState({ vendor: 'anthropic', data: 's' })
  const own = model({ text: 'Hi', thoughtSignature: 'T' })
  const contents = [
    user({ text: 'a' }),
    own,
    model(
      { text: 'hm', thought: true, thoughtSignature: foreign },
      { functionCall: { id: '1', name: 'f' } },
      { functionCall: { id: '2', name: 'f' } },
    ),
    model({ text: '', thought: true, thoughtSignature: foreign }),
  ]
  assert.deepEqual(gemini.request.purge({ contents }, 'google'), {
    contents: [
      contents[0],
      own,
      model(
        { functionCall: { id: '1', name: 'f' }, thoughtSignature: 'skip_thought_signature_validator' },
        { functionCall: { id: '2', name: 'f' } },
      ),
    ],
  })
})
