import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dialect, Head, ReplyContext } from '../core/dialect.ts'
import type { ReplyEvent } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import { isObject, parseJson, type Json, type JsonObject } from '../core/json.ts'
import type { Prompt } from '../core/prompt.ts'
import { readBody } from './body.ts'
import { persona, type Voice } from './persona.ts'
import type { PrefixCache } from './prefix-cache.ts'
import { firstOf, type Refusal } from './refusal.ts'
import { routeOf } from './route.ts'
import type { SeenLog, SeenRequest } from './seen.ts'
import { sendPieces } from './send.ts'
import { segmentsOf } from './tokens.ts'
import { signerOf, type Route, type SimulatedVendor } from './vendor.ts'

/** What all exchanges of one sandbox share. */
export interface House {
  readonly seen: SeenLog
  readonly cache: PrefixCache
  readonly paceMs: number
  /** Numbers the requests: ids are made of it. */
  count: number
}

/** One request at the vendor's door. */
interface Exchange {
  vendor: SimulatedVendor
  requestId: string
  response: ServerResponse
  seen: SeenRequest
  gone: AbortSignal
  paceMs: number
  house: House
}

/** One request from its first byte to the answer's last: route, authorize, parse, rules, persona, write. */
export async function serve(house: House, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { vendor, route, path, query, refusal: lost } = routeOf(request.method ?? 'GET', request.url ?? '/')
  const seen = house.seen.add({
    vendor: vendor?.name ?? '',
    method: request.method ?? 'GET',
    path: `${path}${query.size > 0 ? `?${query.toString()}` : ''}`,
    headers: request.headers,
  })
  const gone = watch(house, response, seen)
  if (vendor === undefined) return sendNoVendor(response, seen)
  house.count += 1
  const requestId = vendor.requestId(house.count)
  const exchange = { vendor, requestId, response, seen, gone, paceMs: paceOf(request, house), house }
  if (lost !== undefined) return refuse(exchange, lost)

  const unauthorized = vendor.authorize(request.headers, query)
  if (unauthorized !== undefined) return refuse(exchange, unauthorized)
  if (route.does === 'models') return sendJson(exchange, 200, vendor.models())

  const text = await readBody(request)
  if (text === undefined) return refuse(exchange, vendor.refuse.size())
  const json = parseJson(text)
  if (!isObject(json)) return refuse(exchange, vendor.refuse.body(jsonProblem(text)))
  seen.json = json
  house.seen.emit('request', seen)

  const asked = readAsked(exchange, route, json, request)
  return 'refusal' in asked ? refuse(exchange, asked.refusal) : answer(exchange, route, asked)
}

type AskRoute = Exclude<Route, { does: 'models' }>

/** What was understood: the prompt, and the request it was read from. */
interface Question {
  prompt: Prompt
  head: Head
  body: JsonObject
}

/** The vendor's rules first, then the dialect's reader: whatever it still finds is the vendor's 400 too. */
function readAsked(
  { vendor, seen }: Exchange,
  route: AskRoute,
  json: JsonObject,
  request: IncomingMessage,
): Question | { refusal: Refusal } {
  const { dialect } = route
  const body = route.unwrap?.(json) ?? json
  const counting = route.does === 'count'
  try {
    const head = dialect.request.head(body, seen.path)
    if (!vendor.knows(head.model, dialect.name)) return { refusal: vendor.refuse.model(head.model) }
    const refusal = firstOf(route.rules({ json: body, headers: request.headers, model: head.model, counting }))
    if (refusal !== undefined) return { refusal }
    // Nothing is answered when tokens are counted, so no limit is asked for.
    const whole = counting && dialect.name === 'anthropic' ? { ...body, max_tokens: 1 } : body
    return { prompt: dialect.request.read(whole, head), head, body }
  } catch (error) {
    if (error instanceof Failure) return { refusal: vendor.refuse.request(error.message) }
    throw error
  }
}

function answer(exchange: Exchange, route: AskRoute, { prompt, head, body }: Question): void | Promise<void> {
  const { vendor, house } = exchange
  const { dialect } = route
  const segments = segmentsOf(prompt)
  const tokens = segments.reduce((sum, segment) => sum + segment.tokens, 0)
  const tooLong = vendor.refuse.tokens(prompt.model, tokens)
  if (tooLong !== undefined) return refuse(exchange, tooLong)
  if (route.does === 'count') return sendJson(exchange, 200, dialect.count?.fold(tokens) ?? {})

  const voice: Voice = {
    callId: `${vendor.callIds}${String(house.count).padStart(10, '0')}`,
    thinking: vendor.thinking(prompt, dialect.name),
    // A cached prefix belongs to the model that read it.
    input: vendor.caches
      ? house.cache.bill([{ tokens: 0, key: prompt.model }, ...segments])
      : { ...noCaching, input: tokens },
    ...(vendor.signsCalls && { signsCalls: true }),
  }
  const sign = signerOf(vendor.name, dialect, body)
  if (sign !== undefined) voice.sign = sign
  const context: ReplyContext = {
    id: `sandbox${String(house.count).padStart(17, '0')}`,
    model: head.model,
    createdMs: Date.now(),
    request: body,
    streamUsage: prompt.streamUsage ?? false,
  }
  const send = head.stream ? sendStream : sendWhole
  return send(exchange, dialect, persona(prompt, voice), context)
}

const noCaching = { cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }

async function sendWhole(
  exchange: Exchange,
  dialect: Dialect,
  events: readonly ReplyEvent[],
  context: ReplyContext,
): Promise<void> {
  const { vendor, response, gone, paceMs } = exchange
  const reply = dialect.reply.fold(events, context)
  const text = JSON.stringify(vendor.accent?.(reply, dialect.name) ?? reply)
  begin(exchange, 200, 'application/json')
  // DeepSeek keeps the connection of a whole reply alive by blank lines.
  const lead = vendor.keepAlive?.after === 'headers' ? '\n' : ''
  await sendPieces(response, [lead, text], { paceMs, gone })
}

async function sendStream(
  exchange: Exchange,
  dialect: Dialect,
  events: readonly ReplyEvent[],
  context: ReplyContext,
): Promise<void> {
  const { response, gone, paceMs } = exchange
  begin(exchange, 200, 'text/event-stream; charset=utf-8')
  await sendPieces(response, streamPieces(exchange.vendor, dialect, events, context), { paceMs, gone })
}

function* streamPieces(
  vendor: SimulatedVendor,
  dialect: Dialect,
  events: readonly ReplyEvent[],
  context: ReplyContext,
): Generator<string> {
  const writer = dialect.stream.writer(context)
  const { keepAlive, accent } = vendor
  let waiting = keepAlive
  if (waiting?.after === 'headers') {
    yield waiting.text
    waiting = undefined
  }
  for (const event of events) {
    const text = writer.write(event)
    if (text === '') continue
    yield accent === undefined ? text : accented(text, (json) => accent(json, dialect.name))
    if (waiting !== undefined) yield waiting.text
    waiting = undefined
  }
}

/** The events that carry usage, with the vendor's own way of counting. */
function accented(text: string, accent: (json: JsonObject) => JsonObject): string {
  if (!text.includes('"usage":{')) return text
  return text.replace(/^data: (\{.*\})$/gm, (line, data: string) => {
    const json = parseJson(data)
    return isObject(json) && isObject(json['usage']) ? `data: ${JSON.stringify(accent(json))}` : line
  })
}

function refuse(exchange: Exchange, refusal: Refusal): void {
  sendJson(exchange, refusal.status, exchange.vendor.write(refusal, exchange.requestId))
}

function sendJson(exchange: Exchange, status: number, json: Json): void {
  begin(exchange, status, 'application/json')
  exchange.response.end(JSON.stringify(json))
}

function begin({ vendor, requestId, response, seen }: Exchange, status: number, contentType: string): void {
  seen.status = status
  const headers = vendor.headers(requestId, status)
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-cache', ...headers })
}

function sendNoVendor(response: ServerResponse, seen: SeenRequest): void {
  seen.status = 404
  response.writeHead(404, { 'content-type': 'text/plain' })
  response.end('The sandbox has no such vendor.\n')
}

/** Tells when the client has left, and writes down how the answer ended. */
function watch(house: House, response: ServerResponse, seen: SeenRequest): AbortSignal {
  const leaving = new AbortController()
  response.once('close', () => {
    const aborted = !response.writableFinished
    if (aborted) leaving.abort()
    house.seen.end(seen, aborted)
  })
  return leaving.signal
}

const paceMsMax = 60_000

function paceOf(request: IncomingMessage, house: House): number {
  const asked = Number(request.headers['x-sandbox-pace-ms'] ?? house.paceMs)
  return Number.isFinite(asked) ? Math.min(Math.max(asked, 0), paceMsMax) : house.paceMs
}

/** What the parser says of a body that is no JSON object. */
function jsonProblem(text: string): string {
  try {
    JSON.parse(text)
    return 'expected an object'
  } catch (error) {
    return error instanceof Error ? error.message : 'invalid'
  }
}
