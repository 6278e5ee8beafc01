import * as z from 'zod'
import type { Token } from '../service.ts'
import { text } from '../service/fields.ts'
import { optional, page, paging, shown, time, timeShown } from './fields.ts'
import { onePage } from './one-page.ts'
import { jsonRoute, type Route } from './route.ts'

const scope = z.enum(['read', 'keys', 'all'])

const tokenInput = z.strictObject({
  name: text(100),
  scopes: z.array(scope).min(1).max(3).describe('keys holds read, and all holds both.'),
  expiresAt: optional(time),
})

/** An admin token as it is answered: all of it but its secret. */
export const tokenShown = z.strictObject({
  id: z.string(),
  name: z.string(),
  scopes: z.array(scope),
  state: z.enum(['active', 'revoked']),
  createdAt: timeShown,
  expiresAt: timeShown.nullable(),
  lastUsedAt: timeShown.nullable(),
})

/** A token with its secret, which is shown this once. */
export const tokenMade = tokenShown.extend({
  secret: z.string().nullable().describe('The token itself, shown this once; null where the answer is given again.'),
  note: z.string().optional(),
})

function showToken(token: Token): z.output<typeof tokenShown> {
  return {
    id: token.id,
    name: token.name,
    scopes: [...token.scopes],
    state: token.state,
    createdAt: shown(token.createdAt),
    expiresAt: shown(token.expiresAt),
    lastUsedAt: shown(token.lastUsedAt),
  }
}

export const tokenRoutes: readonly Route[] = [
  jsonRoute({
    method: 'GET',
    path: '/tokens',
    scope: 'all',
    summary: 'The admin tokens, by id.',
    query: z.strictObject(paging),
    answer: page(tokenShown),
    handle: ({ service, query }) => {
      const { data, next } = onePage(service.tokens.list(), (token) => token.id, query)
      return { json: { data: data.map(showToken), next: next ?? null }, next }
    },
  }),
  jsonRoute({
    method: 'POST',
    path: '/tokens',
    scope: 'all',
    summary: 'Makes an admin token. Its secret is in this answer and nowhere else.',
    body: tokenInput,
    answer: tokenMade,
    status: 201,
    once: true,
    handle: ({ service, body, by }) => {
      const { token, secret } = service.tokens.create(body, by)
      return { json: { ...showToken(token), secret: null }, secret }
    },
  }),
  jsonRoute({
    method: 'POST',
    path: '/tokens/{id}/revoke',
    scope: 'all',
    summary: 'Ends an admin token for good.',
    answer: tokenShown,
    handle: ({ service, params, by }) => ({ json: showToken(service.tokens.revoke(params.id, by)) }),
  }),
]
