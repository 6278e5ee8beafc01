import { inputAll, type Usage } from '../../core/event.ts'
import { numberOf, objectOf, type JsonObject } from '../../core/json.ts'

/**
 * OpenAI's usage as the core counts. DeepSeek names its cached tokens `prompt_cache_hit_tokens`; xAI's
 * `completion_tokens` leave the reasoning out, which its total betrays.
 */
export function readUsage(json: JsonObject): Usage {
  const prompt = numberOf(json['prompt_tokens']) ?? 0
  const completion = numberOf(json['completion_tokens']) ?? 0
  const promptDetails = objectOf(json['prompt_tokens_details'])
  const cacheRead = numberOf(promptDetails['cached_tokens']) ?? numberOf(json['prompt_cache_hit_tokens']) ?? 0
  const cacheWrite = numberOf(promptDetails['cache_write_tokens']) ?? 0
  const thinking = numberOf(objectOf(json['completion_tokens_details'])['reasoning_tokens']) ?? 0
  const apart = thinking > 0 && (thinking > completion || json['total_tokens'] === prompt + completion + thinking)
  return {
    input: Math.max(0, prompt - cacheRead - cacheWrite),
    output: apart ? completion + thinking : completion,
    cacheRead,
    cacheWrite5m: cacheWrite,
    cacheWrite1h: 0,
    thinking,
  }
}

/** The core's usage as OpenAI counts: cached tokens inside the prompt's, reasoning inside the completion's. */
export function writeUsage(usage: Usage): JsonObject {
  const prompt = inputAll(usage)
  const cacheWrite = usage.cacheWrite5m + usage.cacheWrite1h
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.output,
    total_tokens: prompt + usage.output,
    prompt_tokens_details: {
      cached_tokens: usage.cacheRead,
      audio_tokens: 0,
      ...(cacheWrite > 0 && { cache_write_tokens: cacheWrite }),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.thinking,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}
