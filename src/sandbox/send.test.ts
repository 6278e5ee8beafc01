import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Writable } from 'node:stream'
import { suite, test } from 'node:test'
import { setImmediate as later } from 'node:timers/promises'
import { sendPieces } from './send.ts'

suite('sending in pieces', () => {
  test('all pieces are sent in order, empty ones not, and the answer ends', async () => {
    const client = new Client(1000)
    await sendPieces(client, ['a', '', 'b'], { paceMs: 0, gone: new AbortController().signal })
    await once(client, 'finish')
    assert.deepEqual(client.pieces, ['a', 'b'])
  })

  test('no piece is made before the client has taken the one before', async () => {
    const client = new Client(1)
    let made = 0
    function* pieces(): Generator<string> {
      for (; made < 3; made += 1) {
        assert.equal(client.pieces.length, made)
        yield 'piece'
      }
    }
    await sendPieces(client, pieces(), { paceMs: 0, gone: new AbortController().signal })
    assert.equal(made, 3)
  })

  test('a client that leaves while it is waited for ends it, and nothing more is sent', async () => {
    const leaving = new AbortController()
    const client = new Client(1000)
    const sending = sendPieces(client, ['a', 'b'], { paceMs: 60_000, gone: leaving.signal })
    leaving.abort()
    await sending
    await later()
    assert.deepEqual(client.pieces, ['a'])
    assert.ok(!client.writableEnded)
  })
})

/** Takes one piece each turn of the event loop. */
class Client extends Writable {
  readonly pieces: string[] = []

  constructor(highWaterMark: number) {
    super({ highWaterMark, decodeStrings: false })
  }

  override _write(piece: string, _encoding: BufferEncoding, done: () => void): void {
    setImmediate(() => {
      this.pieces.push(piece)
      done()
    })
  }
}
