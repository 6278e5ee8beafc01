import * as z from 'zod'
import { compact } from '../../core/json.ts'
import { ControlError, type ControlService, type PlanView } from '../service.ts'
import { ladder, models } from '../service/fields.ts'
import { optional, page, paging, whole } from './fields.ts'
import { limits, limitsShown, showLimits } from './limits.ts'
import { onePage } from './one-page.ts'
import { jsonRoute, type Route } from './route.ts'

const planInput = z.strictObject({
  limits: optional(limits).describe('Of each key on it.'),
  ownerLimits: optional(limits).describe('Of all keys of one owner together.'),
  models: optional(models).describe('Names or patterns with *; all models where nothing is said.'),
  bodyBytesMax: optional(z.int().min(1)).describe('The largest request.'),
  tokensMax: optional(z.int().min(1)).describe('The most tokens of one answer that may be asked for.'),
  ladder: optional(ladder).describe('The ladder of calls for which nothing else names one.'),
  upgradeUrl: optional(z.url({ protocol: /^https?$/ }).max(500)).describe('Where to get more; stands in the errors.'),
})

/** A plan as it is answered. */
export const planShown = z.strictObject({
  name: z.string(),
  limits: limitsShown,
  ownerLimits: limitsShown,
  models: z.array(z.string()).nullable(),
  bodyBytesMax: whole.nullable(),
  tokensMax: whole.nullable(),
  ladder: z.string().nullable(),
  upgradeUrl: z.string().nullable(),
  source: z.enum(['shipped', 'file', 'api']).describe('Only those of the API can be changed here.'),
  keys: whole.describe('How many keys are on it.'),
  version: whole,
})

function showPlan(plan: PlanView): z.output<typeof planShown> {
  return {
    name: plan.name,
    limits: showLimits(plan.limits),
    ownerLimits: showLimits(plan.ownerLimits),
    models: plan.models === undefined ? null : [...plan.models],
    bodyBytesMax: plan.bodyBytesMax ?? null,
    tokensMax: plan.tokensMax ?? null,
    ladder: plan.ladder ?? null,
    upgradeUrl: plan.upgradeUrl ?? null,
    source: plan.source,
    keys: plan.keys,
    version: plan.version,
  }
}

function one(plan: PlanView) {
  return { json: showPlan(plan), version: plan.version }
}

/** The plan's version; undefined while there is none of this name. */
function current(service: ControlService, params: { name: string }): number | undefined {
  try {
    return service.plans.get(params.name).version
  } catch (thrown) {
    if (thrown instanceof ControlError && thrown.status === 404) return undefined
    throw thrown
  }
}

export const planRoutes: readonly Route[] = [
  jsonRoute({
    method: 'GET',
    path: '/plans',
    scope: 'read',
    summary: 'The plans, by name: those of the API, of the file, and those that Keyrung ships.',
    query: z.strictObject(paging),
    answer: page(planShown),
    handle: ({ service, query }) => {
      const { data, next } = onePage(service.plans.list(), (plan) => plan.name, query)
      return { json: { data: data.map(showPlan), next: next ?? null }, next }
    },
  }),
  jsonRoute({
    method: 'GET',
    path: '/plans/{name}',
    scope: 'read',
    summary: 'One plan.',
    answer: planShown,
    handle: ({ service, params }) => one(service.plans.get(params.name)),
  }),
  jsonRoute({
    method: 'PUT',
    path: '/plans/{name}',
    scope: 'all',
    summary: 'Makes a plan, or writes over the one of this name: what is left out is not limited.',
    body: planInput,
    answer: planShown,
    current,
    handle: ({ service, params, body, version, by }) => {
      const status = current(service, params) === undefined ? 201 : 200
      const { limits: each = {}, ownerLimits = {}, ...others } = body
      const plan = { name: params.name, limits: each, ownerLimits, ...compact(others) }
      return { ...one(service.plans.put(plan, version, by)), status }
    },
  }),
  jsonRoute({
    method: 'DELETE',
    path: '/plans/{name}',
    scope: 'all',
    summary: 'Removes a plan; refused while keys are on it.',
    answer: z.null(),
    status: 204,
    current,
    handle: ({ service, params, version, by }) => {
      service.plans.remove(params.name, version, by)
      return { json: null }
    },
  }),
]
