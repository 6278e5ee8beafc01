import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isObject } from '../../core/json.ts'
import { answerHeaders } from './answer-headers.ts'
import type { Answer, JsonRoute, LinesRoute } from './route.ts'
import { etag } from './version.ts'

/** Sends an answer that fits into one piece. */
export function sendJson(answer: Answer, route: JsonRoute, request: IncomingMessage, response: ServerResponse): void {
  const headers: OutgoingHttpHeaders = { ...answerHeaders }
  if (answer.version !== undefined) headers.etag = etag(answer.version)
  if (answer.location !== undefined) headers.location = answer.location
  if (answer.replayed === true) headers['idempotent-replayed'] = 'true'
  if (answer.next !== undefined) headers.link = `<${nextPage(request, answer.next)}>; rel="next"`
  const status = answer.status ?? route.status ?? 200
  if (status === 204) {
    response.writeHead(status, headers).end()
    return
  }
  const secret = isObject(answer.json) && answer.secret !== undefined ? { secret: answer.secret } : {}
  const body = JSON.stringify({ ...(answer.json as object), ...secret })
  headers['content-type'] = 'application/json'
  headers['content-length'] = Buffer.byteLength(body)
  response.writeHead(status, headers).end(body)
}

/** The same query with another cursor, relative to the path: it holds under whatever mount the API stands. */
function nextPage(request: IncomingMessage, cursor: string): string {
  const query = new URLSearchParams((request.url ?? '').split('?', 2)[1] ?? '')
  query.set('cursor', cursor)
  return `?${query.toString()}`
}

/** How long a reader may take nothing of what waits for it. */
const stalledMs = 60_000

/** How often a token is looked at again while lines flow. */
const lookAgainMs = 5000

/**
 * Sends lines as fast as they are taken: the next piece is made when the one before has gone. Other requests have
 * their turn in between. Broken off where the reader stands still or its token holds no longer.
 */
export async function sendLines(
  pieces: Iterable<string>,
  route: LinesRoute,
  request: IncomingMessage,
  response: ServerResponse,
  { nowMs, holds }: { nowMs: () => number; holds: () => boolean },
): Promise<void> {
  const head = {
    ...answerHeaders,
    'content-type': route.contentType,
    'content-disposition': `attachment; filename="${route.fileName}"`,
  }
  if (request.method === 'HEAD') {
    response.writeHead(200, head).end()
    return
  }
  let lookedMs = nowMs()
  for (const piece of pieces) {
    // The head waits for the first piece: what goes wrong before it is still an error of its own.
    if (!response.headersSent) response.writeHead(200, head)
    if (piece !== '' && !response.write(piece)) await drained(response)
    else await nextTurn()
    if (response.destroyed) return
    if (nowMs() - lookedMs >= lookAgainMs) {
      if (!holds()) {
        response.destroy()
        return
      }
      lookedMs = nowMs()
    }
  }
  if (!response.headersSent) response.writeHead(200, head)
  response.end()
}

/** Until what waits has gone to the reader, or the reader has gone; one that takes nothing is let go. */
async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return
  await new Promise<void>((resolve) => {
    const over = (): void => {
      clearTimeout(late)
      response.off('drain', over)
      response.off('close', over)
      resolve()
    }
    const late = setTimeout(() => response.destroy(), stalledMs)
    response.on('drain', over)
    response.on('close', over)
  })
}
