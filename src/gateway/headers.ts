import type { OutgoingHttpHeaders } from 'node:http'
import type { Failure } from '../core/failure.ts'
import type { Tab } from './tab.ts'
import { trail } from './trail.ts'

/** Above this wait a caller's SDK is told not to retry by itself: newer ones would sleep for hours without a word. */
const retryMsMax = 60_000

/** The headers of every answer: ids under the names that both SDK families read, and who answered. */
export function answerHeaders(tab: Tab): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'request-id': tab.id, 'x-request-id': tab.id, ...tab.limitHeaders }
  if (tab.vendor !== '') {
    headers['x-keyrung-vendor'] = tab.vendor
    headers['x-keyrung-model'] = headerText(tab.model)
  }
  if (tab.ladder !== undefined) headers['x-keyrung-ladder'] = tab.ladder
  if (tab.simulated) headers['x-keyrung-simulated'] = 'true'
  if (tab.tries.length > 1) headers['x-keyrung-attempts'] = trail(tab.tries)
  return headers
}

/** The headers of every failure: whose doing it is, what was tried, whether and when a retry can help, and a page on it. */
export function failureHeaders(failure: Failure, tab: Tab): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'x-keyrung-blame': failure.blame, 'x-keyrung-failure': failure.kind }
  if (tab.tries.length > 0) headers['x-keyrung-attempts'] = trail(tab.tries)
  headers.link = `<${tab.mount}/errors/${tab.status}>; rel="help"`
  const waitMs = failure.retry ? failure.retryAfterMs : undefined
  headers['x-should-retry'] = failure.retry && (waitMs ?? 0) <= retryMsMax ? 'true' : 'false'
  // A vendor may send any digits.
  if (waitMs !== undefined && Number.isFinite(waitMs)) {
    headers['retry-after'] = String(Math.ceil(waitMs / 1000))
    headers['retry-after-ms'] = String(Math.ceil(waitMs))
  }
  return headers
}

/** A vendor's text as a header's value: what HTTP does not allow there is left out. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '').slice(0, 200)
}
