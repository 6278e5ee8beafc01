import type { ServerResponse } from 'node:http'
import type { Dialect } from '../core/dialect.ts'
import type { Failure } from '../core/failure.ts'
import { redact } from '../core/redact.ts'
import { writeEvent } from '../core/sse.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Answer, StreamedAnswer } from './attempt.ts'
import { answerHeaders } from './headers.ts'
import { pump } from './pump.ts'
import { passable, withOurId } from './refuse.ts'
import type { Tab } from './tab.ts'

/**
 * Step 6: gives the answer to the caller. A stream that breaks after it had begun ends with an error event. Resolves with what sends the
 * end, which goes out when the receipt is written.
 */
export async function relay(
  answer: Answer,
  dialect: Dialect,
  response: ServerResponse,
  snapshot: Snapshot,
  tab: Tab,
): Promise<() => void> {
  const model = answer.type === 'streamed' ? answer.transcoder.model : answer.model
  if (model !== undefined) tab.model = model
  tab.status = 200
  tab.firstByteMs = Date.now()
  const headers = answerHeaders(tab)
  if (answer.type === 'whole') {
    tab.usage = answer.usage
    headers['content-type'] = 'application/json'
    headers['content-length'] = Buffer.byteLength(answer.body)
    tab.replyBytes = headers['content-length']
    const { body } = answer
    tab.capture?.take(body)
    return () => response.writeHead(200, headers).end(body)
  }
  headers['content-type'] = 'text/event-stream; charset=utf-8'
  headers['cache-control'] = 'no-cache'
  // Reverse proxies that buffer by default leave a stream alone when they see this.
  headers['x-accel-buffering'] = 'no'
  response.writeHead(200, headers)
  return stream(answer, dialect, response, snapshot, tab)
}

async function stream(
  answer: StreamedAnswer,
  dialect: Dialect,
  response: ServerResponse,
  snapshot: Snapshot,
  tab: Tab,
): Promise<() => void> {
  const { transcoder } = answer
  const { failure, bytes, end } = await pump({
    response,
    answer,
    ping: dialect.stream.ping,
    pingMs: snapshot.pingMs,
    capture: tab.capture,
    writeFailure(failed: Failure) {
      const own = transcoder.failureEvent
      if (own === undefined || !passable(failed, dialect, tab.vendor) || redact(own.data) !== own.data) {
        return dialect.failure.writeEvent(failed, tab.id)
      }
      return writeEvent({ name: own.name, data: withOurId(Buffer.from(own.data), dialect, tab.id).toString() })
    },
  })
  tab.usage = transcoder.usage
  if (transcoder.model !== undefined) tab.model = transcoder.model
  tab.replyBytes = bytes
  if (failure !== undefined) tab.failure = failure
  return end
}
