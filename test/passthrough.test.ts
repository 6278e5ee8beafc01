import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, suite, test } from 'node:test'
import { fetchRaw, open } from './support/client.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'
import { startScriptedVendor, type ScriptedVendor } from './support/vendor.ts'

/** A reply with what no gateway may touch: unknown fields, odd spacing, odd escapes, numbers that JSON.parse would round. */
const reply =
  '{ "id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5","content":[{"type":"text","text":"\\u0048i \\/"}],\n' +
  ' "stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2,"cache_creation_input_tokens":5,"cache_read_input_tokens":7},"unknown_field":12345678901234567890}'

/** The same for a stream: comments, CRLF, a character of several bytes, an unknown event. */
const streamed =
  'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}\n\n' +
  ': a comment\n\nevent: ping\ndata: {"type": "ping"}\n\n' +
  'event: content_block_start\r\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\r\n\r\n' +
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße 🦊"}}\n\n' +
  'event: brand_new\ndata: {"type":"brand_new"}\n\n' +
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n' +
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}\n\n' +
  'event: message_stop\ndata: {"type":"message_stop"}\n\n'

const request =
  '{"model":"claude-sonnet-5",  "max_tokens": 9,"brand_new_field":{"x":1e2},"messages":[{"role":"user","content":"\\u0048i"}]}'

suite('passthrough: the same dialect in and out', () => {
  let vendor: ScriptedVendor
  let gateway: TestGateway
  let streamPieces: Buffer[] = []

  before(async () => {
    vendor = await startScriptedVendor((response, _request, body) => {
      const secrets = {
        'request-id': 'req_vendor',
        'anthropic-organization-id': 'org-secret',
        'anthropic-ratelimit-requests-remaining': '7',
        'set-cookie': 'a=b',
        'cf-ray': 'x',
      }
      if (!body.toString().includes('"stream"')) {
        response.writeHead(200, { 'content-type': 'application/json', ...secrets }).end(reply)
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream', ...secrets })
      const pieces = [...streamPieces]
      const next = (): void => {
        const piece = pieces.shift()
        if (piece === undefined) response.end()
        else response.write(piece, () => setImmediate(next))
      }
      next()
    })
    gateway = await startTestGateway({
      secrets: { anthropic: 'vendor-secret-key' },
      origins: { anthropic: `${vendor.origin}/some/base` },
      config: 'aliases: { mine: claude-sonnet-5 }',
    })
  })
  after(async () => {
    await gateway.close()
    await vendor.close()
    assert.deepEqual(gateway.faults, [])
  })

  const call = (body: string, headers: Record<string, string> = {}): ReturnType<typeof fetchRaw> =>
    fetchRaw(`${gateway.url}/v1/messages`, { body, headers: { 'x-api-key': gateway.key, ...headers } })

  test('request and reply travel to the byte', async () => {
    const answer = await call(request)
    assert.equal(answer.status, 200)
    assert.equal(answer.body.toString(), reply)
    const seen = vendor.requests.at(-1)
    assert.equal(seen?.path, '/some/base/v1/messages')
    assert.equal(seen?.body.toString(), request)
  })

  test('an alias changes the model and not a byte more', async () => {
    await call(request.replace('claude-sonnet-5', 'mine'))
    assert.equal(vendor.requests.at(-1)?.body.toString(), request)
  })

  test('headers of the vendor’s family travel, and nothing else of the caller does', async () => {
    await call(request, {
      'anthropic-beta': 'brand-new-2027-01-01,other',
      'anthropic-version': '2026-10-21',
      'anthropic-brand-new': 'yes',
      'anthropic-workspace-id': 'theirs',
      cookie: 'a=b',
      'x-forwarded-for': '1.2.3.4',
      'x-claude-code-session-id': 's',
    })
    const headers = vendor.requests.at(-1)?.headers ?? {}
    assert.equal(headers['anthropic-beta'], 'brand-new-2027-01-01,other')
    assert.equal(headers['anthropic-version'], '2026-10-21')
    assert.equal(headers['anthropic-brand-new'], 'yes')
    assert.equal(headers['x-api-key'], 'vendor-secret-key')
    for (const name of [
      'cookie',
      'x-forwarded-for',
      'authorization',
      'anthropic-workspace-id',
      'x-claude-code-session-id',
    ]) {
      assert.equal(headers[name], undefined, name)
    }
    assert.ok(!JSON.stringify(headers).includes(gateway.key))
  })

  test('nothing of the operator’s account comes back, and the ids are the gateway’s own', async () => {
    const { headers } = await call(request)
    for (const name of [
      'anthropic-organization-id',
      'anthropic-ratelimit-requests-remaining',
      'set-cookie',
      'cf-ray',
    ]) {
      assert.equal(headers[name], undefined, name)
    }
    assert.match(headers['request-id'] as string, /^req_[0-9A-Za-z]{24}$/)
    assert.equal(headers['x-request-id'], headers['request-id'])
    assert.equal(headers['x-keyrung-vendor'], 'anthropic')
    assert.equal(headers['x-keyrung-model'], 'claude-sonnet-5')
    assert.equal(headers['x-keyrung-simulated'], undefined)
  })

  test('the receipt counts tokens as the vendor does', async () => {
    const { headers } = await call(request)
    gateway.flush()
    const receipt = gateway.store.receipts(1)[0]
    assert.equal(receipt?.id, headers['request-id'])
    assert.deepEqual(
      [
        receipt?.input,
        receipt?.output,
        receipt?.cache_write_5m,
        receipt?.cache_read,
        receipt?.status,
        receipt?.failure,
      ],
      [3, 2, 5, 7, 200, null],
    )
    assert.equal(receipt?.reply_bytes, Buffer.byteLength(reply))
  })

  for (const size of [1, 2, 3, 7, 64, 1000, 100_000]) {
    test(`a stream in pieces of ${size} bytes travels to the byte`, async () => {
      const bytes = Buffer.from(streamed)
      streamPieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      )
      const answer = await call(request.replace('{', '{"stream":true,'))
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['content-type'], 'text/event-stream; charset=utf-8')
      assert.equal(answer.body.toString(), streamed)
      gateway.flush()
      assert.deepEqual([gateway.store.receipts(1)[0]?.input, gateway.store.receipts(1)[0]?.output], [3, 9])
    })
  }

  test('a stream that is cut ends with an error event and never a half one', async () => {
    const bytes = Buffer.from(streamed)
    const begins = streamed.indexOf('Grüße')
    for (let cut = Buffer.byteLength(streamed.slice(0, begins)) + 20; cut < bytes.length - 1; cut += 29) {
      streamPieces = [bytes.subarray(0, cut)]
      // eslint-disable-next-line no-await-in-loop -- one after the other: the vendor's script is shared
      const text = (await call(request.replace('{', '{"stream":true,'))).body.toString()
      const error = text.lastIndexOf('event: error\ndata: {"type":"error"')
      assert.ok(error > 0, `cut at ${cut}: ${text.slice(-200)}`)
      assert.ok(streamed.startsWith(text.slice(0, error)), `cut at ${cut}`)
      assert.ok(text.endsWith('\n\n'))
      assert.ok(!text.includes('message_stop'))
    }
  })

  test('a stream that is cut before content is a real status', async () => {
    streamPieces = [Buffer.from(streamed.slice(0, streamed.indexOf('event: content_block_start')))]
    const answer = await call(request.replace('{', '{"stream":true,'))
    assert.equal(answer.status, 502)
    assert.equal(answer.json<{ error: { type: string } }>().error.type, 'api_error')
    assert.equal(answer.headers['x-should-retry'], 'true')
    assert.equal(answer.headers['x-keyrung-blame'], 'vendor')
  })
})

suite('passthrough: life of a stream', () => {
  test('a caller who leaves ends the vendor’s request', async () => {
    let gone: Promise<unknown[]> | undefined
    const vendor = await startScriptedVendor((response) => {
      gone = once(response, 'close')
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(streamed.slice(0, streamed.indexOf('event: brand_new')))
    })
    const gateway = await startTestGateway({ secrets: { anthropic: 'k' }, origins: { anthropic: vendor.origin } })
    const { request: asking, response } = await open(`${gateway.url}/v1/messages`, {
      body: request.replace('{', '{"stream":true,'),
      headers: { 'x-api-key': gateway.key },
    })
    await once(response, 'data')
    asking.destroy()
    await gone
    await gateway.close()
    await vendor.close()
    assert.deepEqual(gateway.faults, [])
  })

  test('a connection that breaks after the last event has broken nothing', async () => {
    const vendor = await startScriptedVendor((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(streamed, () => response.socket?.resetAndDestroy())
    })
    const gateway = await startTestGateway({ secrets: { anthropic: 'k' }, origins: { anthropic: vendor.origin } })
    const answer = await fetchRaw(`${gateway.url}/v1/messages`, {
      body: request.replace('{', '{"stream":true,'),
      headers: { 'x-api-key': gateway.key },
    })
    assert.equal(answer.body.toString(), streamed)
    gateway.flush()
    assert.equal(gateway.store.receipts(1)[0]?.failure, null)
    await gateway.close()
    await vendor.close()
  })

  test('a caller who leaves before the answer ends the vendor’s request too, and is nobody’s failure', async () => {
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>()
    let gone: Promise<unknown[]> | undefined
    const vendor = await startScriptedVendor((response) => {
      gone = once(response, 'close')
      onAsked()
    })
    const gateway = await startTestGateway({ secrets: { anthropic: 'k' }, origins: { anthropic: vendor.origin } })
    const controller = new AbortController()
    const call = fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      body: request,
      headers: { 'content-type': 'application/json', 'x-api-key': gateway.key },
      signal: controller.signal,
    })
    await asked
    controller.abort()
    await assert.rejects(call)
    await gone
    assert.equal(vendor.requests.length, 1)
    gateway.flush()
    const receipt = gateway.store.receipts(1)[0]
    assert.deepEqual([receipt?.status, receipt?.failure, receipt?.blame], [499, 'caller-gone', 'caller'])
    await gateway.close()
    await vendor.close()
  })

  test('a slow reader holds the vendor back, and memory stays bounded', async () => {
    const piece = Buffer.from(
      `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${'x'.repeat(60_000)}"}}\n\n`,
    )
    let sent = 0
    const { promise: blocked, resolve: onBlocked } = Promise.withResolvers<void>()
    const vendor = await startScriptedVendor((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(streamed.slice(0, streamed.indexOf('event: content_block_delta')))
      const write = (): void => {
        while (sent < 2000) {
          sent += 1
          if (!response.write(piece)) {
            const idle = setTimeout(onBlocked, 500)
            response.once('drain', () => {
              clearTimeout(idle)
              write()
            })
            return
          }
        }
        response.end(streamed.slice(streamed.indexOf('event: content_block_stop')))
      }
      write()
    })
    const gateway = await startTestGateway({ secrets: { anthropic: 'k' }, origins: { anthropic: vendor.origin } })
    const { response } = await open(`${gateway.url}/v1/messages`, {
      body: request.replace('{', '{"stream":true,'),
      headers: { 'x-api-key': gateway.key },
    })
    // The response is not read: the vendor must come to a stand far before all 120 MB are on the way.
    await blocked
    assert.ok(sent < 400, `${sent} pieces of 60 KB were taken from the vendor although nobody reads`)
    let bytes = 0
    for await (const chunk of response) bytes += (chunk as Buffer).length
    assert.ok(bytes > 2000 * 60_000)
    assert.equal(sent, 2000)
    await gateway.close()
    await vendor.close()
    assert.deepEqual(gateway.faults, [])
  })

  test('an error event of several lines stays one', async () => {
    const error =
      'event: error\ndata: {"type":"error",\ndata: "error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    const begun = streamed.slice(0, streamed.indexOf('event: brand_new'))
    const vendor = await startScriptedVendor((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(begun, () => setTimeout(() => response.end(error), 50))
    })
    const gateway = await startTestGateway({ secrets: { anthropic: 'k' }, origins: { anthropic: vendor.origin } })
    const answer = await fetchRaw(`${gateway.url}/v1/messages`, {
      body: request.replace('{', '{"stream":true,'),
      headers: { 'x-api-key': gateway.key },
    })
    assert.equal(answer.body.toString(), begun + error)
    await gateway.close()
    await vendor.close()
  })

  test('the receipt of a translated stream counts bytes, not characters', async () => {
    const vendor = await startScriptedVendor((response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streamed),
    )
    const gateway = await startTestGateway({ secrets: { anthropic: 'k' }, origins: { anthropic: vendor.origin } })
    const answer = await fetchRaw(`${gateway.url}/v1/chat/completions`, {
      body: request.replace(/"max_tokens.*1e2},/, '"stream":true,'),
      headers: { 'x-api-key': gateway.key },
    })
    assert.match(answer.body.toString(), /Grüße 🦊/)
    gateway.flush()
    assert.equal(gateway.store.receipts(1)[0]?.reply_bytes, answer.body.length)
    await gateway.close()
    await vendor.close()
  })

  test('a silent vendor’s stream is kept alive in the caller’s dialect', async () => {
    const { promise: pinged, resolve: onPinged } = Promise.withResolvers<void>()
    const vendor = await startScriptedVendor((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(streamed.slice(0, streamed.indexOf('event: brand_new')))
      void pinged.then(() => response.end(streamed.slice(streamed.indexOf('event: brand_new'))))
    })
    const gateway = await startTestGateway({
      secrets: { anthropic: 'k' },
      origins: { anthropic: vendor.origin },
      config: 'server: { pingMs: 40 }',
    })
    const { response } = await open(`${gateway.url}/v1/messages`, {
      body: request.replace('{', '{"stream":true,'),
      headers: { 'x-api-key': gateway.key },
    })
    let text = ''
    for await (const chunk of response) {
      text += String(chunk)
      if (text.split('event: ping\n').length > 3) onPinged()
    }
    assert.equal(
      text.replaceAll('event: ping\ndata: {"type": "ping"}\n\n', ''),
      streamed.replace('event: ping\ndata: {"type": "ping"}\n\n', ''),
    )
    await gateway.close()
    await vendor.close()
  })
})
