import type { Spent } from '../control/store/usage.ts'
import type { BudgetUse } from '../control/webhooks.ts'
import type { Caller } from '../core/caller.ts'
import type { Limits, Plan } from '../core/plan.ts'

interface Sources {
  spent: readonly Spent[]
  callers: Iterable<Caller>
  plans: ReadonlyMap<string, Plan>
  ownerName: (id: string) => string
  dateMs: number
}

const budgets = [
  ['tokensPerDay', 'dayTokens', 'day'],
  ['tokensPerMonth', 'monthTokens', 'month'],
  ['nanoDollarsPerDay', 'dayNano', 'day'],
  ['nanoDollarsPerMonth', 'monthNano', 'month'],
] as const

/** How far each key and owner that has a budget has come with it. */
export function budgetsOf({ spent, callers, plans, ownerName, dateMs }: Sources): BudgetUse[] {
  const keys = new Map<string, Caller>()
  const owners = new Map<string, Caller>()
  for (const caller of callers) {
    keys.set(caller.id, caller)
    if (caller.owner !== undefined) owners.set(caller.owner, caller)
  }
  return spent.flatMap((one) => {
    const caller = (one.type === 'key' ? keys : owners).get(one.id)
    const plan = caller === undefined ? undefined : plans.get(caller.plan)
    if (caller === undefined || plan === undefined) return []
    const limits: Limits =
      one.type === 'key' ? { ...plan.limits, ...caller.limits } : (caller.ownerLimits ?? plan.ownerLimits)
    return budgets.flatMap(([limit, field, per]) => {
      const max = limits[limit]
      const name = one.type === 'key' ? caller.name : ownerName(one.id)
      return max === undefined
        ? []
        : [{ scope: one.type, id: one.id, name, limit, max, used: one[field], periodMs: startOf(per, dateMs) }]
    })
  })
}

function startOf(per: 'day' | 'month', dateMs: number): number {
  const date = new Date(dateMs)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), per === 'day' ? date.getUTCDate() : 1)
}
