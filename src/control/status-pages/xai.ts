import type { VendorPage } from '../../core/status.ts'
import { incidentOf, readingOf, worst, type Reading } from './reading.ts'
import { feedItems, type FeedItem } from './rss.ts'

/**
 * xAI's `/feed.xml`, the one thing on its status page that is for machines; xAI's own documents name its address. An incident
 * stands in it once for each place that it touches, `[Global (api.x.ai)] …`, and stays after it is over. That its first
 * category is the severity and its second the state, `active` or `resolved`, is what readers of the feed have recorded.
 *
 * Undefined where the body is of another form, or an item does not tell whether it is over: neither is a sign of health.
 */
export function readXai(body: string): Reading | undefined {
  const items = feedItems(body)
  if (items === undefined || items.some((item) => words(item).length === 0)) return undefined
  const open = items.filter((item) => !isOver(item) && !elsewhere.test(item.title))
  const summary = open.length === 0 ? 'Nothing is reported of the API.' : 'The API is affected.'
  return readingOf(worst(open.map((item) => stateOf(item))), summary, grouped(open))
}

/** What is read of the page. */
export const xaiPath = '/feed.xml'

/** Apps and the console, whose troubles are not the API's. */
const elsewhere = /^\[(grok\b|ios\b|android\b|(api )?console\b)/i

/** Severity and state, from the categories and from where the description names them. */
function words(item: FeedItem): string[] {
  const state = /\bStatus:\s*(\w+)/i.exec(item.description.slice(0, 1000))?.[1]
  return [...item.categories, ...(state === undefined ? [] : [state])].map((word) => word.toLowerCase())
}

function isOver(item: FeedItem): boolean {
  return words(item).some((word) => word === 'resolved' || word === 'completed')
}

function stateOf(item: FeedItem): VendorPage['state'] {
  if (words(item).some((word) => word.includes('outage'))) return 'outage'
  return words(item).some((word) => word.includes('maintenance')) ? 'maintenance' : 'degraded'
}

/** What happens in several places is told once, with the places behind it. */
function grouped(items: readonly FeedItem[]): Reading['incidents'] {
  const events = new Map<string, { item: FeedItem; places: string[] }>()
  for (const item of items) {
    const [, place, title = item.title] = /^\[([^\]]{1,100})\]\s*(.*)$/s.exec(item.title) ?? []
    const event = events.get(title) ?? { item, places: [] }
    if (place !== undefined) event.places.push(place)
    events.set(title, event)
  }
  return [...events].map(([title, { item, places }]) =>
    incidentOf(places.length === 0 ? title : `${title} (${places.join(', ')})`, item.link, Date.parse(item.pubDate)),
  )
}
