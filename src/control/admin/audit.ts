import * as z from 'zod'
import { compact, isObject } from '../../core/json.ts'
import type { AuditEntry } from '../service.ts'
import { text } from '../service/fields.ts'
import { moment, page, paging, shown, timeShown, whole } from './fields.ts'
import { jsonRoute, type Route } from './route.ts'

/** One change as it is answered. */
export const auditShown = z.strictObject({
  id: whole,
  at: timeShown,
  actor: z.strictObject({ type: z.enum(['token', 'caller', 'program']), id: z.string() }),
  action: z.string().describe('key.create, plan.put, …'),
  target: z.string().describe('key:ab12cd34, plan:pro, …'),
  before: z.unknown().describe('What was there, without secrets; null for nothing.'),
  after: z.unknown().describe('What is there, without secrets; null for nothing.'),
})

function showEntry({ id, at, actor, action, target, before, after }: AuditEntry): z.output<typeof auditShown> {
  return {
    id,
    at: shown(at),
    actor: { type: actor.type, id: actor.id },
    action,
    target,
    before: withTimes(before ?? null),
    after: withTimes(after ?? null),
  }
}

/** What was written down, with its times as all others are answered. */
function withTimes(value: unknown): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      typeof field === 'number' && /(?:At|Until)$/.test(name) ? shown(field) : field,
    ]),
  )
}

export const auditRoutes: readonly Route[] = [
  jsonRoute({
    method: 'GET',
    path: '/audit',
    scope: 'all',
    summary: 'Who changed what, the newest first.',
    query: z.strictObject({
      actor: text(100).optional().describe('The id of whoever made the change.'),
      target: text(250).optional().describe('What was changed, as in key:ab12cd34.'),
      from: moment.optional(),
      to: moment.optional(),
      ...paging,
    }),
    answer: page(auditShown),
    handle: ({ service, query }) => {
      const { data, next } = service.audit.list(compact(query))
      return { json: { data: data.map(showEntry), next: next ?? null }, next }
    },
  }),
]
