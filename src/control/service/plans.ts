import * as z from 'zod'
import { compact } from '../../core/json.ts'
import type { Plan } from '../../core/plan.ts'
import { ConfigError } from '../config.ts'
import type { ControlService, PlanView } from '../service.ts'
import type { Store } from '../store/index.ts'
import { conflict, fits, notFound, same, type Changes } from './changes.ts'
import { checked, unfit } from './check.ts'
import { ladder, limits, models } from './fields.ts'
import type { Ladders } from './ladders.ts'

/** For a gateway that one person runs for themselves. */
const unlimited: Plan = { name: 'unlimited', limits: {}, ownerLimits: {} }

/** What Keyrung brings along: `basic` to try things with, `pro` for about ten times that. */
export const shippedPlans: readonly Plan[] = [
  unlimited,
  {
    name: 'basic',
    limits: {
      requestsPerMinute: 60,
      requestsBurst: 20,
      inputTokensPerMinute: 200_000,
      outputTokensPerMinute: 40_000,
      callsAtOnce: 8,
      tokensPerDay: 5_000_000,
    },
    ownerLimits: {},
  },
  {
    name: 'pro',
    limits: {
      requestsPerMinute: 600,
      requestsBurst: 200,
      inputTokensPerMinute: 2_000_000,
      outputTokensPerMinute: 400_000,
      callsAtOnce: 64,
      tokensPerDay: 50_000_000,
    },
    ownerLimits: {},
  },
]

const planName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,49}$/, 'must be up to 50 small letters, digits, ., _ or -')

const planSchema = z.strictObject({
  name: planName,
  limits,
  ownerLimits: limits,
  models: models.optional(),
  bodyBytesMax: z.int().min(1).optional(),
  tokensMax: z.int().min(1).optional(),
  ladder: ladder.optional(),
  upgradeUrl: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .optional(),
})

/** All plans there can be made by the API. */
const plansMax = 1000

interface KnownPlan {
  readonly plan: Plan
  readonly source: PlanView['source']
  /** 0 for one that is not changed here. */
  readonly version: number
}

/** All plans by name: a plan of the file stands before one of the API, and that before a shipped one. */
export class Plans {
  readonly #store: Pick<Store, 'plans' | 'keys'>
  #known: Map<string, KnownPlan>
  #byDefault: string

  /** Throws ConfigError where there is no plan of the default's name, or keys are on one that there is no more. */
  constructor(store: Pick<Store, 'plans' | 'keys'>, filePlans: readonly Plan[], byDefault: string) {
    this.#store = store
    this.#known = this.#inForce(filePlans, byDefault)
    this.#byDefault = byDefault
  }

  /** For keys that name none. */
  get byDefault(): string {
    return this.#byDefault
  }

  /** Takes the plans of a file that was read anew. Throws ConfigError as the constructor does, and changes nothing then. */
  redeclare(filePlans: readonly Plan[], byDefault: string): void {
    this.#known = this.#inForce(filePlans, byDefault)
    this.#byDefault = byDefault
  }

  #inForce(filePlans: readonly Plan[], byDefault: string): Map<string, KnownPlan> {
    const known = new Map<string, KnownPlan>()
    const set = (one: KnownPlan): void => void known.set(one.plan.name, one)
    for (const plan of shippedPlans) set({ plan, source: 'shipped', version: 0 })
    for (const { plan, version: current } of this.#store.plans.all()) set({ plan, source: 'api', version: current })
    for (const plan of filePlans) set({ plan, source: 'file', version: 0 })
    const names = [...known.keys()].join(', ')
    if (!known.has(byDefault)) {
      throw new ConfigError([`defaultPlan: there is no plan '${byDefault}'. Known: ${names}.`])
    }
    const lost = [...this.#store.keys.counts('plan')].filter(([name]) => !known.has(name))
    if (lost.length === 0) return known
    throw new ConfigError(
      lost.map(
        ([name, keys]) =>
          `plans.${name}: ${keys} keys are on this plan, which there is no more. Put it back, move the keys to another plan, then take it out.`,
      ),
    )
  }

  get(name: string): KnownPlan | undefined {
    return this.#known.get(name)
  }

  /** The plan of a key. Throws ControlError 422. */
  needed(name: string): Plan {
    const known = this.#known.get(name)
    if (known !== undefined) return known.plan
    throw unfit('plan', 'there is no plan of this name', `Known: ${[...this.#known.keys()].slice(0, 50).join(', ')}.`)
  }

  all(): KnownPlan[] {
    return [...this.#known.values()].toSorted((one, other) => (one.plan.name < other.plan.name ? -1 : 1))
  }

  set(known: KnownPlan): void {
    this.#known.set(known.plan.name, known)
  }

  remove(name: string): void {
    this.#known.delete(name)
  }
}

interface Needs {
  readonly store: Store
  readonly plans: Plans
  readonly changes: Changes
  readonly ladders: Ladders
  readonly nowMs: () => number
}

/** Plans, for the operator. */
export function planService({ store, plans, changes, ladders, nowMs }: Needs): ControlService['plans'] {
  const view = (name: string): PlanView => {
    const known = plans.get(name)
    if (known === undefined) throw notFound('plan', 'List the plans to see their names.')
    return { ...known.plan, source: known.source, version: known.version, keys: store.keys.count('plan', name) }
  }
  /** Throws ControlError where it cannot be changed here, or not from this version. */
  const changeable = (name: string, wanted: number | undefined): KnownPlan | undefined => {
    const known = plans.get(name)
    if (known !== undefined && known.source !== 'api') {
      const where = known.source === 'file' ? 'stands in the configuration file' : 'comes with Keyrung'
      throw conflict('plan-fixed', `The plan '${name}' ${where}.`, 'Change the file, or make a plan of another name.')
    }
    fits(wanted, known?.version ?? 0)
    return known
  }
  return {
    list() {
      const counts = store.keys.counts('plan')
      return plans.all().map(({ plan, source, version: current }) => {
        return { ...plan, source, version: current, keys: counts.get(plan.name) ?? 0 }
      })
    },
    get: view,
    put(input, wanted, by) {
      const plan = tidy(checked(planSchema, input))
      if (plan.ladder !== undefined) ladders.check('ladder', plan.ladder)
      changes.make(() => {
        const before = changeable(plan.name, wanted)
        if (before === undefined && plans.all().length >= plansMax) {
          throw conflict('plans-full', `There are ${plansMax} plans, and no more can be.`, 'Remove one.')
        }
        if (before !== undefined && same(before.plan, plan)) return
        const known: KnownPlan = { plan, source: 'api', version: (before?.version ?? 0) + 1 }
        store.plans.put(known, nowMs())
        changes.note(by, 'plan.put', `plan:${plan.name}`, before?.plan, plan)
        changes.kept(() => plans.set(known))
        changes.tell({ type: 'plans' })
      })
      return view(plan.name)
    },
    remove(name, wanted, by) {
      changes.make(() => {
        const known = changeable(name, wanted)
        if (known === undefined) throw notFound('plan', 'List the plans to see their names.')
        const keys = store.keys.count('plan', name)
        if (keys > 0) throw conflict('plan-used', `${keys} keys are on this plan.`, 'Move them to another one first.')
        if (name === plans.byDefault) {
          throw conflict('plan-used', 'This is the default plan.', 'Make another one the default first.')
        }
        store.plans.remove(name)
        changes.note(by, 'plan.remove', `plan:${name}`, known.plan, undefined)
        changes.kept(() => plans.remove(name))
        changes.tell({ type: 'plans' })
      })
    },
  }
}

/** In a fixed order of its fields, and without those that are undefined. */
function tidy({ name, limits: each, ownerLimits, ...others }: z.output<typeof planSchema>): Plan {
  return { name, limits: compact(each), ownerLimits: compact(ownerLimits), ...compact(others) }
}
