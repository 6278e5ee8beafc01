import type { Head } from '../../core/dialect.ts'
import { isObject, table, type Json, type JsonObject } from '../../core/json.ts'
import type { Effort, Extra, Format, Prompt, TextPart, Tool, ToolChoice } from '../../core/prompt.ts'
import {
  cacheMarkOf,
  given,
  invalid,
  listIn,
  numberIn,
  objectIn,
  optionalTextIn,
  noteUnknown,
  textIn,
} from './fields.ts'
import { checkPairing } from './pairing.ts'
import { readTexts, readTurns } from './read-turns.ts'
import { fitsStrict } from './schema.ts'
import { readThinking } from './thinking.ts'

/** Fields that do not change the answer, and so may be left out where another vendor answers. */
export const dropped: Readonly<Record<string, string>> = table({
  cache_control: 'a hint for prompt caching',
  context_management: 'clears old tool results and thoughts to save tokens',
  diagnostics: 'asks why a prompt cache was missed',
  service_tier: 'chooses between capacities of one vendor',
  billing_policy: 'concerns billing alone',
  'messages.*.content.*.citations': 'says where an earlier answer took its text from; the text itself stays',
  'x-anthropic-billing-header':
    'Claude Code’s first system text, new with each request: it would spoil every prompt cache',
  'tools.*.eager_input_streaming': 'changes when arguments come, not what they are',
})

const carried = [
  'model',
  'messages',
  'max_tokens',
  'system',
  'stop_sequences',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'metadata',
  'thinking',
  'tools',
  'tool_choice',
  'output_config',
  'output_format',
]

/** What an extra is called in the message that refuses it. */
const extraNames: Readonly<Record<string, string>> = table({
  container: 'a container',
  mcp_servers: 'an MCP server',
  inference_geo: 'choosing where inference runs',
  speed: 'fast mode',
})

/**
 * Reads a request. A missing `max_tokens` is let pass: a request to count tokens has none, and other vendors need
 * none.
 */
export function readRequest(json: JsonObject, head: Head): Prompt {
  const extras: Extra[] = []
  const prompt: Prompt = {
    model: head.model,
    stream: head.stream,
    system: given(json.system) ? withoutBill(readTexts(json.system, 'system', extras)) : [],
    turns: readTurns(json.messages, extras),
    tools: given(json.tools) ? listIn(json.tools, 'tools').flatMap((tool, at) => readTool(tool, at, extras) ?? []) : [],
    stops: given(json.stop_sequences) ? listIn(json.stop_sequences, 'stop_sequences').map(readStop) : [],
    sampling: {},
    extras,
  }
  checkPairing(prompt.turns)
  const tokensMax = numberIn(json, 'max_tokens', { least: 0, whole: true })
  if (tokensMax === 0) extras.push({ path: 'max_tokens', what: 'warming a cache without an answer (max_tokens 0)' })
  else if (tokensMax !== undefined) prompt.tokensMax = tokensMax
  readSampling(json, prompt)
  if (given(json.tool_choice)) readToolChoice(objectIn(json.tool_choice, 'tool_choice'), prompt)
  if (given(json.thinking)) readThinking(objectIn(json.thinking, 'thinking'), prompt)
  if (given(json.output_config)) readOutputConfig(objectIn(json.output_config, 'output_config'), prompt)
  if (given(json.output_format)) prompt.format = readFormat(json.output_format, 'output_format')
  if (given(json.metadata)) {
    const metadata = objectIn(json.metadata, 'metadata')
    noteUnknown(metadata, ['user_id'], 'metadata', extras)
    const user = optionalTextIn(metadata, 'user_id', 'metadata')
    if (user !== undefined) prompt.user = user
  }
  readExtras(json, extras)
  return prompt
}

/** Claude Code begins its system texts with a line that is meant for Anthropic's accounting, not for a model. */
function withoutBill(parts: readonly TextPart[]): TextPart[] {
  return parts.flatMap((part) => {
    const text = part.text.replace(/^x-anthropic-billing-header:[^\n]*\n*/, '')
    return text === part.text ? part : text === '' ? [] : { ...part, text }
  })
}

function readExtras(json: JsonObject, extras: Extra[]): void {
  for (const [name, value] of Object.entries(json)) {
    if (!given(value) || carried.includes(name) || Object.hasOwn(dropped, name)) continue
    if (name === 'speed' && value === 'standard') continue
    if (name === 'mcp_servers' && Array.isArray(value) && value.length === 0) continue
    const what = extraNames[name]
    extras.push(what === undefined ? { path: name } : { path: name, what })
  }
}

function readSampling(json: JsonObject, prompt: Prompt): void {
  const temperature = numberIn(json, 'temperature', { least: 0, most: 1 })
  const topP = numberIn(json, 'top_p', { least: 0, most: 1 })
  const topK = numberIn(json, 'top_k', { least: 0, whole: true })
  if (temperature !== undefined) prompt.sampling.temperature = temperature
  if (topP !== undefined) prompt.sampling.topP = topP
  if (topK !== undefined) prompt.sampling.topK = topK
}

function readStop(item: Json, index: number): string {
  if (typeof item === 'string' && item.trim() !== '') return item
  throw invalid(`stop_sequences.${index}`, 'must be a text with more than white space in it')
}

const toolFields = [
  'type',
  'name',
  'description',
  'input_schema',
  'cache_control',
  'strict',
  'eager_input_streaming',
  'defer_loading',
  'allowed_callers',
]

function readTool(item: Json, index: number, extras: Extra[]): Tool | undefined {
  const path = `tools.${index}`
  const json = objectIn(item, path)
  if (given(json.type) && json.type !== 'custom') {
    extras.push({ path, what: typedToolName(textIn(json, 'type', path)) })
    return undefined
  }
  noteUnknown(json, toolFields, path, extras)
  if (json.defer_loading === true) extras.push({ path: `${path}.defer_loading`, what: 'loading a tool by search' })
  const callers = json.allowed_callers
  if (Array.isArray(callers) && callers.some((caller) => caller !== 'direct')) {
    extras.push({ path: `${path}.allowed_callers`, what: 'a tool called by a server tool' })
  }
  const schema = objectIn(json.input_schema, `${path}.input_schema`)
  if (schema.type !== 'object') throw invalid(`${path}.input_schema.type`, 'must be "object"')
  const tool: Tool = { name: textIn(json, 'name', path), schema, path }
  const description = optionalTextIn(json, 'description', path)
  const mark = cacheMarkOf(json)
  if (description !== undefined) tool.description = description
  if (typeof json.strict === 'boolean') tool.strict = json.strict
  if (mark !== undefined) tool.cacheMark = mark
  return tool
}

/** `web_search_20260318` runs at the vendor; `bash_20250124` runs at the caller but only Claude knows its schema. */
function typedToolName(type: string): string {
  const served = /^(web_search|web_fetch|code_execution|tool_search_tool_\w+?|mcp_toolset|advisor)(_\d+)?$/.exec(type)
  return served === null ? `the tool type ${type}` : `the server tool ${served[1]}`
}

function readToolChoice(json: JsonObject, prompt: Prompt): void {
  noteUnknown(json, ['type', 'name', 'disable_parallel_tool_use'], 'tool_choice', prompt.extras)
  prompt.toolChoice = toolChoiceOf(json)
  const forced = prompt.toolChoice.type === 'any' || prompt.toolChoice.type === 'tool'
  if (forced && prompt.tools.length === 0 && prompt.extras.length === 0) {
    throw invalid('tool_choice', 'may only be specified while providing tools')
  }
  if (json.disable_parallel_tool_use === true) prompt.toolsParallel = false
}

function toolChoiceOf(json: JsonObject): ToolChoice {
  switch (json.type) {
    case 'auto':
    case 'any':
    case 'none':
      return { type: json.type }
    case 'tool':
      return { type: 'tool', name: textIn(json, 'name', 'tool_choice') }
    default:
      throw invalid('tool_choice.type', 'must be "auto", "any", "tool" or "none"')
  }
}

const efforts: readonly Effort[] = ['low', 'medium', 'high', 'xhigh', 'max']

function readOutputConfig(json: JsonObject, prompt: Prompt): void {
  noteUnknown(json, ['effort', 'format'], 'output_config', prompt.extras)
  if (given(json.effort)) {
    const effort = efforts.find((known) => known === json.effort)
    if (effort === undefined) throw invalid('output_config.effort', `must be one of ${efforts.join(', ')}`)
    prompt.effort = effort
  }
  if (given(json.format)) prompt.format = readFormat(json.format, 'output_config.format')
}

function readFormat(value: Json, path: string): Format {
  const json = objectIn(value, path)
  if (json.type !== 'json_schema') throw invalid(`${path}.type`, 'must be "json_schema"')
  if (!isObject(json.schema)) throw invalid(`${path}.schema`, 'an object is required')
  // Anthropic's format has no name, OpenAI's must have one.
  return { type: 'json-schema', name: 'answer', schema: json.schema, ...(fitsStrict(json.schema) && { strict: true }) }
}
