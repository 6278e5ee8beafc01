import type { ReplyContext } from '../../core/dialect.ts'
import { isObject, listOf, objectOf, type Json, type JsonObject } from '../../core/json.ts'

/**
 * A response that has just begun. It repeats the request's settings, as the API does, with the API's defaults for what
 * the request left out: strict clients demand most of these keys.
 */
export function responseObject(context: ReplyContext, model: string): JsonObject {
  const { request } = context
  const reasoning = objectOf(request['reasoning'])
  const text = objectOf(request['text'])
  return {
    id: `resp_${context.id}`,
    object: 'response',
    created_at: Math.floor(context.createdMs / 1000),
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: request['instructions'] ?? null,
    max_output_tokens: request['max_output_tokens'] ?? null,
    max_tool_calls: request['max_tool_calls'] ?? null,
    model: model === '' ? context.model : model,
    output: [],
    parallel_tool_calls: request['parallel_tool_calls'] ?? true,
    previous_response_id: request['previous_response_id'] ?? null,
    prompt_cache_key: request['prompt_cache_key'] ?? null,
    reasoning: { effort: reasoning['effort'] ?? null, summary: reasoning['summary'] ?? null },
    safety_identifier: request['safety_identifier'] ?? null,
    service_tier: 'default',
    // Whatever was asked: nothing is kept, and no later request can refer to it.
    store: false,
    temperature: request['temperature'] ?? 1,
    text: { format: text['format'] ?? { type: 'text' }, verbosity: text['verbosity'] ?? 'medium' },
    tool_choice: request['tool_choice'] ?? 'auto',
    tools: listOf(request['tools']).map(echoTool),
    top_logprobs: request['top_logprobs'] ?? 0,
    top_p: request['top_p'] ?? 1,
    truncation: request['truncation'] ?? 'disabled',
    usage: null,
    user: request['user'] ?? null,
    metadata: request['metadata'] ?? {},
  }
}

function echoTool(tool: Json): Json {
  if (!isObject(tool) || tool['type'] !== 'function') return tool
  return { ...tool, parameters: tool['parameters'] ?? null, strict: tool['strict'] ?? false }
}
