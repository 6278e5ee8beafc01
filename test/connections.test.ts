import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, suite, test } from 'node:test'
import type { Billed } from '../src/core/receipt.ts'
import type { RunningGateway } from '../src/gateway/gateway.ts'
import { fetchRaw, open } from './support/client.ts'
import { bareGateway } from './support/bare.ts'
import { oneTry, startTestGateway, type TestGateway } from './support/gateway.ts'

const start =
  'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"claude-sonnet-5","usage":{"input_tokens":3,"output_tokens":1}}}\n\n' +
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
const delta = (text: string): string =>
  `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}}\n\n`
const end =
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n' +
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'

const callOf = (text: string): string =>
  JSON.stringify({ model: 'claude-sonnet-5', stream: true, max_tokens: 9, messages: [{ role: 'user', content: text }] })

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The gateway's own server, so that a test can look at its connections and shorten its waits. */
suite('connections', () => {
  let vendor: ReturnType<typeof createServer>
  let script: (response: ServerResponse) => void
  let seen: IncomingMessage | undefined
  let support: TestGateway
  let gateway: RunningGateway
  let receipts: Billed[]
  let faults: unknown[]
  let url: string

  beforeEach(async () => {
    receipts = []
    faults = []
    vendor = createServer((request, response) => {
      seen = request
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(start)
        script(response)
      })
    })
    vendor.listen(0, '127.0.0.1')
    await once(vendor, 'listening')
    const origin = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`
    support = await startTestGateway({ config: oneTry, secrets: { anthropic: 'k' }, origins: { anthropic: origin } })
    gateway = bareGateway({
      snapshot: () => support.snapshot,
      receipts,
      log: { fault: (_id, cause) => faults.push(cause), vendor: () => {} },
    })
    gateway.server.listen(0, '127.0.0.1')
    await once(gateway.server, 'listening')
    url = `http://127.0.0.1:${(gateway.server.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    vendor.closeAllConnections()
    vendor.close()
    await gateway.close(0)
    await support.close()
  })

  const ask = (body: string, path = 'messages'): ReturnType<typeof open> =>
    open(`${url}/v1/${path}`, { body, headers: { 'x-api-key': support.key } })

  const socketTo = async (bytes: string, allowHalfOpen = false): Promise<{ socket: Socket; text: () => string }> => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen })
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(bytes)
    return { socket, text: () => text }
  }

  const connections = (): Promise<number> =>
    new Promise((resolve) => gateway.server.getConnections((_error, count) => resolve(count)))

  const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
    // eslint-disable-next-line no-await-in-loop -- looked at again and again
    for (let tries = 0; !(await what()); tries += 1) {
      assert.ok(tries < 400, 'it never came')
      // eslint-disable-next-line no-await-in-loop -- in between
      await wait(10)
    }
  }

  for (const [path, error] of [
    ['messages', /event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error".*stopping.*\n\n$/],
    ['chat/completions', /data: \{"error":\{"message":".*stopping.*\n\n/],
  ] as const) {
    test(`at the end of its patience a stopping gateway ends a stream of ${path} with an error in its dialect`, async () => {
      script = (response) => void response.write(delta('a'))
      const { response } = await ask(callOf('hi'), path)
      let text = ''
      response.on('data', (chunk) => {
        text += String(chunk)
      })
      await once(response, 'data')
      const ended = once(response, 'end')
      await gateway.close(100)
      await ended
      assert.match(text, error)
      assert.ok(!text.includes('[DONE]') && !text.includes('message_stop'))
      assert.deepEqual(
        receipts.map((one) => [one.status, one.failure, one.blame]),
        [[200, 'gateway-full', 'gateway']],
      )
    })
  }

  test('a stopping gateway tells a call on a connection that is still open to go elsewhere, and closes it', async () => {
    script = (response) => void response.write(delta('a'))
    const busy = await ask(callOf('hi'))
    await once(busy.response, 'data')
    const body = callOf('hi')
    const head = `POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: ${support.key}\r\n`
    const { socket, text } = await socketTo(head)
    await wait(50)
    const closed = gateway.close(500)
    socket.write(`content-length: ${body.length}\r\n\r\n${body}`)
    await once(socket, 'close')
    assert.match(text(), /^HTTP\/1\.1 529 /)
    assert.match(text(), /\r\nconnection: close\r\n/i)
    assert.match(text(), /\r\nretry-after: 5\r\n/)
    busy.request.destroy()
    await closed
  })

  test('a stopping gateway waits no longer than its calls do', async () => {
    script = (response) => void setTimeout(() => response.end(delta('a') + end), 200)
    const agent = new Agent({ keepAlive: true })
    const asking = httpRequest(`${url}/v1/messages`, { method: 'POST', agent, headers: { 'x-api-key': support.key } })
    asking.end(callOf('hi'))
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    const startedMs = performance.now()
    const closed = gateway.close(20_000)
    let text = ''
    for await (const chunk of response) text += String(chunk)
    await closed
    assert.ok(text.endsWith(end))
    assert.ok(performance.now() - startedMs < 5000)
    agent.destroy()
  })

  test('a reader that takes nothing is let go, and so is the vendor', async () => {
    gateway.server.timeout = 150
    let vendorLeft = false
    script = (response) => {
      const piece = delta('x'.repeat(60_000))
      const write = (): void => {
        while (response.write(piece));
      }
      response.on('drain', write).on('close', () => {
        vendorLeft = true
      })
      write()
    }
    const { response } = await ask(callOf('hi'))
    await until(() => vendorLeft && receipts.length > 0)
    assert.deepEqual([receipts[0]?.failure, receipts[0]?.usage.input], ['caller-gone', 3])
    await until(async () => (await connections()) === 0)
    response.destroy()
  })

  test('a vendor that is silent for longer than a reader may be costs no caller the connection', async () => {
    gateway.server.timeout = 50
    script = (response) => {
      response.write(delta('a'))
      setTimeout(() => response.end(end), 400)
    }
    const answer = await fetchRaw(`${url}/v1/messages`, { body: callOf('hi'), headers: { 'x-api-key': support.key } })
    assert.equal(answer.body.toString(), start + delta('a') + end)
  })

  test('who sends no HTTP and never closes is closed', async () => {
    const { socket, text } = await socketTo('NONSENSE\r\n\r\n', true)
    await until(() => text().startsWith('HTTP/1.1 400'))
    await until(async () => (await connections()) === 0)
    socket.destroy()
  })

  test('what is no HTTP after a call adds nothing to the answer of that call', async () => {
    script = (response) => void response.write(delta('a'))
    const body = callOf('hi')
    const { socket, text } = await socketTo(
      `POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: ${support.key}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    await until(() => text().includes('text_delta'))
    socket.write('NONSENSE\r\n\r\n')
    await once(socket, 'close')
    assert.equal(text().split('HTTP/1.1').length, 2)
    await until(() => receipts.length > 0)
    assert.equal(receipts[0]?.failure, 'caller-gone')
  })

  test('a connection may be idle for longer than a reader may stand still', async () => {
    gateway.server.timeout = 50
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (const reused of [false, true]) {
      const asking = httpRequest(`${url}/healthz`, { agent }).end()
      // eslint-disable-next-line no-await-in-loop -- one after the other
      const [response] = (await once(asking, 'response')) as [IncomingMessage]
      response.resume()
      assert.equal(asking.reusedSocket, reused)
      // eslint-disable-next-line no-await-in-loop -- idle
      await wait(200)
    }
    agent.destroy()
  })

  test('a bug of ours in the middle of a stream is told to the caller, and to the operator', async () => {
    const { anthropic } = support.snapshot.dialects
    const meter: typeof anthropic.stream.meter = (context) => {
      const watching = anthropic.stream.meter(context)
      const event = watching.event.bind(watching)
      watching.event = (name, data) => {
        if (name === 'content_block_stop') throw new TypeError('a bug')
        event(name, data)
      }
      return watching
    }
    const dialects = {
      ...support.snapshot.dialects,
      anthropic: { ...anthropic, stream: { ...anthropic.stream, meter } },
    }
    gateway.snapshot = () => ({ ...support.snapshot, dialects })
    script = (response) => {
      response.write(delta('a'))
      setTimeout(() => response.end(end), 50)
    }
    const answer = await fetchRaw(`${url}/v1/messages`, { body: callOf('hi'), headers: { 'x-api-key': support.key } })
    assert.match(answer.body.toString(), /event: error\ndata: .*a bug of its own.*\n\n$/)
    assert.deepEqual(faults.map(String), ['TypeError: a bug'])
    assert.equal(receipts[0]?.failure, 'gateway-fault')
  })

  test('a receipt that cannot be taken stops nothing', async () => {
    script = (response) => void response.end(delta('a') + end)
    gateway.recorder.ended = () => {
      throw new Error('a bug')
    }
    await fetchRaw(`${url}/v1/messages`, { body: callOf('hi'), headers: { 'x-api-key': support.key } })
    assert.equal((await fetchRaw(`${url}/healthz`, { method: 'GET' })).status, 200)
    assert.deepEqual(faults.map(String), ['Error: a bug'])
  })

  test('an error of the listening socket stops nothing', async () => {
    gateway.server.emit('error', new Error('accept EMFILE'))
    assert.equal((await fetchRaw(`${url}/healthz`, { method: 'GET' })).status, 200)
    assert.equal(faults.length, 1)
  })

  test('the length of a large body is told to the vendor', async () => {
    script = (response) => void response.end(delta('a') + end)
    const body = callOf('x'.repeat(300_000))
    for (const path of ['messages', 'chat/completions']) {
      // eslint-disable-next-line no-await-in-loop -- one call after the other
      await fetchRaw(`${url}/v1/${path}`, { body, headers: { 'x-api-key': support.key } })
      assert.ok(Number(seen?.headers['content-length']) > 300_000)
      assert.equal(seen?.headers['transfer-encoding'], undefined)
    }
  })

  test('a request is let go while its answer flows', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const heldBytes = (): number => {
      // What the first finds free is given back by the second.
      collect()
      collect()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    script = (response) => void response.write(delta('a'))
    for (const path of ['messages', 'chat/completions']) {
      const asked: Awaited<ReturnType<typeof open>>[] = []
      const before = heldBytes()
      for (let index = 0; index < 5; index += 1) {
        // eslint-disable-next-line no-await-in-loop -- one stream after the other
        asked.push(await ask(callOf('x'.repeat(4_000_000)), path))
      }
      // eslint-disable-next-line no-await-in-loop -- what was sent must have gone out
      await until(() => heldBytes() - before < 8_000_000)
      for (const one of asked) one.request.destroy()
    }
  })
})
