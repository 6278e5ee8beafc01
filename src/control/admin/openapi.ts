import * as z from 'zod'
import { objectOf, type JsonObject } from '../../core/json.ts'
import { auditShown } from './audit.ts'
import { credentialShown } from './credentials.ts'
import { time, timeShown } from './fields.ts'
import { base, nameInPath } from './find.ts'
import { keyMade, keyShown } from './keys.ts'
import { limits, limitsShown } from './limits.ts'
import { ownerShown } from './owners.ts'
import { planShown } from './plans.ts'
import { receiptShown } from './receipts.ts'
import type { Route } from './route.ts'
import { tokenMade, tokenShown } from './tokens.ts'
import { usageShown } from './usage.ts'

/** What every error looks like. */
const errorShown = z.strictObject({
  error: z.strictObject({
    code: z.string().describe('For programs: version-stale, field-invalid, …'),
    message: z.string().describe('For people.'),
    path: z.string().optional().describe('The field it is about.'),
    fix: z.string().optional().describe('What to do.'),
  }),
  requestId: z.string(),
})

/** The schemas that have a name of their own; all others stand where they are used. */
const namedAnswered = {
  Key: keyShown,
  KeyMade: keyMade,
  Owner: ownerShown,
  Plan: planShown,
  Token: tokenShown,
  TokenMade: tokenMade,
  Credential: credentialShown,
  Usage: usageShown,
  Receipt: receiptShown,
  AuditEntry: auditShown,
  Limits: limitsShown,
  Time: timeShown,
  Error: errorShown,
} as const satisfies Record<string, z.ZodType>

const namedSent = { LimitsSent: limits, TimeSent: time } as const

/** The API as OpenAPI 3.1, made of the very schemas that requests are checked by. */
export function openApi(routes: readonly Route[], version: string): JsonObject {
  const sent = jsonSchemas('input', { ...namedSent, ...sentBy(routes) })
  const answered = jsonSchemas('output', { ...namedAnswered, ...answeredBy(routes) })
  const paths: JsonObject = {}
  for (const route of routes) {
    const path = objectOf((paths[`${base}${route.path}`] ??= {}))
    path[route.method.toLowerCase()] = operation(route, sent, answered)
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Keyrung admin API',
      version,
      description: 'Keys, owners, plans, tokens, vendors’ credentials, usage and receipts of a Keyrung gateway.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries([
        ...Object.keys(namedAnswered).map((id) => [id, answered[id]] as const),
        ...Object.keys(namedSent).map((id) => [id, sent[id]] as const),
      ]),
      responses: errorResponses(),
      securitySchemes: {
        adminToken: { type: 'http', scheme: 'bearer', description: 'An admin token: kra_…. Never a caller’s key.' },
      },
    },
  }
}

/** How a route is called in the code that is made from the document: `getKeysId`, `postKeysIdRotate`. */
function operationId({ method, path }: Route): string {
  return method.toLowerCase() + path.replaceAll(/[^A-Za-z]+([A-Za-z]?)/g, (_, first: string) => first.toUpperCase())
}

function sentBy(routes: readonly Route[]): Record<string, z.ZodType> {
  return Object.fromEntries(
    routes.flatMap((route) => [
      [`${operationId(route)}.query`, route.query],
      [`${operationId(route)}.body`, route.body],
    ]),
  )
}

function answeredBy(routes: readonly Route[]): Record<string, z.ZodType> {
  return Object.fromEntries(
    routes.flatMap((route) => (route.type === 'json' ? [[`${operationId(route)}.answer`, route.answer]] : [])),
  )
}

/** The schemas as JSON Schema by their names here; where one holds another that has a name, it refers to it. */
function jsonSchemas(io: 'input' | 'output', named: Readonly<Record<string, z.ZodType>>): Record<string, JsonObject> {
  const registry = z.registry<{ id: string }>()
  // One schema may be several routes' answer; it is made once, under its first name.
  const firsts = new Map<z.ZodType, string>()
  for (const [id, schema] of Object.entries(named)) {
    if (firsts.has(schema)) continue
    firsts.set(schema, id)
    registry.add(schema, { id })
  }
  const { schemas } = portable(z.toJSONSchema(registry, { io, uri: (id) => `#/components/schemas/${id}` }))
  return Object.fromEntries(
    Object.entries(named).map(([id, schema]) => {
      const first = firsts.get(schema) ?? id
      if (first !== id) return [id, first.includes('.') ? bare(schemas[first]) : refer(`schemas/${first}`)]
      return [id, bare(schemas[id])]
    }),
  )
}

/** In all patterns what not every language's expressions know is written out: no control character. */
function portable<Schemas>(schemas: Schemas): Schemas {
  const written = String.raw`[^\u0000-\u001f\u007f-\u009f]`
  return JSON.parse(JSON.stringify(schemas), (key, value: unknown) =>
    key === 'pattern' && typeof value === 'string' ? value.replaceAll(String.raw`\P{Cc}`, written) : value,
  ) as Schemas
}

/** Without what names it as a document of its own. */
function bare(schema: unknown): JsonObject {
  const { $schema: _, $id: __, ...rest } = objectOf(schema)
  return rest
}

function refer(to: string): JsonObject {
  return { $ref: `#/components/${to}` }
}

type Schemas = Readonly<Record<string, JsonObject>>

function operation(route: Route, sent: Schemas, answered: Schemas): JsonObject {
  const id = operationId(route)
  const body = sent[`${id}.body`] ?? {}
  const takesBody = Object.keys(objectOf(body.properties)).length > 0
  return {
    operationId: id,
    summary: route.summary,
    tags: [route.path.split(/[/.]/)[1] ?? ''],
    // The scope stands where OpenAPI has a place for it; `open` wants no token.
    security: route.scope === 'open' ? [] : [{ adminToken: [route.scope] }],
    parameters: [...pathParameters(route), ...queryParameters(sent[`${id}.query`] ?? {}), ...headerParameters(route)],
    ...(takesBody && {
      requestBody: {
        required: Array.isArray(body.required),
        content: { 'application/json': { schema: body } },
      },
    }),
    responses: { ...success(route, answered[`${id}.answer`] ?? {}), ...errors(route) },
  }
}

function pathParameters({ path }: Route): JsonObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: nameInPath.source },
  }))
}

function queryParameters(query: JsonObject): JsonObject[] {
  const required = Array.isArray(query.required) ? query.required : []
  return Object.entries(objectOf(query.properties)).map(([name, value]) => {
    const { description, ...schema } = objectOf(value)
    return {
      name,
      in: 'query',
      required: required.includes(name),
      ...(description !== undefined && { description }),
      schema,
      ...(schema.type === 'array' && { style: 'form', explode: false }),
    }
  })
}

function headerParameters(route: Route): JsonObject[] {
  if (route.type !== 'json') return []
  const header = (name: string, description: string): JsonObject => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  })
  return [
    ...(route.once === true
      ? [header('Idempotency-Key', 'The same request with the same key is done once in 24 hours.')]
      : []),
    ...(route.current === undefined
      ? []
      : [header('If-Match', 'The ETag that the change is made for; another is a 412.')]),
    ...(route.current !== undefined && route.method === 'PUT'
      ? [header('If-None-Match', '*: only where there is none yet; else a 412.')]
      : []),
  ]
}

function success(route: Route, schema: JsonObject): JsonObject {
  if (route.type === 'lines') {
    const [type = ''] = route.contentType.split(';')
    return { 200: { description: 'Lines, as they are found.', content: { [type]: { schema: { type: 'string' } } } } }
  }
  const status = route.status ?? 200
  if (status === 204) return { 204: { description: 'Done; there is nothing to say.' } }
  const answer = { description: route.summary, content: { 'application/json': { schema } } }
  return route.method === 'PUT' ? { 200: answer, 201: answer } : { [status]: answer }
}

const meanings = {
  400: 'A field, header or the JSON is wrong; `path` names the field.',
  401: 'No admin token, or none that is in force.',
  403: 'The token’s scope is too narrow.',
  404: 'There is no such thing.',
  408: 'The body did not come in time.',
  409: 'It does not go with what is there.',
  412: 'It was made for another version; the ETag is that of the one that is there.',
  413: 'The body is too large.',
  415: 'The body is not called JSON.',
  422: 'It is well-formed, but asks for what cannot be.',
  429: 'Too many wrong tokens, or exports at once; Retry-After tells when to come again.',
  500: 'A bug of the gateway.',
  503: 'The database is away for the moment.',
} as const

/** The errors that a route can answer with. */
function errors(route: Route): JsonObject {
  const changes = route.method !== 'GET'
  const statuses = [
    400,
    ...(route.scope === 'open' ? [] : [401, 403, 429]),
    ...(route.path.includes('{') || changes ? [404] : []),
    ...(changes ? [408, 409, 413, 415, 422] : []),
    ...(route.type === 'json' && route.current !== undefined ? [412] : []),
    500,
    503,
  ]
  return Object.fromEntries(statuses.map((status) => [status, refer(`responses/Error${status}`)]))
}

function errorResponses(): JsonObject {
  return Object.fromEntries(
    Object.entries(meanings).map(([status, description]) => [
      `Error${status}`,
      { description, content: { 'application/json': { schema: refer('schemas/Error') } } },
    ]),
  )
}
