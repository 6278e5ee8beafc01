import { unsupported } from '../../core/failure.ts'
import { compact, type JsonObject } from '../../core/json.ts'
import type { Effort, Prompt } from '../../core/prompt.ts'
import { refuses, type Model } from '../../core/vendor.ts'
import { effortOfBudget, nearestEffort } from '../effort.ts'

/** The `reasoning` field for a model: how hard it thinks and whether a summary of it is shown. */
export function writeReasoning(prompt: Prompt, model: Model): JsonObject | undefined {
  const { thinking } = prompt
  const off = thinking?.type === 'off' || prompt.effort === 'none'
  if (model.thinking === 'none') {
    if (thinking?.type === 'on') throw unsupported('thinking', 'thinking', model.id)
    if (prompt.effort !== undefined && !off) throw unsupported('effort', 'a reasoning effort', model.id)
    return undefined
  }
  if (off) return offReasoning(model)
  const show = thinking !== undefined && thinking.show !== false ? true : undefined
  const effort = effortOf(prompt, model)
  if (effort === undefined && show === undefined) return undefined
  return compact({ effort, summary: show && 'auto' })
}

/** Is the model one that gives its reasoning back, encrypted? Others answer `include` with a 400. */
export function reasons(model: Model): boolean {
  return model.thinking !== 'none'
}

function offReasoning(model: Model): JsonObject | undefined {
  const { efforts = [] } = model
  if (efforts.includes('none')) return { effort: 'none' }
  if (refuses(model, 'thinking-off') || model.thinking === 'always') {
    throw unsupported('thinking', 'switching thinking off', model.id)
  }
  // The least there is. A model of which nothing is known may not think at all, and would refuse the field.
  const least = efforts[0]
  return least === undefined ? undefined : { effort: least }
}

function effortOf(prompt: Prompt, model: Model): string | undefined {
  const wanted = prompt.effort ?? budgetEffort(prompt)
  if (wanted === undefined) return undefined
  if (model.efforts === undefined) {
    // Where it is not known which efforts the model has, its vendor shall say.
    if (model.thinking !== 'always') return wanted
    if (prompt.effort !== undefined) throw unsupported('effort', 'a choice of how hard to think', model.id)
    return undefined
  }
  return nearestEffort(wanted, model.efforts)
}

/** The older way of asking, by tokens. Without a number: some models do not think at all unless told. */
function budgetEffort(prompt: Prompt): Effort | undefined {
  if (prompt.thinking?.type !== 'on') return undefined
  const budget = prompt.thinking.budgetTokens
  return budget === undefined ? 'medium' : effortOfBudget(budget)
}
