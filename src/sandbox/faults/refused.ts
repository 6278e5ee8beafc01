import type { Answer, Reply } from './fault.ts'
import { jsonType, streamType } from './ordinary.ts'
import type { Told } from './refusals/refusal-table.ts'

/** The answer that says no, as this vendor writes it. */
export function refused({ vendor, requestId, streamed }: Reply, told: Told): Answer {
  const { status, headers = {}, raw } = told
  if (raw !== undefined) {
    return { head: { status, headers, contentType: raw.contentType }, pieces: [raw.body], ending: 'end' }
  }
  const text = JSON.stringify(told.json ?? vendor.write(told, requestId))
  // Google refuses a prompt in an answer: where a stream was asked for, it is one.
  if (status === 200 && streamed) {
    return { head: { status, headers, contentType: streamType }, pieces: [`data: ${text}\n\n`], ending: 'end' }
  }
  return { head: { status, headers, contentType: jsonType }, pieces: [text], ending: 'end' }
}
