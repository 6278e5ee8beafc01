/** What the names of Claude's models tell: the newer ones refuse what the older ones take. */
export interface ClaudeFacts {
  /** `temperature`, `top_p`, `top_k`. */
  readonly sampling: boolean
  /** `thinking.type: "enabled"` with a budget. */
  readonly budget: boolean
  /** `thinking.type: "adaptive"`. */
  readonly adaptive: boolean
  /** `thinking.type: "disabled"`; where it is refused the model always thinks. */
  readonly thinkingOff: boolean
  /** `tool_choice` of any or one tool. */
  readonly forcedTool: boolean
  /** A last message of the assistant, to be continued. */
  readonly prefill: boolean
  /** `role: "system"` between the turns. */
  readonly systemTurns: boolean
  /** `output_config.effort`. */
  readonly efforts: readonly string[]
  readonly outputMax: number
  readonly window: number
}

const efforts = ['low', 'medium', 'high', 'xhigh', 'max']

/** Reads `claude-sonnet-4-5-20250929`, `claude-3-5-haiku-latest`, `claude-opus-5`. */
export function claudeFacts(model: string): ClaudeFacts {
  const family = /(opus|sonnet|haiku|fable|mythos)/.exec(model)?.[1] ?? 'opus'
  const numbers = /-(\d{1,2})(?:-(\d{1,2}))?(?=-|$)/.exec(model)
  const version = Number(numbers?.[1] ?? 5) + Number(numbers?.[2] ?? 0) / 10
  const since46 = version >= 4.6
  const since47 = version >= 4.7
  return {
    sampling: !since47,
    budget: !since47,
    adaptive: since46,
    thinkingOff: !(/fable|mythos/.test(family) || (version >= 5.5 && family !== 'haiku')),
    forcedTool: !(version >= 5.1 && family !== 'haiku'),
    prefill: !since46,
    systemTurns: version >= 4.8,
    efforts: effortsOf(version, family),
    outputMax: outputMaxOf(version),
    window: since46 ? 1_000_000 : 200_000,
  }
}

function effortsOf(version: number, family: string): readonly string[] {
  if (version >= 4.7) return efforts
  if (version >= 4.6) return ['low', 'medium', 'high', 'max']
  return version >= 4.5 && family === 'opus' ? ['low', 'medium', 'high'] : []
}

function outputMaxOf(version: number): number {
  if (version >= 4.6) return 128_000
  return version >= 3.7 ? 64_000 : 8192
}
