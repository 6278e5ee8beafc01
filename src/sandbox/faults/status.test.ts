import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { listOf, objectOf, parseJson, type Json } from '../../core/json.ts'
import { startSandbox, type Sandbox } from '../index.ts'
import { call, doors, nameOf, type Came, type Door } from './testing.ts'

let sandbox: Sandbox
before(async () => {
  sandbox = await startSandbox()
})
after(() => sandbox.close())

/** By vendor: the status, and words that only this refusal has. `foreign` after it where it is not its error object. */
type Row = Readonly<Record<'anthropic' | 'openai' | 'google' | 'xai' | 'deepseek', [number, RegExp, 'foreign'?]>>

const overloaded: Row = {
  anthropic: [529, /"overloaded_error","message":"Overloaded"/],
  openai: [503, /"service_unavailable_error",.*"server_is_overloaded"/],
  google: [503, /"code":503,"message":"The model is overloaded\..*"UNAVAILABLE"/],
  xai: [503, /"code":"The service is currently unavailable"/],
  deepseek: [503, /too busy/],
}
const limited: Row = {
  anthropic: [429, /"rate_limit_error","message":"This request would exceed/],
  openai: [429, /Rate limit reached.*"requests".*"rate_limit_exceeded"/],
  google: [429, /"RESOURCE_EXHAUSTED".*QuotaFailure.*PerMinute/],
  xai: [429, /"code":"Some resource has been exhausted","error":"Too many requests/],
  deepseek: [429, /Rate limit reached/],
}

const rows: Readonly<Record<string, Row>> = {
  '400': {
    anthropic: [400, /"invalid_request_error","message":"max_tokens: Field required"/],
    openai: [400, /"param":"messages\[0\]\.role","code":"invalid_value"/],
    google: [400, /INVALID_ARGUMENT.*fieldViolations/],
    xai: [400, /Client specified an invalid argument/],
    deepseek: [400, /"code":"invalid_request_error"/],
  },
  '401': {
    anthropic: [401, /"authentication_error","message":"invalid x-api-key"/],
    openai: [401, /Incorrect API key provided.*"invalid_api_key"/],
    google: [400, /API key not valid.*API_KEY_INVALID/],
    xai: [400, /Incorrect API key provided: xa\*\*\*/],
    deepseek: [401, /Authentication Fails/],
  },
  '402': {
    anthropic: [402, /"billing_error"/],
    openai: [429, /"insufficient_quota","param":null,"code":"insufficient_quota"/],
    google: [402, /prepayment credits are depleted/],
    xai: [403, /run out of credits/],
    deepseek: [402, /Insufficient Balance/],
  },
  '403': {
    anthropic: [403, /"permission_error"/],
    openai: [403, /does not have access to model/],
    google: [403, /PERMISSION_DENIED/],
    xai: [403, /The caller does not have permission/],
    deepseek: [403, /Authentication Fails/],
  },
  '404': {
    anthropic: [404, /"not_found_error","message":"model: claude-sonnet-4-5"/],
    openai: [404, /"model_not_found"/],
    google: [404, /models\/gemini-2\.5-pro is not found/],
    xai: [404, /The model grok-4\.5 does not exist/],
    deepseek: [404, /Not Found/],
  },
  '409': {
    anthropic: [409, /"conflict_error"/],
    openai: [409, /conversation_locked/],
    google: [409, /ABORTED/],
    xai: [409, /The operation was aborted/],
    deepseek: [409, /Conflict/],
  },
  '413': {
    anthropic: [413, /"request_too_large"/],
    openai: [413, /too large/],
    google: [400, /payload size exceeds/],
    xai: [413, /too large/],
    deepseek: [413, /length limit exceeded/],
  },
  '422': {
    anthropic: [422, /"invalid_request_error"/],
    openai: [422, /"invalid_request_error"/],
    google: [400, /INVALID_ARGUMENT/],
    xai: [422, /Failed to deserialize/],
    deepseek: [422, /Failed to deserialize/],
  },
  '429': limited,
  '429-after-7': limited,
  '429-after-ms-1200': limited,
  '429-date-7': limited,
  '429-retryinfo-7': limited,
  '429-text-7': limited,
  '429-reset-67': limited,
  quota: {
    anthropic: [400, /Your credit balance is too low/],
    openai: [429, /"insufficient_quota"/],
    google: [429, /RESOURCE_EXHAUSTED/],
    xai: [429, /used all available credits/],
    deepseek: [402, /Insufficient Balance/],
  },
  'quota-period': {
    anthropic: [429, /"enforced_spend_limit_reached"/],
    openai: [429, /"organization_spend_limit_exceeded"/],
    google: [429, /PerDay/],
    xai: [429, /monthly spending limit/],
    deepseek: [402, /Insufficient Balance/],
  },
  '500': {
    anthropic: [500, /"api_error","message":"Internal server error"/],
    openai: [500, /request ID req_sandbox.*"server_error"/],
    google: [500, /"INTERNAL"/],
    xai: [500, /"code":"Internal error"/],
    deepseek: [500, /Internal Server Error/],
  },
  '502-html': {
    anthropic: [502, /^<!DOCTYPE html>[^]*api\.anthropic\.com \| 502/, 'foreign'],
    openai: [502, /^<!DOCTYPE html>[^]*api\.openai\.com \| 502/, 'foreign'],
    google: [502, /^<!DOCTYPE html>[^]*Error 502/, 'foreign'],
    xai: [502, /^<!DOCTYPE html>[^]*api\.x\.ai \| 502/, 'foreign'],
    deepseek: [502, /^<!DOCTYPE html>[^]*502 ERROR/, 'foreign'],
  },
  '503': { ...overloaded, anthropic: [503, /^upstream connect error/, 'foreign'] },
  '504': {
    anthropic: [504, /"timeout_error"/],
    openai: [504, /"code":504,.*"cf_gateway_timeout"/, 'foreign'],
    google: [504, /DEADLINE_EXCEEDED/],
    xai: [504, /Deadline expired/],
    deepseek: [504, /^<!DOCTYPE html>/, 'foreign'],
  },
  '529': overloaded,
  overloaded,
  region: {
    anthropic: [403, /^\{"error":\{"type":"forbidden","message":"Request not allowed"\}\}$/, 'foreign'],
    openai: [403, /unsupported_country_region_territory/],
    google: [400, /"User location is not supported for the API use\.","status":"FAILED_PRECONDITION"/],
    xai: [403, /not available in your region/],
    deepseek: [403, /block access from your country/, 'foreign'],
  },
  policy: {
    anthropic: [400, /content filtering policy/],
    openai: [400, /"invalid_prompt"/],
    google: [200, /\{"promptFeedback":\{"blockReason":"PROHIBITED_CONTENT"\}/, 'foreign'],
    xai: [403, /Content violates usage guidelines/],
    deepseek: [400, /Content Exists Risk/],
  },
  'too-long': {
    anthropic: [400, /prompt is too long: \d+ tokens > 200000 maximum/],
    openai: [400, /"context_length_exceeded"/],
    google: [400, /The input token count \(\d+\) exceeds the maximum number of tokens allowed/],
    xai: [400, /maximum prompt length/],
    deepseek: [400, /maximum context length/],
  },
}

for (const [fault, row] of Object.entries(rows)) {
  test(`${fault}: each vendor says it in its own status, shape and words, whole or streamed`, async () => {
    for (const door of doors) {
      const [status, says, foreign] = row[door.vendor as keyof Row]
      for (const streamed of [false, true]) {
        const came = await call(sandbox, door, { streamed, fault })
        const where = `${nameOf(door)} ${came.text}`
        assert.deepEqual([came.status, came.ending], [status, 'end'], where)
        assert.match(came.text, says, where)
        if (foreign === undefined) assertShape(door.vendor, came)
        assertHeaders(door.vendor, came)
      }
    }
  })
}

function assertShape(vendor: string, { text, headers, status }: Came): void {
  assert.equal(headers['content-type'], 'application/json')
  const json = objectOf(parseJson(text))
  const error = objectOf(json['error'])
  const types = (object: Record<string, Json | undefined>, keys: string): string[] =>
    keys.split(' ').map((key) => (object[key] === null ? 'null' : typeof object[key]))
  switch (vendor) {
    case 'anthropic':
      assert.deepEqual(types(json, 'type error request_id'), ['string', 'object', 'string'], text)
      assert.deepEqual(types(error, 'type message'), ['string', 'string'], text)
      assert.equal(json['request_id'], headers['request-id'])
      return
    case 'google':
      assert.equal(error['code'], status, text)
      assert.deepEqual(types(error, 'message status'), ['string', 'string'], text)
      return
    case 'xai':
      assert.deepEqual(types(json, 'code error'), ['string', 'string'], text)
      return
    default:
      assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code'], text)
  }
}

function assertHeaders(vendor: string, { headers }: Came): void {
  const id = { anthropic: 'request-id', openai: 'x-request-id', xai: 'x-request-id', deepseek: 'x-ds-trace-id' }[vendor]
  if (id !== undefined) assert.ok(headers[id] !== undefined, vendor)
}

suite('when to come back', () => {
  /** What the gateway's readers make of it; the forms that a vendor does not know are given in one that it does. */
  const waits: Readonly<Record<string, (vendor: string) => number | undefined>> = {
    '429': () => undefined,
    '429-after-7': () => 7000,
    '429-after-ms-1200': (vendor) => (vendor === 'openai' || vendor === 'google' ? 1200 : 2000),
    '429-date-7': () => 7000,
    '429-retryinfo-7': () => 7000,
    '429-text-7': () => 7000,
    '429-reset-67': () => 67_000,
  }
  for (const [fault, expected] of Object.entries(waits)) {
    test(fault, async () => {
      for (const door of doors) {
        const came = await call(sandbox, door, { fault })
        assert.equal(waitOf(door, came), expected(door.vendor), `${nameOf(door)} ${came.text}`)
      }
    })
  }

  const forms: [fault: string, vendor: string, header: string, says: RegExp][] = [
    ['429-after-7', 'anthropic', 'retry-after', /^7$/],
    ['429-after-7', 'openai', 'retry-after', /^7$/],
    ['429-after-ms-1200', 'openai', 'retry-after-ms', /^1200$/],
    ['429-after-ms-1200', 'openai', 'retry-after', /^2$/],
    ['429-date-7', 'xai', 'retry-after', /^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/],
    ['429-reset-67', 'openai', 'x-ratelimit-reset-requests', /^1m7s$/],
    ['429-reset-67', 'anthropic', 'anthropic-ratelimit-input-tokens-reset', /^\d{4}-\d\d-\d\dT[\d:]{8}Z$/],
  ]
  for (const [fault, vendor, header, says] of forms) {
    test(`${fault}: ${vendor} says it in ${header}`, async () => {
      const { headers } = await call(sandbox, doorOf(vendor), { fault })
      assert.match(String(headers[header]), says)
    })
  }

  test('Google says it in the body alone, OpenAI in its text where that was asked for', async () => {
    const google = await call(sandbox, doorOf('google'), { fault: '429-after-7' })
    const details = listOf(objectOf(objectOf(parseJson(google.text))['error'])['details'])
    assert.deepEqual(details.at(-1), { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' })
    assert.equal(google.headers['retry-after'], undefined)
    const openai = await call(sandbox, doorOf('openai'), { fault: '429-text-7' })
    assert.match(openai.text, /Please try again in 7s\. Visit/)
    assert.equal(openai.headers['retry-after'], undefined)
  })

  test('Anthropic says whether it is of use', async () => {
    const { headers } = await call(sandbox, doorOf('anthropic'), { fault: '429-after-7' })
    assert.equal(headers['x-should-retry'], 'true')
    const spent = await call(sandbox, doorOf('anthropic'), { fault: 'quota-period' })
    assert.equal(spent.headers['x-should-retry'], 'false')
  })
})

function doorOf(vendor: string): Door {
  return doors.find((door) => door.vendor === vendor) as Door
}

function waitOf({ dialect }: Door, { status, headers, text }: Came): number | undefined {
  const wire = { status, contentType: 'application/json', body: Buffer.from(text) }
  return dialect.failure.read(wire, headers).retryAfterMs
}

test('a fault that is none is refused in the vendor’s own shape', async () => {
  for (const door of doors) {
    const came = await call(sandbox, door, { fault: 'stal-after-2' })
    assert.equal(came.status, 400)
    assert.match(came.text, /There is no fault 'stal-after-2'\. The nearest are stall-after-N/)
    assertShape(door.vendor, came)
  }
})

test('what is wrong with the request itself is told first', async () => {
  const [door] = doors as [Door]
  const broken = { ...door, body: () => ({ ...door.body(false), messages: [] }) }
  const came = await call(sandbox, broken, { fault: '429' })
  assert.equal(came.status, 400)
  assert.match(came.text, /at least one message is required/)
})

test('lists and counts meet faults too', async () => {
  const headers = { 'x-api-key': 'sandbox', 'anthropic-version': '2023-06-01', 'x-sandbox-fault': '500' }
  const list = await fetch(`${sandbox.origin('anthropic')}/v1/models`, { headers })
  assert.equal(list.status, 500)
  const { max_tokens: _, stream: __, ...body } = (doors[0] as Door).body(false)
  const url = `${sandbox.origin('anthropic')}/v1/messages/count_tokens`
  const count = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  assert.equal(count.status, 500)
})
