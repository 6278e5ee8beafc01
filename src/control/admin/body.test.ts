import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { mock, suite, test } from 'node:test'
import { readBody } from './body.ts'

/** A request whose body the test writes as it likes. */
function slow(): PassThrough & IncomingMessage {
  const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
  return Object.assign(new PassThrough(), { headers }) as unknown as PassThrough & IncomingMessage
}

suite('a body that comes slowly', () => {
  test('is waited for 30 seconds in all, however steadily it trickles', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    const request = slow()
    const body = readBody(request, 'POST')
    const refused = assert.rejects(body, { status: 408, code: 'body-slow' })
    for (let seconds = 0; seconds < 30; seconds += 1) {
      request.write(' ')
      mock.timers.tick(1000)
    }
    await refused
    mock.timers.reset()
  })

  test('and breaks off is no body', async () => {
    const request = slow()
    const refused = assert.rejects(readBody(request, 'POST'), { status: 400, code: 'body-cut' })
    request.write('{')
    request.destroy()
    await refused
  })

  test('is whole when it ends', async () => {
    const request = slow()
    const body = readBody(request, 'POST')
    request.write('{"a":')
    request.end('1}')
    assert.deepEqual((await body).json, { a: 1 })
  })
})
