import * as z from 'zod'
import type { JsonObject } from '../../core/json.ts'
import type { Actor, ControlService, Scope } from '../service.ts'

/** One line of the API: what it is called, who may call it, what may be sent and what comes back. */
export type Route = JsonRoute | LinesRoute

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

interface Common {
  readonly method: Method
  /** Below `/admin/v1`, with parameters in braces: `/keys/{id}`. */
  readonly path: string
  /** What a token must be allowed; `open` for what anybody may see. */
  readonly scope: Scope | 'open'
  /** One line for people. */
  readonly summary: string
  /** What may be sent; a field that is not named here is refused. */
  readonly query: z.ZodType
  readonly body: z.ZodType
}

/** What is answered at once, as JSON. */
export interface JsonRoute extends Common {
  readonly type: 'json'
  readonly answer: z.ZodType
  /** 200 where nothing is said. */
  readonly status?: 200 | 201 | 204
  /** An Idempotency-Key is honoured: it makes something that must not be made twice. */
  readonly once?: true
  /** The version that If-Match is held against; undefined while there is no such thing. */
  readonly current?: (service: ControlService, params: Params) => number | undefined
  readonly handle: (asked: Asked<Params, unknown, unknown>) => Answer
}

/** What is too long for one piece: lines of text that flow. */
export interface LinesRoute extends Common {
  readonly type: 'lines'
  readonly contentType: string
  readonly fileName: string
  readonly handle: (asked: Asked<Params, unknown, unknown>) => Iterable<string>
}

type Params = Readonly<Record<string, string>>

/** What a route gets to work with; all of it has been checked. */
export interface Asked<PathParams, Query, Body> {
  readonly service: ControlService
  readonly params: PathParams
  readonly query: Query
  readonly body: Body
  readonly by: Actor
  /** The version that the change was made for (If-Match); undefined for whatever is there. */
  readonly version: number | undefined
  readonly nowMs: number
  /** The description of the API. */
  readonly document: () => JsonObject
}

export interface Answer<Json = unknown> {
  readonly json: Json
  /** What is shown once and kept nowhere, added to the JSON as `secret`. */
  readonly secret?: string
  /** Of what was read or changed: goes out as the ETag. */
  readonly version?: number
  /** Where what was made can be found, relative to the path. */
  readonly location?: string
  /** Where it is not the route's usual one. */
  readonly status?: 200 | 201
  /** The query of the next page. */
  readonly next?: string | undefined
  /** It was given before, to the same Idempotency-Key. */
  readonly replayed?: true
}

export function isJsonRoute(route: Route): route is JsonRoute {
  return route.type === 'json'
}

/** The names in braces. */
type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name]: string } & ParamsOf<Rest>
  : unknown

/** Nothing may be sent. */
const nothing = z.strictObject({})

type JsonLine<Path extends string, Query extends z.ZodType, Body extends z.ZodType, Json extends z.ZodType> = Pick<
  JsonRoute,
  'method' | 'scope' | 'summary' | 'status' | 'once'
> & {
  readonly path: Path
  readonly query?: Query
  readonly body?: Body
  readonly answer: Json
  readonly current?: (service: ControlService, params: ParamsOf<Path>) => number | undefined
  readonly handle: (asked: Asked<ParamsOf<Path>, z.output<Query>, z.output<Body>>) => Answer<z.output<Json>>
}

/** A line whose handler is typed by its own path and schemas. */
export function jsonRoute<
  const Path extends string,
  Json extends z.ZodType,
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof nothing,
>(line: JsonLine<Path, Query, Body, Json>): JsonRoute {
  // The list forgets the types that each line is checked by: what reaches a handler has passed its own schemas.
  return { type: 'json', query: nothing, body: nothing, ...line } as unknown as JsonRoute
}

/** The same for lines of text. */
export function linesRoute<const Path extends string, Query extends z.ZodType>(
  line: Pick<LinesRoute, 'method' | 'scope' | 'summary' | 'contentType' | 'fileName'> & {
    readonly path: Path
    readonly query: Query
    readonly handle: (asked: Asked<ParamsOf<Path>, z.output<Query>, unknown>) => Iterable<string>
  },
): LinesRoute {
  return { type: 'lines', body: nothing, ...line } as unknown as LinesRoute
}
