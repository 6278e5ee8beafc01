import { unsupported } from '../../core/failure.ts'
import { compact, type Json, type JsonObject } from '../../core/json.ts'
import type { Prompt, Tool } from '../../core/prompt.ts'
import { refuses, takes, type Model } from '../../core/vendor.ts'
import { cacheControl } from './fields.ts'
import { answerSchema } from './schema.ts'
import { planThinking, type ThinkingPlan } from './thinking.ts'
import { writeTexts, writeTurns } from './write-turns.ts'

/** Writes a prompt as a request for this model. Throws `unsupported` for what the model or the dialect cannot do. */
export function writeRequest(prompt: Prompt, model: Model): JsonObject {
  const plan = planThinking(prompt, model)
  return compact({
    model: prompt.model,
    max_tokens: plan.tokensMax,
    ...writeShared(prompt, model, plan),
    stop_sequences: writeStops(prompt, model),
    ...writeSampling(prompt, model, plan),
    metadata: writeUser(prompt.user),
    stream: prompt.stream ? true : undefined,
  })
}

/** Writes a prompt as a request to count its tokens, which takes only what is counted. */
export function writeCount(prompt: Prompt, model: Model): JsonObject {
  return compact({ model: prompt.model, ...writeShared(prompt, model, planThinking(prompt, model)) })
}

function writeShared(prompt: Prompt, model: Model, plan: ThinkingPlan): JsonObject {
  const system = writeTexts(prompt.system)
  return {
    system: system.length === 0 ? undefined : system,
    messages: writeTurns(prompt, model),
    tools: prompt.tools.length === 0 ? undefined : prompt.tools.map((tool) => writeTool(tool, model)),
    tool_choice: writeToolChoice(prompt, model, plan),
    thinking: plan.thinking,
    output_config: writeOutputConfig(prompt, model, plan),
  }
}

function writeTool(tool: Tool, model: Model): Json {
  if (!takes(model, 'tools')) throw unsupported(tool.path, 'a tool', model.id)
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(tool.name)) {
    throw unsupported(tool.path, 'a tool name with other than 1 to 128 letters, digits, "_" and "-"', model.id)
  }
  return compact({
    name: tool.name,
    description: tool.description,
    input_schema: { type: 'object', ...tool.schema },
    strict: tool.strict === true && model.vendor === 'anthropic' && takes(model, 'schema') ? true : undefined,
    cache_control: cacheControl(tool.cacheMark),
  })
}

function writeToolChoice(prompt: Prompt, model: Model, plan: ThinkingPlan): JsonObject | undefined {
  // Without tools, the field is refused.
  if (prompt.tools.length === 0) return undefined
  const disable_parallel_tool_use = prompt.toolsParallel === false ? true : undefined
  const choice = prompt.toolChoice ?? (disable_parallel_tool_use === undefined ? undefined : { type: 'auto' as const })
  if (choice === undefined) return undefined
  if (choice.type === 'none') return { type: 'none' }
  if (choice.type !== 'auto' && refuses(model, 'forced-tool')) {
    throw unsupported('tool_choice', 'forcing a tool call', model.id)
  }
  // "Thinking may not be enabled when tool_choice forces tool use."
  if (choice.type !== 'auto' && plan.type === 'enabled') {
    throw unsupported('tool_choice', 'forcing a tool call while thinking is on', model.id)
  }
  const name = choice.type === 'tool' ? choice.name : undefined
  return compact({ type: choice.type, name, disable_parallel_tool_use })
}

function writeOutputConfig(prompt: Prompt, model: Model, plan: ThinkingPlan): JsonObject | undefined {
  const { format } = prompt
  if (format?.type === 'json') {
    throw unsupported('response_format', 'JSON mode without a schema (a JSON schema is)', model.id)
  }
  if (format !== undefined && !takes(model, 'schema')) {
    throw unsupported('response_format', 'a JSON schema for the answer', model.id)
  }
  const schema = format && answerSchema(format.schema)
  if (format !== undefined && schema === undefined) {
    throw unsupported('response_format', 'a schema with an object whose properties it does not name', model.id)
  }
  const config = compact({ effort: plan.effort, format: schema && { type: 'json_schema', schema } })
  return Object.keys(config).length === 0 ? undefined : config
}

function writeStops(prompt: Prompt, model: Model): string[] | undefined {
  if (prompt.stops.length === 0) return undefined
  if (refuses(model, 'stop')) throw unsupported('stop', 'a stop text', model.id)
  if (prompt.stops.some((stop) => stop.trim() === ''))
    throw unsupported('stop', 'a stop text of white space alone', model.id)
  return prompt.stops
}

/**
 * A temperature and top_p of 1 are the defaults, and left out where they would be refused: by the model, with thinking,
 * or beside each other (Claude 4.5 and later take only one of the two). With thinking, Anthropic takes no other
 * temperature, no top_k, and a top_p of 0.95 or more.
 */
function writeSampling(prompt: Prompt, model: Model, plan: ThinkingPlan): JsonObject {
  const { temperature, topP, topK, seed, presencePenalty = 0, frequencyPenalty = 0 } = prompt.sampling
  if (seed !== undefined) throw unsupported('seed', 'a seed', model.id)
  if (presencePenalty !== 0) throw unsupported('presence_penalty', 'a presence penalty', model.id)
  if (frequencyPenalty !== 0) throw unsupported('frequency_penalty', 'a frequency penalty', model.id)
  const refused = refuses(model, 'sampling')
  const thinks = plan.type === 'enabled' || plan.type === 'adaptive'
  const fields: JsonObject = {}
  const beside = topP !== undefined && topP !== 1
  if (temperature !== undefined && !(temperature === 1 && (refused || thinks || beside))) {
    if (refused) throw unsupported('temperature', 'a temperature', model.id)
    if (thinks) throw unsupported('temperature', 'a temperature other than 1 together with thinking', model.id)
    if (temperature < 0 || temperature > 1) {
      throw unsupported('temperature', `a temperature of ${temperature} (the range is 0 to 1)`, model.id)
    }
    fields.temperature = temperature
  }
  if (beside) {
    if (refused) throw unsupported('top_p', 'top_p', model.id)
    if (thinks && topP < 0.95) throw unsupported('top_p', 'a top_p below 0.95 together with thinking', model.id)
    fields.top_p = topP
  }
  if (topK !== undefined) {
    if (refused || refuses(model, 'top_k')) throw unsupported('top_k', 'top_k', model.id)
    if (thinks) throw unsupported('top_k', 'top_k together with thinking', model.id)
    fields.top_k = topK
  }
  return fields
}

/** A longer id is refused; it concerns the vendor's abuse checks alone, so the answer is the same without it. */
function writeUser(user: string | undefined): JsonObject | undefined {
  return user === undefined || user === '' || user.length > 512 ? undefined : { user_id: user }
}
