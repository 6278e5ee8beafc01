import { listOf, objectOf, textOf, type Json } from '../../core/json.ts'
import { shown, type Refusal, type Rules } from '../refusal.ts'
import { signed } from '../signature.ts'
import type { Asked } from '../vendor.ts'

/** What the names of xAI's models tell. */
export function grokFacts(model: string): { thinks: boolean; efforts: readonly string[]; window: number } {
  const window = windowOf(model)
  if (/non-reasoning|^grok-[23](?!-mini)/.test(model)) return { thinks: false, efforts: [], window }
  if (model.startsWith('grok-3-mini')) return { thinks: true, efforts: ['low', 'high'], window: 131_072 }
  if (/build|4\.20-reasoning|^grok-4(-|$)|code/.test(model)) return { thinks: true, efforts: [], window }
  if (/^grok-4\.[67]/.test(model)) return { thinks: true, efforts: ['low', 'medium', 'high', 'xhigh'], window }
  const usual = ['low', 'medium', 'high']
  return { thinks: true, efforts: /4\.5|multi-agent/.test(model) ? usual : ['none', ...usual], window }
}

function windowOf(model: string): number {
  if (/code|build/.test(model)) return 256_000
  return /^grok-(4\.[5-9]|latest)/.test(model) ? 500_000 : 1_000_000
}

/** xAI's 400 of a broken rule: `code` is prose. */
export function invalid(message: string): Refusal {
  return { status: 400, type: 'Client specified an invalid argument', message }
}

/** A body that its parser cannot turn into a request. */
export function undeserializable(path: string, problem: string): Refusal {
  const message = `Failed to deserialize the JSON body into the target type: ${path}: ${problem}`
  return { status: 422, type: 'The request body is not valid', message }
}

/** xAI's rules for `/v1/chat/completions`. It passes over fields that it does not know. */
export function* xaiChatRules({ json, model }: Asked): Rules {
  const facts = grokFacts(model)
  if (!Array.isArray(json['messages'])) yield undeserializable('messages', 'missing field `messages`')
  if (listOf(json['messages']).length === 0) yield invalid('Messages cannot be empty.')
  if (model.includes('multi-agent')) {
    yield invalid(`Multi Agent requests are not allowed on chat completions. Use /v1/responses for ${model}.`)
  }
  for (const [field, name] of [
    ['stop', 'stop'],
    ['presence_penalty', 'presencePenalty'],
    ['frequency_penalty', 'frequencyPenalty'],
  ] as const) {
    const given = json[field] !== undefined && json[field] !== null
    if (given && (facts.thinks || /^grok-[4-9]/.test(model))) yield unsupported(model, name)
  }
  yield* effortRules(json['reasoning_effort'], model)
  for (const [index, message] of listOf(json['messages']).entries()) {
    for (const [position, part] of listOf(objectOf(message)['content']).entries()) {
      const type = textOf(objectOf(part)['type']) ?? ''
      if (['text', 'image_url', 'refusal'].includes(type)) continue
      const problem = `unknown variant \`${type}\`, expected \`text\` or \`image_url\``
      yield undeserializable(`messages[${index}].content[${position}].type`, problem)
    }
  }
  yield* pairRules(listOf(json['messages']))
}

/** xAI's rules for `/v1/responses`. */
export function* xaiResponsesRules({ json, model }: Asked): Rules {
  if (json['input'] === undefined) yield undeserializable('input', 'missing field `input`')
  if (json['stop'] !== undefined) yield unsupported(model, 'stop')
  for (const field of ['presence_penalty', 'frequency_penalty']) {
    if (json[field] !== undefined) yield unsupported(model, field)
  }
  yield* effortRules(objectOf(json['reasoning'])['effort'], model)
  const called = new Set<Json | undefined>()
  for (const entry of listOf(json['input'])) {
    const item = objectOf(entry)
    const encrypted = textOf(item['encrypted_content'])
    if (item['type'] === 'reasoning' && encrypted !== undefined && !signed('xai', encrypted)) {
      yield invalid('Could not decrypt the provided encrypted_content.')
    }
    if (item['type'] === 'function_call') called.add(item['call_id'])
    if (item['type'] === 'function_call_output' && !called.has(item['call_id'])) {
      yield invalid(`No tool call found for function call output with call_id ${textOf(item['call_id']) ?? ''}.`)
    }
  }
}

function unsupported(model: string, parameter: string): Refusal {
  return invalid(`Model ${model} does not support parameter ${parameter}.`)
}

function* effortRules(effort: Json | undefined, model: string): Rules {
  if (effort === undefined || effort === null) return
  const { efforts } = grokFacts(model)
  if (efforts.length === 0) yield unsupported(model, 'reasoningEffort')
  if (!efforts.includes(shown(effort))) {
    yield invalid(`Invalid reasoning effort: ${shown(effort)}. Model ${model} supports: ${efforts.join(', ')}.`)
  }
}

function* pairRules(messages: readonly Json[]): Rules {
  const called = new Set<Json | undefined>()
  for (const entry of messages) {
    const message = objectOf(entry)
    for (const call of listOf(message['tool_calls'])) called.add(objectOf(call)['id'])
    if (message['role'] === 'tool' && !called.has(message['tool_call_id'])) {
      yield invalid(`No tool call found for tool message with tool_call_id ${textOf(message['tool_call_id']) ?? ''}.`)
    }
  }
}
