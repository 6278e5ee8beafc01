import { unsupported } from '../../core/failure.ts'
import { compact, type JsonObject } from '../../core/json.ts'
import type { Effort, Prompt, Turn } from '../../core/prompt.ts'
import { refuses, type Model } from '../../core/vendor.ts'
import { nearestEffort } from '../effort.ts'
import { tokensMaxOf } from '../tokens-max.ts'
import { given, invalid, noteUnknown } from './fields.ts'

/** Reads `thinking` into the prompt. */
export function readThinking(json: JsonObject, prompt: Prompt): void {
  noteUnknown(json, ['type', 'budget_tokens', 'display'], 'thinking', prompt.extras)
  const show = readDisplay(json)
  switch (json.type) {
    case 'enabled':
      prompt.thinking = compact({ type: 'on' as const, budgetTokens: readBudget(json, prompt), show })
      return
    case 'adaptive':
      prompt.thinking = compact({ type: 'auto' as const, show })
      return
    case 'disabled':
      prompt.thinking = { type: 'off' }
      return
    case 'between_tools':
      prompt.extras.push({ path: 'thinking', what: 'thinking between tool calls only' })
      return
    default:
      throw invalid('thinking.type', 'must be "enabled", "adaptive" or "disabled"')
  }
}

/** Undefined where the caller left it to the model, whose default differs from model to model. */
function readDisplay(json: JsonObject): boolean | undefined {
  if (!given(json.display)) return undefined
  if (json.display === 'summarized') return true
  if (json.display === 'omitted') return false
  throw invalid('thinking.display', 'must be "summarized" or "omitted"')
}

function readBudget(json: JsonObject, prompt: Prompt): number {
  const budget = json.budget_tokens
  if (typeof budget !== 'number' || !Number.isInteger(budget) || budget < budgetMin) {
    throw invalid('thinking.budget_tokens', `must be a whole number of at least ${budgetMin}`)
  }
  if (prompt.tokensMax !== undefined && budget >= prompt.tokensMax) {
    throw invalid('max_tokens', '`max_tokens` must be greater than `thinking.budget_tokens`')
  }
  return budget
}

const budgetMin = 1024

/** What a request asks of the model's thinking, and how many tokens it then has. */
export interface ThinkingPlan {
  type: 'unsaid' | 'disabled' | 'enabled' | 'adaptive'
  thinking?: JsonObject
  /** For `output_config`. */
  effort?: string
  tokensMax: number
}

/** How the prompt's wish for thinking is put to this model. Throws `unsupported` where it cannot be. */
export function planThinking(prompt: Prompt, model: Model): ThinkingPlan {
  const plan: ThinkingPlan = {
    type: 'unsaid',
    tokensMax: tokensMaxOf(prompt, model) ?? model.outputMax ?? tokensDefault,
  }
  const wish = wishOf(prompt)
  // The caller's field that is to blame where the model cannot.
  const field = prompt.thinking === undefined || prompt.effort === 'none' ? 'effort' : 'thinking'
  const effort = effortFor(prompt, model)
  if (effort !== undefined) plan.effort = effort
  if (wish === 'off') {
    if (model.thinking === 'none') return plan
    if (model.thinking === 'always' || refuses(model, 'thinking-off')) {
      throw unsupported(field, 'turning thinking off', model.id)
    }
    return { ...plan, type: 'disabled', thinking: { type: 'disabled' } }
  }
  if (model.thinking === 'switch' && someTurnLacksThinking(prompt.turns)) return turnedOff(plan)
  if (wish === undefined) return plan
  switch (model.thinking) {
    case 'none':
      // Left to the model, a model that cannot think has decided.
      if (wish === 'auto') return plan
      throw unsupported(field, 'thinking', model.id)
    case 'budget':
    case 'switch':
      return enabled(prompt, model, plan)
    case 'always':
    case 'effort':
    case 'level':
      return plan
    case 'adaptive':
      return adaptive(prompt, plan)
    default:
      // A model that the catalogue does not know is asked as the caller asked.
      return wish === 'on' && prompt.thinking?.budgetTokens !== undefined
        ? enabled(prompt, model, plan)
        : adaptive(prompt, plan)
  }
}

const tokensDefault = 4096

/** An effort alone, which is how OpenAI's callers ask, means that thinking is wanted. */
function wishOf(prompt: Prompt): 'off' | 'on' | 'auto' | undefined {
  if (prompt.effort === 'none') return 'off'
  if (prompt.thinking !== undefined) return prompt.thinking.type
  return prompt.effort === undefined ? undefined : 'on'
}

function adaptive(prompt: Prompt, plan: ThinkingPlan): ThinkingPlan {
  return { ...plan, type: 'adaptive', thinking: compact({ type: 'adaptive', display: displayOf(prompt) }) }
}

function displayOf(prompt: Prompt): string | undefined {
  return prompt.thinking?.show === true ? 'summarized' : undefined
}

const budgets: Readonly<Record<Effort, number>> = {
  none: budgetMin,
  minimal: 2048,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
}

function enabled(prompt: Prompt, model: Model, plan: ThinkingPlan): ThinkingPlan {
  if (model.thinking !== 'switch' && lastTurnLacksThinking(prompt.turns, model.vendor)) return turnedOff(plan)
  const said = prompt.thinking?.budgetTokens
  const wanted = Math.max(budgetMin, said ?? budgets[prompt.effort ?? 'medium'])
  const sized = tokensMaxOf(prompt, model) ?? model.outputMax
  const tokensMax = sized ?? wanted + tokensDefault
  if (tokensMax <= budgetMin) {
    throw unsupported(
      'max_tokens',
      `a limit of ${tokensMax} together with thinking (which takes at least ${budgetMin})`,
      model.id,
    )
  }
  // A budget that the caller did not name leaves a quarter of the tokens to the answer.
  const share = said === undefined && sized !== undefined ? Math.floor(tokensMax * 0.75) : tokensMax - 1
  const most = Math.max(budgetMin, share)
  const budget_tokens = Math.min(wanted, most)
  return {
    ...plan,
    type: 'enabled',
    thinking: compact({ type: 'enabled', budget_tokens, display: displayOf(prompt) }),
    tokensMax,
  }
}

/**
 * With `enabled`, Anthropic demands that an assistant turn whose tool results now come starts with its own thinking
 * ("Expected `thinking` or `redacted_thinking`, but found `tool_use`"). A turn that another vendor wrote has none to
 * send back, so this one call goes without thinking instead of failing.
 */
function lastTurnLacksThinking(turns: readonly Turn[], vendor: string): boolean {
  const spoken = turns.filter((turn) => turn.role !== 'system')
  const last = spoken.findLastIndex((turn) => turn.role === 'assistant')
  const answered = spoken.slice(last + 1).some((turn) => turn.parts.some((part) => part.type === 'tool-result'))
  const first = spoken.findLastIndex((turn, index) => index < last && turn.role === 'user') + 1
  const parts = spoken.slice(first, last + 1).flatMap((turn) => turn.parts)
  return answered && !parts.some((part) => part.type === 'thinking' && part.state?.vendor === vendor)
}

/**
 * DeepSeek thinks unless told not to, and then demands the thoughts of every turn with tool calls, though it verifies
 * none (api-docs.deepseek.com, guides/thinking_mode).
 */
function someTurnLacksThinking(turns: readonly Turn[]): boolean {
  return turns.some(({ parts }) => {
    return parts.some((part) => part.type === 'tool-call') && !parts.some((part) => part.type === 'thinking')
  })
}

function turnedOff(plan: ThinkingPlan): ThinkingPlan {
  return { ...plan, type: 'disabled', thinking: { type: 'disabled' } }
}

const claudeEfforts = ['low', 'medium', 'high', 'xhigh', 'max']

function effortFor(prompt: Prompt, model: Model): string | undefined {
  const wished = prompt.effort ?? effortOfBudget(prompt, model)
  if (wished === undefined || wished === 'none') return undefined
  const accepted = model.efforts ?? (model.thinking === 'budget' || model.thinking === 'none' ? [] : claudeEfforts)
  return nearestEffort(wished, accepted)
}

/** A budget, for a model that takes none; a large one is what such models do by default. */
function effortOfBudget(prompt: Prompt, model: Model): Effort | undefined {
  const budget = prompt.thinking?.budgetTokens
  if (model.thinking !== 'adaptive' || budget === undefined) return undefined
  if (budget <= budgets.low) return 'low'
  return budget <= budgets.medium ? 'medium' : undefined
}
