import { listOf, objectOf, textOf, table, type Json, type JsonObject } from '../../core/json.ts'
import { unknownKey, words, type Rules } from '../refusal.ts'
import {
  imageRules,
  invalid,
  missingParameter,
  nameRules,
  tooLong,
  unknownParameter,
  wrongType,
  wrongValue,
} from './openai.ts'

const messageFields: Readonly<Record<string, ReadonlySet<string>>> = table({
  developer: words('role content name'),
  system: words('role content name'),
  user: words('role content name'),
  // `parsed`, `parsed_arguments` and a call's `index` are left in by OpenAI's own SDKs when they send an answer back.
  assistant: words('role content name refusal tool_calls audio function_call annotations parsed'),
  tool: words('role content tool_call_id'),
  function: words('role content name'),
})
const partTypes: Readonly<Record<string, ReadonlySet<string>>> = table({
  developer: words('text'),
  system: words('text'),
  user: words('text image_url input_audio file'),
  assistant: words('text refusal'),
  tool: words('text'),
})
const partFields: Readonly<Record<string, ReadonlySet<string>>> = table({
  text: words('type text prompt_cache_breakpoint'),
  refusal: words('type refusal'),
  image_url: words('type image_url prompt_cache_breakpoint'),
  input_audio: words('type input_audio prompt_cache_breakpoint'),
  file: words('type file prompt_cache_breakpoint'),
})

/** What OpenAI chat demands of `messages`, and that tool messages answer the calls before them. */
export function* openaiMessageRules(messages: readonly Json[]): Rules {
  for (const [index, entry] of messages.entries()) yield* messageRules(objectOf(entry), `messages[${index}]`)
  yield* toolOrder(messages)
}

function* messageRules(message: JsonObject, path: string): Rules {
  const role = textOf(message['role'])
  if (role === undefined) {
    yield missingParameter(`${path}.role`)
    return
  }
  const known = messageFields[role]
  if (known === undefined) yield wrongValue(`${path}.role`, role, Object.keys(messageFields))
  const unknown = unknownKey(message, known ?? words(''))
  if (unknown !== undefined) yield unknownParameter(`${path}.${unknown}`)
  yield* contentRules(message, role, path)
  for (const [index, entry] of listOf(message['tool_calls']).entries()) {
    yield* callRules(objectOf(entry), `${path}.tool_calls[${index}]`)
  }
  if (Array.isArray(message['tool_calls']) && message['tool_calls'].length === 0) {
    yield invalid(
      `Invalid '${path}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      `${path}.tool_calls`,
      'empty_array',
    )
  }
  if (role === 'tool' && textOf(message['tool_call_id']) === undefined) yield missingParameter(`${path}.tool_call_id`)
}

function* contentRules(message: JsonObject, role: string, path: string): Rules {
  const { content } = message
  const calls = message['tool_calls'] !== undefined || message['function_call'] !== undefined
  const optional = role === 'assistant' && (calls || message['refusal'] !== undefined || message['audio'] !== undefined)
  if (typeof content === 'string' || ((content === null || content === undefined) && optional)) return
  if (!Array.isArray(content)) {
    yield wrongType(`${path}.content`, 'one of a string or array of objects', content ?? null)
    return
  }
  for (const [index, entry] of content.entries()) {
    const part = objectOf(entry)
    const at = `${path}.content[${index}]`
    const type = textOf(part['type']) ?? ''
    if (type === 'image_url' && role !== 'user') {
      const message = `Invalid '${path}'. Image URLs are only allowed for messages with role 'user', but this message with role '${role}' contains an image URL.`
      yield invalid(message, path, 'invalid_value')
    }
    const types = partTypes[role] ?? words('text')
    if (!types.has(type)) yield wrongValue(at, type, [...types])
    const unknown = unknownKey(part, partFields[type] ?? words(''))
    if (unknown !== undefined) yield unknownParameter(`${at}.${unknown}`)
    if (type === 'text' && typeof part['text'] !== 'string') yield missingParameter(`${at}.text`)
    if (type === 'image_url') yield* imageUrlRules(part['image_url'], `${at}.image_url`)
    if (type === 'file') yield* fileRules(objectOf(part['file']), `${at}.file`)
  }
}

function* imageUrlRules(value: Json | undefined, path: string): Rules {
  if (typeof value === 'string') yield wrongType(path, 'an object', value)
  const image = objectOf(value)
  const unknown = unknownKey(image, words('url detail'))
  if (unknown !== undefined) yield unknownParameter(`${path}.${unknown}`)
  yield* imageRules(image['url'], `${path}.url`)
}

function* fileRules(file: JsonObject, path: string): Rules {
  const unknown = unknownKey(file, words('filename file_data file_id'))
  if (unknown !== undefined) yield unknownParameter(`${path}.${unknown}`)
  if (file['file_id'] !== undefined) return
  const data = textOf(file['file_data'])
  if (data === undefined) yield missingParameter(`${path}.file_id`)
  else if (!data.startsWith('data:application/pdf;base64,')) {
    const message = `Invalid '${path}.file_data'. Expected a base64-encoded data URL with an application/pdf MIME type (e.g. 'data:application/pdf;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value without the 'data:' prefix.`
    yield invalid(message, `${path}.file_data`, 'invalid_value')
  }
  if (file['filename'] === undefined) yield missingParameter(`${path}.filename`)
}

function* callRules(call: JsonObject, path: string): Rules {
  const id = textOf(call['id'])
  if (id === undefined) yield missingParameter(`${path}.id`)
  else if (id.length > 64) yield tooLong(`${path}.id`, 64, id.length)
  const unknown = unknownKey(call, words('id type function custom index'))
  if (unknown !== undefined) yield unknownParameter(`${path}.${unknown}`)
  if (call['type'] === undefined) yield missingParameter(`${path}.type`)
  if (call['type'] !== 'function') return
  const named = objectOf(call['function'])
  const strange = unknownKey(named, words('name arguments parsed_arguments'))
  if (strange !== undefined) yield unknownParameter(`${path}.function.${strange}`)
  yield* nameRules(named['name'], `${path}.function.name`)
  if (typeof named['arguments'] !== 'string') {
    const value = named['arguments']
    yield value === undefined
      ? missingParameter(`${path}.function.arguments`)
      : wrongType(`${path}.function.arguments`, 'a string', value)
  }
}

function* toolOrder(messages: readonly Json[]): Rules {
  let open: string[] = []
  let calls = 0
  for (const [index, entry] of [...messages, { role: 'end' }].entries()) {
    const message = objectOf(entry)
    if (message['role'] === 'tool') {
      const id = textOf(message['tool_call_id']) ?? ''
      if (calls === 0) {
        yield invalid(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${index}].role`,
        )
      }
      if (!open.includes(id)) {
        const text = `Invalid parameter: 'tool_call_id' of '${id}' not found in 'tool_calls' of previous message.`
        yield invalid(text, `messages.[${index}].tool_call_id`)
      }
      open = open.filter((other) => other !== id)
      continue
    }
    if (open.length > 0) {
      yield invalid(
        `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`,
        `messages.[${index}].role`,
      )
    }
    open = listOf(message['tool_calls']).map((call) => textOf(objectOf(call)['id']) ?? '')
    calls = open.length
  }
}
