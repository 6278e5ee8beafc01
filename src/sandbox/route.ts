import type { Refusal } from './refusal.ts'
import type { Route, SimulatedVendor } from './vendor.ts'
import { simulatedVendors } from './vendors/index.ts'

/** Where a request goes: to a vendor's route, or to the vendor's refusal of its path, or to nobody. */
export type Routed = { path: string; query: URLSearchParams } & (
  | { vendor: SimulatedVendor; route: Route; refusal: undefined }
  | { vendor: SimulatedVendor; route: undefined; refusal: Refusal }
  | { vendor: undefined; route: undefined; refusal: undefined }
)

/** Reads `/<vendor>/v1/messages?beta=true`. */
export function routeOf(method: string, url: string): Routed {
  const { pathname, searchParams: query } = new URL(url, 'http://sandbox')
  const [, name = '', rest = ''] = /^\/([^/]+)(\/.*)?$/.exec(pathname) ?? []
  const vendor = simulatedVendors.find((each) => each.name === name)
  if (vendor === undefined) return { path: pathname, query, vendor, route: undefined, refusal: undefined }
  const place = { path: rest, query, vendor }
  const route = vendor.routes.find((each) => each.path.test(rest))
  if (route === undefined) return { ...place, route, refusal: vendor.refuse.path(method, rest) }
  if (method !== (route.does === 'models' ? 'GET' : 'POST')) {
    return { ...place, route: undefined, refusal: vendor.refuse.method(method, rest) }
  }
  return { ...place, route, refusal: undefined }
}
