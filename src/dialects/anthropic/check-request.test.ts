import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Failure } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { checkRequest } from './check-request.ts'

const model = { id: 'claude-x', vendor: 'anthropic', outputMax: 1000 }
const user = { role: 'user', content: 'Hi' }
const good = { model: 'claude-x', max_tokens: 10, messages: [user] }
const use = (id: string): JsonObject => ({ type: 'tool_use', id, name: 'f', input: {} })
const result = (id: string): JsonObject => ({ type: 'tool_result', tool_use_id: id, content: 'x' })

const refused: [sentence: string, json: JsonObject, message: string][] = [
  ['no max_tokens', { messages: [user] }, 'max_tokens: Field required'],
  ['max_tokens that is text', { ...good, max_tokens: '5' }, 'max_tokens: Input should be a valid integer'],
  ['a negative max_tokens', { ...good, max_tokens: -1 }, 'max_tokens: Input should be greater than or equal to 0'],
  [
    'max_tokens above the model’s largest',
    { ...good, max_tokens: 1001 },
    'max_tokens: 1001 > 1000, which is the maximum allowed number of output tokens for claude-x',
  ],
  ['no messages', { max_tokens: 1 }, 'messages: Field required'],
  ['messages that are no list', { ...good, messages: 'Hi' }, 'messages: Input should be a valid list'],
  ['no message', { ...good, messages: [] }, 'messages: at least one message is required'],
  ['a message without content', { ...good, messages: [{ role: 'user' }] }, 'messages.0.content: Field required'],
  ['a message without a role', { ...good, messages: [{ content: 'x' }] }, 'messages.0.role: Field required'],
  [
    'a role of another API',
    { ...good, messages: [{ role: 'developer', content: 'x' }] },
    "messages.0.role: Input should be 'user' or 'assistant'",
  ],
  [
    'empty content',
    { ...good, messages: [{ role: 'user', content: '' }] },
    'messages.0: all messages must have non-empty content except for the optional final assistant message',
  ],
  [
    'an empty text',
    { ...good, messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] },
    'messages: text content blocks must be non-empty',
  ],
  [
    'a tool’s name with a blank',
    { ...good, tools: [{ name: 'a b', input_schema: { type: 'object' } }] },
    "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
  ],
  ['a tool without a schema', { ...good, tools: [{ name: 'f' }] }, 'tools.0.custom.input_schema: Field required'],
  ['a temperature above 1', { ...good, temperature: 1.5 }, 'temperature: Input should be less than or equal to 1'],
]

const accepted: [sentence: string, json: JsonObject][] = [
  [
    'fields and blocks that are new',
    { ...good, brand_new: 1, messages: [{ role: 'user', content: [{ type: 'brand_new' }] }] },
  ],
  ['a role that is new', { ...good, messages: [user, { role: 'system', content: 'x' }] }],
  ['a server tool', { ...good, tools: [{ type: 'web_search_20260318', name: 'web_search' }] }],
  ['an empty last assistant turn', { ...good, messages: [user, { role: 'assistant', content: [] }] }],
  ['nulls for what was left out', { ...good, system: null, tools: null, temperature: null, stream: null }],
  ['a call that nobody has answered yet', { ...good, messages: [user, { role: 'assistant', content: [use('a')] }] }],
  [
    'results in two neighbouring user turns',
    {
      ...good,
      messages: [
        user,
        { role: 'assistant', content: [use('a'), use('b')] },
        { role: 'user', content: [result('a')] },
        { role: 'user', content: [result('b')] },
      ],
    },
  ],
  [
    'calls in two neighbouring assistant turns',
    {
      ...good,
      messages: [
        user,
        { role: 'assistant', content: [use('a')] },
        { role: 'assistant', content: [use('b')] },
        { role: 'user', content: [result('a'), result('b')] },
      ],
    },
  ],
  [
    'a thread that goes on with a result',
    { ...good, thread: { type: 'continue' }, messages: [{ role: 'user', content: [result('a')] }] },
  ],
  ['max_tokens 0, which warms a cache', { ...good, max_tokens: 0 }],
]

suite('what the Messages API would surely refuse', () => {
  for (const [sentence, json, message] of refused) {
    test(`${sentence} is refused in its words`, () => {
      assert.throws(
        () => checkRequest(json, model, false),
        (thrown) => thrown instanceof Failure && thrown.kind === 'request-invalid' && thrown.message === message,
      )
    })
  }

  for (const [sentence, json] of accepted) {
    test(`${sentence}: let pass`, () => checkRequest(json, model, false))
  }

  test('an orphan result and an unanswered call are told with their ids', () => {
    const orphan = { ...good, messages: [{ role: 'user', content: [result('toolu_1')] }] }
    assert.throws(() => checkRequest(orphan, model, false), /messages\.0\.content: unexpected `tool_use_id`.*toolu_1/)
    const open = { ...good, messages: [user, { role: 'assistant', content: [use('toolu_2')] }, user] }
    assert.throws(() => checkRequest(open, model, false), /messages\.1: `tool_use` ids were found without.*toolu_2/)
  })

  test('a count of tokens needs no limit', () => checkRequest({ messages: [user] }, model, true))
})
