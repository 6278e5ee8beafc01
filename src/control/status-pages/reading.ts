import type { VendorIncident, VendorPage } from '../../core/status.ts'

/** What one body of a status page says. */
export type Reading = Pick<VendorPage, 'state' | 'summary' | 'incidents'>

type State = VendorPage['state']

/** More is not shown: a page tells of a few things at a time, and what it sends is not ours to trust. */
const incidentsMax = 20
const textMax = 200

/** A reading of this page, each of its parts within limits. */
export function readingOf(state: State, summary: string, incidents: readonly VendorIncident[]): Reading {
  return { state, summary: plain(summary), incidents: incidents.slice(0, incidentsMax) }
}

/** An incident with the fields that are well formed: links of the web, times that are times. */
export function incidentOf(title: string, url: string | undefined, sinceMs: number): VendorIncident {
  const link = url === undefined ? undefined : webUrl(url)
  return {
    title: plain(title) || 'An incident without a title',
    ...(link !== undefined && { url: link }),
    ...(Number.isFinite(sinceMs) && { sinceMs }),
  }
}

const gravity: readonly State[] = ['operational', 'unknown', 'maintenance', 'degraded', 'outage']

/** The gravest of these; operational where there are none. */
export function worst(states: readonly State[]): State {
  return gravity.findLast((state) => states.includes(state)) ?? 'operational'
}

/** One line of text. */
function plain(text: string): string {
  // Cut before it is searched, so that a long text costs no more than a short one.
  const line = text
    .slice(0, 10 * textMax)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  return line.length <= textMax
    ? line
    : `${line
        .slice(0, textMax - 1)
        .toWellFormed()
        .trimEnd()}…`
}

function webUrl(text: string): string | undefined {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : undefined
}
