import { createHash } from 'node:crypto'
import { unsupported } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { compact } from '../../core/json.ts'
import type { Prompt, Tool, ToolChoice } from '../../core/prompt.ts'
import { refuses, takes, type Model } from '../../core/vendor.ts'
import { tokensMaxOf } from '../tokens-max.ts'
import { writeEffort } from './effort.ts'
import { writeMessages } from './messages-write.ts'

/** OpenAI's own limit for the texts that end an answer. */
const stopsMax = 4

/** OpenAI refuses longer ids of users and cache keys. */
const idLengthMax = 64

/** The request for this model. Throws Failure `unsupported` for what the model or this format cannot do. */
export function writeRequest(prompt: Prompt, model: Model): JsonObject {
  return compact({
    model: model.id,
    messages: writeMessages(prompt, model),
    ...(prompt.stream && { stream: true, stream_options: { include_usage: true } }),
    max_completion_tokens: tokensMaxOf(prompt, model),
    ...writeSampling(prompt, model),
    stop: writeStops(prompt, model),
    ...writeTools(prompt, model),
    response_format: writeFormat(prompt, model),
    ...writeEffort(prompt, model),
    ...writeHints(prompt, model),
  })
}

function writeSampling({ sampling }: Prompt, model: Model): JsonObject {
  const { temperature, topP, topK, seed, presencePenalty, frequencyPenalty } = sampling
  if (topK !== undefined) throw unsupported('top_k', 'this field', model.id)
  const fields = {
    temperature: unlessRefused(temperature, 1, refuses(model, 'sampling'), 'temperature', model),
    top_p: unlessRefused(topP, 1, refuses(model, 'sampling'), 'top_p', model),
    presence_penalty: unlessRefused(presencePenalty, 0, refuses(model, 'penalties'), 'presence_penalty', model),
    frequency_penalty: unlessRefused(frequencyPenalty, 0, refuses(model, 'penalties'), 'frequency_penalty', model),
    seed,
  }
  return compact(fields)
}

/** A model that refuses the field still does what its default value asks for. */
function unlessRefused(
  value: number | undefined,
  normal: number,
  refused: boolean,
  path: string,
  model: Model,
): number | undefined {
  if (value === undefined || !refused) return value
  if (value === normal) return undefined
  throw unsupported(path, `any value but ${normal}`, model.id)
}

function writeStops({ stops }: Prompt, model: Model): string[] | undefined {
  if (stops.length === 0) return undefined
  if (refuses(model, 'stop')) throw unsupported('stop', 'a stop sequence', model.id)
  if (stops.length > stopsMax) throw unsupported('stop', `more than ${stopsMax} stop sequences`, model.id)
  return stops
}

function writeTools(prompt: Prompt, model: Model): JsonObject {
  const [first] = prompt.tools
  if (first === undefined) return {}
  if (!takes(model, 'tools')) throw unsupported(first.path, 'a tool', model.id)
  return compact({
    tools: prompt.tools.map((tool) => writeTool(tool, model)),
    tool_choice: prompt.toolChoice === undefined ? undefined : writeToolChoice(prompt.toolChoice),
    parallel_tool_calls: prompt.toolsParallel === false ? false : undefined,
  })
}

function writeTool(tool: Tool, model: Model): JsonObject {
  const { name, description, schema, strict, path } = tool
  if (!/^[\w-]{1,64}$/.test(name)) {
    throw unsupported(path, 'a tool name other than of 1 to 64 letters, digits, _ and -', model.id)
  }
  return { type: 'function', function: compact({ name, description, parameters: schema, strict }) }
}

function writeToolChoice(choice: ToolChoice): string | JsonObject {
  switch (choice.type) {
    case 'tool':
      return { type: 'function', function: { name: choice.name } }
    case 'any':
      return 'required'
    default:
      return choice.type
  }
}

function writeFormat({ format }: Prompt, model: Model): JsonObject | undefined {
  if (format === undefined) return undefined
  if (format.type === 'json') return { type: 'json_object' }
  if (!takes(model, 'schema')) throw unsupported('response_format', 'an answer that fits a JSON schema', model.id)
  const { name, schema, strict, description } = format
  return { type: 'json_schema', json_schema: compact({ name, description, schema, strict }) }
}

/** What helps but does not change the answer, for the vendors that know the words. */
function writeHints(prompt: Prompt, model: Model): JsonObject {
  const user = prompt.user === undefined ? undefined : shortId(prompt.user)
  if (model.vendor === 'xai') return compact({ user })
  if (model.vendor !== 'openai') return {}
  return compact({
    safety_identifier: user,
    prompt_cache_key: prompt.cacheKey === undefined ? undefined : shortId(prompt.cacheKey),
    // Models that do not reason are older than the field.
    verbosity: model.thinking === 'none' ? undefined : prompt.verbosity,
  })
}

/** The id itself, or for one that is too long (Claude Code's are) a fingerprint that stays the same. */
function shortId(id: string): string {
  return id.length <= idLengthMax ? id : createHash('sha256').update(id).digest('hex')
}
