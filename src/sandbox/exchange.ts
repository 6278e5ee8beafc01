import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Dialect, Head, ReplyContext } from '../core/dialect.ts'
import type { ReplyEvent } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import { isObject, parseJson, type Json, type JsonObject } from '../core/json.ts'
import type { Prompt } from '../core/prompt.ts'
import { readBody } from './body.ts'
import { endAnswer } from './faults/ending.ts'
import type { Answer, Piece, Reply } from './faults/fault.ts'
import { faultOf } from './faults/index.ts'
import type { CallMemory } from './faults/memory.ts'
import { ordinary } from './faults/ordinary.ts'
import { persona, type Voice } from './persona.ts'
import type { PrefixCache } from './prefix-cache.ts'
import { firstOf, type Refusal } from './refusal.ts'
import { routeOf } from './route.ts'
import type { SeenLog, SeenRequest } from './seen.ts'
import { pause, sendPieces } from './send.ts'
import { streamPieces } from './stream-pieces.ts'
import { segmentsOf, type Segment } from './tokens.ts'
import { signerOf, type Route, type SimulatedVendor } from './vendor.ts'

/** What all exchanges of one sandbox share. */
export interface House {
  readonly seen: SeenLog
  readonly cache: PrefixCache
  readonly paceMs: number
  /** For the faults that go away again. */
  readonly calls: CallMemory
  /** Numbers the requests: ids are made of it. */
  count: number
}

/** One request at the vendor's door. */
interface Exchange {
  vendor: SimulatedVendor
  /** The number of the request: ids are made of it. */
  count: number
  requestId: string
  headers: IncomingHttpHeaders
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
  const { count } = house
  const requestId = vendor.requestId(count)
  const { headers } = request
  const exchange = { vendor, count, requestId, headers, response, seen, gone, paceMs: paceOf(request, house), house }
  if (lost !== undefined) return refuse(exchange, lost)

  const unauthorized = vendor.authorize(request.headers, query)
  if (unauthorized !== undefined) return refuse(exchange, unauthorized)
  if (route.does === 'models') return deliver(exchange, fact(exchange, vendor.models()))

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

function answer(exchange: Exchange, route: AskRoute, question: Question): void | Promise<void> {
  const { vendor } = exchange
  const { prompt, head } = question
  const { dialect } = route
  const segments = segmentsOf(prompt)
  const tokens = segments.reduce((sum, segment) => sum + segment.tokens, 0)
  const tooLong = vendor.refuse.tokens(prompt.model, tokens)
  if (tooLong !== undefined) return refuse(exchange, tooLong)
  if (route.does === 'count') {
    const counted = fact(exchange, dialect.count?.fold(tokens) ?? {})
    return deliver(exchange, { ...counted, dialect, model: head.model })
  }

  const context: ReplyContext = {
    id: `sandbox${String(exchange.count).padStart(17, '0')}`,
    model: head.model,
    createdMs: Date.now(),
    // Who thinks unasked, as DeepSeek does, shows its thoughts unasked too.
    request:
      vendor.thinking(prompt, dialect.name) === 'none'
        ? question.body
        : { thinking: { type: 'adaptive' }, ...question.body },
    streamUsage: prompt.streamUsage ?? false,
  }
  let events: readonly ReplyEvent[] | undefined
  // Only once it is needed: a call that a fault refuses is billed nothing.
  const said = (): readonly ReplyEvent[] => (events ??= persona(prompt, voiceOf(exchange, dialect, question, segments)))
  return deliver(exchange, {
    ...fact(exchange, null),
    dialect,
    model: head.model,
    streamed: head.stream,
    whole() {
      const reply = dialect.reply.fold(said(), context)
      return JSON.stringify(vendor.accent?.(reply, dialect.name) ?? reply)
    },
    pieces: () => streamPieces(vendor, dialect, said(), context),
  })
}

function voiceOf(
  { vendor, house, count }: Exchange,
  dialect: Dialect,
  { prompt, body }: Question,
  segments: readonly Segment[],
): Voice {
  const voice: Voice = {
    callId: `${vendor.callIds}${String(count).padStart(10, '0')}`,
    thinking: vendor.thinking(prompt, dialect.name),
    // A cached prefix belongs to the model that read it.
    input: vendor.caches
      ? house.cache.bill([{ tokens: 0, key: prompt.model }, ...segments])
      : { ...noCaching, input: segments.reduce((sum, segment) => sum + segment.tokens, 0) },
    ...(vendor.signsCalls && { signsCalls: true }),
  }
  const sign = signerOf(vendor.name, dialect, body)
  if (sign !== undefined) voice.sign = sign
  return voice
}

const noCaching = { cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }

/** A reply that is not the model's own: a list, a number. */
function fact({ vendor, requestId }: Exchange, json: Json): Reply {
  const whole = (): string => JSON.stringify(json)
  const pieces = (): Piece[] => [{ text: `data: ${whole()}\n\n`, kind: 'end' }]
  const nowMs = Date.now()
  return { vendor, requestId, nowMs, dialect: undefined, model: '', streamed: false, whole, pieces }
}

/** Sends the reply, or what the fault that was asked for makes of it. */
function deliver(exchange: Exchange, reply: Reply): Promise<void> {
  const fault = faultOf(exchange.headers, exchange.house.calls)
  return send(exchange, (fault ?? ordinary)(reply))
}

async function send(exchange: Exchange, { waitMs = 0, head, pieces = [], ending }: Answer): Promise<void> {
  const { response, seen, gone, paceMs } = exchange
  if (waitMs > 0) await pause(waitMs, gone)
  if (gone.aborted) return
  if (head !== undefined) begin(exchange, head.status, head.contentType, head.headers)
  seen.cut = ending === 'close' || ending === 'reset'
  await sendPieces(response, pieces, { paceMs, gone, end: () => endAnswer(response, ending, gone) })
}

function refuse(exchange: Exchange, refusal: Refusal): void {
  sendJson(exchange, refusal.status, exchange.vendor.write(refusal, exchange.requestId))
}

function sendJson(exchange: Exchange, status: number, json: Json): void {
  begin(exchange, status, 'application/json')
  exchange.response.end(JSON.stringify(json))
}

function begin(
  { vendor, requestId, response, seen }: Exchange,
  status: number,
  contentType: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  seen.status = status
  const usual = { 'content-type': contentType, 'cache-control': 'no-cache', ...vendor.headers(requestId, status) }
  response.writeHead(status, { ...usual, ...headers })
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
    const aborted = !response.writableFinished && !seen.cut
    if (!response.writableFinished) leaving.abort()
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
