import * as z from 'zod'
import { compact } from '../core/json.ts'
import type { Limits, Plan } from '../core/plan.ts'

const count = z.int().min(1).max(Number.MAX_SAFE_INTEGER)
const dollars = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,9})?$/, 'must be dollars as a text: "25" or "0.50"')
  .describe('US dollars, as a text: "25" or "0.50".')

const limits = {
  requestsPerMinute: count.optional().describe('Calls a minute.'),
  requestsBurst: count.optional().describe('How many of them may come at once; a sixth where nothing is said.'),
  inputTokensPerMinute: count.optional().describe('Tokens of prompts a minute, cached ones included.'),
  outputTokensPerMinute: count.optional().describe('Tokens of answers a minute.'),
  callsAtOnce: count.optional().describe('Calls under way at once.'),
  tokensPerDay: count.optional().describe('Tokens of both kinds a day (UTC).'),
  tokensPerMonth: count.optional().describe('The same a month.'),
  dollarsPerDay: dollars.optional().describe('What calls may cost a day, in US dollars as a text.'),
  dollarsPerMonth: dollars.optional().describe('The same a month.'),
} as const

/** One plan of the file. */
export const planConfig = z.strictObject({
  limits: z.strictObject(limits).default({}).describe('Of each key.'),
  ownerLimits: z.strictObject(limits).default({}).describe('Of all keys of one owner together.'),
  models: z
    .array(z.string().min(1).max(200))
    .min(1)
    .optional()
    .describe('Models that may be asked; * stands for any text.'),
  features: z
    .array(z.enum(['streaming', 'tools', 'thinking', 'media']))
    .optional()
    .describe('What calls may use; all of it where nothing is said.'),
  bodyBytesMax: count.optional().describe('The largest request body.'),
  tokensMax: count.optional().describe('The largest max_tokens.'),
  ladder: z.string().min(1).max(50).optional().describe('The ladder of its keys.'),
  upgradeUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where more is to be had: named by what is refused.'),
})

export const planName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,49}$/, 'must be up to 50 small letters, digits, ., _ or -')

type PlanConfig = z.infer<typeof planConfig>

/** The plans of the file as the program has them: dollars become whole billionths. */
export function plansOf(plans: Readonly<Record<string, PlanConfig>>): Plan[] {
  return Object.entries(plans).map(
    ([name, plan]) =>
      compact({ ...plan, name, limits: limitsOf(plan.limits), ownerLimits: limitsOf(plan.ownerLimits) }) as Plan,
  )
}

function limitsOf({ dollarsPerDay, dollarsPerMonth, ...rest }: PlanConfig['limits']): Limits {
  return compact({
    ...rest,
    nanoDollarsPerDay: nanoOf(dollarsPerDay),
    nanoDollarsPerMonth: nanoOf(dollarsPerMonth),
  }) as Limits
}

/** By digits and not by floating point: what is a hundredth of a cent stays one. */
function nanoOf(dollars: string | undefined): number | undefined {
  if (dollars === undefined) return undefined
  const [whole = '0', part = ''] = dollars.split('.')
  return Number(whole) * 1_000_000_000 + Number(part.padEnd(9, '0'))
}
