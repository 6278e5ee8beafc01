import * as z from 'zod'
import { auditRoutes } from './audit.ts'
import { credentialRoutes } from './credentials.ts'
import { keyRoutes } from './keys.ts'
import { ownerRoutes } from './owners.ts'
import { planRoutes } from './plans.ts'
import { receiptRoutes } from './receipts.ts'
import { jsonRoute, type Route } from './route.ts'
import { tokenRoutes } from './tokens.ts'
import { usageRoutes } from './usage.ts'

/** Every route there is, below `/admin/v1`. */
export const routes: readonly Route[] = [
  jsonRoute({
    method: 'GET',
    path: '/openapi.json',
    scope: 'open',
    summary: 'The description of this API. It holds no secret, so it needs no token.',
    answer: z.record(z.string(), z.unknown()).describe('OpenAPI 3.1.'),
    handle: ({ document }) => ({ json: document() }),
  }),
  ...keyRoutes,
  ...ownerRoutes,
  ...planRoutes,
  ...tokenRoutes,
  ...credentialRoutes,
  ...usageRoutes,
  ...receiptRoutes,
  ...auditRoutes,
]
