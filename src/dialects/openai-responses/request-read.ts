import type { Head } from '../../core/dialect.ts'
import { compact, isObject, table, type JsonObject } from '../../core/json.ts'
import type { Effort, Extra, Format, Prompt, Tool, ToolChoice } from '../../core/prompt.ts'
import {
  booleanField,
  below,
  invalid,
  listField,
  missing,
  noteUnknown,
  numberField,
  objectField,
  textField,
  textNeeded,
  wordField,
  wrongType,
  wrongValue,
} from './fields.ts'
import { readInput } from './input-read.ts'

/** Fields that do not change the answer, and why. */
export const dropped: Readonly<Record<string, string>> = table({
  metadata: 'labels for the caller’s own records',
  store: 'Keyrung keeps no answers',
  service_tier: 'how fast and at what price',
  stream_options: 'padding against eavesdroppers between vendor and caller',
  client_metadata: 'telemetry',
  prompt_cache_options: 'cache hint',
  prompt_cache_retention: 'cache hint',
  max_tool_calls: 'counts calls of hosted tools only, which are refused',
})

/** Fields that need what lies at OpenAI, or that no other vendor has. */
const own: Readonly<Record<string, string>> = table({
  previous_response_id: 'a response stored at OpenAI',
  conversation: 'a conversation stored at OpenAI',
  prompt: 'a prompt template stored at OpenAI',
  background: 'a background response',
  context_management: 'context management',
  truncation: 'automatic truncation',
  top_logprobs: 'log probabilities',
  moderation: 'moderation',
})

const carried = new Set(
  (
    'model stream input instructions tools tool_choice parallel_tool_calls max_output_tokens temperature top_p ' +
    'reasoning text user safety_identifier prompt_cache_key include'
  ).split(' '),
)

const efforts: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']
const verbosities = ['low', 'medium', 'high'] as const

/** Reads a whole request. */
export function read(json: JsonObject, head: Head): Prompt {
  const prompt: Prompt = {
    model: head.model,
    stream: head.stream,
    system: [],
    turns: [],
    tools: [],
    stops: [],
    sampling: {},
    extras: readExtras(json),
  }
  const instructions = textField(json, 'instructions')
  if (instructions !== undefined) prompt.system.push({ type: 'text', text: instructions, path: 'instructions' })
  readInput(json['input'], prompt)
  readTools(json, prompt)
  readReasoning(json, prompt)
  readText(json, prompt)
  const { sampling } = prompt
  const options = {
    tokensMax: tokensField(json, 'max_output_tokens'),
    toolsParallel: booleanField(json, 'parallel_tool_calls'),
    user: textField(json, 'safety_identifier') ?? textField(json, 'user'),
    cacheKey: textField(json, 'prompt_cache_key'),
  }
  Object.assign(
    sampling,
    compact({ temperature: numberField(json, 'temperature', 0, 2), topP: numberField(json, 'top_p', 0, 1) }),
  )
  return Object.assign(prompt, compact(options))
}

function readExtras(json: JsonObject): Extra[] {
  const extras: Extra[] = []
  for (const [path, value] of Object.entries(json)) {
    if (value === null || value === undefined || carried.has(path) || Object.hasOwn(dropped, path)) continue
    // Values that say no more than the default does.
    if (value === false || value === 0 || (path === 'truncation' && value === 'disabled')) continue
    const what = own[path]
    extras.push(what === undefined ? { path } : { path, what })
  }
  listField(json, 'include')?.forEach((value, index) => {
    // The others tell more of hosted tools, or ask for what is always given: encrypted reasoning.
    if (value === 'message.output_text.logprobs')
      extras.push({ path: `include[${index}]`, what: own['top_logprobs'] as string })
  })
  return extras
}

function tokensField(json: JsonObject, key: string): number | undefined {
  const value = json[key] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(key, 'an integer', value)
  if (value < 1) {
    throw invalid(
      key,
      'integer_below_min_value',
      `Invalid '${key}': integer below minimum value. Expected a value >= 1, but got ${value} instead.`,
    )
  }
  return value
}

function readTools(json: JsonObject, prompt: Prompt): void {
  listField(json, 'tools')?.forEach((tool, index) => {
    const path = `tools[${index}]`
    if (!isObject(tool)) throw wrongType(path, 'an object', tool)
    const type = textNeeded(tool, 'type', path)
    if (type === 'function') prompt.tools.push(readTool(tool, path, prompt.extras))
    else prompt.extras.push({ path, what: type === 'custom' ? 'a custom tool' : `the hosted tool ${type}` })
  })
  const choice = json['tool_choice'] ?? undefined
  if (choice === undefined) return
  if (typeof choice === 'string') prompt.toolChoice = choiceOf(wordField(json, 'tool_choice', choices))
  else if (isObject(choice)) readChoice(choice, prompt)
  else throw wrongType('tool_choice', 'a string or an object', choice)
}

function readTool(tool: JsonObject, path: string, extras: Extra[]): Tool {
  const name = textNeeded(tool, 'name', path)
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
    throw invalid(
      `${path}.name`,
      'invalid_value',
      `Invalid '${path}.name': expected 1 to 128 letters, digits, underscores and hyphens.`,
    )
  }
  const known = ['type', 'name', 'description', 'parameters', 'strict']
  const { defer_loading: deferred, ...rest } = tool
  noteUnknown(deferred === true ? tool : rest, known, path, extras)
  const options = { description: textField(tool, 'description', path), strict: booleanField(tool, 'strict', path) }
  const schema = objectField(tool, 'parameters', path) ?? { type: 'object', properties: {} }
  return { name, schema, path, ...compact(options) }
}

const choices = ['none', 'auto', 'required'] as const

function choiceOf(word: (typeof choices)[number] | undefined): ToolChoice {
  return { type: word === 'required' ? 'any' : (word ?? 'auto') }
}

function readChoice(choice: JsonObject, prompt: Prompt): void {
  const type = textNeeded(choice, 'type', 'tool_choice')
  if (type === 'function') {
    const name = textNeeded(choice, 'name', 'tool_choice')
    if (!prompt.tools.some((tool) => tool.name === name)) {
      throw invalid('tool_choice', undefined, `Tool choice '${name}' not found in 'tools' parameter.`)
    }
    prompt.toolChoice = { type: 'tool', name }
  } else if (type === 'allowed_tools') {
    const mode = wordField(choice, 'mode', ['auto', 'required'] as const, 'tool_choice')
    const allowed = (listField(choice, 'tools', 'tool_choice') ?? []).map((tool) => isObject(tool) && tool['name'])
    prompt.tools = prompt.tools.filter((tool) => allowed.includes(tool.name))
    prompt.toolChoice = choiceOf(mode)
  } else {
    prompt.extras.push({ path: 'tool_choice', what: `the hosted tool ${type}` })
  }
}

function readReasoning(json: JsonObject, prompt: Prompt): void {
  const reasoning = objectField(json, 'reasoning')
  if (reasoning === undefined) return
  const path = 'reasoning'
  const { context, ...rest } = reasoning
  noteUnknown(context === 'auto' ? rest : reasoning, ['effort', 'summary', 'generate_summary'], path, prompt.extras)
  const effort = wordField(reasoning, 'effort', efforts, path)
  if (effort !== undefined) prompt.effort = effort
  const summary = textField(reasoning, 'summary', path) ?? textField(reasoning, 'generate_summary', path)
  if (effort === 'none') prompt.thinking = { type: 'off' }
  else if (summary !== undefined) prompt.thinking = { type: 'auto', show: true }
}

function readText(json: JsonObject, prompt: Prompt): void {
  const text = objectField(json, 'text')
  if (text === undefined) return
  noteUnknown(text, ['format', 'verbosity'], 'text', prompt.extras)
  const verbosity = wordField(text, 'verbosity', verbosities, 'text')
  if (verbosity !== undefined) prompt.verbosity = verbosity
  const format = objectField(text, 'format', 'text')
  if (format === undefined) return
  const read = readFormat(format, 'text.format')
  if (read !== undefined) prompt.format = read
}

function readFormat(format: JsonObject, path: string): Format | undefined {
  const type = textNeeded(format, 'type', path)
  if (type === 'text') return undefined
  if (type === 'json_object') return { type: 'json' }
  if (type !== 'json_schema') throw wrongValue(below(path, 'type'), ['text', 'json_object', 'json_schema'], type)
  const schema = objectField(format, 'schema', path)
  if (schema === undefined) throw missing(below(path, 'schema'))
  const options = { strict: booleanField(format, 'strict', path), description: textField(format, 'description', path) }
  return { type: 'json-schema', name: textNeeded(format, 'name', path), schema, ...compact(options) }
}
