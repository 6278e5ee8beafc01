import * as z from 'zod'
import type { Limits } from '../../core/plan.ts'
import { compact } from '../../core/json.ts'
import { whole } from './fields.ts'
import { dollars, nanoOf } from './money.ts'

/** Dollars in a text: exact, where a decimal number in JSON would not always be. */
const dollarsSent = z
  .string()
  .regex(/^\d{1,7}(\.\d{1,9})?$/, 'must be dollars in a text, with up to nine decimals: "12.50"')
  .nullish()
  .describe('The same in dollars, with up to nine decimals: "12.50". One of the two is enough.')

const count = whole.nullish()

/** What may be limited, as it is sent; money in either spelling. */
export const limits = z
  .strictObject({
    requestsPerMinute: count,
    requestsBurst: count,
    inputTokensPerMinute: count,
    outputTokensPerMinute: count,
    callsAtOnce: count,
    tokensPerDay: count,
    tokensPerMonth: count,
    nanoDollarsPerDay: count,
    dollarsPerDay: dollarsSent,
    nanoDollarsPerMonth: count,
    dollarsPerMonth: dollarsSent,
  })
  .transform(({ dollarsPerDay, dollarsPerMonth, ...counts }, context): Limits => {
    const amount = (nano: number | null | undefined, text: string | null | undefined, field: string) => {
      if (text === undefined || text === null) return nano
      const same = nanoOf(text)
      if (same === undefined || (nano ?? same) !== same) {
        const message = same === undefined ? 'is more than can be counted' : 'must be the same amount as in nanoDollars'
        context.issues.push({ code: 'custom', message, path: [field], input: text })
      }
      return same
    }
    const all = {
      ...counts,
      nanoDollarsPerDay: amount(counts.nanoDollarsPerDay, dollarsPerDay, 'dollarsPerDay'),
      nanoDollarsPerMonth: amount(counts.nanoDollarsPerMonth, dollarsPerMonth, 'dollarsPerMonth'),
    }
    return Object.fromEntries(Object.entries(all).filter(([, value]) => typeof value === 'number'))
  })
  .describe('What is left out or null has no limit here.')

const countShown = whole.optional()
const dollarsShown = z
  .string()
  .regex(/^\d+(\.\d{1,9})?$/)
  .optional()

/** Limits as they are answered: those that there are. */
export const limitsShown = z.strictObject({
  requestsPerMinute: countShown,
  requestsBurst: countShown,
  inputTokensPerMinute: countShown,
  outputTokensPerMinute: countShown,
  callsAtOnce: countShown,
  tokensPerDay: countShown,
  tokensPerMonth: countShown,
  nanoDollarsPerDay: countShown,
  dollarsPerDay: dollarsShown,
  nanoDollarsPerMonth: countShown,
  dollarsPerMonth: dollarsShown,
})

/** The limits, with money in both spellings. */
export function showLimits(of: Limits): z.output<typeof limitsShown> {
  const money = (nano: number | undefined): string | undefined => (nano === undefined ? undefined : dollars(nano))
  return compact({
    requestsPerMinute: of.requestsPerMinute,
    requestsBurst: of.requestsBurst,
    inputTokensPerMinute: of.inputTokensPerMinute,
    outputTokensPerMinute: of.outputTokensPerMinute,
    callsAtOnce: of.callsAtOnce,
    tokensPerDay: of.tokensPerDay,
    tokensPerMonth: of.tokensPerMonth,
    nanoDollarsPerDay: of.nanoDollarsPerDay,
    dollarsPerDay: money(of.nanoDollarsPerDay),
    nanoDollarsPerMonth: of.nanoDollarsPerMonth,
    dollarsPerMonth: money(of.nanoDollarsPerMonth),
  })
}
