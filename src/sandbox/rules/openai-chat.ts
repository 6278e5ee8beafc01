import { isObject, listOf, numberOf, objectOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { unknownKey, words, type Rules } from '../refusal.ts'
import type { Asked } from '../vendor.ts'
import { openaiMessageRules } from './openai-chat-messages.ts'
import { gptFacts, type GptFacts } from './openai-models.ts'
import {
  effortRules,
  invalid,
  missingParameter,
  nameRules,
  schemaRules,
  unknownParameter,
  unsupportedParameter,
  wrongType,
} from './openai.ts'

const fields = words(`messages model max_completion_tokens max_tokens temperature top_p presence_penalty
  frequency_penalty n stop stream stream_options tools tool_choice parallel_tool_calls response_format reasoning_effort
  verbosity service_tier store metadata logprobs top_logprobs logit_bias seed prediction modalities audio
  web_search_options moderation prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier user
  functions function_call`)

/** OpenAI's rules for `/v1/chat/completions`, in its own words. */
export function* openaiChatRules(asked: Asked): Rules {
  const { json } = asked
  const facts = gptFacts(asked.model)
  const unknown = unknownKey(json, fields)
  if (unknown !== undefined) yield unknownParameter(unknown)
  if (json['messages'] === undefined) yield missingParameter('messages')
  if (!Array.isArray(json['messages'])) yield wrongType('messages', 'an array of objects', json['messages'])
  if (listOf(json['messages']).length === 0) {
    yield invalid(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'messages',
      'empty_array',
    )
  }
  if (facts.responsesOnly) {
    const message =
      'This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/responses?'
    yield { ...invalid(message, 'model'), status: 404 }
  }
  yield* limitRules(json, facts)
  yield* samplingRules(json, facts)
  yield* effortRules(json['reasoning_effort'], facts.efforts, 'reasoning_effort')
  yield* toolRules(json)
  if (facts.chatToolsUnreasoned && listOf(json['tools']).length > 0 && json['reasoning_effort'] !== 'none') {
    const message = `Function tools with reasoning_effort are not supported for ${asked.model} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`
    yield invalid(message, 'reasoning_effort')
  }
  yield* formatRules(json)
  yield* openaiMessageRules(listOf(json['messages']))
}

function* limitRules(json: JsonObject, facts: GptFacts): Rules {
  if (present(json['max_tokens']) && facts.reasons) {
    yield unsupportedParameter('max_tokens', " Use 'max_completion_tokens' instead.")
  }
  for (const field of ['max_tokens', 'max_completion_tokens']) {
    const value = json[field]
    if (!present(value)) continue
    if (!Number.isInteger(value)) yield wrongType(field, 'an integer', value)
    else if (Number(value) < 1) {
      const message = `Invalid '${field}': integer below minimum value. Expected a value >= 1, but got ${Number(value)} instead.`
      yield invalid(message, field, 'integer_below_min_value')
    }
  }
  const stops = listOf(json['stop'])
  if (present(json['stop']) && facts.reasons) yield unsupportedParameter('stop')
  if (stops.length > 4) {
    const message = `Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length ${stops.length} instead.`
    yield invalid(message, 'stop', 'array_above_max_length')
  }
  if (present(json['stream_options']) && json['stream'] !== true) {
    yield invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options')
  }
  const unknownOption = unknownKey(objectOf(json['stream_options']), words('include_usage include_obfuscation'))
  if (unknownOption !== undefined) yield unknownParameter(`stream_options.${unknownOption}`)
}

function* samplingRules(json: JsonObject, facts: GptFacts): Rules {
  for (const [field, usual] of [
    ['temperature', 1],
    ['top_p', 1],
    ['presence_penalty', 0],
    ['frequency_penalty', 0],
  ] as const) {
    const value = numberOf(json[field])
    if (value === undefined || value === usual) continue
    const effort = json['reasoning_effort'] ?? 'none'
    const unreasoned = facts.sampling === 'unreasoned' && effort === 'none' && usual === 1
    if (facts.sampling === 'yes' || unreasoned) continue
    const message = `Unsupported value: '${field}' does not support ${value} with this model. Only the default (${usual}) value is supported.`
    yield invalid(message, field, 'unsupported_value')
  }
  const temperature = numberOf(json['temperature'])
  if (temperature !== undefined && (temperature < 0 || temperature > 2)) {
    const bound =
      temperature < 0 ? 'below minimum value. Expected a value >= 0' : 'above maximum value. Expected a value <= 2'
    const code = temperature < 0 ? 'decimal_below_min_value' : 'decimal_above_max_value'
    yield invalid(`Invalid 'temperature': decimal ${bound}, but got ${temperature} instead.`, 'temperature', code)
  }
}

function* toolRules(json: JsonObject): Rules {
  const tools = listOf(json['tools'])
  if (Array.isArray(json['tools']) && tools.length === 0) {
    yield invalid(
      "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'tools',
      'empty_array',
    )
  }
  for (const [index, entry] of tools.entries()) {
    const tool = objectOf(entry)
    const path = `tools[${index}]`
    if (tool['type'] === 'custom') continue
    if (tool['type'] !== 'function') yield missingParameter(`${path}.type`)
    const definition = tool['function']
    if (!isObject(definition)) yield missingParameter(`${path}.function`)
    const strange = unknownKey(tool, words('type function'))
    if (strange !== undefined) yield unknownParameter(`${path}.${strange}`)
    const unknown = unknownKey(objectOf(definition), words('name description parameters strict'))
    if (unknown !== undefined) yield unknownParameter(`${path}.function.${unknown}`)
    const { name, parameters, strict } = objectOf(definition)
    yield* nameRules(name, `${path}.function.name`)
    const of = `function '${textOf(name) ?? ''}'`
    yield* schemaRules(parameters, { of, param: `${path}.function.parameters`, strict: strict === true })
  }
  for (const field of ['tool_choice', 'parallel_tool_calls']) {
    if (present(json[field]) && tools.length === 0 && json[field] !== 'none') {
      yield invalid(`Invalid value for '${field}': '${field}' is only allowed when 'tools' are specified.`, field)
    }
  }
  yield* choiceRules(json['tool_choice'], tools)
}

function* choiceRules(choice: Json | undefined, tools: readonly Json[]): Rules {
  if (!present(choice)) return
  if (typeof choice === 'string') {
    if (['none', 'auto', 'required'].includes(choice)) return
    const message = `Invalid value: '${choice}'. Supported values are: 'none', 'auto', and 'required'.`
    yield invalid(message, 'tool_choice', 'invalid_value')
  }
  if (objectOf(choice)['type'] !== 'function') return
  const wanted = objectOf(objectOf(choice)['function'])['name']
  if (wanted === undefined) yield missingParameter('tool_choice.function')
  const known = tools.some((tool) => objectOf(objectOf(tool)['function'])['name'] === wanted)
  if (!known) {
    yield invalid("Invalid value for 'tool_choice': the named function is not among the 'tools'.", 'tool_choice')
  }
}

function* formatRules(json: JsonObject): Rules {
  const format = objectOf(json['response_format'])
  if (format['type'] === 'json_object' && !/json/i.test(JSON.stringify(json['messages']))) {
    const message =
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    yield invalid(message, 'messages')
  }
  if (format['type'] !== 'json_schema') return
  const wanted = format['json_schema']
  if (!isObject(wanted)) yield missingParameter('response_format.json_schema')
  const { name, schema, strict } = objectOf(wanted)
  yield* nameRules(name, 'response_format.json_schema.name')
  const of = `response_format '${textOf(name) ?? ''}'`
  yield* schemaRules(schema, { of, param: 'response_format', strict: strict === true })
}

/** OpenAI takes null for an optional field that is not meant. */
function present(value: Json | undefined): boolean {
  return value !== undefined && value !== null
}
