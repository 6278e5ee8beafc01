import * as z from 'zod'
import { compact } from '../../core/json.ts'
import type { ControlService, Key, KeyChange } from '../service.ts'
import { captureMs, graceMs, ladder, metadata, models, networks, text } from '../service/fields.ts'
import { name, optional, page, paging, removable, shown, time, timeShown, whole } from './fields.ts'
import { limits, limitsShown, showLimits } from './limits.ts'
import { jsonRoute, type Route } from './route.ts'

const state = z.enum(['active', 'disabled', 'revoked'])

const fields = {
  owner: name.describe('The owner, by id.'),
  plan: name.describe('The plan, by name; the default plan where nothing is said.'),
  expiresAt: time,
  models: models.describe('Names or patterns with *; all that the plan has where nothing is said.'),
  networks: networks.describe('Addresses or CIDR networks it may come from; any where nothing is said.'),
  limits: limits.describe('Tighter than the plan’s. Replaced as a whole.'),
  sandbox: z.boolean().describe('Simulated vendors answer all its calls.'),
  ladder: ladder.describe('The ladder of its calls that name none.'),
  captureMs: captureMs.describe('Keep what is said in its calls for so long; never where nothing is said.'),
  metadata: metadata.describe('Whatever you want to find again: up to 20 texts by name.'),
} as const

const title = text(100).describe('What people call it.')

const keyInput = z.strictObject({
  name: title,
  owner: optional(fields.owner),
  plan: optional(fields.plan),
  expiresAt: optional(fields.expiresAt),
  models: optional(fields.models),
  networks: optional(fields.networks),
  limits: optional(fields.limits),
  sandbox: optional(fields.sandbox),
  ladder: optional(fields.ladder),
  captureMs: optional(fields.captureMs),
  metadata: optional(fields.metadata),
})

const keyChange = z.strictObject({
  name: title.optional(),
  owner: removable(fields.owner),
  plan: removable(fields.plan),
  expiresAt: removable(fields.expiresAt),
  models: removable(fields.models),
  networks: removable(fields.networks),
  limits: removable(fields.limits),
  sandbox: removable(fields.sandbox),
  ladder: removable(fields.ladder),
  captureMs: removable(fields.captureMs),
  metadata: removable(fields.metadata),
})

/** A key as it is answered: all of it but its secret. */
export const keyShown = z.strictObject({
  id: z.string(),
  name: z.string(),
  state,
  owner: z.string().nullable(),
  plan: z.string(),
  expiresAt: timeShown.nullable(),
  models: z.array(z.string()).nullable(),
  networks: z.array(z.string()).nullable(),
  limits: limitsShown.nullable(),
  sandbox: z.boolean(),
  ladder: z.string().nullable(),
  captureMs: whole.nullable(),
  metadata: z.record(z.string(), z.string()),
  createdAt: timeShown,
  changedAt: timeShown,
  formerUntil: timeShown.nullable().describe('Until when the secret before the last rotation works.'),
  lastUsedAt: timeShown.nullable(),
  version: whole,
})

/** A key with its secret, which is shown this once. */
export const keyMade = keyShown.extend({
  secret: z.string().nullable().describe('The key itself, shown this once; null where the answer is given again.'),
  note: z.string().optional(),
})

function showKey(key: Key): z.output<typeof keyShown> {
  return {
    id: key.id,
    name: key.name,
    state: key.state,
    owner: key.owner ?? null,
    plan: key.plan,
    expiresAt: shown(key.expiresAt),
    models: key.models === undefined ? null : [...key.models],
    networks: key.networks === undefined ? null : [...key.networks],
    limits: key.limits === undefined ? null : showLimits(key.limits),
    sandbox: key.sandbox,
    ladder: key.ladder ?? null,
    captureMs: key.captureMs ?? null,
    metadata: { ...key.metadata },
    createdAt: shown(key.createdAt),
    changedAt: shown(key.changedAt),
    formerUntil: shown(key.formerUntil),
    lastUsedAt: shown(key.lastUsedAt),
    version: key.version,
  }
}

function one(key: Key) {
  return { json: showKey(key), version: key.version }
}

/** The answer that shows the secret: it travels beside the rest, so that only the last step joins the two. */
function made({ key, secret }: { key: Key; secret: string }) {
  return { json: { ...showKey(key), secret: null }, secret, version: key.version }
}

const current = (service: ControlService, { id }: { id: string }): number => service.keys.get(id).version

export const keyRoutes: readonly Route[] = [
  jsonRoute({
    method: 'GET',
    path: '/keys',
    scope: 'read',
    summary: 'The keys, page by page.',
    query: z.strictObject({
      owner: name.optional(),
      plan: name.optional(),
      state: state.optional(),
      prefix: text(100).optional().describe('How its name or id begins.'),
      ...paging,
    }),
    answer: page(keyShown),
    handle: ({ service, query }) => {
      const { data, next } = service.keys.list(compact(query))
      return { json: { data: data.map(showKey), next: next ?? null }, next }
    },
  }),
  jsonRoute({
    method: 'POST',
    path: '/keys',
    scope: 'keys',
    summary: 'Makes a key. Its secret is in this answer and nowhere else.',
    body: keyInput,
    answer: keyMade,
    status: 201,
    once: true,
    handle: ({ service, body, by }) => {
      const answer = made(service.keys.create(compact(body), by))
      return { ...answer, location: `keys/${answer.json.id}` }
    },
  }),
  jsonRoute({
    method: 'GET',
    path: '/keys/{id}',
    scope: 'read',
    summary: 'One key.',
    answer: keyShown,
    handle: ({ service, params }) => one(service.keys.get(params.id)),
  }),
  jsonRoute({
    method: 'PATCH',
    path: '/keys/{id}',
    scope: 'keys',
    summary: 'Changes a key: what is left out stays, null removes.',
    body: keyChange,
    answer: keyShown,
    current,
    handle: ({ service, params, body, version, by }) =>
      one(service.keys.change(params.id, compact(body) as KeyChange, version, by)),
  }),
  jsonRoute({
    method: 'POST',
    path: '/keys/{id}/disable',
    scope: 'keys',
    summary: 'Refuses its calls until it is enabled again.',
    answer: keyShown,
    current,
    handle: ({ service, params, by }) => one(service.keys.disable(params.id, by)),
  }),
  jsonRoute({
    method: 'POST',
    path: '/keys/{id}/enable',
    scope: 'keys',
    summary: 'Lets a disabled key work again.',
    answer: keyShown,
    current,
    handle: ({ service, params, by }) => one(service.keys.enable(params.id, by)),
  }),
  jsonRoute({
    method: 'POST',
    path: '/keys/{id}/revoke',
    scope: 'keys',
    summary: 'Ends a key for good; its open streams end too.',
    answer: keyShown,
    current,
    handle: ({ service, params, by }) => one(service.keys.revoke(params.id, by)),
  }),
  jsonRoute({
    method: 'POST',
    path: '/keys/{id}/rotate',
    scope: 'keys',
    summary: 'Gives a key a new secret; the one before works on for a while.',
    body: z.strictObject({
      graceMs: optional(graceMs).describe('How long the former secret works; 24 hours where nothing is said.'),
    }),
    answer: keyMade,
    once: true,
    current,
    handle: ({ service, params, body, by }) => made(service.keys.rotate(params.id, body.graceMs, by)),
  }),
]
