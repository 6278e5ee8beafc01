import { unsupported } from '../../core/failure.ts'
import { compact, isObject, type JsonObject } from '../../core/json.ts'
import type { Prompt, Tool } from '../../core/prompt.ts'
import { type Model, refuses, type Refusal, takes } from '../../core/vendor.ts'
import { tokensMaxOf } from '../tokens-max.ts'
import { writeContents } from './contents-write.ts'
import { waysOfThinking, writeThinking } from './thinking.ts'

/** The body of a request for this model. */
export function write(prompt: Prompt, model: Model): JsonObject {
  const system = prompt.system.filter((part) => part.text !== '').map((part) => ({ text: part.text }))
  const hasTools = prompt.tools.length > 0
  const generationConfig = writeOptions(prompt, model)
  return compact({
    systemInstruction: system.length === 0 ? undefined : { parts: system },
    contents: writeContents(prompt, model),
    tools: hasTools ? [{ functionDeclarations: prompt.tools.map((tool) => writeTool(tool, model)) }] : undefined,
    toolConfig: hasTools ? writeToolChoice(prompt, model) : undefined,
    generationConfig: Object.keys(generationConfig).length === 0 ? undefined : generationConfig,
  })
}

function writeOptions(prompt: Prompt, model: Model): JsonObject {
  const { sampling, stops } = prompt
  check(model, 'sampling', { temperature: sampling.temperature, top_p: sampling.topP })
  check(model, 'top_k', { top_k: sampling.topK })
  check(model, 'penalties', {
    presence_penalty: sampling.presencePenalty || undefined,
    frequency_penalty: sampling.frequencyPenalty || undefined,
  })
  check(model, 'stop', { stop: stops[0] })
  if (stops.length > stopsMax) throw unsupported('stop', `a list of more than ${stopsMax} stop sequences`, model.id)
  if (sampling.seed !== undefined && Math.abs(sampling.seed) > seedMax) {
    throw unsupported('seed', `a seed above ${seedMax}`, model.id)
  }
  return compact({
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    seed: sampling.seed,
    presencePenalty: sampling.presencePenalty || undefined,
    frequencyPenalty: sampling.frequencyPenalty || undefined,
    stopSequences: stops.length === 0 ? undefined : [...stops],
    maxOutputTokens: tokensMaxOf(prompt, model),
    thinkingConfig: writeThinking(prompt, model),
    ...writeFormat(prompt, model),
  })
}

/** `stopSequences` holds five at most. */
const stopsMax = 5

/** `seed` is an int32. */
const seedMax = 2 ** 31 - 1

function check(model: Model, refusal: Refusal, options: Record<string, number | string | undefined>): void {
  if (!refuses(model, refusal)) return
  for (const [name, value] of Object.entries(options)) if (value !== undefined) throw unsupported(name, name, model.id)
}

function writeFormat(prompt: Prompt, model: Model): JsonObject {
  const { format } = prompt
  if (format === undefined) return {}
  // "Function calling with a response mime type: 'application/json' is unsupported": before Gemini 3.
  if (prompt.tools.length > 0 && waysOfThinking(model) !== 'level') {
    throw unsupported('response_format', 'JSON output together with tools', model.id)
  }
  if (format.type === 'json') return { responseMimeType: 'application/json' }
  if (!takes(model, 'schema')) throw unsupported('response_format', 'a JSON schema', model.id)
  return { responseMimeType: 'application/json', responseJsonSchema: format.schema }
}

function writeTool(tool: Tool, model: Model): JsonObject {
  if (!takes(model, 'tools')) throw unsupported(tool.path, 'a tool', model.id)
  if (!toolName.test(tool.name)) {
    throw unsupported(tool.path, 'a name other than a letter or _ and up to 127 of A-Z a-z 0-9 _ . : -', model.id)
  }
  return compact({
    name: tool.name,
    description: tool.description,
    parametersJsonSchema: takesNothing(tool.schema) ? undefined : tool.schema,
  })
}

/** FunctionDeclaration.name, as @google/genai 3.3.0 describes it. */
const toolName = /^[A-Za-z_][\w.:-]{0,127}$/

/** A function without arguments is declared without a schema: an object without properties has been refused before. */
function takesNothing(schema: JsonObject): boolean {
  const { type, properties, required, additionalProperties, $schema: _schema, ...rest } = schema
  const none = properties === undefined || (isObject(properties) && Object.keys(properties).length === 0)
  const free = additionalProperties !== undefined && additionalProperties !== false
  const needs = Array.isArray(required) && required.length > 0
  return type === 'object' && none && !free && !needs && Object.keys(rest).length === 0
}

function writeToolChoice(prompt: Prompt, model: Model): JsonObject | undefined {
  if (prompt.toolsParallel === false) {
    throw unsupported('parallel_tool_calls', 'a limit of one tool call a turn', model.id)
  }
  const choice = prompt.toolChoice
  if (choice === undefined) return undefined
  if (choice.type !== 'tool') return { functionCallingConfig: { mode: choice.type.toUpperCase() } }
  return { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [choice.name] } }
}
