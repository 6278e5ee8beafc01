import { listOf, numberOf, objectOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { shown, type Refusal, type Rules } from '../refusal.ts'
import type { Asked } from '../vendor.ts'

const tokensLimit = 393_216
const roles = ['system', 'user', 'assistant', 'tool', 'latest_reminder']

/** DeepSeek's 400 of a broken rule, the same on both of its endpoints. */
export function invalid(message: string): Refusal {
  return { status: 400, type: 'invalid_request_error', code: 'invalid_request_error', message }
}

/** Its models think unless told not to. */
export function deepseekThinks(json: JsonObject): boolean {
  return objectOf(json['thinking'])['type'] !== 'disabled' && json['reasoning_effort'] !== 'none'
}

/** DeepSeek's rules for `/chat/completions`. It passes over fields that it does not know. */
export function* deepseekChatRules({ json }: Asked): Rules {
  const messages = listOf(json['messages'])
  if (messages.length === 0) yield invalid('Empty input messages')
  for (const [index, entry] of messages.entries()) {
    const { role, content } = objectOf(entry)
    if (!roles.includes(shown(role))) {
      const expected = roles.map((name) => `\`${name}\``).join(', ')
      yield undeserializable(
        `messages[${index}].role`,
        `unknown variant \`${shown(role)}\`, expected one of ${expected}`,
      )
    }
    for (const [position, part] of listOf(content).entries()) {
      const type = textOf(objectOf(part)['type']) ?? ''
      if (type === 'text') continue
      const problem = `unknown variant \`${type}\`, expected \`text\``
      yield undeserializable(`messages[${index}].content[${position}].type`, problem)
    }
  }
  yield* limitRules(json['max_tokens'])
  const format = objectOf(json['response_format'])['type']
  if (format === 'json_schema') yield invalid('This response_format type is unavailable now')
  if (format === 'json_object' && !/json/i.test(JSON.stringify(messages))) {
    yield invalid("Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.")
  }
  yield* pairRules(messages)
  const silent = messages.map(objectOf).some((message) => {
    return listOf(message['tool_calls']).length > 0 && typeof message['reasoning_content'] !== 'string'
  })
  if (silent && deepseekThinks(json)) {
    yield invalid('The `reasoning_content` in the thinking mode must be passed back to the API.')
  }
}

/** DeepSeek's rules for `/anthropic/v1/messages`. */
export function* deepseekAnthropicRules({ json, model }: Asked): Rules {
  const messages = listOf(json['messages']).map(objectOf)
  if (messages.length === 0) yield invalid('Empty input messages')
  if (json['max_tokens'] === undefined) yield undeserializable('max_tokens', 'missing field `max_tokens`')
  yield* limitRules(json['max_tokens'])
  let open: string[] = []
  for (const [index, message] of messages.entries()) {
    const blocks = listOf(message['content']).map(objectOf)
    for (const [position, block] of blocks.entries()) {
      const path = `messages[${index}].content[${position}]`
      if (block['type'] === 'document') yield undeserializable(path, 'unknown variant `document`')
      if (block['type'] === 'image' && !model.includes('flash'))
        yield invalid(`The model ${model} does not support images.`)
    }
    const results = blocks.filter((block) => block['type'] === 'tool_result')
    const orphan = results.find((block) => !open.includes(textOf(block['tool_use_id']) ?? ''))
    if (orphan !== undefined) {
      yield invalid("Messages with role 'tool' must be a response to a preceding message with 'tool_calls'")
    }
    if (open.some((id) => !results.some((block) => block['tool_use_id'] === id))) yield unanswered()
    const calls = blocks.filter((block) => block['type'] === 'tool_use')
    const thought = blocks.some((block) => block['type'] === 'thinking')
    if (calls.length > 0 && !thought && deepseekThinks(json)) {
      yield invalid('The `content[].thinking` in the thinking mode must be passed back to the API.')
    }
    open = calls.map((block) => textOf(block['id']) ?? '')
  }
  if (open.length > 0) yield unanswered()
}

function unanswered(): Refusal {
  return invalid(
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. (insufficient tool messages following tool_calls message)",
  )
}

function undeserializable(path: string, problem: string): Refusal {
  return invalid(`Failed to deserialize the JSON body into the target type: ${path}: ${problem}`)
}

function* limitRules(value: Json | undefined): Rules {
  const tokensMax = numberOf(value)
  if (tokensMax !== undefined && (tokensMax < 1 || tokensMax > tokensLimit)) {
    yield invalid(`Invalid max_tokens value, the valid range of max_tokens is [1, ${tokensLimit}]`)
  }
}

function* pairRules(messages: readonly Json[]): Rules {
  let open: string[] = []
  for (const entry of messages) {
    const message = objectOf(entry)
    const id = textOf(message['tool_call_id']) ?? ''
    if (message['role'] === 'tool') {
      if (!open.includes(id)) {
        yield invalid("Messages with role 'tool' must be a response to a preceding message with 'tool_calls'")
      }
      open = open.filter((other) => other !== id)
      continue
    }
    if (open.length > 0) yield unanswered()
    open = listOf(message['tool_calls']).map((call) => textOf(objectOf(call)['id']) ?? '')
  }
  if (open.length > 0) yield unanswered()
}
