import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { timeId } from '../../core/id.ts'
import type { JsonObject } from '../../core/json.ts'
import { ControlError, type ControlService } from '../service.ts'
import { authorize, holds, reauthorize, type Holder } from './authorize.ts'
import { readBody } from './body.ts'
import { checked } from './check.ts'
import { find } from './find.ts'
import { openApi } from './openapi.ts'
import { readQuery } from './query.ts'
import { Refusal, refusalOf, refuse } from './refusal.ts'
import { Replays, replayKey } from './replays.ts'
import { sendJson, sendLines } from './reply.ts'
import { isJsonRoute, type Answer, type Asked, type JsonRoute, type LinesRoute } from './route.ts'
import { routes } from './routes.ts'
import { socketAddress, Strikes } from './strikes.ts'
import { stale, wantedVersion } from './version.ts'

/** What the admin API is made of. */
export interface AdminOptions {
  readonly service: ControlService
  /** Keyrung's own version, as the API's description names it. */
  readonly version: string
  readonly nowMs: () => number
  readonly log: AdminLog
  /** Whose wrong tokens are counted together. Behind a proxy, its word on who asks; else the other end of the socket. */
  readonly addressOf?: (request: IncomingMessage) => string
}

export interface AdminLog {
  /** A bug of ours, met while serving a request. */
  fault(requestId: string, cause: unknown): void
}

/** Answers one request; never rejects. `path` is what was asked for below the listener's mount: `/admin/v1/keys`. */
export type AdminHandler = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>

/** How many exports may run at once: each reads the database as fast as its reader takes it. */
const exportsMax = 4

/** The admin API on any listener: nothing but method, path and bearer token decides where a request goes and whether it may. */
export function adminHandler(options: AdminOptions): AdminHandler {
  let document: JsonObject | undefined
  const desk: Desk = {
    ...options,
    addressOf: options.addressOf ?? socketAddress,
    strikes: new Strikes(),
    replays: new Replays(),
    exports: 0,
    document: () => (document ??= openApi(routes, options.version)),
  }
  return async (request, response, path) => {
    const requestId = `req_${timeId(options.nowMs())}`
    // A socket may fail at any time; who waits for it sees its end by `close`.
    response.on('error', () => {})
    response.setHeader('x-request-id', requestId)
    try {
      await serve(desk, request, response, path)
    } catch (thrown) {
      const refusal = refusalOf(thrown)
      if (refusal.status === 500) options.log.fault(requestId, refusal.cause)
      refuse(refusal, requestId, request, response)
    }
  }
}

/** All that requests share. */
interface Desk extends Required<AdminOptions> {
  readonly strikes: Strikes
  readonly replays: Replays
  exports: number
  readonly document: () => JsonObject
}

/** The life of a request: find, authorize, read, perform, answer. Each step throws a Refusal to end it. */
async function serve(desk: Desk, request: IncomingMessage, response: ServerResponse, target: string): Promise<void> {
  const { route, params, path } = find(routes, request.method ?? 'GET', target)
  const holder = route.scope === 'open' ? undefined : authorize(request, route.scope, desk)
  const query = checked(route.query, readQuery(request.url ?? ''), 'query')
  const { json, bytes } = await readBody(request, route.method)
  if (holder !== undefined) reauthorize(holder, desk.service)
  const asked: AnyAsked = {
    service: desk.service,
    params,
    query,
    body: checked(route.body, json, 'body'),
    by: { type: 'token', id: holder?.token.id ?? '' },
    version: undefined,
    nowMs: desk.nowMs(),
    document: desk.document,
  }
  if (isJsonRoute(route)) sendJson(perform(desk, { request, path, route, asked, bytes }), route, request, response)
  else await flow(desk, { request, response, route, asked, holder })
}

type AnyAsked = Asked<Readonly<Record<string, string>>, unknown, unknown>

interface Flowing {
  request: IncomingMessage
  response: ServerResponse
  route: LinesRoute
  asked: AnyAsked
  holder: Holder | undefined
}

/** Sends lines, unless there are as many exports under way as there may be. */
async function flow(desk: Desk, { request, response, route, asked, holder }: Flowing): Promise<void> {
  if (desk.exports >= exportsMax) {
    throw new Refusal(429, 'exports-many', `${exportsMax} exports are under way, the most at once.`, {
      fix: 'Ask again when one has ended.',
      headers: { 'retry-after': '10' },
    })
  }
  desk.exports += 1
  try {
    await sendLines(route.handle(asked), route, request, response, {
      nowMs: desk.nowMs,
      holds: () => holder === undefined || holds(holder, desk.service),
    })
  } finally {
    desk.exports -= 1
  }
}

interface Performing {
  request: IncomingMessage
  path: string
  route: JsonRoute
  asked: AnyAsked
  bytes: Buffer
}

/** Does what is asked, or tells once more what was done for the same Idempotency-Key. */
function perform(desk: Desk, { request, path, route, asked, bytes }: Performing): Answer {
  const key = route.once === true ? replayKey(request, asked.by.id) : undefined
  if (key === undefined) return handled(request, route, asked)
  const digest = createHash('sha256').update(`${route.method} ${path}\n`).update(bytes).digest('hex')
  const before = desk.replays.find(key, digest, asked.nowMs)
  if (before !== undefined) return before
  const answer = handled(request, route, asked)
  desk.replays.keep(key, digest, answer, asked.nowMs)
  return answer
}

/** The route's answer; a change that comes too late is told with the version that is there now. */
function handled(request: IncomingMessage, route: JsonRoute, asked: AnyAsked): Answer {
  const current = route.current === undefined ? undefined : () => route.current?.(asked.service, asked.params)
  try {
    return route.handle({ ...asked, version: wantedVersion(request, route.method, current) })
  } catch (thrown) {
    if (thrown instanceof ControlError && thrown.status === 412 && current !== undefined) throw stale(current())
    throw thrown
  }
}
