import type { Limits } from '../../core/plan.ts'
import { unfit } from './check.ts'

/** Throws ControlError where a key would have more than its plan gives. */
export function checkTighter(limits: Limits, plan: { readonly name: string; readonly limits: Limits }): void {
  const most = { ...plan.limits, requestsBurst: burstOf(plan.limits) }
  for (const [name, value] of Object.entries(limits)) {
    const max = most[name as keyof Limits]
    if (max === undefined || value <= max) continue
    throw unfit(
      `limits.${name}`,
      `must be at most ${max}, which is what the plan '${plan.name}' gives`,
      'Put the key on a larger plan, or leave the limit out.',
    )
  }
}

/** A sixth of a minute's, where the plan says nothing: what its calls are held to. */
function burstOf({ requestsPerMinute, requestsBurst }: Limits): number | undefined {
  if (requestsBurst !== undefined || requestsPerMinute === undefined) return requestsBurst
  return Math.max(1, Math.ceil(requestsPerMinute / 6))
}
