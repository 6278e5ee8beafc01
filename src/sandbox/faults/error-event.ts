import { objectOf, parseJson, type JsonObject } from '../../core/json.ts'
import type { Refusal } from '../refusal.ts'
import type { Reply } from './fault.ts'

/** A vendor's error as an event of the stream that it speaks; `before` is what it has sent by then. */
export function errorEvent(reply: Reply, refusal: Refusal, before: string): string {
  const { vendor, dialect, requestId } = reply
  const json = objectOf(vendor.write(refusal, requestId))
  switch (dialect?.name) {
    case 'anthropic':
      return event('error', json)
    case 'openai-responses':
      return responsesError(reply, json, refusal, before)
    default:
      return `data: ${JSON.stringify(json)}\n\n`
  }
}

/** OpenAI nests the error in the event, tells it again in a response that failed, and counts on. */
function responsesError({ whole }: Reply, json: JsonObject, refusal: Refusal, before: string): string {
  const next = Number([...before.matchAll(/"sequence_number":(\d+)/g)].at(-1)?.[1] ?? -1) + 1
  const message = refusal.message
  const code = refusal.code ?? 'server_error'
  const nested = objectOf(json['error'])
  // xAI's own error object is no object: on this format the event is flat, as its specification has it.
  const told: JsonObject = 'message' in nested ? { error: nested } : { code, message, param: null }
  const response: JsonObject = { ...objectOf(parseJson(whole())), status: 'failed', output: [], usage: null }
  return (
    event('error', { type: 'error', sequence_number: next, ...told }) +
    event('response.failed', {
      type: 'response.failed',
      sequence_number: next + 1,
      response: { ...response, error: { code, message } },
    })
  )
}

function event(name: string, json: JsonObject): string {
  return `event: ${name}\ndata: ${JSON.stringify(json)}\n\n`
}
