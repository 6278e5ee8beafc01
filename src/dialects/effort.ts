import type { Effort } from '../core/prompt.ts'

/** From least to most: how far two efforts are apart is counted on this list. */
const scale: readonly string[] = [
  'none',
  'minimal',
  'low',
  'medium',
  'high',
  'xhigh',
  'max',
] satisfies readonly Effort[]

/**
 * The accepted effort that is nearest to the one wished; of two as near, the one nearer to `high`, as DeepSeek itself
 * reads `medium` and `xhigh`. A model that is to think is not told to stop.
 */
export function nearestEffort(wished: string, accepted: readonly string[]): string | undefined {
  const thinking = accepted.filter((effort) => effort !== 'none')
  return thinking.toSorted((a, b) => away(a, wished) - away(b, wished) || away(a, 'high') - away(b, 'high'))[0]
}

/** A budget of thinking tokens, Anthropic's and Gemini's older way of asking, for a model that takes none. */
export function effortOfBudget(tokens: number): Effort {
  if (tokens <= 4096) return 'low'
  return tokens <= 16_384 ? 'medium' : 'high'
}

function away(one: string, other: string): number {
  return Math.abs(scale.indexOf(one) - scale.indexOf(other))
}
