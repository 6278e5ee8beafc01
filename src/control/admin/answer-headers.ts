import type { OutgoingHttpHeaders } from 'node:http'

/** The headers of every answer: keys and usage belong in no cache, and JSON is nothing but JSON. */
export const answerHeaders: OutgoingHttpHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
}
