import type { Caller } from '../core/caller.ts'
import type { JsonObject } from '../core/json.ts'
import type { LimitName } from '../core/plan.ts'
import type { Snapshot } from '../core/snapshot.ts'
import { accountOf } from '../gateway/admit.ts'
import type { LimitTable } from '../gateway/limits/table.ts'

interface Sources {
  caller: Caller | undefined
  snapshot: Snapshot
  limits: LimitTable
  nowMs: number
  dateMs: number
}

/** What is left of a key's limits and whose they are: its own, or its owner's where those are tighter. */
export function leftOf({ caller, snapshot, limits, nowMs, dateMs }: Sources): JsonObject {
  if (caller === undefined || caller.keySlot < 0) return {}
  const plan = snapshot.plans.get(caller.plan) ?? snapshot.defaultPlan
  const state = limits.state(accountOf(caller, plan), { nowMs, dateMs })
  return Object.fromEntries(
    (Object.keys(state) as LimitName[]).flatMap((name) => {
      const left = state[name]
      if (left === undefined) return []
      const { limit, remaining, resetMs, scope } = left
      return [
        [
          name,
          {
            limit,
            remaining,
            scope,
            resetsAt: resetMs === undefined ? null : new Date(dateMs + resetMs).toISOString(),
          },
        ],
      ]
    }),
  )
}
