import { unsupported } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Prompt } from '../../core/prompt.ts'
import { refuses, type Model } from '../../core/vendor.ts'
import { effortOfBudget, nearestEffort } from '../effort.ts'

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
  const budget = thinking?.budgetTokens
  const wanted = effort ?? (budget === undefined ? undefined : effortOfBudget(budget))
  if (model.thinking === 'none') {
    if (wanted === undefined && thinking?.type !== 'on') return undefined
    throw unsupported(path, 'thinking', model.id)
  }
  if (model.thinking === 'always') {
    if (effort === undefined) return undefined
    throw unsupported(path, 'a choice of how hard to think', model.id)
  }
  return wanted === undefined || model.efforts === undefined ? wanted : nearestEffort(wanted, model.efforts)
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

/**
 * GPT-5.4 and later answer functions with reasoning on this endpoint with a 400, even where no effort was given: they
 * have to be asked on /v1/responses.
 */
function refuseToolsWhileThinking(prompt: Prompt, model: Model, effort: string | undefined): void {
  const [tool] = prompt.tools
  if (tool === undefined || effort === 'none' || !refuses(model, 'tools-on-chat')) return
  throw unsupported(tool.path, 'a tool together with reasoning on /v1/chat/completions', model.id)
}
