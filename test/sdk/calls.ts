import assert from 'node:assert/strict'
import type { TestGateway } from '../support/gateway.ts'

/** What an SDK's `fetch` saw of one answer. */
export interface Seen {
  status: number
  headers: Headers
}

/** A `fetch` for an SDK that keeps what it saw, the newest last. */
export function recordingFetch(): { fetch: typeof fetch; seen: Seen[] } {
  const seen: Seen[] = []
  return {
    seen,
    async fetch(input, init) {
      const response = await fetch(input, init)
      seen.push({ status: response.status, headers: response.headers })
      return response
    },
  }
}

/** The newest answer that was seen. */
export function lastOf(seen: readonly Seen[]): Seen {
  const last = seen.at(-1)
  assert.ok(last !== undefined, 'nothing was sent')
  return last
}

/** A receipt as the store keeps it, as far as the tests look. */
export interface StoredReceipt {
  id: string
  vendor: string
  model: string
  model_asked: string
  dialect: string
  simulated: number
  stream: number
  status: number
  failure: string | null
  input: number
  output: number
  cache_read: number
  cache_write_5m: number
  cache_write_1h: number
  thinking: number
}

/** The one receipt of a call. */
export function receiptOf(gateway: TestGateway, id: string): StoredReceipt {
  gateway.flush()
  const found = gateway.store.receipts(500).filter((receipt) => receipt['id'] === id)
  assert.equal(found.length, 1, `one receipt of ${id}`)
  return found[0] as unknown as StoredReceipt
}

/** Checks the headers of an answer that a simulated vendor gave, and gives the receipt of its call. */
export function checkAnswered(
  gateway: TestGateway,
  { status, headers }: Seen,
  expected: { vendor: string; model: string; dialect: string; stream: boolean },
): StoredReceipt {
  assert.equal(status, 200)
  const id = headers.get('request-id') ?? ''
  assert.match(id, /^req_[0-9A-Za-z]+$/)
  assert.equal(headers.get('x-request-id'), id)
  assert.equal(headers.get('x-keyrung-simulated'), 'true')
  assert.equal(headers.get('x-keyrung-vendor'), expected.vendor)
  assert.match(headers.get('content-type') ?? '', expected.stream ? /^text\/event-stream/ : /^application\/json/)
  checkNothingLeaks(headers)
  const receipt = receiptOf(gateway, id)
  assert.equal(receipt.vendor, expected.vendor)
  assert.equal(receipt.model_asked, expected.model)
  assert.equal(receipt.model, expected.model)
  assert.equal(receipt.dialect, expected.dialect)
  assert.equal(receipt.stream, expected.stream ? 1 : 0)
  assert.equal(receipt.status, 200)
  assert.equal(receipt.failure, null)
  assert.equal(receipt.simulated, 1)
  assert.ok(receipt.input + receipt.cache_read + receipt.cache_write_5m + receipt.cache_write_1h > 0, 'input tokens')
  assert.ok(receipt.output > 0, 'output tokens')
  return receipt
}

/** A vendor's own ids, quotas and network stay behind the gateway. */
function checkNothingLeaks(headers: Headers): void {
  const leaked = [...headers.keys()].filter((name) => {
    return /ratelimit|organization|^openai-|^anthropic-|^cf-|^x-goog|^x-ds-|^x-envoy|^server$|^via$/.test(name)
  })
  assert.deepEqual(leaked, [])
}
