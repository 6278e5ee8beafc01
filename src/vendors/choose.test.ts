import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DialectName } from '../core/dialect.ts'
import type { JsonObject } from '../core/json.ts'
import type { Model } from '../core/vendor.ts'
import { models, vendors } from './index.ts'

const tools = [{ type: 'function', function: { name: 'f' } }]

/** The dialect that is spoken to the vendor of a model; a name that the catalogue does not know is of the vendor named. */
function chosen(caller: DialectName, id: string, request: JsonObject = {}, of = 'openai'): DialectName | undefined {
  const model: Model = models.find((one) => one.id === id) ?? { id, vendor: of }
  return vendors.find((vendor) => vendor.name === model.vendor)?.choose(caller, model, request)
}

const cases: [name: string, actual: DialectName | undefined, expected: DialectName][] = [
  ['a chat caller is spoken to in chat', chosen('openai-chat', 'gpt-5.6'), 'openai-chat'],
  ['tools for a model that refuses them on chat', chosen('openai-chat', 'gpt-6.2-sol', { tools }), 'openai-responses'],
  [
    'no effort keeps tools on chat',
    chosen('openai-chat', 'gpt-5.6', { tools, reasoning_effort: 'none' }),
    'openai-chat',
  ],
  ['an empty list is no tools', chosen('openai-chat', 'gpt-5.6', { tools: [] }), 'openai-chat'],
  ['a model that is not on chat', chosen('openai-chat', 'gpt-5.5-pro'), 'openai-responses'],
  ['a codex model', chosen('openai-chat', 'gpt-5.3-codex'), 'openai-responses'],
  ['an unknown pro model', chosen('openai-chat', 'gpt-7-pro'), 'openai-responses'],
  ['an unknown codex model', chosen('openai-chat', 'gpt-5.1-codex-max'), 'openai-responses'],
  ['an Anthropic caller to a model that reasons', chosen('anthropic', 'gpt-5'), 'openai-responses'],
  ['an Anthropic caller to one that does not', chosen('anthropic', 'gpt-4.1'), 'openai-chat'],
  ['an unknown model of an older family', chosen('anthropic', 'gpt-4-turbo'), 'openai-chat'],
  ['an unknown new model', chosen('anthropic', 'gpt-7'), 'openai-responses'],
  ['a Grok chat caller', chosen('openai-chat', 'grok-4.7'), 'openai-chat'],
  ['a Grok that is not on chat', chosen('openai-chat', 'grok-4.20-multi-agent'), 'openai-responses'],
  ['DeepSeek without images', chosen('anthropic', 'deepseek-flash', { messages: [] }), 'openai-chat'],
]
for (const [name, actual, expected] of cases) test(name, () => assert.equal(actual, expected))

test('DeepSeek refuses what its Anthropic format would leave out in silence', () => {
  const deepseek = vendors.find((vendor) => vendor.name === 'deepseek')
  const model: Model = { id: 'deepseek-flash', vendor: 'deepseek' }
  for (const [request, path] of [
    [{ top_k: 5 }, 'top_k'],
    [{ tool_choice: { type: 'any' } }, 'tool_choice'],
  ] as const) {
    assert.throws(() => deepseek?.adjust?.(request, model, 'anthropic'), { kind: 'unsupported', path })
  }
})
