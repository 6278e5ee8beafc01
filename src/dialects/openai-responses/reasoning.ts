import { unsupported } from '../../core/failure.ts'
import { compact, type JsonObject } from '../../core/json.ts'
import type { Effort, Prompt } from '../../core/prompt.ts'
import { refuses, type Model } from '../../core/vendor.ts'

const order: readonly string[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] satisfies Effort[]

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
    // Of an unknown model its vendor shall say whether it has the choice.
    if (model.thinking === undefined) return wanted
    if (prompt.effort !== undefined) throw unsupported('effort', 'a choice of how hard to think', model.id)
    return undefined
  }
  return nearest(wanted, model.efforts)
}

/** The older way of asking, by tokens. Without a number: some models do not think at all unless told. */
function budgetEffort(prompt: Prompt): Effort | undefined {
  if (prompt.thinking?.type !== 'on') return undefined
  const budget = prompt.thinking.budgetTokens
  if (budget === undefined) return 'medium'
  if (budget <= 4096) return 'low'
  return budget <= 16384 ? 'medium' : 'high'
}

/** The nearest effort that the model has, the higher of two equally near; never none for a model asked to think. */
function nearest(wanted: string, efforts: readonly string[]): string | undefined {
  const rank = order.indexOf(wanted)
  const distance = (effort: string): number => Math.abs(order.indexOf(effort) - rank)
  let best: string | undefined
  for (const effort of efforts) {
    if (effort !== 'none' && (best === undefined || distance(effort) <= distance(best))) best = effort
  }
  return best
}
