import type { DialectName } from '../core/dialect.ts'

/** Where a request goes. Each route says here how it is authorized: `key`, `open`, or `status`, as the operator has set it. */
export type Route = CallRoute | ModelsRoute | OpenRoute | PageRoute | ControlRoute

export interface CallRoute {
  type: 'call'
  auth: 'key'
  dialect: DialectName
  purpose: 'generate' | 'count'
  /** The path below the mount. */
  path: string
}

export interface ModelsRoute {
  type: 'models'
  auth: 'key'
  /** The model asked for; undefined for the list. */
  id: string | undefined
  path: string
}

export interface OpenRoute {
  type: 'hello' | 'health' | 'ready' | 'faults'
  auth: 'open'
  path: string
}

export interface PageRoute {
  type: 'page'
  auth: 'open'
  /** The page's name; '' for the overview. */
  name: string
  path: string
}

/** What the control plane answers: `status` as the operator has set it, `me` with a caller's key, `admin` with a token of its own. */
export interface ControlRoute {
  type: 'control'
  auth: 'status' | 'key' | 'admin'
  path: string
}

export type Found =
  | { type: 'found'; route: Route; mount: string }
  | { type: 'unknown'; path: string }
  | { type: 'method'; allow: string }

interface Line {
  methods: readonly string[]
  paths: RegExp
  route: (path: string, match: RegExpExecArray) => Route
}

/**
 * Every route there is. A doubled `/v1`, which people get by giving an SDK a base URL with `/v1` that adds its own, is
 * taken as one; OpenAI's paths also stand without it.
 */
const lines: readonly Line[] = [
  {
    methods: ['POST'],
    paths: /^(?:\/v1){1,2}\/messages$/,
    route: (path) => ({ type: 'call', auth: 'key', dialect: 'anthropic', purpose: 'generate', path }),
  },
  {
    methods: ['POST'],
    paths: /^(?:\/v1){1,2}\/messages\/count_tokens$/,
    route: (path) => ({ type: 'call', auth: 'key', dialect: 'anthropic', purpose: 'count', path }),
  },
  {
    methods: ['POST'],
    paths: /^(?:\/v1){0,2}\/chat\/completions$/,
    route: (path) => ({ type: 'call', auth: 'key', dialect: 'openai-chat', purpose: 'generate', path }),
  },
  {
    methods: ['GET', 'HEAD'],
    paths: /^(?:\/v1){0,2}\/models(?:\/(.+))?$/,
    route: (path, match) => ({
      type: 'models',
      auth: 'key',
      id: match[1] === undefined ? undefined : decoded(match[1]),
      path,
    }),
  },
  { methods: ['GET', 'HEAD'], paths: /^\/?$/, route: (path) => ({ type: 'hello', auth: 'open', path }) },
  { methods: ['GET', 'HEAD'], paths: /^\/healthz$/, route: (path) => ({ type: 'health', auth: 'open', path }) },
  { methods: ['GET'], paths: /^\/sandbox\/faults$/, route: (path) => ({ type: 'faults', auth: 'open', path }) },
  {
    methods: ['GET', 'HEAD'],
    paths: /^\/errors(?:\/([\w-]*))?$/,
    route: (path, match) => ({ type: 'page', auth: 'open', name: match[1] ?? '', path }),
  },
  {
    methods: ['GET', 'HEAD'],
    paths: /^\/status(\.json)?$/,
    route: (path) => ({ type: 'control', auth: 'status', path }),
  },
  {
    methods: ['GET', 'HEAD', 'POST'],
    paths: /^(?:\/v1){1,2}\/me(\/[\w./-]*)?$/,
    route: (path) => ({ type: 'control', auth: 'key', path: path.replace(/^(\/v1){2}/, '/v1') }),
  },
  {
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    paths: /^\/admin\/v1(\/.*)?$/,
    route: (path) => ({ type: 'control', auth: 'admin', path }),
  },
  { methods: ['GET', 'HEAD'], paths: /^\/readyz$/, route: (path) => ({ type: 'ready', auth: 'open', path }) },
]

/**
 * The route of a request target, by its path alone: neither Host nor any forwarding header has a say. Mounts are tried
 * longest first; the query is not looked at.
 */
export function find(method: string, target: string, mounts: readonly string[]): Found {
  const path = pathOf(target)
  for (const mount of mounts) {
    if (mount !== '' && path !== mount && !path.startsWith(`${mount}/`)) continue
    const below = path.slice(mount.length)
    for (const line of lines) {
      const match = line.paths.exec(below)
      if (match === null) continue
      if (!line.methods.includes(method)) return { type: 'method', allow: line.methods.join(', ') }
      return { type: 'found', route: line.route(below, match), mount }
    }
  }
  return { type: 'unknown', path }
}

/** The path of an origin-form or absolute-form target, as it was sent: a route has one spelling. */
function pathOf(target: string): string {
  const [beforeQuery = ''] = target.split('?', 1)
  return beforeQuery.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '')
}

/** A part of a path, decoded where it is well-formed. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
