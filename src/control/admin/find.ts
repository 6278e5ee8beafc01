import { Refusal } from './refusal.ts'
import type { Method, Route } from './route.ts'

/** Where all paths of this API stand. */
export const base = '/admin/v1'

export interface Found {
  readonly route: Route
  /** The parts of the path that are the caller's, by their names in the route. */
  readonly params: Readonly<Record<string, string>>
  readonly path: string
}

/**
 * The route of a request, by the bytes of its path: nothing in it is decoded, folded or cut, so that a route has one
 * spelling, and the route that is found carries its own authorization. Throws Refusal 404, 405, or 400 for an
 * impossible name.
 */
export function find(routes: readonly Route[], method: string, target: string): Found {
  const [path = ''] = target.split('?', 1)
  const fitting = routes.filter((route) => matches(route, path) !== undefined)
  if (fitting.length === 0) {
    throw new Refusal(404, 'path-unknown', `There is nothing at ${plain(path)}.`, {
      fix: `GET ${base}/openapi.json lists what there is.`,
    })
  }
  // A HEAD is a GET whose body is left out.
  const wanted = method === 'HEAD' ? 'GET' : method
  const route = fitting.find((one) => one.method === wanted)
  if (route === undefined) {
    const allow = allowed(fitting)
    throw new Refusal(405, 'method-wrong', `${method} is not allowed here; use ${allow}.`, { headers: { allow } })
  }
  const params = matches(route, path) ?? {}
  for (const [name, value] of Object.entries(params)) {
    if (!nameInPath.test(value)) {
      throw new Refusal(400, 'field-invalid', `${name}: must be up to 100 letters, digits, ., _ or -.`, { path: name })
    }
  }
  return { route, params, path }
}

/** What may stand in a path as an id or a name: nothing that wants escaping. */
export const nameInPath = /^[A-Za-z0-9][\w.-]{0,99}$/

/** The parameters of a path that this route has; undefined for any other path. */
function matches(route: Route, path: string): Readonly<Record<string, string>> | undefined {
  const [parts, given] = [`${base}${route.path}`.split('/'), path.split('/')]
  if (parts.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of parts.entries()) {
    const value = given[index] ?? ''
    if (part.startsWith('{')) {
      if (value === '') return undefined
      params[part.slice(1, -1)] = value
    } else if (part !== value) return undefined
  }
  return params
}

function allowed(fitting: readonly Route[]): string {
  const methods = new Set<Method | 'HEAD'>(
    fitting.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : method)),
  )
  return [...methods].join(', ')
}

/** A path as it may stand in a message: bounded, and without characters that could do something there. */
function plain(path: string): string {
  return path.slice(0, 200).replaceAll(/[^\x21-\x7e]/g, '?')
}
