import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { DialectName } from '../core/dialect.ts'
import { Failure, failureOf } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import { exchange } from './exchange.ts'
import { forward } from './forward.ts'
import type { Gateway } from './gateway.ts'
import { addressOf, identify } from './identify.ts'
import { asksLikeAnthropic, listModels, showModel } from './models.ts'
import { pathHint } from './paths.ts'
import { refuse } from './refuse.ts'
import { find, type ModelsRoute, type OpenRoute, type ControlRoute, type Route } from './routes.ts'
import { answerHeaders } from './headers.ts'
import { Tab } from './tab.ts'

/** How long the head of a request may take, and how long an idle connection is kept. */
const headMs = 10_000
const keepAliveMs = 65_000
const headCheckMs = 1000
/** How long a connection may take none of what waits for it: Node looks twice before it says so, so 60 s at most. */
const stalledMs = 30_000
const lastWordsMs = 1000
const headerBytesMax = 64 * 1024

/** The server that callers reach: finds the route and hands the request on. */
export function createGatewayServer(gateway: Gateway): Server {
  const server = createServer(
    {
      headersTimeout: headMs,
      connectionsCheckingInterval: headCheckMs,
      requestTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: headerBytesMax,
      noDelay: true,
    },
    (request, response) => serve(gateway, request, response),
  )
  server.timeout = stalledMs
  server.on('clientError', onClientError)
  // Accepting has failed, for want of file descriptors say: those who are here stay.
  server.once('listening', () => server.on('error', (error) => gateway.log.fault('server', error)))
  return server
}

function serve(gateway: Gateway, request: IncomingMessage, response: ServerResponse): void {
  // A socket may fail at any time; the close that follows is what the steps look at.
  response.on('error', () => {})
  response.on('timeout', onStandstill)
  if (gateway.draining) response.setHeader('connection', 'close')
  const target = request.url ?? '/'
  const found = find(request.method ?? 'GET', target, gateway.snapshot().mounts)
  if (found.type === 'found') {
    if (found.route.type === 'call') {
      exchange(gateway, { path: found.route, mount: found.mount }, request, response).catch((thrown: unknown) => {
        gateway.log.fault('exchange', thrown)
        response.destroy()
      })
    } else if (found.route.type === 'control') control(gateway, found.route, request, response)
    else answer(gateway, found.route, request, response)
    return
  }
  request.resume()
  const failure =
    found.type === 'method'
      ? new Failure('method-wrong', `${request.method} is not allowed here; use ${found.allow}.`, { fix: '' })
      : unknownPath(request.method ?? 'GET', found.path)
  if (found.type === 'method') response.setHeader('allow', found.allow)
  refuseAny(gateway, failure, dialectOf(request), response)
}

/** A path that leads nowhere, with where it probably meant to go. */
function unknownPath(method: string, path: string): Failure {
  const hint = pathHint(path)
  const message = `Invalid URL (${method} ${plain(path)}).`
  return hint === undefined ? new Failure('path-unknown', message) : new Failure('path-unknown', message, { fix: hint })
}

/** A reader that takes nothing is let go: what waits for it would wait for ever. A silent vendor is no standstill. */
function onStandstill(this: ServerResponse): void {
  if (this.writableLength > 0) this.destroy()
}

/** What the control plane answers, once it is known who asks. */
function control(gateway: Gateway, route: ControlRoute, request: IncomingMessage, response: ServerResponse): void {
  const refuseThis = (failure: Failure): void => refuseAny(gateway, failure, dialectOf(request), response)
  try {
    const snapshot = gateway.snapshot()
    if (gateway.control === undefined || (route.auth === 'admin' && !snapshot.adminHere)) {
      throw unknownPath(request.method ?? 'GET', route.path)
    }
    const open = route.auth === 'admin' || (route.auth === 'status' && snapshot.status.public)
    const keyId = open ? undefined : identify(snapshot, request).id
    const query = /\?.*$/s.exec(request.url ?? '')?.[0] ?? ''
    const address = addressOf(request, snapshot.trustedProxies)
    const forwarding = { control: gateway.control, path: route.path + query, keyId, address, refuse: refuseThis }
    forward(forwarding, request, response)
  } catch (thrown) {
    request.resume()
    refuseThis(failureOf(thrown))
  }
}

/** What is answered from the snapshot alone. */
function answer(
  gateway: Gateway,
  route: Exclude<Route, { type: 'call' | 'control' }>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  request.resume()
  try {
    if (route.type === 'page') page(gateway, route.name, response)
    else if (route.auth === 'open') open(gateway, route, response)
    else models(gateway, route, request, response)
  } catch (thrown) {
    refuseAny(gateway, failureOf(thrown), dialectOf(request), response)
  }
}

function open(gateway: Gateway, route: OpenRoute, response: ServerResponse): void {
  switch (route.type) {
    case 'hello':
      send(response, 200, { name: 'keyrung', anthropic: 'POST /v1/messages', openai: 'POST /v1/chat/completions' })
      return
    case 'faults':
      send(response, 200, { object: 'list', data: [...(gateway.snapshot().sandbox?.faults ?? [])] })
      return
    case 'health':
      send(response, 200, { status: 'ok' })
      return
    case 'ready':
      if (gateway.draining) send(response, 503, { status: 'draining' })
      else send(response, 200, { status: 'ready' })
  }
}

/** A page on errors, for people: where the `link` of an error leads. */
function page(gateway: Gateway, name: string, response: ServerResponse): void {
  const html = gateway.snapshot().pages.get(name)
  if (html === undefined)
    throw new Failure('path-unknown', `There is no page on ${plain(name)}.`, { fix: 'GET /errors lists the pages.' })
  sendHtml(response, html)
}

function sendHtml(response: ServerResponse, html: string): void {
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(html),
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  })
  response.end(html)
}

function models(gateway: Gateway, route: ModelsRoute, request: IncomingMessage, response: ServerResponse): void {
  const snapshot = gateway.snapshot()
  const caller = identify(snapshot, request)
  const plan = snapshot.plans.get(caller.plan) ?? snapshot.defaultPlan
  const anthropic = asksLikeAnthropic(request.headers)
  const query = new URLSearchParams((request.url ?? '').split('?', 2)[1] ?? '')
  const json =
    route.id === undefined
      ? listModels(snapshot, { caller, plan }, anthropic, query)
      : showModel(snapshot, { caller, plan }, anthropic, route.id)
  send(response, 200, json)
}

function send(response: ServerResponse, status: number, json: JsonObject): void {
  const body = JSON.stringify(json)
  const headers = answerHeaders(new Tab('openai-chat', Date.now()))
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

function refuseAny(gateway: Gateway, failure: Failure, name: DialectName, response: ServerResponse): void {
  const tab = new Tab(name, Date.now())
  if (failure.kind === 'gateway-fault') gateway.log.fault(tab.id, failure.cause)
  refuse(failure, gateway.snapshot().dialects[name], response, tab)()
}

/** The dialect of a request whose path does not tell. */
function dialectOf(request: IncomingMessage): DialectName {
  return asksLikeAnthropic(request.headers) || (request.url ?? '').includes('/messages') ? 'anthropic' : 'openai-chat'
}

/** A path as it may stand in a message: bounded, and without characters that could do something there. */
function plain(path: string): string {
  return path.slice(0, 200).replace(/[^\x21-\x7e]/g, '?')
}

/** What is no HTTP: answered once, in plain JSON, and closed. */
function onClientError(error: Error & { code?: string }, socket: Socket): void {
  // In the middle of an answer it would become part of it; Node's own default looks at the same property.
  if (error.code === 'ECONNRESET' || !socket.writable || Reflect.get(socket, '_httpMessage')) {
    socket.destroy()
    return
  }
  const [status, message] = clientErrors[error.code ?? ''] ?? [
    '400 Bad Request',
    'This is not a request that HTTP/1.1 allows.',
  ]
  const body = JSON.stringify({
    type: 'error',
    error: { type: 'invalid_request_error', message, param: null, code: null },
  })
  // Whoever does not close its end would keep the connection for ever.
  socket.setTimeout(lastWordsMs, () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

const clientErrors: Readonly<Record<string, [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', `The headers are larger than ${headerBytesMax} bytes.`],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The head of the request did not come in time.'],
}
