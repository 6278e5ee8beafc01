import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type Agent, type ClientRequest, type IncomingHttpHeaders } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { isObject, objectOf, parseJson, textOf, type JsonObject } from '../../../src/core/json.ts'

export type Dialect = 'anthropic' | 'openai'
export const dialects = ['anthropic', 'openai'] as const

/** Where a call goes, and whose it is. */
export interface Question {
  url: string
  key: string
  dialect?: Dialect
  model?: string
  stream?: boolean
  /** The most tokens of the answer. */
  tokensMax?: number
  /** More fields of the body. */
  body?: JsonObject
  headers?: Record<string, string>
  /** Connections that are kept; without it each call has one of its own, which any worker may get. */
  agent?: Agent
}

/** What a caller gets, and when by the clock that only grows. */
export interface Got {
  status: number
  headers: IncomingHttpHeaders
  body: string
  /** All of it came, as HTTP knows it. */
  ended: boolean
  /** The kind of failure, by its header. */
  failure: string
  /** What an error says, in a body or in an event. */
  message: string
  /** The type of an error, in the dialect's words. */
  type: string
  sentMs: number
  gotMs: number
}

/** A call that was sent; its caller may leave. */
export function send(question: Question): ClientRequest {
  const { url, key, dialect = 'anthropic', agent, headers = {} } = question
  const path = dialect === 'anthropic' ? '/v1/messages' : '/v1/chat/completions'
  const auth: Record<string, string> =
    dialect === 'anthropic' ? { 'x-api-key': key } : { authorization: `Bearer ${key}` }
  const request = httpRequest(url + path, {
    method: 'POST',
    agent: agent ?? false,
    headers: { 'content-type': 'application/json', ...auth, ...headers },
  })
  request.end(bodyOf(question))
  return request
}

/** The body of such a call. */
export function bodyOf({ dialect = 'anthropic', model, stream = false, tokensMax = 100, body = {} }: Question): string {
  return JSON.stringify({
    model: model ?? (dialect === 'anthropic' ? 'claude-sonnet-5' : 'gpt-4.1'),
    ...(dialect === 'anthropic' ? { max_tokens: tokensMax } : { max_completion_tokens: tokensMax }),
    ...(stream && { stream }),
    messages: [{ role: 'user', content: 'Hello' }],
    ...body,
  })
}

/** One call, its whole answer. Rejects where the connection breaks before there is any. */
export async function call(question: Question): Promise<Got> {
  const sentMs = performance.now()
  const request = send(question)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  request.on('error', () => {})
  return got(response, sentMs)
}

/** All of an answer. */
export async function got(response: IncomingMessage, sentMs: number): Promise<Got> {
  const { statusCode = 0, headers } = response
  let body = ''
  response.setEncoding('utf8')
  response.on('data', (text: string) => {
    body += text
  })
  response.on('error', () => {})
  await new Promise((resolve) => response.once('close', resolve))
  const error = errorIn(body)
  return {
    status: statusCode,
    headers,
    body,
    ended: response.complete,
    failure: String(headers['x-keyrung-failure'] ?? ''),
    message: textOf(error?.message) ?? '',
    type: textOf(error?.type) ?? '',
    sentMs,
    gotMs: performance.now(),
  }
}

/** The error of a body, or of one of its events. */
function errorIn(body: string): JsonObject | undefined {
  for (const line of body.startsWith('{') ? [body] : body.split('\n')) {
    const { error } = objectOf(parseJson(line.replace(/^data: /, '')))
    if (isObject(error)) return error
  }
  return undefined
}

/** A stream that has begun. */
export interface Held {
  request: ClientRequest
  response: IncomingMessage
  /** All of it, once it is over. */
  over: Promise<Got>
}

/** Begins a call whose answer does not end by itself, and resolves once its first bytes are here. */
export async function hold(question: Question): Promise<Held> {
  const sentMs = performance.now()
  const request = send({ ...question, stream: true })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  request.on('error', () => {})
  const over = got(response, sentMs)
  if (response.statusCode !== 200) assert.fail(`${response.statusCode}: ${(await over).body}`)
  await once(response, 'data')
  return { request, response, over }
}

/** What is not a call, by the caller's own key: `/v1/me` and the like. */
export async function get(url: string, key: string, method = 'GET'): Promise<{ status: number; json: JsonObject }> {
  const answer = await fetch(url, { method, headers: { authorization: `Bearer ${key}`, connection: 'close' } })
  return { status: answer.status, json: (await answer.json()) as JsonObject }
}

/** How long a refusal says to wait, to the millisecond. */
export function waitMsOf({ headers }: Got): number {
  const ms = Number(headers['retry-after-ms'])
  assert.ok(Number.isInteger(ms) && ms > 0, `retry-after-ms: ${String(headers['retry-after-ms'])}`)
  assert.equal(headers['retry-after'], String(Math.ceil(ms / 1000)))
  return ms
}
