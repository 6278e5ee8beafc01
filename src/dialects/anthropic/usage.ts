import type { EndReason, Usage } from '../../core/event.ts'
import { isObject, numberOf, type JsonObject } from '../../core/json.ts'

/** The counters of a `usage` object over those already known: absent and null ones leave them as they are. */
export function readUsage(known: Usage, json: JsonObject): Usage {
  const details = isObject(json.output_tokens_details) ? json.output_tokens_details : {}
  return {
    input: numberOf(json.input_tokens) ?? known.input,
    output: numberOf(json.output_tokens) ?? known.output,
    cacheRead: numberOf(json.cache_read_input_tokens) ?? known.cacheRead,
    ...readCacheWrites(known, json),
    thinking: numberOf(details.thinking_tokens) ?? known.thinking,
  }
}

/**
 * Writes of both lifetimes have different prices. `message_delta` gives only their sum: the split that
 * `message_start` gave is kept where it still adds up.
 */
function readCacheWrites(known: Usage, json: JsonObject): Pick<Usage, 'cacheWrite5m' | 'cacheWrite1h'> {
  const { cacheWrite5m, cacheWrite1h } = known
  const sum = numberOf(json.cache_creation_input_tokens)
  if (isObject(json.cache_creation)) {
    const short = numberOf(json.cache_creation.ephemeral_5m_input_tokens) ?? 0
    const long = numberOf(json.cache_creation.ephemeral_1h_input_tokens) ?? 0
    if (sum === undefined || short + long === sum) return { cacheWrite5m: short, cacheWrite1h: long }
  }
  if (sum === undefined) return { cacheWrite5m, cacheWrite1h }
  const long = Math.min(cacheWrite1h, sum)
  return { cacheWrite5m: sum - long, cacheWrite1h: long }
}

/** The counters that `message_delta` gives at the end of a stream, with every key that SDKs know. */
export function writeDeltaUsage(usage: Usage): JsonObject {
  return {
    input_tokens: usage.input,
    cache_creation_input_tokens: usage.cacheWrite5m + usage.cacheWrite1h,
    cache_read_input_tokens: usage.cacheRead,
    output_tokens: usage.output,
    output_tokens_details: usage.thinking > 0 ? { thinking_tokens: usage.thinking } : null,
    server_tool_use: null,
  }
}

/** The counters of a whole message, with every key that SDKs know. */
export function writeUsage(usage: Usage): JsonObject {
  return {
    ...writeDeltaUsage(usage),
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cacheWrite5m,
      ephemeral_1h_input_tokens: usage.cacheWrite1h,
    },
    service_tier: 'standard',
    inference_geo: null,
    speed: null,
  }
}

const stopReasons = {
  end: 'end_turn',
  stop: 'stop_sequence',
  length: 'max_tokens',
  tool: 'tool_use',
  refusal: 'refusal',
  window: 'model_context_window_exceeded',
  pause: 'pause_turn',
} as const satisfies Record<EndReason, string>

const endReasons: ReadonlyMap<unknown, EndReason> = new Map(
  Object.entries(stopReasons).map(([reason, name]) => [name, reason as EndReason]),
)

/** Why an answer ended; an unknown or missing `stop_reason` is an ordinary end. */
export function readStopReason(name: unknown): EndReason {
  return endReasons.get(name) ?? 'end'
}

interface End {
  reason: EndReason
  stop?: string
  explanation?: string
}

/** The fields that say why an answer ended, with every key that SDKs know. */
export function writeEnd(end: End | undefined): JsonObject {
  return {
    stop_reason: end === undefined ? null : stopReasons[end.reason],
    stop_sequence: end?.stop ?? null,
    stop_details:
      end?.reason === 'refusal' ? { type: 'refusal', category: null, explanation: end.explanation ?? null } : null,
  }
}
