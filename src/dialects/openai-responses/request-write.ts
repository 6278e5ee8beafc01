import { unsupported } from '../../core/failure.ts'
import { compact, type JsonObject } from '../../core/json.ts'
import type { Format, Prompt, Tool, ToolChoice, Turn } from '../../core/prompt.ts'
import { refuses, takes, type Model } from '../../core/vendor.ts'
import { tokensMaxOf } from '../tokens-max.ts'
import { shortId, systemRole, writeInput } from './input-write.ts'
import { reasons, writeReasoning } from './reasoning.ts'
import { native } from './state.ts'

/** The request for a model, nothing of it stored there. */
export function write(prompt: Prompt, model: Model): JsonObject {
  refuseForeign(prompt, model)
  return compact({
    ...writeContent(prompt, model),
    max_output_tokens: tokensMax(prompt, model),
    temperature: sampled('temperature', prompt.sampling.temperature, model),
    top_p: sampled('top_p', prompt.sampling.topP, model),
    stream: prompt.stream ? true : undefined,
    store: false,
    include: reasons(model) ? ['reasoning.encrypted_content'] : undefined,
    prompt_cache_key: prompt.cacheKey === undefined ? undefined : shortId(prompt.cacheKey),
    ...user(prompt, model),
  })
}

/** What of the request is counted as input: the fields that the call for counting takes too. */
export function writeContent(prompt: Prompt, model: Model): JsonObject {
  const texts = prompt.system.map(({ text }) => text).filter((text) => text !== '')
  const instructions = texts.length === 0 ? undefined : texts.join('\n\n')
  const input = writeInput(prompt, model)
  // Instructions alone are no input here, and chat callers may send nothing else.
  const alone = instructions !== undefined && input.length === 0
  return compact({
    model: prompt.model,
    instructions: alone ? undefined : instructions,
    input: alone ? [{ type: 'message', role: systemRole(model), content: instructions }] : input,
    ...writeTools(prompt, model),
    reasoning: writeReasoning(prompt, model),
    text: writeText(prompt, model),
  })
}

/** Options that other dialects have and this one has no word for. */
function refuseForeign(prompt: Prompt, model: Model): void {
  const { topK, seed, presencePenalty, frequencyPenalty } = prompt.sampling
  if (prompt.stops.length > 0) throw unsupported('stop', 'a stop sequence', model.id)
  if (topK !== undefined) throw unsupported('top_k', 'top-k sampling', model.id)
  if (seed !== undefined) throw unsupported('seed', 'a seed', model.id)
  if (presencePenalty) throw unsupported('presence_penalty', 'a presence penalty', model.id)
  if (frequencyPenalty) throw unsupported('frequency_penalty', 'a frequency penalty', model.id)
  refusePrefill(
    prompt.turns.findLast((turn) => turn.parts.length > 0),
    model,
  )
}

/** This format has no answer that the caller begins: the model would start a new one. */
function refusePrefill(turn: Turn | undefined, model: Model): void {
  if (turn?.role !== 'assistant' || turn.parts.at(-1)?.type !== 'text') return
  throw unsupported(turn.path, 'an answer that the caller begins (prefill)', model.id)
}

/** 1 is the default of both: it asks for nothing. */
function sampled(path: string, value: number | undefined, model: Model): number | undefined {
  if (value === undefined || !refuses(model, 'sampling')) return value
  if (value !== 1) throw unsupported(path, `a ${path} other than 1`, model.id)
  return undefined
}

/** OpenAI takes no limit under 16 here. Claude Code probes with 1, which every other vendor takes. */
function tokensMax(prompt: Prompt, model: Model): number | undefined {
  const most = tokensMaxOf(prompt, model)
  return most === undefined ? undefined : Math.max(tokensMin, most)
}

const tokensMin = 16

function user(prompt: Prompt, model: Model): JsonObject {
  if (prompt.user === undefined) return {}
  return model.vendor === native ? { safety_identifier: shortId(prompt.user) } : { user: prompt.user }
}

function writeTools(prompt: Prompt, model: Model): JsonObject {
  const [first] = prompt.tools
  if (first === undefined) return {}
  if (!takes(model, 'tools')) throw unsupported(first.path, 'a tool', model.id)
  return compact({
    tools: prompt.tools.map((tool) => writeTool(tool, model)),
    tool_choice: prompt.toolChoice === undefined ? undefined : writeChoice(prompt.toolChoice),
    parallel_tool_calls: prompt.toolsParallel,
  })
}

function writeTool(tool: Tool, model: Model): JsonObject {
  const { name, description, schema: parameters } = tool
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
    throw unsupported(tool.path, 'a tool name that is not 1 to 128 letters, digits, underscores and hyphens', model.id)
  }
  // Said even where the caller did not: without it, OpenAI rewrites the schema as a strict one.
  return compact({ type: 'function', name, description, parameters, strict: tool.strict ?? false })
}

function writeChoice(choice: ToolChoice): JsonObject | string {
  switch (choice.type) {
    case 'tool':
      return { type: 'function', name: choice.name }
    case 'any':
      return 'required'
    default:
      return choice.type
  }
}

function writeText(prompt: Prompt, model: Model): JsonObject | undefined {
  const { format } = prompt
  if (format?.type === 'json-schema' && !takes(model, 'schema')) {
    throw unsupported('response_format', 'an answer by a JSON schema', model.id)
  }
  const verbosity = model.vendor === native ? prompt.verbosity : undefined
  if (format === undefined && verbosity === undefined) return undefined
  return compact({ format: format === undefined ? undefined : writeFormat(format), verbosity })
}

function writeFormat(format: Format): JsonObject {
  if (format.type === 'json') return { type: 'json_object' }
  const { name, schema, strict, description } = format
  return compact({ type: 'json_schema', name, schema, strict, description })
}
