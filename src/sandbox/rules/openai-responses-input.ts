import { listOf, objectOf, textOf, table, type Json, type JsonObject } from '../../core/json.ts'
import { unknownKey, words, type Rules } from '../refusal.ts'
import { signed } from '../signature.ts'
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

const itemFields: Readonly<Record<string, ReadonlySet<string>>> = table({
  message: words('type role content id status phase'),
  function_call: words('type id call_id name namespace arguments status caller'),
  function_call_output: words('type id call_id output status name namespace caller'),
  reasoning: words('type id summary content encrypted_content status'),
  item_reference: words('type id'),
})
/** The letters that an item's id must begin with. */
const idPrefixes: Readonly<Record<string, string>> = table({
  message: 'msg',
  function_call: 'fc',
  function_call_output: 'fc',
  reasoning: 'rs',
})
const roles = ['assistant', 'system', 'developer', 'user']
const partFields: Readonly<Record<string, ReadonlySet<string>>> = table({
  input_text: words('type text prompt_cache_breakpoint'),
  input_image: words('type image_url file_id detail prompt_cache_breakpoint'),
  input_file: words('type file_id filename file_data file_url detail prompt_cache_breakpoint'),
  output_text: words('type text annotations logprobs'),
  refusal: words('type refusal'),
})

/** What OpenAI Responses demands of `input`: its items, and that calls, results and reasoning stand together. */
export function* responsesInputRules(json: JsonObject, vendor: string): Rules {
  const items = listOf(json['input'])
  for (const [index, entry] of items.entries()) {
    const item = objectOf(entry)
    const path = `input[${index}]`
    const type = textOf(item['type']) ?? (item['role'] === undefined ? '' : 'message')
    const known = itemFields[type]
    if (type === '') yield missingParameter(`${path}.type`)
    // Items of hosted tools are not simulated.
    if (known === undefined) continue
    const unknown = unknownKey(item, known)
    if (unknown !== undefined) yield unknownParameter(`${path}.${unknown}`)
    yield* idRules(item, type, path)
    if (type === 'message') yield* messageRules(item, path)
    if (type === 'function_call') yield* callRules(item, path)
    if (type === 'function_call_output') yield* outputRules(item, path)
    if (type === 'reasoning') yield* reasoningRules(item, path, vendor)
    if (type === 'reasoning' && !isReplyItem(items[index + 1])) {
      const message = `Item '${textOf(item['id']) ?? ''}' of type 'reasoning' was provided without its required following item.`
      yield invalid(message, 'input')
    }
  }
  yield* pairs(items)
}

function* idRules(item: JsonObject, type: string, path: string): Rules {
  const id = textOf(item['id'])
  if (id === undefined) return
  const prefix = idPrefixes[type]
  if (prefix !== undefined && !id.startsWith(prefix)) {
    const message = `Invalid '${path}.id': '${id}'. Expected an ID that begins with '${prefix}'.`
    yield invalid(message, `${path}.id`, 'invalid_value')
  }
  if (id.length > 64) yield tooLong(`${path}.id`, 64, id.length)
}

function* messageRules(item: JsonObject, path: string): Rules {
  const role = textOf(item['role']) ?? ''
  if (!roles.includes(role)) yield wrongValue(`${path}.role`, role, roles)
  const { content } = item
  if (typeof content === 'string') return
  if (!Array.isArray(content))
    yield wrongType(`${path}.content`, 'one of a string or array of objects', content ?? null)
  yield* partsRules(listOf(content), `${path}.content`, role === 'assistant' ? assistantParts : inputParts)
}

const assistantParts = ['output_text', 'refusal']
const inputParts = ['input_text', 'input_image', 'input_file']

function* partsRules(parts: readonly Json[], path: string, types: readonly string[]): Rules {
  for (const [index, entry] of parts.entries()) {
    const part = objectOf(entry)
    const at = `${path}[${index}]`
    const type = textOf(part['type']) ?? ''
    if (!types.includes(type)) yield wrongValue(at, type, types)
    const unknown = unknownKey(part, partFields[type] ?? words(''))
    if (unknown !== undefined) yield unknownParameter(`${at}.${unknown}`)
    if (type.endsWith('_text') && typeof part['text'] !== 'string') yield missingParameter(`${at}.text`)
    if (type === 'input_image' && part['file_id'] === undefined) yield* imageRules(part['image_url'], `${at}.image_url`)
    if (type === 'input_file') yield* fileRules(part, at)
  }
}

function* fileRules(part: JsonObject, path: string): Rules {
  if (part['file_id'] !== undefined || part['file_url'] !== undefined) return
  const data = textOf(part['file_data'])
  if (data === undefined) yield missingParameter(`${path}.file_id`)
  else if (!data.startsWith('data:application/pdf;base64,')) {
    const message = `Invalid '${path}.file_data'. Expected a base64-encoded data URL with an application/pdf MIME type, but got a value without the 'data:' prefix.`
    yield invalid(message, `${path}.file_data`, 'invalid_value')
  }
  if (part['filename'] === undefined) yield missingParameter(`${path}.filename`)
}

function* callRules(item: JsonObject, path: string): Rules {
  yield* callIdRules(item, path)
  yield* nameRules(item['name'], `${path}.name`, 128)
  const value = item['arguments']
  if (value === undefined) yield missingParameter(`${path}.arguments`)
  else if (typeof value !== 'string') yield wrongType(`${path}.arguments`, 'a string', value)
}

function* outputRules(item: JsonObject, path: string): Rules {
  yield* callIdRules(item, path)
  const { output } = item
  if (output === undefined) yield missingParameter(`${path}.output`)
  if (typeof output === 'string') return
  if (!Array.isArray(output)) yield wrongType(`${path}.output`, 'one of a string or array of objects', output)
  yield* partsRules(listOf(output), `${path}.output`, inputParts)
}

function* callIdRules(item: JsonObject, path: string): Rules {
  const id = textOf(item['call_id'])
  if (id === undefined) yield missingParameter(`${path}.call_id`)
  else if (id === '') {
    const message = `Invalid '${path}.call_id': empty string. Expected a string with minimum length 1, but got an empty string instead.`
    yield invalid(message, `${path}.call_id`, 'empty_string')
  } else if (id.length > 64) yield tooLong(`${path}.call_id`, 64, id.length)
}

function* reasoningRules(item: JsonObject, path: string, vendor: string): Rules {
  if (!Array.isArray(item['summary'])) yield missingParameter(`${path}.summary`)
  const encrypted = textOf(item['encrypted_content'])
  const id = textOf(item['id']) ?? ''
  if (encrypted === undefined) {
    const message = `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`
    yield { ...invalid(message, 'input'), status: 404 }
  } else if (!signed(vendor, encrypted)) {
    const message = `The encrypted content for item ${id} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`
    yield invalid(message, undefined, 'invalid_encrypted_content')
  }
}

/** Reasoning belongs to what the model did next. */
function isReplyItem(entry: Json | undefined): boolean {
  const item = objectOf(entry)
  const type = textOf(item['type']) ?? 'message'
  if (type === 'message') return item['role'] === 'assistant'
  return type === 'reasoning' || (type.endsWith('_call') && type !== 'item_reference')
}

function* pairs(items: readonly Json[]): Rules {
  const called = new Set<string>()
  const answered = new Set<string>()
  for (const entry of items) {
    const item = objectOf(entry)
    const id = textOf(item['call_id']) ?? ''
    if (item['type'] === 'function_call') called.add(id)
    if (item['type'] !== 'function_call_output') continue
    if (!called.has(id)) yield invalid(`No tool call found for function call output with call_id ${id}.`, 'input')
    answered.add(id)
  }
  const open = [...called].find((id) => !answered.has(id))
  if (open !== undefined) yield invalid(`No tool output found for function call ${open}.`, 'input')
}
