import type { Head } from '../../core/dialect.ts'
import { isObject, listOf, table, textOf, type JsonObject } from '../../core/json.ts'
import type { Effort, Extra, Format, Prompt, Sampling, Tool, ToolChoice } from '../../core/prompt.ts'
import {
  invalid,
  missing,
  noteUnknown,
  optionalFlag,
  optionalInteger,
  optionalNumber,
  optionalText,
  optionalWord,
  requiredList,
  requiredText,
  wrongType,
  wrongValue,
} from './check.ts'
import { readMessages } from './messages-read.ts'

/** Fields that are read but not carried to another vendor: none of them changes the answer. */
export const dropped: Readonly<Record<string, string>> = table({
  store: 'where OpenAI keeps the reply, not what it says',
  metadata: 'tags of stored replies',
  service_tier: 'a price and speed of OpenAI',
  prompt_cache_retention: 'a cache hint',
  prompt_cache_options: 'a cache hint',
  'stream_options.include_obfuscation': 'padding of chunks against eavesdroppers',
  'messages[].name': 'a label; the role tells who speaks',
  'messages[].annotations': 'sources of an earlier reply, sent back',
  'messages[].parsed': 'the SDK’s own reading of the content, sent back',
  'messages[].tool_calls[].index': 'a stream’s numbering, sent back',
  'messages[].tool_calls[].function.parsed_arguments': 'the SDK’s own reading of the arguments, sent back',
  'messages[].content[].prompt_cache_breakpoint': 'a cache hint',
})

/** Fields that become part of the prompt, or are weighed by `noteExtras`. */
const carried = [
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_completion_tokens',
  'max_tokens',
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'seed',
  'stop',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
  'verbosity',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'thinking',
  'n',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'modalities',
]

const known: ReadonlySet<string> = new Set([...carried, ...Object.keys(dropped)])

const efforts: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

/** OpenAI's own limit: more texts are a mistake there. */
const stopsMax = 4

/** The request in the core's words. Throws in OpenAI's words where its rules are broken. */
export function readRequest(json: JsonObject, head: Head): Prompt {
  const extras: Extra[] = []
  const { system, turns } = readMessages(json['messages'], extras)
  const prompt: Prompt = {
    model: head.model,
    stream: head.stream,
    system,
    turns,
    tools: readTools(json, extras),
    stops: readStops(json),
    sampling: readSampling(json),
    extras,
  }
  const toolChoice = readToolChoice(json, extras)
  const forced = toolChoice?.type === 'any' || toolChoice?.type === 'tool'
  if (forced && prompt.tools.length === 0 && extras.length === 0) {
    throw invalid(
      "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
      'tool_choice',
    )
  }
  if (toolChoice !== undefined) prompt.toolChoice = toolChoice
  const toolsParallel = optionalFlag(json, 'parallel_tool_calls')
  if (toolsParallel !== undefined) prompt.toolsParallel = toolsParallel
  const tokensMax = optionalInteger(json, 'max_completion_tokens', 1) ?? optionalInteger(json, 'max_tokens', 1)
  if (tokensMax !== undefined) prompt.tokensMax = tokensMax
  const effort = optionalWord(json, 'reasoning_effort', 'reasoning_effort', efforts)
  if (effort !== undefined) prompt.effort = effort
  const format = readFormat(json, extras)
  if (format !== undefined) prompt.format = format
  const verbosity = optionalWord(json, 'verbosity', 'verbosity', ['low', 'medium', 'high'])
  if (verbosity !== undefined) prompt.verbosity = verbosity
  const user = optionalText(json, 'safety_identifier', 'safety_identifier') ?? optionalText(json, 'user', 'user')
  if (user !== undefined) prompt.user = user
  const cacheKey = optionalText(json, 'prompt_cache_key', 'prompt_cache_key')
  if (cacheKey !== undefined) prompt.cacheKey = cacheKey
  readStreamOptions(json, prompt)
  readThinking(json, prompt)
  noteExtras(json, extras)
  return prompt
}

function readSampling(json: JsonObject): Sampling {
  const temperature = optionalNumber(json, 'temperature', 0, 2)
  const topP = optionalNumber(json, 'top_p', 0, 1)
  const presencePenalty = optionalNumber(json, 'presence_penalty', -2, 2)
  const frequencyPenalty = optionalNumber(json, 'frequency_penalty', -2, 2)
  const seed = optionalInteger(json, 'seed')
  return {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(presencePenalty !== undefined && { presencePenalty }),
    ...(frequencyPenalty !== undefined && { frequencyPenalty }),
    ...(seed !== undefined && { seed }),
  }
}

function readStops(json: JsonObject): string[] {
  const stop = json['stop'] ?? undefined
  if (stop === undefined) return []
  if (typeof stop === 'string') return [stop]
  const stops = requiredList(stop, 'stop', 'one of a string or array of strings').map((text, index) => {
    if (typeof text !== 'string') throw wrongType(`stop[${index}]`, 'a string', text)
    return text
  })
  if (stops.length <= stopsMax) return stops
  const message = `Invalid 'stop': array too long. Expected an array with maximum length ${stopsMax}, but got an array with length ${stops.length} instead.`
  throw invalid(message, 'stop', 'array_above_max_length')
}

function readStreamOptions(json: JsonObject, prompt: Prompt): void {
  const options = json['stream_options'] ?? undefined
  if (options === undefined) return
  if (!isObject(options)) throw wrongType('stream_options', 'an object', options)
  if (options['include_usage'] === true) prompt.streamUsage = true
  noteUnknown(options, new Set(['include_usage', 'include_obfuscation']), 'stream_options', prompt.extras)
}

/** DeepSeek's switch, which its callers set in this dialect, and Anthropic's budget, which other gateways know there. */
function readThinking(json: JsonObject, prompt: Prompt): void {
  const thinking = json['thinking'] ?? undefined
  if (thinking === undefined) return
  if (!isObject(thinking)) throw wrongType('thinking', 'an object', thinking)
  const type = optionalWord(thinking, 'type', 'thinking.type', ['enabled', 'disabled', 'adaptive'])
  if (type === undefined) throw missing('thinking.type')
  noteUnknown(thinking, new Set(['type', 'budget_tokens']), 'thinking', prompt.extras)
  const budgetTokens = optionalInteger(thinking, 'budget_tokens', 1, 'thinking.budget_tokens')
  if (type === 'disabled') prompt.thinking = { type: 'off' }
  else if (type === 'adaptive') prompt.thinking = { type: 'auto' }
  else prompt.thinking = { type: 'on', ...(budgetTokens !== undefined && { budgetTokens }) }
}

function readFormat(json: JsonObject, extras: Extra[]): Format | undefined {
  const format = json['response_format'] ?? undefined
  if (format === undefined) return undefined
  if (!isObject(format)) throw wrongType('response_format', 'an object', format)
  const types = ['json_object', 'json_schema', 'text'] as const
  const type = optionalWord(format, 'type', 'response_format.type', types)
  if (type === undefined) throw missing('response_format.type')
  noteUnknown(format, new Set(['type', 'json_schema']), 'response_format', extras)
  if (type === 'text') return undefined
  if (type === 'json_object') return { type: 'json' }
  const path = 'response_format.json_schema'
  const wanted = format['json_schema'] ?? undefined
  if (wanted === undefined) throw missing(path)
  if (!isObject(wanted)) throw wrongType(path, 'an object', wanted)
  noteUnknown(wanted, new Set(['name', 'description', 'schema', 'strict']), path, extras)
  const schema = wanted['schema'] ?? {}
  if (!isObject(schema)) throw wrongType(`${path}.schema`, 'an object', schema)
  const description = optionalText(wanted, 'description', `${path}.description`)
  return {
    type: 'json-schema',
    name: requiredText(wanted, 'name', `${path}.name`),
    schema,
    ...(typeof wanted['strict'] === 'boolean' && { strict: wanted['strict'] }),
    ...(description !== undefined && { description }),
  }
}

function readTools(json: JsonObject, extras: Extra[]): Tool[] {
  const list = json['tools'] ?? undefined
  if (list === undefined) return []
  return requiredList(list, 'tools').flatMap((tool, index) => {
    const path = `tools[${index}]`
    if (!isObject(tool)) throw wrongType(path, 'an object', tool)
    const type = requiredText(tool, 'type', `${path}.type`)
    if (type === 'custom') {
      const custom = isObject(tool['custom']) ? optionalText(tool['custom'], 'name', `${path}.custom.name`) : undefined
      extras.push({ path, what: `the custom tool ${custom ?? ''}`.trim() })
      return []
    }
    if (type !== 'function') throw wrongValue(`${path}.type`, type, ['function', 'custom'])
    noteUnknown(tool, new Set(['type', 'function']), path, extras)
    return [readFunction(tool, path, extras)]
  })
}

function checkName(name: string, path: string): void {
  if (/^[a-zA-Z0-9_-]+$/.test(name)) return
  const rule = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
  throw invalid(`Invalid '${path}': ${rule}`, path, 'invalid_value')
}

function checkSchema(schema: JsonObject, name: string, path: string): void {
  const type = textOf(schema['type'])
  // Left out, some vendors take it for an object.
  if (type === undefined || type === 'object') return
  throw invalid(
    `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: "${type.slice(0, 40)}"'.`,
    path,
    'invalid_function_parameters',
  )
}

function readFunction(tool: JsonObject, toolPath: string, extras: Extra[]): Tool {
  const path = `${toolPath}.function`
  const named = tool['function'] ?? undefined
  if (named === undefined) throw missing(path)
  if (!isObject(named)) throw wrongType(path, 'an object', named)
  noteUnknown(named, new Set(['name', 'description', 'parameters', 'strict']), path, extras)
  const schema = named['parameters'] ?? { type: 'object', properties: {} }
  if (!isObject(schema)) throw wrongType(`${path}.parameters`, 'an object', schema)
  checkName(requiredText(named, 'name', `${path}.name`), `${path}.name`)
  checkSchema(schema, textOf(named['name']) ?? '', `${path}.parameters`)
  const description = optionalText(named, 'description', `${path}.description`)
  return {
    name: requiredText(named, 'name', `${path}.name`),
    ...(description !== undefined && { description }),
    schema,
    ...(typeof named['strict'] === 'boolean' && { strict: named['strict'] }),
    path: toolPath,
  }
}

function readToolChoice(json: JsonObject, extras: Extra[]): ToolChoice | undefined {
  const choice = json['tool_choice'] ?? undefined
  if (choice === undefined) return undefined
  if (isObject(choice)) {
    if (choice['type'] === 'function') {
      const named = choice['function']
      if (!isObject(named)) throw missing('tool_choice.function')
      return { type: 'tool', name: requiredText(named, 'name', 'tool_choice.function.name') }
    }
    const type = requiredText(choice, 'type', 'tool_choice.type')
    if (type !== 'custom' && type !== 'allowed_tools') {
      throw wrongValue('tool_choice.type', type, ['function', 'allowed_tools', 'custom'])
    }
    extras.push({ path: 'tool_choice', what: type === 'custom' ? 'the choice of a custom tool' : 'allowed_tools' })
    return undefined
  }
  switch (optionalWord(json, 'tool_choice', 'tool_choice', ['none', 'auto', 'required'])) {
    case 'none':
      return { type: 'none' }
    case 'required':
      return { type: 'any' }
    default:
      return { type: 'auto' }
  }
}

/** Fields that the core has no word for. At their default values they change nothing. */
function noteExtras(json: JsonObject, extras: Extra[]): void {
  const choices = optionalInteger(json, 'n', 1)
  if (choices !== undefined && choices > 1) extras.push({ path: 'n', what: 'more than one choice' })
  if (optionalFlag(json, 'logprobs') === true) extras.push({ path: 'logprobs', what: 'log probabilities' })
  else if ((optionalInteger(json, 'top_logprobs', 0) ?? 0) > 0) {
    extras.push({ path: 'top_logprobs', what: 'log probabilities' })
  }
  const bias = json['logit_bias'] ?? {}
  if (!isObject(bias)) throw wrongType('logit_bias', 'an object', bias)
  if (Object.keys(bias).length > 0) extras.push({ path: 'logit_bias' })
  if (listOf(json['modalities']).some((modality) => modality !== 'text')) {
    extras.push({ path: 'modalities', what: 'an answer in sound' })
  }
  noteUnknown(json, known, '', extras)
}
