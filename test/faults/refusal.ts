import assert from 'node:assert/strict'
import { isObject, objectOf, parseJson, textOf } from '../../src/core/json.ts'
import { fetchRaw, type RawAnswer } from '../support/client.ts'
import type { TestGateway } from '../support/gateway.ts'
import type { Dialect } from './matrix.ts'

/** What a caller is told of a request that was refused before any vendor was asked. */
export interface Refusal {
  status: number
  type: unknown
  code: unknown
  param: unknown
  message: string
  kind: string | undefined
  headers: RawAnswer['headers']
  body: string
}

interface Sent {
  body?: string | Buffer
  path?: string
  method?: string
  /** Beside or in place of the usual ones; '' leaves one out. */
  headers?: Record<string, string>
}

const paths = { anthropic: '/v1/messages', openai: '/v1/chat/completions' }

/** Sends a request that must be refused, and checks what every refusal has: its form, its ids, its headers, no vendor. */
export async function refusalOf(gateway: TestGateway, dialect: Dialect, sent: Sent): Promise<Refusal> {
  const seenBefore = gateway.sandbox?.seen.length
  const usual = { 'content-type': 'application/json', authorization: `Bearer ${gateway.key}` }
  const headers = Object.fromEntries(Object.entries({ ...usual, ...sent.headers }).filter(([, value]) => value !== ''))
  const { path = paths[dialect], method = 'POST', body = '' } = sent
  const answer = await fetchRaw(gateway.url + path, { method, body, headers })
  const text = answer.body.toString()
  assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}: ${text}`)
  assert.equal(gateway.sandbox?.seen.length, seenBefore, `a vendor was asked: ${text}`)
  const id = answer.headers['request-id']
  assert.match(String(id), /^req_[0-9A-Za-z]+$/)
  assert.equal(answer.headers['x-request-id'], id)
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.equal(answer.headers['x-keyrung-blame'], 'caller')
  assert.equal(answer.headers['x-should-retry'], 'false')
  assert.equal(answer.headers['retry-after'], undefined)
  assert.equal(answer.headers['x-keyrung-attempts'], undefined)
  assert.equal(answer.headers['link'], `</errors/${answer.status}>; rel="help"`)
  assert.ok(!text.includes(gateway.key), 'the key is shown')
  return {
    ...errorOf(text, dialect, String(id)),
    status: answer.status,
    kind: textOf(answer.headers['x-keyrung-failure']),
    headers: answer.headers,
    body: text,
  }
}

function errorOf(text: string, dialect: Dialect, id: string): Pick<Refusal, 'type' | 'code' | 'param' | 'message'> {
  const body = parseJson(text)
  assert.ok(isObject(body), text)
  const error = objectOf(body.error)
  const { type, code, param, message } = error
  assert.ok(typeof message === 'string' && message !== '', text)
  if (dialect === 'anthropic') {
    assert.deepEqual([body.type, body.request_id], ['error', id], text)
  } else {
    assert.deepEqual(Object.keys(error).toSorted(), ['code', 'message', 'param', 'type'], text)
  }
  return { type, code, param, message }
}
