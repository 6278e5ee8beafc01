import { isObject, listOf, numberOf, objectOf, textOf, table, type Json, type JsonObject } from '../../core/json.ts'
import { shown, unknownKey, words, type Refusal, type Rules } from '../refusal.ts'
import type { Asked } from '../vendor.ts'
import { anthropicMessageRules, invalid } from './anthropic-messages.ts'
import { claudeFacts, type ClaudeFacts } from './anthropic-models.ts'

const fields = words(`model messages max_tokens system stream stop_sequences temperature top_p top_k metadata thinking
  tools tool_choice output_config cache_control container diagnostics inference_geo service_tier speed`)
const countFields = words(`model messages system tools tool_choice thinking output_config cache_control speed`)
const betaFields = words(`mcp_servers context_management compaction fallbacks fallback_credit_token thread
  billing_policy output_format`)
const toolFields = words(`name input_schema description type cache_control strict eager_input_streaming defer_loading
  allowed_callers input_examples`)
const choiceFields: Readonly<Record<string, ReadonlySet<string>>> = table({
  auto: words('type disable_parallel_tool_use'),
  any: words('type disable_parallel_tool_use'),
  tool: words('type name disable_parallel_tool_use'),
  none: words('type'),
})
const thinkingFields: Readonly<Record<string, ReadonlySet<string>>> = table({
  enabled: words('type budget_tokens display'),
  disabled: words('type'),
  adaptive: words('type display'),
  between_tools: words('type display'),
})
const docs = 'Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking'

/** Anthropic's rules for `/v1/messages` and its token counting, in its own words. */
export function* anthropicRules(asked: Asked): Rules {
  const { json, headers } = asked
  const facts = claudeFacts(asked.model)
  if (headers['anthropic-version'] === undefined) yield invalid('anthropic-version: header is required')
  yield* topLevel(asked)
  yield* limits(asked, facts)
  yield* sampling(asked, facts)
  yield* thinkingRules(json, facts, asked.counting)
  yield* effortRules(json, facts)
  yield* toolRules(json, facts)
  yield* anthropicMessageRules(json, facts)
}

function* topLevel({ json, headers, counting }: Asked): Rules {
  const known = counting ? countFields : fields
  const beta = headers['anthropic-beta'] !== undefined
  const extra = Object.keys(json).find((key) => !known.has(key) && !(beta && betaFields.has(key)))
  for (const field of counting ? ['model', 'messages'] : ['model', 'max_tokens', 'messages']) {
    if (json[field] === undefined) yield invalid(`${field}: Field required`)
  }
  if (extra !== undefined) yield invalid(`${extra}: Extra inputs are not permitted`)
  if (json['thread'] !== undefined && json['thread'] !== null) yield unthreaded()
  if (!Array.isArray(json['messages'])) yield invalid('messages: Input should be a valid list')
  if (listOf(json['messages']).length === 0) yield invalid('messages: at least one message is required')
  const { system } = json
  if (system !== undefined && typeof system !== 'string' && !Array.isArray(system)) {
    yield invalid('system: Input should be a valid string')
  }
  for (const [index, block] of listOf(system).entries()) {
    const text = textOf(objectOf(block)['text'])
    if (text === undefined) yield invalid(`system.${index}.text: Field required`)
    if (text === '') yield invalid('system: text content blocks must be non-empty')
    const unknown = unknownKey(objectOf(block), words('type text cache_control citations'))
    if (unknown !== undefined) yield invalid(`system.${index}.${unknown}: Extra inputs are not permitted`)
  }
  const unknownMetadata = unknownKey(objectOf(json['metadata']), words('user_id'))
  if (unknownMetadata !== undefined) yield invalid(`metadata.${unknownMetadata}: Extra inputs are not permitted`)
}

/**
 * No conversation is kept here. With this code Anthropic's own tool runner, which asks for a thread by itself, goes on
 * by sending the whole history each time.
 */
function unthreaded(): Refusal {
  const details = { error_code: 'thread_unsupported_request', unsupported: ['thread'] }
  return { ...invalid('thread: this request cannot be continued as a thread'), details }
}

function* limits({ json, model, counting }: Asked, facts: ClaudeFacts): Rules {
  if (counting) return
  const tokensMax = json['max_tokens']
  if (typeof tokensMax !== 'number' || !Number.isInteger(tokensMax)) {
    yield invalid('max_tokens: Input should be a valid integer')
  } else if (tokensMax < 0) {
    yield invalid('max_tokens: Input should be greater than or equal to 0')
  } else if (tokensMax > facts.outputMax) {
    yield invalid(
      `max_tokens: ${tokensMax} > ${facts.outputMax}, which is the maximum allowed number of output tokens for ${model}`,
    )
  }
  const stops = json['stop_sequences']
  if (stops !== undefined && !Array.isArray(stops)) yield invalid('stop_sequences: Input should be a valid list')
  for (const [index, stop] of listOf(stops).entries()) {
    if (typeof stop !== 'string') yield invalid(`stop_sequences.${index}: Input should be a valid string`)
    else if (stop.trim() === '') yield invalid('stop_sequences: each stop sequence must contain non-whitespace')
  }
}

function* sampling({ json, headers }: Asked, facts: ClaudeFacts): Rules {
  const since2026 = String(headers['anthropic-version']) >= '2026-10-21'
  for (const field of ['temperature', 'top_p', 'top_k']) {
    const value = json[field]
    if (value === undefined) continue
    if (since2026) yield invalid(`${field}: Extra inputs are not permitted`)
    if (!facts.sampling) yield invalid(`\`${field}\` is deprecated for this model.`)
    if (typeof value !== 'number') yield invalid(`${field}: Input should be a valid number`)
    else if (value < 0) yield invalid(`${field}: Input should be greater than or equal to 0`)
    else if (value > 1 && field !== 'top_k') yield invalid(`${field}: Input should be less than or equal to 1`)
  }
  const thinking = objectOf(json['thinking'])['type']
  const temperature = numberOf(json['temperature']) ?? 1
  if ((thinking === 'enabled' || thinking === 'adaptive') && temperature !== 1) {
    yield invalid(`\`temperature\` may only be set to 1 when thinking is enabled. ${docs}`)
  }
}

function* thinkingRules(json: JsonObject, facts: ClaudeFacts, counting: boolean): Rules {
  const { thinking } = json
  if (thinking === undefined) return
  const type = textOf(objectOf(thinking)['type']) ?? ''
  const known = thinkingFields[type]
  if (!isObject(thinking) || known === undefined) {
    yield invalid(
      `thinking: Input tag '${type}' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'`,
    )
    return
  }
  const unknown = unknownKey(thinking, known)
  if (unknown !== undefined) yield invalid(`thinking.${type}.${unknown}: Extra inputs are not permitted`)
  if (type === 'disabled' && !facts.thinkingOff)
    yield invalid('"thinking.type.disabled" is not supported for this model.')
  if (type === 'adaptive' && !facts.adaptive) yield invalid('adaptive thinking is not supported on this model')
  if (type === 'enabled') {
    if (!facts.budget) {
      yield invalid(
        '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
      )
    }
    const budget = numberOf(thinking['budget_tokens'])
    if (budget === undefined) yield invalid('thinking.enabled.budget_tokens: Field required')
    else if (budget < 1024) {
      yield invalid('thinking.enabled.budget_tokens: Input should be greater than or equal to 1024')
    } else if (!counting && budget >= (numberOf(json['max_tokens']) ?? 0)) {
      yield invalid(`\`max_tokens\` must be greater than \`thinking.budget_tokens\`. ${docs}`)
    }
    const choice = objectOf(json['tool_choice'])['type']
    if (choice === 'any' || choice === 'tool') {
      yield invalid('Thinking may not be enabled when tool_choice forces tool use.')
    }
  }
}

function* effortRules(json: JsonObject, facts: ClaudeFacts): Rules {
  const config = objectOf(json['output_config'])
  const unknown = unknownKey(config, words('effort format task_budget'))
  if (unknown !== undefined) yield invalid(`output_config.${unknown}: Extra inputs are not permitted`)
  const effort = config['effort']
  if (effort !== undefined && effort !== null) {
    if (facts.efforts.length === 0) yield invalid('This model does not support the effort parameter.')
    if (!facts.efforts.includes(shown(effort))) {
      yield invalid(`output_config.effort: Input should be ${facts.efforts.map((name) => `'${name}'`).join(', ')}`)
    }
  }
  const { format } = config
  if (format === undefined || format === null) return
  if (objectOf(format)['type'] !== 'json_schema')
    yield invalid("output_config.format.type: Input should be 'json_schema'")
  const schema = objectOf(format)['schema']
  if (!isObject(schema)) yield invalid('output_config.format.schema: Field required')
  const extra = unknownKey(objectOf(format), words('type schema'))
  if (extra !== undefined) yield invalid(`output_config.format.${extra}: Extra inputs are not permitted`)
  yield* schemaRules(schema, { properties: false })
}

/** Words of JSON Schema that are refused, with the first type that they go with. */
const bounds: Readonly<Record<string, string>> = table({
  minimum: 'number',
  maximum: 'number',
  multipleOf: 'number',
  minLength: 'string',
  maxLength: 'string',
  maxItems: 'array',
})

/** Every object of a schema must be closed, and bounds are refused. `properties`: the keys are names, no words. */
function* schemaRules(value: Json | undefined, { properties }: { properties: boolean }): Rules {
  if (Array.isArray(value)) for (const one of value) yield* schemaRules(one, { properties: false })
  if (!isObject(value)) return
  if (!properties) {
    const bound = Object.keys(value).find((name) => Object.hasOwn(bounds, name))
    if (bound !== undefined) {
      const type = textOf(value['type']) ?? bounds[bound]
      yield invalid(`output_config.format.schema: For '${type}' type, property '${bound}' is not supported`)
    }
    if (value['type'] === 'object' && value['additionalProperties'] !== false) {
      yield invalid(
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
      )
    }
  }
  for (const [name, one] of Object.entries(value)) {
    if (name === 'enum' || name === 'const' || name === 'default') continue
    yield* schemaRules(one, { properties: !properties && (name === 'properties' || name === '$defs') })
  }
}

function* toolRules(json: JsonObject, facts: ClaudeFacts): Rules {
  const names = new Set<string>()
  for (const [index, entry] of listOf(json['tools']).entries()) {
    const tool = objectOf(entry)
    const name = textOf(tool['name'])
    if (name === undefined) yield invalid(`tools.${index}.custom.name: Field required`)
    else if (names.has(name)) yield invalid('tools: Tool names must be unique.')
    else names.add(name)
    // Anthropic's own typed tools have fields of their own.
    if ((tool['type'] ?? 'custom') !== 'custom') continue
    if (name !== undefined && !/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
      yield invalid(`tools.${index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`)
    }
    const unknown = unknownKey(tool, toolFields)
    if (unknown !== undefined) yield invalid(`tools.${index}.custom.${unknown}: Extra inputs are not permitted`)
    const schema = tool['input_schema']
    if (!isObject(schema)) yield invalid(`tools.${index}.custom.input_schema: Field required`)
    else if (schema['type'] === undefined) yield invalid(`tools.${index}.custom.input_schema.type: Field required`)
    else if (schema['type'] !== 'object') {
      yield invalid(`tools.${index}.custom.input_schema.type: Input should be 'object'`)
    } else if (['oneOf', 'anyOf', 'allOf'].some((word) => schema[word] !== undefined)) {
      yield invalid(
        `tools.${index}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`,
      )
    }
  }
  const choice = json['tool_choice']
  if (choice === undefined) return
  const type = textOf(objectOf(choice)['type']) ?? ''
  const known = choiceFields[type]
  if (known === undefined)
    yield invalid("tool_choice: Input should be a valid dictionary with 'type' auto, any, tool or none")
  const unknown = unknownKey(objectOf(choice), known ?? words(''))
  if (unknown !== undefined) yield invalid(`tool_choice.${type}.${unknown}: Extra inputs are not permitted`)
  if (type !== 'none' && names.size === 0) yield invalid('tool_choice may only be specified while providing tools.')
  if ((type === 'any' || type === 'tool') && !facts.forcedTool) {
    yield invalid(`tool_choice: '${type}' is not supported for this model. Use 'auto' or 'none'.`)
  }
  const wanted = textOf(objectOf(choice)['name'])
  if (type === 'tool' && (wanted === undefined || !names.has(wanted))) {
    yield invalid(`Tool '${wanted ?? ''}' not found in provided tools`)
  }
}
