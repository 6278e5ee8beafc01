import * as z from 'zod'
import { compact } from '../../core/json.ts'
import type { ControlService, Owner } from '../service.ts'
import { metadata, text } from '../service/fields.ts'
import { optional, page, paging, removable, shown, timeShown, whole } from './fields.ts'
import { limits, limitsShown, showLimits } from './limits.ts'
import { jsonRoute, type Route } from './route.ts'

const fields = {
  email: z.email().max(254),
  limits: limits.describe('Of all its keys together; what their plans say of owners where nothing is said.'),
  metadata,
} as const

const ownerInput = z.strictObject({
  name: text(100),
  email: optional(fields.email),
  limits: optional(fields.limits),
  metadata: optional(fields.metadata),
})

const ownerChange = z.strictObject({
  name: text(100).optional(),
  email: removable(fields.email),
  limits: removable(fields.limits),
  metadata: removable(fields.metadata),
})

/** An owner as it is answered. */
export const ownerShown = z.strictObject({
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  limits: limitsShown.nullable(),
  metadata: z.record(z.string(), z.string()),
  keys: whole.describe('How many keys it has.'),
  createdAt: timeShown,
  changedAt: timeShown,
  version: whole,
})

function showOwner(owner: Owner): z.output<typeof ownerShown> {
  return {
    id: owner.id,
    name: owner.name,
    email: owner.email ?? null,
    limits: owner.limits === undefined ? null : showLimits(owner.limits),
    metadata: { ...owner.metadata },
    keys: owner.keys,
    createdAt: shown(owner.createdAt),
    changedAt: shown(owner.changedAt),
    version: owner.version,
  }
}

function one(owner: Owner) {
  return { json: showOwner(owner), version: owner.version }
}

const current = (service: ControlService, { id }: { id: string }): number => service.owners.get(id).version

export const ownerRoutes: readonly Route[] = [
  jsonRoute({
    method: 'GET',
    path: '/owners',
    scope: 'read',
    summary: 'The owners of keys, page by page.',
    query: z.strictObject({ prefix: text(100).optional().describe('How its name or id begins.'), ...paging }),
    answer: page(ownerShown),
    handle: ({ service, query }) => {
      const { data, next } = service.owners.list(compact(query))
      return { json: { data: data.map(showOwner), next: next ?? null }, next }
    },
  }),
  jsonRoute({
    method: 'POST',
    path: '/owners',
    scope: 'keys',
    summary: 'Makes an owner.',
    body: ownerInput,
    answer: ownerShown,
    status: 201,
    once: true,
    handle: ({ service, body, by }) => {
      const owner = service.owners.create(compact(body), by)
      return { ...one(owner), location: `owners/${owner.id}` }
    },
  }),
  jsonRoute({
    method: 'GET',
    path: '/owners/{id}',
    scope: 'read',
    summary: 'One owner.',
    answer: ownerShown,
    handle: ({ service, params }) => one(service.owners.get(params.id)),
  }),
  jsonRoute({
    method: 'PATCH',
    path: '/owners/{id}',
    scope: 'keys',
    summary: 'Changes an owner: what is left out stays, null removes.',
    body: ownerChange,
    answer: ownerShown,
    current,
    handle: ({ service, params, body, version, by }) =>
      one(service.owners.change(params.id, compact(body), version, by)),
  }),
  jsonRoute({
    method: 'DELETE',
    path: '/owners/{id}',
    scope: 'keys',
    summary: 'Removes an owner; refused while it has keys that are not revoked.',
    answer: z.null(),
    status: 204,
    current,
    handle: ({ service, params, version, by }) => {
      service.owners.remove(params.id, version, by)
      return { json: null }
    },
  }),
]
