import { isObject, listOf, objectOf, parseJson, textOf, type JsonObject } from '../../core/json.ts'
import type { VendorPage } from '../../core/status.ts'
import { incidentOf, readingOf, worst, type Reading } from './reading.ts'

/**
 * Google Cloud's `/incidents.json`: a list of incidents of all its products, of which nearly all are over. Its schema is
 * published beside it (incidents.schema.json). It speaks of Gemini on Google Cloud. The Gemini API for developers has a
 * page of its own, https://aistudio.google.com/status, but nothing there that may be read without a key; the models and the
 * machines behind both are largely the same, so this is the nearest there is, and the summary says which it is.
 *
 * Undefined where the body is of another form.
 */
export function readGoogle(body: string): Reading | undefined {
  const list = parseJson(body)
  if (!Array.isArray(list)) return undefined
  const open = list.filter((one) => isObject(one)).filter((one) => isOpen(one) && concernsGemini(one))
  const summary = open.length === 0 ? 'Nothing is reported of Gemini on Google Cloud.' : 'Gemini on Google Cloud.'
  return readingOf(
    worst(open.map((one) => stateOf(one))),
    summary,
    open.map((one) => incident(one)),
  )
}

/** What is read of the page. */
export const googlePath = '/incidents.json'

/** One that is over has an end; one that is over for all practical purposes was last told as AVAILABLE. */
function isOpen(one: JsonObject): boolean {
  return !textOf(one.end) && objectOf(one.most_recent_update).status !== 'AVAILABLE'
}

/**
 * The API and its newer name "Gemini on Agent Platform", not the products that only carry the name (Code Assist, Cloud Assist,
 * Enterprise, "in BigQuery", "for Workspace").
 */
const gemini = /\bgemini\b(?! (?:code|cloud|enterprise|in|for)\b)|\bgenerative language\b/i

function concernsGemini(one: JsonObject): boolean {
  const products = listOf(one.affected_products).map((product) => objectOf(product))
  return [one, ...products].some(({ service_name, title, current_title }) =>
    [service_name, title, current_title].some((name) => gemini.test(textOf(name) ?? '')),
  )
}

function stateOf(one: JsonObject): VendorPage['state'] {
  switch (one.status_impact) {
    case 'SERVICE_OUTAGE':
      return 'outage'
    case 'SERVICE_INFORMATION':
    case 'AVAILABLE_INFORMATION':
      return 'operational'
    default:
      return 'degraded'
  }
}

function incident(one: JsonObject): Reading['incidents'][number] {
  const uri = textOf(one.uri)
  const url = uri === undefined ? undefined : `https://status.cloud.google.com/${uri.replace(/^\/+/, '')}`
  return incidentOf(textOf(one.external_desc) ?? '', url, Date.parse(textOf(one.begin) ?? ''))
}
