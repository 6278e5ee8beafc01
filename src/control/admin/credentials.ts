import * as z from 'zod'
import { compact } from '../../core/json.ts'
import type { ControlService, VendorCredential } from '../service.ts'
import { page, paging, whole } from './fields.ts'
import { onePage } from './one-page.ts'
import { jsonRoute, type Route } from './route.ts'

const credentialInput = z.strictObject({
  secret: z
    .string()
    .regex(/^[\x21-\x7e]{8,4096}$/, 'must be the vendor’s key, 8 to 4096 visible characters')
    .optional()
    .describe('The vendor’s key. It is never shown again.'),
  weight: z.int().min(0).max(1000).optional().describe('Its share of the calls; 0 uses it only when the others fail.'),
  origin: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .optional()
    .describe('Scheme and host of the vendor’s API. Another one wants the secret anew.'),
  callsMax: z.int().min(1).optional().describe('The most calls at once by this key.'),
})

/** A vendor's credential as it is answered: of its secret no more than the last four characters. */
export const credentialShown = z.strictObject({
  vendor: z.string(),
  name: z.string(),
  last4: z.string(),
  weight: whole,
  origin: z.string().nullable(),
  callsMax: whole.nullable(),
  source: z.string().describe('The reference or variable that it came from, or api.'),
  version: whole,
})

function showCredential(credential: VendorCredential): z.output<typeof credentialShown> {
  return {
    vendor: credential.vendor,
    name: credential.name,
    last4: credential.last4,
    weight: credential.weight,
    origin: credential.origin ?? null,
    callsMax: credential.callsMax ?? null,
    source: credential.source,
    version: credential.version,
  }
}

/** The credential's version; undefined while there is none of this name. */
function current(service: ControlService, params: { vendor: string; name: string }): number | undefined {
  return service.credentials.list().find(({ vendor, name }) => vendor === params.vendor && name === params.name)
    ?.version
}

export const credentialRoutes: readonly Route[] = [
  jsonRoute({
    method: 'GET',
    path: '/credentials',
    scope: 'all',
    summary: 'The keys at vendors, without their secrets.',
    query: z.strictObject(paging),
    answer: page(credentialShown),
    handle: ({ service, query }) => {
      const { data, next } = onePage(service.credentials.list(), ({ vendor, name }) => `${vendor}/${name}`, query)
      return { json: { data: data.map(showCredential), next: next ?? null }, next }
    },
  }),
  jsonRoute({
    method: 'PUT',
    path: '/credentials/{vendor}/{name}',
    scope: 'all',
    summary: 'Keeps a key at a vendor, sealed, or changes the one of this name: what is left out stays.',
    body: credentialInput,
    answer: credentialShown,
    current,
    handle: ({ service, params, body, version, by }) => {
      const status = current(service, params) === undefined ? 201 : 200
      const credential = service.credentials.put({ ...params, ...compact(body) }, version, by)
      return { json: showCredential(credential), version: credential.version, status }
    },
  }),
  jsonRoute({
    method: 'DELETE',
    path: '/credentials/{vendor}/{name}',
    scope: 'all',
    summary: 'Removes a key at a vendor.',
    answer: z.null(),
    status: 204,
    current,
    handle: ({ service, params, version, by }) => {
      service.credentials.remove(params.vendor, params.name, version, by)
      return { json: null }
    },
  }),
]
