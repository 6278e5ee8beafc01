import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { compact } from '../../core/json.ts'
import { ControlError } from '../service.ts'
import { answerHeaders } from './answer-headers.ts'

interface RefusalDetails {
  /** The field it is about, as it was sent: `limits.tokensPerDay`. */
  path?: string | undefined
  fix?: string | undefined
  headers?: OutgoingHttpHeaders
  cause?: unknown
}

/** What ends a request before its answer. The message is for whoever asks: it quotes no secret and no value that was sent. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly path: string | undefined
  readonly fix: string | undefined
  readonly headers: OutgoingHttpHeaders

  constructor(status: number, code: string, message: string, { path, fix, headers = {}, cause }: RefusalDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Refusal'
    this.status = status
    this.code = code
    this.path = path
    this.fix = fix
    this.headers = headers
  }
}

/** What was thrown, as a Refusal; anything that nobody meant to throw is a bug of ours, and nothing is told of it. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown
  if (thrown instanceof ControlError) {
    const { status, code, message, path, fix } = thrown
    const headers = status === 503 ? { 'retry-after': String(busyS) } : {}
    return new Refusal(status, code, message, { path, fix, headers, cause: thrown })
  }
  return new Refusal(500, 'fault', 'The gateway met a bug of its own while serving this request.', {
    fix: 'Look for the request id in its log.',
    cause: thrown,
  })
}

/** When something that is away for the moment may be there again. */
const busyS = 1

/** How long what is still being sent is let run out, so that the answer is not lost in a reset of the connection. */
const lastWordsMs = 5000

/** Answers with an error; where an answer has begun, it is broken off, so that nobody takes it for whole. */
export function refuse(refusal: Refusal, requestId: string, request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const { status, code, message, path, fix } = refusal
  const body = JSON.stringify({ error: compact({ code, message, path, fix }), requestId })
  response.writeHead(status, {
    ...answerHeaders,
    ...refusal.headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
  letRunOut(request)
}

/** Node reads on and drops what it reads, for as long as it comes. */
function letRunOut(request: IncomingMessage): void {
  if (request.complete) return
  request.on('error', () => {})
  const end = setTimeout(() => request.destroy(), lastWordsMs)
  request.once('close', () => clearTimeout(end))
}
