import type { IncomingMessage, ServerResponse } from 'node:http'
import { listen, serveParent, type Script } from './child.ts'
import { replies, type Reply } from './replies.ts'

/**
 * Between two writes of a stream. Long enough for what is measured to take each write alone: chunks that pile up in
 * its socket would be read as one, and the figure would flatter.
 */
const writeEveryMs = 2

/** A streamed answer that is still going on. */
interface Open {
  response: ServerResponse
  reply: Reply
  /** The request asks for OpenAI chat's usage chunk. */
  usage: boolean
  script: Script
  sent: number
  /** Which of the two alternating ticks is its own. */
  turn: number
}

let script: Script = { events: 1, eventsPerWrite: 1, hold: false }
const open = new Set<Open>()
let opened = 0

/** Whole replies come at once; streams go on by a common clock, so that a thousand of them cost one timer. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const reply = replies[(request.url ?? '').split('?', 1)[0] ?? '']
  if (reply === undefined) {
    request.resume()
    response.writeHead(404).end()
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
    // Searched, not parsed: a conversation of 200 KB must not cost this side more than it costs the other.
    if (asks(body, 'stream')) stream(response, reply, asks(body, 'include_usage'))
    else {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': reply.whole.length })
      response.end(reply.whole)
    }
  })
}

function asks(body: Buffer, field: string): boolean {
  return body.includes(`"${field}":true`) || body.includes(`"${field}": true`)
}

function stream(response: ServerResponse, reply: Reply, usage: boolean): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  response.write(reply.head)
  const one: Open = { response, reply, usage, script, sent: 0, turn: opened % 2 }
  opened += 1
  open.add(one)
  response.once('close', () => open.delete(one))
}

function advance(one: Open): void {
  const { events, eventsPerWrite, hold } = one.script
  if (hold && one.sent > 0) return
  const count = Math.min(eventsPerWrite, events - one.sent)
  one.sent += count
  if (count > 0) one.response.write(many(one.reply.event, count))
  else {
    open.delete(one)
    one.response.end(one.reply.tail(events, one.usage))
  }
}

const made = new Map<Buffer, Map<number, Buffer>>()

/** The same event `count` times; made once. */
function many(event: Buffer, count: number): Buffer {
  if (count === 1) return event
  const counts = made.get(event) ?? new Map<number, Buffer>()
  made.set(event, counts)
  let bytes = counts.get(count)
  if (bytes === undefined) {
    bytes = Buffer.concat(Array.from({ length: count }, () => event))
    counts.set(count, bytes)
  }
  return bytes
}

// Half of the streams at each tick, by turns: real streams do not all speak at the same moment.
let turn = 0
setInterval(() => {
  turn = 1 - turn
  for (const one of open) {
    if (one.turn === turn) advance(one)
  }
}, writeEveryMs / 2)

serveParent({ port: await listen(answer) }, (next) => (script = next))
