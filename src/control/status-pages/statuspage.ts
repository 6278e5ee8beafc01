import { isObject, listOf, objectOf, parseJson, textOf, type JsonObject } from '../../core/json.ts'
import type { VendorPage } from '../../core/status.ts'
import { incidentOf, readingOf, type Reading } from './reading.ts'

/**
 * Atlassian Statuspage's public `/api/v2/summary.json`, which is documented at /api of every such page. Anthropic's page is
 * one (status.anthropic.com now redirects there). OpenAI's is incident.io's, which serves the same path and the same fields;
 * that is vouched for by many programs that read it, not by a document.
 *
 * The page's own verdict is over all it lists, chat apps too, so the summary names the parts that are not well.
 * Undefined where the body is of another form.
 */
export function readStatuspage(body: string): Reading | undefined {
  const page = parseJson(body)
  if (!isObject(page) || !isObject(page.status)) return undefined
  const indicator = textOf(page.status.indicator)
  if (indicator === undefined) return undefined
  const incidents = open(page.incidents)
  const maintenances = open(page.scheduled_maintenances).filter((one) => underWay.has(textOf(one.status) ?? ''))
  const state = states[indicator] ?? 'unknown'
  return readingOf(state === 'operational' && maintenances.length > 0 ? 'maintenance' : state, summary(page), [
    ...incidents.map((one) => incident(one, '')),
    ...maintenances.map((one) => incident(one, 'Maintenance: ')),
  ])
}

/** What is read of the page. */
export const statuspagePath = '/api/v2/summary.json'

const states: Readonly<Record<string, VendorPage['state']>> = {
  none: 'operational',
  minor: 'degraded',
  major: 'outage',
  critical: 'outage',
  maintenance: 'maintenance',
}

const over = new Set(['resolved', 'postmortem', 'completed'])
const underWay = new Set(['in_progress', 'verifying'])

function open(list: unknown): JsonObject[] {
  return listOf(list)
    .filter((one) => isObject(one))
    .filter((one) => !over.has(textOf(one.status) ?? ''))
}

function incident(one: JsonObject, before: string): Reading['incidents'][number] {
  const since = textOf(one.started_at) ?? textOf(one.scheduled_for) ?? textOf(one.created_at) ?? ''
  return incidentOf(`${before}${textOf(one.name) ?? ''}`, textOf(one.shortlink), Date.parse(since))
}

const partsMax = 4

function summary(page: JsonObject): string {
  const verdict = textOf(objectOf(page.status).description) ?? ''
  const parts = listOf(page.components)
    .map((one) => objectOf(one))
    .filter((one) => one.group !== true && (textOf(one.status) ?? 'operational') !== 'operational')
    .map((one) => `${textOf(one.name) ?? 'a part'} (${(textOf(one.status) ?? '').replaceAll('_', ' ')})`)
  if (parts.length === 0) return verdict
  const more = parts.length > partsMax ? ` and ${parts.length - partsMax} more` : ''
  return `${verdict}: ${parts.slice(0, partsMax).join(', ')}${more}`
}
