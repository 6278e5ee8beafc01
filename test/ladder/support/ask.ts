import assert from 'node:assert/strict'
import type { ClientRequest, IncomingMessage, IncomingHttpHeaders } from 'node:http'
import { request as httpRequest } from 'node:http'
import { once } from 'node:events'
import { isObject, listOf, objectOf, parseJson, textOf, type JsonObject } from '../../../src/core/json.ts'
import { structuredList, type Item } from './structured.ts'
import { until } from './waiting.ts'
import type { Receipt } from '../../../src/core/receipt.ts'
import type { LadderGateway } from './gateway.ts'

export type Dialect = 'anthropic' | 'openai'
export const dialects = ['anthropic', 'openai'] as const

/** How a caller asks. */
export interface Manner {
  dialect: Dialect
  stream: boolean
}

/** Whole and streamed, in both dialects. */
export const manners: readonly (Manner & { name: string })[] = dialects.flatMap((dialect) =>
  [false, true].map((stream) => ({ dialect, stream, name: `${dialect}, ${stream ? 'streamed' : 'whole'}` })),
)

export interface Question {
  model?: string
  dialect?: Dialect
  stream?: boolean
  headers?: Record<string, string>
  /** More fields of the body. */
  body?: JsonObject
  path?: string
}

/** What a caller sees of an answer. */
export interface Seen {
  status: number
  headers: IncomingHttpHeaders
  body: string
  /** The text of the answer, and the model that its body names. */
  text: string
  model: string
  /** The error of a body or of an event. */
  error: JsonObject | undefined
  /** What it says. */
  message: string
  /** The dialect's own last event was there; true for a whole reply. */
  complete: boolean
  /** The trail of tries, each in short: `anthropic/claude-sonnet-5 529 vendor-overloaded`. */
  trail: string[]
  items: Item[]
}

/** One call, its whole answer. */
export async function ask(gateway: LadderGateway, question: Question = {}): Promise<Seen> {
  const request = send(gateway, question)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return seen(response, question)
}

/** A call that has been sent, for a caller who may leave. */
export function send(
  gateway: LadderGateway,
  { model = 'ladder/two', dialect = 'anthropic', stream = false, headers = {}, body = {}, path }: Question,
): ClientRequest {
  const asked = path ?? (dialect === 'anthropic' ? '/v1/messages' : '/v1/chat/completions')
  const auth: Record<string, string> =
    dialect === 'anthropic' ? { 'x-api-key': gateway.key } : { authorization: `Bearer ${gateway.key}` }
  const request = httpRequest(gateway.url + asked, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', ...auth, ...headers },
  })
  const limit = dialect === 'anthropic' ? { max_tokens: 100 } : {}
  request.end(
    JSON.stringify({
      model,
      ...limit,
      ...(stream && { stream }),
      messages: [{ role: 'user', content: 'Hello' }],
      ...body,
    }),
  )
  return request
}

/** All of an answer. */
export async function seen(response: IncomingMessage, { dialect = 'anthropic' }: Question): Promise<Seen> {
  let body = ''
  response.setEncoding('utf8')
  for await (const chunk of response) body += String(chunk)
  const header = response.headers['x-keyrung-attempts']
  const items = typeof header === 'string' ? structuredList(header) : []
  const streamed = String(response.headers['content-type']).startsWith('text/event-stream')
  const told = streamed ? streamOf(body, dialect) : wholeOf(body, dialect)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body,
    ...told,
    message: textOf(told.error?.message) ?? '',
    items,
    trail: items.map(({ value, parameters: { status, outcome } }) => `${value} ${status} ${outcome}`),
  }
}

type Told = Pick<Seen, 'text' | 'model' | 'error' | 'complete'>

function wholeOf(body: string, dialect: Dialect): Told {
  const json = objectOf(parseJson(body))
  const error = isObject(json.error) ? json.error : undefined
  const texts = listOf(json.content).map((block) => textOf(objectOf(block).text) ?? '')
  const message = objectOf(objectOf(listOf(json.choices)[0]).message)
  const text = dialect === 'anthropic' ? texts.join('') : (textOf(message.content) ?? '')
  return { text, model: textOf(json.model) ?? '', error, complete: error === undefined }
}

function streamOf(body: string, dialect: Dialect): Told {
  const told: Told = { text: '', model: '', error: undefined, complete: false }
  for (const part of body.split('\n\n')) {
    const data = part
      .split('\n')
      .find((line) => line.startsWith('data: '))
      ?.slice(6)
    if (data === undefined) continue
    assert.ok(!told.complete && told.error === undefined, `nothing may come after the end: ${body}`)
    if (data === '[DONE]') {
      told.complete = true
      continue
    }
    const json = objectOf(parseJson(data))
    if (isObject(json.error)) told.error = json.error
    if (dialect === 'anthropic') {
      if (json.type === 'message_start') told.model = textOf(objectOf(json.message).model) ?? ''
      if (json.type === 'message_stop') told.complete = true
      told.text += textOf(objectOf(json.delta).text) ?? ''
    } else {
      told.model ||= textOf(json.model) ?? ''
      told.text += textOf(objectOf(objectOf(listOf(json.choices)[0]).delta).content) ?? ''
    }
  }
  return told
}

/** The newest receipts, the newest first, once there are so many in all. */
export async function receipts(gateway: LadderGateway, count: number): Promise<Receipt[]> {
  await until(() => gateway.receipts.length >= count, `${count} receipts`)
  return gateway.receipts.toReversed()
}

/** How each try of a receipt went. */
export function outcomes(receipt: Receipt | undefined): string[] {
  return (receipt?.tries ?? []).map(({ vendor, status, outcome }) => `${vendor} ${status} ${outcome}`)
}
