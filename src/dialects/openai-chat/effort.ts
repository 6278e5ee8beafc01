import { unsupported } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Prompt } from '../../core/prompt.ts'
import { refuses, type Model } from '../../core/vendor.ts'

/** From least to most: how far two efforts are apart is counted on this list. */
const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

/** How hard the model is to think: `reasoning_effort`, and for models with a switch, `thinking`. */
export function writeEffort(prompt: Prompt, model: Model): JsonObject {
  const effort = effortOf(prompt, model)
  refuseToolsWhileThinking(prompt, model, effort)
  if (effort === undefined) return {}
  return effort === 'off' ? { thinking: { type: 'disabled' } } : { reasoning_effort: effort }
}

function effortOf(prompt: Prompt, model: Model): string | undefined {
  const { thinking, effort } = prompt
  const path = thinking?.type === 'off' || effort === undefined ? 'thinking' : 'effort'
  if (thinking?.type === 'off' || effort === 'none') return offOf(model, path)
  const wanted = effort ?? budgetEffort(thinking?.budgetTokens)
  if (model.thinking === 'none') {
    if (wanted === undefined && thinking?.type !== 'on') return undefined
    throw unsupported(path, 'thinking', model.id)
  }
  if (model.thinking === 'always') {
    if (effort === undefined) return undefined
    throw unsupported(path, 'a choice of how hard to think', model.id)
  }
  return wanted === undefined ? undefined : nearest(wanted, model.efforts)
}

/** Not to think, or as little as the model can. */
function offOf(model: Model, path: string): string | undefined {
  if (model.thinking === 'none') return undefined
  if (refuses(model, 'thinking-off') || model.thinking === 'always') {
    throw unsupported(path, 'turning thinking off', model.id)
  }
  if (model.efforts?.includes('none')) return 'none'
  return model.thinking === 'switch' ? 'off' : model.efforts?.[0]
}

/** Anthropic's and Gemini's budgets, in OpenAI's words. */
function budgetEffort(tokens: number | undefined): string | undefined {
  if (tokens === undefined) return undefined
  if (tokens <= 4096) return 'low'
  return tokens <= 16_384 ? 'medium' : 'high'
}

/**
 * The accepted effort that is nearest to the wanted one; of two, the one nearer to `high`, as DeepSeek itself reads
 * `medium` and `xhigh`. A model that is to think is not told to stop.
 */
function nearest(wanted: string, accepted: readonly string[] | undefined): string | undefined {
  if (accepted === undefined) return wanted
  return accepted
    .filter((effort) => effort !== 'none')
    .toSorted((a, b) => away(a, wanted) - away(b, wanted) || away(a, 'high') - away(b, 'high'))[0]
}

function away(from: string, to: string): number {
  return Math.abs(efforts.indexOf(from) - efforts.indexOf(to))
}

/**
 * GPT-5.4 and later answer functions with reasoning on this endpoint with a 400, even where no effort was given: they
 * have to be asked on /v1/responses.
 */
function refuseToolsWhileThinking(prompt: Prompt, model: Model, effort: string | undefined): void {
  const [tool] = prompt.tools
  if (tool === undefined || effort === 'none' || !refuses(model, 'tools-on-chat')) return
  throw unsupported(tool.path, 'a tool together with reasoning on /v1/chat/completions', model.id)
}
