import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { JsonObject } from '../core/json.ts'
import { timeId } from '../core/id.ts'
import type { AdminHandler } from './admin/handler.ts'
import { answerMe, type MeOptions } from './me.ts'
import { ControlError } from './service.ts'

export interface DeskOptions extends MeOptions {
  readonly admin: AdminHandler
  /** How the models stand, as text of this form. */
  readonly status: (form: 'html' | 'json') => string
  /** The word that workers say: whoever does not is no worker. */
  readonly word: string
  /** Headers by which a worker says its word, and whose key came. */
  readonly headers: { readonly word: string; readonly key: string }
  readonly fault: (requestId: string, cause: unknown) => void
}

/**
 * Where workers hand on what is not a call: the admin API, what belongs to a key, and the status. It listens on the loopback, and the word
 * is made anew at each start.
 */
export function createDesk(options: DeskOptions): Server {
  return createServer((request, response) => {
    response.on('error', () => {})
    serve(options, request, response).catch((error: unknown) => {
      options.fault('desk', error)
      response.destroy()
    })
  })
}

async function serve(options: DeskOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isWord(request.headers[options.headers.word], options.word)) {
    request.resume()
    send(response, 403, { error: { code: 'not-allowed', message: 'Nothing is answered here.' } })
    return
  }
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
  if (path.startsWith('/admin/')) {
    await options.admin(request, response, path)
    return
  }
  request.resume()
  if (path === '/status' || path === '/status.json') {
    status(options, path === '/status' ? 'html' : 'json', response)
    return
  }
  me(options, request, response, path.replace(/^\/v1\/me/, ''), new URLSearchParams(query))
}

function me(
  options: DeskOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): void {
  const requestId = `req_${timeId(Date.now())}`
  response.setHeader('x-request-id', requestId)
  response.setHeader('request-id', requestId)
  try {
    const keyId = String(request.headers[options.headers.key] ?? '')
    send(response, 200, answerMe({ method: request.method ?? 'GET', path, query, keyId }, options))
  } catch (error) {
    if (!(error instanceof ControlError)) {
      options.fault(requestId, error)
      send(response, 500, errorOf('gateway-fault', 'The gateway met a bug of its own.', undefined, requestId))
      return
    }
    send(response, error.status, errorOf(error.code, error.message, error.fix, requestId))
  }
}

/** In a shape that both SDK families read. */
function errorOf(code: string, message: string, fix: string | undefined, requestId: string): JsonObject {
  const text = fix === undefined ? message : `${message} ${fix}`
  return {
    type: 'error',
    error: { type: 'invalid_request_error', code, message: text, param: null },
    request_id: requestId,
  }
}

function status({ status: textOf }: DeskOptions, form: 'html' | 'json', response: ServerResponse): void {
  const text = textOf(form)
  response.writeHead(200, {
    'content-type': form === 'html' ? 'text/html; charset=utf-8' : 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  })
  response.end(text)
}

function send(response: ServerResponse, code: number, json: JsonObject): void {
  const body = JSON.stringify(json)
  response.writeHead(code, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  })
  response.end(body)
}

function isWord(said: string | string[] | undefined, word: string): boolean {
  const one = Buffer.from(String(said ?? ''))
  const other = Buffer.from(word)
  return one.length === other.length && timingSafeEqual(one, other)
}
