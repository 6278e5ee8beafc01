import { isObject, listOf, numberOf, objectOf, parseJson, textOf, type JsonObject } from '../../core/json.ts'
import type { VendorPage } from '../../core/status.ts'
import { incidentOf, readingOf, worst, type Reading } from './reading.ts'

/**
 * What DeepSeek's status page itself reads of what goes on now. The page was Atlassian's and is Flashduty's since 2026, where
 * `/api/v2/summary.json` is a 404. This path and its fields are documented nowhere; several programs that read them agree. The
 * server is also known to hang up on some TLS clients, which then shows as a page that cannot be reached.
 *
 * It gives no verdict, so one is drawn from the changes that touch the API. Undefined where the body is of another form.
 */
export function readDeepseek(body: string): Reading | undefined {
  const data = objectOf(objectOf(parseJson(body)).data)
  if (!isObject(data.page) || !Array.isArray(data.active_changes)) return undefined
  const changes = data.active_changes
    .filter((one) => isObject(one))
    .filter((one) => !notNow.has(textOf(one.status) ?? '') && concernsApi(one))
  const summary = changes.length === 0 ? 'Nothing is reported of the API.' : affected(changes)
  return readingOf(
    worst(changes.map((one) => stateOf(one))),
    summary,
    changes.map((one) => incident(one)),
  )
}

/** What is read of the page; the number is the page's own. */
export const deepseekPath = '/api/status-page/6410630422455/summary/active'

const notNow = new Set(['resolved', 'completed', 'cancelled', 'canceled', 'scheduled'])

function parts(change: JsonObject): JsonObject[] {
  return listOf(change.affected_components).map((part) => objectOf(part))
}

/** A change that names no part may well be about the API. */
function concernsApi(change: JsonObject): boolean {
  const names = parts(change).map((part) => textOf(part.name) ?? '')
  return names.length === 0 || names.some((name) => name === '' || /api/i.test(name))
}

function affected(changes: readonly JsonObject[]): string {
  const names = changes.flatMap((change) => parts(change)).flatMap((part) => textOf(part.name) ?? [])
  return names.length === 0 ? 'Something is going on.' : `Affected: ${[...new Set(names)].join(', ')}`
}

function stateOf(change: JsonObject): VendorPage['state'] {
  if (change.type === 'maintenance') return 'maintenance'
  const words = parts(change).map((part) => textOf(part.status) ?? '')
  return words.some((word) => /outage|critical/.test(word)) ? 'outage' : 'degraded'
}

function incident(change: JsonObject): Reading['incidents'][number] {
  const before = change.type === 'maintenance' ? 'Maintenance: ' : ''
  const seconds = numberOf(change.start_at_seconds)
  return incidentOf(`${before}${textOf(change.title) ?? ''}`, undefined, (seconds ?? Number.NaN) * 1000)
}
