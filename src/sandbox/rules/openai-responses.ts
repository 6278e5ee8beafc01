import { isObject, listOf, numberOf, objectOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { shown, unknownKey, words, type Rules } from '../refusal.ts'
import type { Asked } from '../vendor.ts'
import { gptFacts, type GptFacts } from './openai-models.ts'
import { responsesInputRules } from './openai-responses-input.ts'
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

const fields = words(`model input instructions tools tool_choice parallel_tool_calls max_output_tokens max_tool_calls
  temperature top_p top_logprobs reasoning text include store previous_response_id conversation background truncation
  prompt context_management metadata service_tier stream stream_options safety_identifier moderation prompt_cache_key
  prompt_cache_options prompt_cache_retention user`)
const countFields = words(`model input previous_response_id tools text reasoning truncation instructions personality
  conversation tool_choice parallel_tool_calls`)
const toolFields = words('type name description parameters output_schema strict defer_loading allowed_callers')
const includes = words(`reasoning.encrypted_content file_search_call.results web_search_call.results
  web_search_call.action.sources message.input_image.image_url computer_call_output.output.image_url
  code_interpreter_call.outputs message.output_text.logprobs`)

/** OpenAI's rules for `/v1/responses` and its token counting, in its own words. */
export function* openaiResponsesRules(asked: Asked): Rules {
  const { json, counting } = asked
  const facts = gptFacts(asked.model)
  const unknown = unknownKey(json, counting ? countFields : fields)
  if (unknown !== undefined) yield unknownParameter(unknown)
  yield* limitRules(json, facts)
  yield* reasoningRules(json, facts)
  yield* toolRules(json)
  yield* formatRules(json)
  if (json['input'] === undefined && json['prompt'] === undefined) yield missingParameter('input')
  if (typeof json['input'] === 'string') return
  if (!Array.isArray(json['input'])) yield wrongType('input', 'one of a string or array of objects', json['input'])
  yield* responsesInputRules(json, 'openai')
}

function* limitRules(json: JsonObject, facts: GptFacts): Rules {
  const tokensMax = numberOf(json['max_output_tokens'])
  if (tokensMax !== undefined && tokensMax < 16) {
    const message = `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got ${tokensMax} instead.`
    yield invalid(message, 'max_output_tokens', 'integer_below_min_value')
  }
  for (const field of ['temperature', 'top_p']) {
    const value = numberOf(json[field])
    const effort = objectOf(json['reasoning'])['effort'] ?? 'none'
    const allowed = facts.sampling === 'yes' || (facts.sampling === 'unreasoned' && effort === 'none')
    if (value !== undefined && !allowed) yield unsupportedParameter(field)
  }
  const previous = textOf(json['previous_response_id'])
  if (previous !== undefined) {
    const message = `Previous response with id '${previous}' not found.`
    yield invalid(message, 'previous_response_id', 'previous_response_not_found')
  }
  if (isObject(json['stream_options']) && json['stream'] !== true) {
    yield invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options')
  }
}

function* reasoningRules(json: JsonObject, facts: GptFacts): Rules {
  const reasoning = objectOf(json['reasoning'])
  const unknown = unknownKey(reasoning, words('effort summary generate_summary context mode'))
  if (unknown !== undefined) yield unknownParameter(`reasoning.${unknown}`)
  yield* effortRules(reasoning['effort'], facts.efforts, 'reasoning.effort')
  const { summary } = reasoning
  if (summary !== undefined && summary !== null) {
    if (!facts.reasons) yield unsupportedParameter('reasoning.summary')
    if (!['auto', 'concise', 'detailed'].includes(shown(summary))) {
      const message = `Invalid value: '${shown(summary)}'. Supported values are: 'concise', 'detailed', and 'auto'.`
      yield invalid(message, 'reasoning.summary', 'invalid_value')
    }
  }
  for (const [index, entry] of listOf(json['include']).entries()) {
    const name = shown(entry)
    if (!includes.has(name)) yield invalid(`Invalid value: '${name}'.`, `include[${index}]`, 'invalid_value')
    if (name === 'reasoning.encrypted_content' && !facts.reasons) {
      yield invalid('Encrypted content is not supported with this model.', 'include')
    }
  }
}

function* toolRules(json: JsonObject): Rules {
  const tools = listOf(json['tools'])
  for (const [index, entry] of tools.entries()) {
    const tool = objectOf(entry)
    if (tool['type'] === undefined) yield missingParameter(`tools[${index}].type`)
    if (tool['type'] !== 'function') continue
    const unknown = unknownKey(tool, toolFields)
    if (unknown !== undefined) yield unknownParameter(`tools[${index}].${unknown}`)
    yield* nameRules(tool['name'], `tools[${index}].name`, 128)
    const of = `function '${textOf(tool['name']) ?? ''}'`
    // Unlike chat, this endpoint is strict unless told otherwise, but closes open schemas by itself where it was not told.
    yield* schemaRules(tool['parameters'], { of, param: `tools[${index}].parameters`, strict: tool['strict'] === true })
  }
  yield* choiceRules(json['tool_choice'], tools)
}

function* choiceRules(choice: Json | undefined, tools: readonly Json[]): Rules {
  if (choice === undefined || choice === null) return
  if (typeof choice === 'string' && !['none', 'auto', 'required'].includes(choice)) {
    const message = `Invalid value: '${choice}'. Supported values are: 'none', 'auto', and 'required'.`
    yield invalid(message, 'tool_choice', 'invalid_value')
  }
  if (choice === 'required' && tools.length === 0) {
    yield invalid("Tool choice 'required' must be specified with 'tools' parameter.", 'tool_choice')
  }
  if (objectOf(choice)['type'] !== 'function') return
  const { name } = objectOf(choice)
  if (name === undefined) yield missingParameter('tool_choice.name')
  if (!tools.some((tool) => objectOf(tool)['name'] === name)) {
    yield invalid(`Tool choice 'function' not found in 'tools' parameter.`, 'tool_choice')
  }
}

function* formatRules(json: JsonObject): Rules {
  const text = objectOf(json['text'])
  const unknown = unknownKey(text, words('format verbosity'))
  if (unknown !== undefined) yield unknownParameter(`text.${unknown}`)
  const format = objectOf(text['format'])
  if (format['type'] === 'json_object' && !/json/i.test(JSON.stringify([json['input'], json['instructions']]))) {
    const message =
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'."
    yield invalid(message, 'input')
  }
  if (format['type'] !== 'json_schema') return
  const extra = unknownKey(format, words('type name schema strict description'))
  if (extra !== undefined) yield unknownParameter(`text.format.${extra}`)
  yield* nameRules(format['name'], 'text.format.name')
  if (format['schema'] === undefined) yield missingParameter('text.format.schema')
  const of = `response_format '${textOf(format['name']) ?? ''}'`
  yield* schemaRules(format['schema'], { of, param: 'text.format.schema', strict: format['strict'] === true })
}
