import { unsupported } from '../../core/failure.ts'
import { compact, type Json, type JsonObject } from '../../core/json.ts'
import type { Effort, Extra, Prompt, Thinking } from '../../core/prompt.ts'
import { type Model, refuses } from '../../core/vendor.ts'
import { effortOfBudget, nearestEffort } from '../effort.ts'
import { fields, invalid, number, spare, text } from './fields.ts'

/** `thinkingConfig` for this model: a level from Gemini 3 on, a budget of tokens before. */
export function writeThinking(prompt: Prompt, model: Model): JsonObject | undefined {
  const { thinking, effort } = prompt
  if (thinking === undefined && effort === undefined) return undefined
  const off = thinking?.type === 'off' || (thinking?.type !== 'on' && effort === 'none')
  if (off) return writeOff(model, thinking?.type === 'off' ? 'thinking' : 'effort')
  const how = waysOfThinking(model)
  if (how === 'none') {
    if (thinking?.type === 'auto' && effort === undefined) return undefined
    throw unsupported(thinking === undefined ? 'effort' : 'thinking', 'thinking', model.id)
  }
  const wanted = effort === 'none' ? undefined : effort
  const config = compact({
    ...(how === 'level'
      ? { thinkingLevel: level(thinking, wanted, model) }
      : { thinkingBudget: budget(prompt, model) }),
    includeThoughts: thinking !== undefined && thinking.show !== false ? true : undefined,
  })
  return Object.keys(config).length === 0 ? undefined : config
}

/** Models that the catalogue does not know are judged by their name: all since Gemini 3 take a level. */
export function waysOfThinking(model: Model): 'none' | 'budget' | 'level' {
  if (model.thinking === 'none' || model.thinking === 'budget') return model.thinking
  if (model.thinking !== undefined) return 'level'
  return /gemini-[12]\b/.test(model.id) ? 'budget' : 'level'
}

/** What a `thinkingConfig` asks for. */
export function readThinking(
  value: Json | undefined,
  path: string,
  extras: Extra[],
): { thinking?: Thinking; effort?: Effort } {
  if (value === undefined) return {}
  const { includeThoughts, thinkingBudget, thinkingLevel, ...rest } = fields(value, path)
  spare(rest, path, extras)
  const tokens = number(thinkingBudget, `${path}.thinkingBudget`, { min: -1, whole: true })
  const effort = readLevel(text(thinkingLevel, `${path}.thinkingLevel`), `${path}.thinkingLevel`)
  if (tokens !== undefined && effort !== undefined)
    throw invalid(path, 'takes thinkingBudget or thinkingLevel, not both')
  if (tokens === 0) return { thinking: { type: 'off' } }
  const thinking: Thinking | undefined =
    tokens !== undefined && tokens > 0
      ? { type: 'on', budgetTokens: tokens, show: includeThoughts === true }
      : tokens === -1 || includeThoughts === true
        ? { type: 'auto', show: includeThoughts === true }
        : undefined
  return compact({ thinking, effort })
}

/** Google's own equals of effort in its OpenAI-compatible API, continued upwards. */
const budgets: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 24576,
  xhigh: 32768,
  max: 32768,
}

function writeOff(model: Model, field: string): JsonObject | undefined {
  const how = waysOfThinking(model)
  if (how === 'none') return undefined
  if (refuses(model, 'thinking-off')) throw unsupported(field, 'switching thinking off', model.id)
  if (how === 'budget') return { thinkingBudget: 0 }
  return { thinkingLevel: (levels(model)[0] ?? 'low').toUpperCase() }
}

function level(thinking: Thinking | undefined, effort: Effort | undefined, model: Model): string | undefined {
  const wanted = effort ?? (thinking?.budgetTokens === undefined ? undefined : effortOfBudget(thinking.budgetTokens))
  return wanted === undefined ? undefined : nearestEffort(wanted, levels(model))?.toUpperCase()
}

function levels(model: Model): readonly string[] {
  return model.efforts ?? ['low', 'medium', 'high']
}

function budget(prompt: Prompt, model: Model): number {
  const most = model.id.includes('pro') ? 32768 : 24576
  const { thinking, effort } = prompt
  const wanted = thinking?.budgetTokens ?? (effort === undefined || effort === 'none' ? undefined : budgets[effort])
  return wanted === undefined ? -1 : Math.min(wanted, most)
}

const levelNames = ['minimal', 'low', 'medium', 'high', 'xhigh'] as const

function readLevel(value: string | undefined, path: string): Effort | undefined {
  const name = value?.toLowerCase()
  if (name === undefined || name === 'thinking_level_unspecified') return undefined
  const level = levelNames.find((known) => known === name)
  if (level !== undefined) return level
  throw invalid(path, 'must be one of MINIMAL, LOW, MEDIUM, HIGH, XHIGH')
}
