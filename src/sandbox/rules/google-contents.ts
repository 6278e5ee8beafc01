import { isObject, listOf, objectOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { isBase64, words, type Rules } from '../refusal.ts'
import { signed } from '../signature.ts'
import type { GeminiFacts } from './gemini-models.ts'
import { invalid, known } from './google-names.ts'

const data = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
]
const partFields = words(`${data.join(' ')} thought thoughtSignature videoMetadata mediaResolution partMetadata`)
const mediaTypes = /^(image\/(png|jpeg|webp|heic|heif|gif)|application\/pdf|audio\/.+|video\/.+|text\/.+)$/
/** What Google's documentation allows in place of a signature for calls that another model made. */
const placeholders = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go']

/** What Google demands of `contents`: parts, turns, and that responses match the calls before them. */
export function* geminiContentRules(json: JsonObject, facts: GeminiFacts): Rules {
  const contents = listOf(json['contents']).map(objectOf)
  for (const [index, content] of contents.entries()) {
    const path = `contents[${index}]`
    yield* known(content, words('role parts'), path)
    const role = content['role'] ?? 'user'
    if (role !== 'user' && role !== 'model' && role !== 'function') {
      yield invalid('Please use a valid role: user, model.')
    }
    const parts = listOf(content['parts'])
    if (parts.length === 0) yield invalid(`* GenerateContentRequest.${path}.parts: contents.parts must not be empty.\n`)
    for (const [position, part] of parts.entries()) yield* partRules(objectOf(part), `${path}.parts[${position}]`)
  }
  yield* systemRules(objectOf(json['systemInstruction']))
  yield* turnRules(contents, facts)
  if (facts.signatures) yield* signatureRules(contents)
}

function* systemRules(system: JsonObject): Rules {
  yield* known(system, words('role parts'), 'system_instruction')
  for (const [index, part] of listOf(system['parts']).entries()) {
    yield* partRules(objectOf(part), `system_instruction.parts[${index}]`)
  }
}

function* partRules(part: JsonObject, path: string): Rules {
  yield* known(part, partFields, path)
  const present = data.filter((name) => part[name] !== undefined)
  if (present.length === 0 && part['thoughtSignature'] === undefined) {
    yield invalid(
      `* GenerateContentRequest.${path}.data: required oneof field 'data' must have one initialized field\n`,
    )
  }
  if (present.length > 1) {
    yield invalid(
      `Invalid value at '${path}' (oneof), oneof field 'data' is already set. Cannot set '${present[1] ?? ''}'`,
    )
  }
  const inline = part['inlineData']
  if (isObject(inline)) {
    yield* known(inline, words('mimeType data displayName'), `${path}.inline_data`)
    const bytes = textOf(inline['data']) ?? ''
    if (!isBase64(bytes)) {
      const shown = bytes.slice(0, 20)
      yield invalid(`Invalid value at '${path}.inline_data.data' (TYPE_BYTES), Base64 decoding failed for "${shown}"`)
    }
    const mediaType = textOf(inline['mimeType']) ?? ''
    if (!mediaTypes.test(mediaType)) yield invalid(`Unsupported MIME type: ${mediaType}`)
  }
  const signature = textOf(part['thoughtSignature'])
  if (signature !== undefined && !placeholders.includes(signature)) {
    if (!isBase64(signature)) {
      const shown = signature.slice(0, 20)
      yield invalid(`Invalid value at '${path}.thought_signature' (TYPE_BYTES), Base64 decoding failed for "${shown}"`)
    }
    if (!signed('google', signature)) yield invalid('Corrupted thought signature.')
  }
  const call = part['functionCall']
  if (isObject(call)) yield* known(call, words('id name args partialArgs willContinue'), `${path}.function_call`)
  const response = part['functionResponse']
  if (!isObject(response)) return
  const names = words('id name response parts willContinue scheduling')
  yield* known(response, names, `${path}.function_response`)
  if (textOf(response['name']) === undefined) {
    yield invalid(`* GenerateContentRequest.${path}.function_response.name: Name cannot be empty.\n`)
  }
  if (!isObject(response['response'])) {
    yield invalid(`Invalid value at '${path}.function_response.response' (type.googleapis.com/google.protobuf.Struct)`)
  }
}

function* turnRules(contents: readonly JsonObject[], facts: GeminiFacts): Rules {
  for (const [index, content] of contents.entries()) {
    const previous = contents[index - 1]
    const role = roleOf(content)
    if (previous !== undefined && roleOf(previous) === role) {
      yield invalid('Please ensure that multiturn requests alternate between user and model.')
    }
    const calls = partsOf(content, 'functionCall')
    const responses = partsOf(content, 'functionResponse')
    if (calls.length > 0 && (role !== 'model' || previous === undefined)) {
      yield invalid(
        'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
      )
    }
    const asked = previous === undefined || roleOf(previous) !== 'model' ? [] : partsOf(previous, 'functionCall')
    if (responses.length > 0 && asked.length === 0) {
      yield invalid('Please ensure that function response turn comes immediately after a function call turn.')
    }
    if (responses.length !== asked.length && (responses.length > 0 || role === 'user')) {
      yield invalid(
        'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
      )
    }
    if (!sameCalls(asked, responses)) {
      yield invalid(
        'Please ensure that function response parts match the name and the order of the function call parts of the function call turn.',
      )
    }
  }
  const last = contents.at(-1)
  if (last === undefined || roleOf(last) !== 'model') return
  if (partsOf(last, 'functionCall').length > 0 || !facts.prefill) {
    yield invalid('Please ensure that single turn requests end with a user role or the role is not specified.')
  }
}

/** Gemini pairs by order and name. */
function sameCalls(calls: readonly JsonObject[], responses: readonly JsonObject[]): boolean {
  return responses.every((response, index) => response['name'] === calls[index]?.['name'])
}

/** In the tool loop that is still open, the first call of each of the model's turns carries its signature. */
function* signatureRules(contents: readonly JsonObject[]): Rules {
  const start = contents.findLastIndex(
    (content) => roleOf(content) === 'user' && partsOf(content, 'functionResponse').length === 0,
  )
  for (const [index, content] of contents.entries()) {
    if (index <= start || roleOf(content) !== 'model') continue
    const first = listOf(content['parts'])
      .map(objectOf)
      .find((part) => isObject(part['functionCall']))
    if (first === undefined || first['thoughtSignature'] !== undefined) continue
    const name = textOf(objectOf(first['functionCall'])['name']) ?? ''
    yield invalid(
      `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${name}\` , position ${index + 1}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`,
    )
  }
}

function roleOf(content: JsonObject): Json {
  const role = content['role'] ?? 'user'
  return role === 'function' ? 'user' : role
}

function partsOf(content: JsonObject, field: string): JsonObject[] {
  return listOf(content['parts']).flatMap((part) => {
    const value = objectOf(part)[field]
    return isObject(value) ? [value] : []
  })
}
