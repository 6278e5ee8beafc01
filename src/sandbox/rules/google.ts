import { isObject, listOf, numberOf, objectOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { words, type Rules } from '../refusal.ts'
import type { Asked } from '../vendor.ts'
import { geminiContentRules } from './google-contents.ts'
import { geminiFacts, type GeminiFacts } from './gemini-models.ts'
import { invalid, known, unknownName } from './google-names.ts'

const fields = words(`contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent
  serviceTier store labels model`)
const configFields = words(`candidateCount stopSequences maxOutputTokens temperature topP topK seed presencePenalty
  frequencyPenalty responseMimeType responseSchema responseJsonSchema _responseJsonSchema responseLogprobs logprobs
  thinkingConfig mediaResolution responseModalities enableEnhancedCivicAnswers speechConfig imageConfig`)
const declarationFields = words('name description parameters parametersJsonSchema response responseJsonSchema behavior')
/** Google's own Schema message, an OpenAPI subset: JSON Schema's other words are not in it. */
const schemaFields = words(`type format title description nullable enum maxItems minItems properties required
  minProperties maxProperties minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum`)

/** Google's rules for generateContent and countTokens, in its own words. */
export function* googleRules(asked: Asked): Rules {
  const { json } = asked
  const facts = geminiFacts(asked.model)
  yield* known(json, fields, '')
  yield* toolRules(json)
  yield* configRules(json, facts, asked.model)
  if (listOf(json['contents']).length === 0) {
    yield invalid('* GenerateContentRequest.contents: contents is not specified\n')
  }
  yield* geminiContentRules(json, facts)
}

function* toolRules(json: JsonObject): Rules {
  const names: Json[] = []
  for (const [index, entry] of listOf(json['tools']).entries()) {
    const tool = objectOf(entry)
    for (const [position, declared] of listOf(tool['functionDeclarations']).entries()) {
      const path = `tools[${index}].function_declarations[${position}]`
      const declaration = objectOf(declared)
      yield* known(declaration, declarationFields, path)
      const name = textOf(declaration['name']) ?? ''
      names.push(name)
      if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/.test(name)) {
        yield invalid(
          `* GenerateContentRequest.${path}.name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.\n`,
        )
      }
      if (declaration['parameters'] !== undefined && declaration['parametersJsonSchema'] !== undefined) {
        yield invalid(
          `* GenerateContentRequest.${path}: parameters and parameters_json_schema are mutually exclusive\n`,
        )
      }
      yield* schemaRules(declaration['parameters'], `${path}.parameters`)
    }
  }
  const config = objectOf(objectOf(json['toolConfig'])['functionCallingConfig'])
  const mode = textOf(config['mode'])
  if (mode !== undefined && !['MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED'].includes(mode)) {
    yield invalid(
      `Invalid value at 'tool_config.function_calling_config.mode' (type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode), "${mode}"`,
    )
  }
  const allowed = listOf(config['allowedFunctionNames'])
  if (allowed.length > 0 && mode !== 'ANY' && mode !== 'VALIDATED') {
    yield invalid(
      'Function calling config is set without function_declarations or allowed_function_names is set while the mode is not ANY.',
    )
  }
  if (allowed.some((name) => !names.includes(name))) {
    yield invalid('allowed_function_names should be a subset of the provided function names.')
  }
  if (mode === 'ANY' && names.length === 0) {
    yield invalid('Function calling config is set without function_declarations.')
  }
}

function* schemaRules(value: Json | undefined, path: string): Rules {
  if (!isObject(value)) return
  const unknown = Object.keys(value).find((key) => !schemaFields.has(key))
  if (unknown !== undefined) yield unknownName(unknown, path)
  if (Array.isArray(value['type'])) yield invalid(`Proto field is not repeating, cannot start list. at '${path}.type'`)
  for (const [index, property] of Object.entries(objectOf(value['properties'])).entries()) {
    yield* schemaRules(property[1], `${path}.properties[${index}].value`)
  }
  yield* schemaRules(value['items'], `${path}.items`)
  for (const [index, option] of listOf(value['anyOf']).entries()) yield* schemaRules(option, `${path}.any_of[${index}]`)
}

function* configRules(json: JsonObject, facts: GeminiFacts, model: string): Rules {
  const config = objectOf(json['generationConfig'])
  yield* known(config, configFields, 'generation_config')
  yield* schemaRules(config['responseSchema'], 'generation_config.response_schema')
  const stops = listOf(config['stopSequences'])
  if (stops.length > 5) {
    yield invalid(
      `* GenerateContentRequest.generation_config.stop_sequences: too many stop sequences: ${stops.length} > 5\n`,
    )
  }
  const tokensMax = numberOf(config['maxOutputTokens'])
  if (tokensMax !== undefined && tokensMax < 1) {
    yield invalid('* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must be positive.\n')
  } else if (tokensMax !== undefined && tokensMax > facts.outputMax) {
    yield invalid(
      `Unable to submit request because it has a maxOutputTokens value of ${tokensMax} but the supported range is from 1 (inclusive) to ${facts.outputMax + 1} (exclusive). Update the value and try again.`,
    )
  }
  const temperature = numberOf(config['temperature'])
  if (temperature !== undefined && (temperature < 0 || temperature > 2)) {
    yield invalid(
      '* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].\n',
    )
  }
  if ((config['presencePenalty'] ?? config['frequencyPenalty']) !== undefined && !facts.penalties) {
    yield invalid(`Penalty is not enabled for models/${model}`)
  }
  if ((numberOf(config['candidateCount']) ?? 1) > 1) yield invalid('Multiple candidates is not enabled for this model')
  const schema = config['responseSchema'] ?? config['responseJsonSchema'] ?? config['_responseJsonSchema']
  if (schema !== undefined && config['responseMimeType'] !== 'application/json') {
    yield invalid(
      '* GenerateContentRequest.generation_config.response_schema: only allowed when response_mime_type is set to application/json\n',
    )
  }
  yield* thinkingRules(objectOf(config['thinkingConfig']), facts)
}

function* thinkingRules(thinking: JsonObject, facts: GeminiFacts): Rules {
  yield* known(thinking, words('includeThoughts thinkingBudget thinkingLevel'), 'generation_config.thinking_config')
  const budget = numberOf(thinking['thinkingBudget'])
  const level = textOf(thinking['thinkingLevel'])
  if (Object.keys(thinking).length > 0 && !facts.thinks) yield invalid('Thinking is not enabled for this model.')
  if (budget !== undefined && level !== undefined) {
    yield invalid('You can only set only one of thinking budget and thinking level.')
  }
  if (budget === 0 && !facts.thinkingOff) {
    yield invalid('Budget 0 is invalid. This model only works in thinking mode.')
  }
  if (level === undefined) return
  if (facts.levels.length === 0) yield invalid('Thinking level is not supported for this model.')
  if (!facts.levels.includes(level.toUpperCase())) {
    yield invalid(`Thinking level ${level} is not supported for this model. Please retry with other thinking level.`)
  }
}
