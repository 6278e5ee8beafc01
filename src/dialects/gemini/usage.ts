import { inputAll, type Usage } from '../../core/event.ts'
import { isObject, type JsonObject, numberOf } from '../../core/json.ts'

/**
 * Google's counts in the core's terms. Its prompt count includes what was read from a cache but not the results of its
 * own tools, and its candidates' count leaves the thoughts out.
 */
export function readUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined
  const tokens = (name: string): number => Math.max(0, numberOf(value[name]) ?? 0)
  const cacheRead = tokens('cachedContentTokenCount')
  const thinking = tokens('thoughtsTokenCount')
  return {
    input: Math.max(0, tokens('promptTokenCount') - cacheRead) + tokens('toolUsePromptTokenCount'),
    output: tokens('candidatesTokenCount') + thinking,
    cacheRead,
    cacheWrite5m: 0,
    cacheWrite1h: 0,
    thinking,
  }
}

/** The counts as `usageMetadata`. */
export function writeUsage(usage: Usage): JsonObject {
  const prompt = inputAll(usage)
  const json: JsonObject = {
    promptTokenCount: prompt,
    candidatesTokenCount: Math.max(0, usage.output - usage.thinking),
    totalTokenCount: prompt + usage.output,
  }
  if (usage.cacheRead > 0) json['cachedContentTokenCount'] = usage.cacheRead
  if (usage.thinking > 0) json['thoughtsTokenCount'] = usage.thinking
  return json
}
