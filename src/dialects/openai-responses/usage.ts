import { inputAll, type Usage } from '../../core/event.ts'
import { numberOf, objectOf, type Json, type JsonObject } from '../../core/json.ts'

/** Reads a response's `usage`: input includes what was cached, output what was thought. */
export function readUsage(json: Json | undefined): Usage {
  const usage = objectOf(json)
  const details = objectOf(usage['input_tokens_details'])
  const all = numberOf(usage['input_tokens']) ?? 0
  const cacheRead = numberOf(details['cached_tokens']) ?? 0
  const cacheWrite5m = numberOf(details['cache_write_tokens']) ?? 0
  const cached = cacheRead + cacheWrite5m
  return {
    // xAI has been seen to leave the cached tokens out of its total.
    input: cached > all ? all : all - cached,
    output: numberOf(usage['output_tokens']) ?? 0,
    cacheRead,
    cacheWrite5m,
    cacheWrite1h: 0,
    thinking: numberOf(objectOf(usage['output_tokens_details'])['reasoning_tokens']) ?? 0,
  }
}

export function writeUsage(usage: Usage): JsonObject {
  const input = inputAll(usage)
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: usage.cacheRead,
      cache_write_tokens: usage.cacheWrite5m + usage.cacheWrite1h,
    },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.thinking },
    total_tokens: input + usage.output,
  }
}
