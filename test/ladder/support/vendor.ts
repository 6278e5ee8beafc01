import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { isObject, parseJson, textOf } from '../../../src/core/json.ts'
import { until } from './waiting.ts'

/** One request that a vendor got, and the answer that a test may give to it by hand. */
export interface Asked {
  model: string
  stream: boolean
  path: string
  /** Which of the operator's keys it came with. */
  key: string
  body: Record<string, unknown>
  response: ServerResponse
  /** The connection it came on: the same for those that came on one kept open. */
  socket: Socket
  /** The answer is over, or nobody waits for it any more. */
  closed: Promise<void>
}

/** How a vendor answers a request. */
export type Way = (asked: Asked) => void

/** A vendor on a socket of its own that can die and come back at the same address. */
export interface Vendor {
  readonly origin: string
  /** All that came, in order. */
  readonly asked: Asked[]
  /** From now on each request is answered by the next way, and all further ones by the last. */
  answers(...ways: Way[]): void
  /** Resolves with a request, by its number from 0, once it has come. */
  ask(index: number): Promise<Asked>
  /** Connections that are open now. */
  readonly open: number
  /** All its connections are reset, and nobody listens. */
  kill(): Promise<void>
  revive(): Promise<void>
  close(): Promise<void>
}

/** Starts a vendor on a free port. */
export async function startVendor(...first: Way[]): Promise<Vendor> {
  let ways = first
  const asked: Asked[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    read(request, response, (one) => {
      asked.push(one)
      const [way, ...next] = ways
      if (next.length > 0) ways = next
      way?.(one)
    })
  })
  // A connection that waits for the next request is the gateway's to close.
  server.keepAliveTimeout = 0
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
  })
  const listen = async (at: number): Promise<void> => {
    server.listen(at, host)
    await once(server, 'listening')
  }
  const kill = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.resetAndDestroy()
    await closed
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://${host}:${port}`,
    asked,
    answers(...next) {
      ways = next
    },
    async ask(index) {
      await until(() => asked.length > index, `request ${index} at a vendor`)
      return asked[index] as Asked
    },
    get open() {
      return sockets.size
    },
    kill,
    revive: () => listen(port),
    close: kill,
  }
}

/**
 * An address that no other process has, so that nobody takes the port while the vendor is dead. Where the system has no more loopback
 * addresses than one, it is that.
 */
const host =
  process.platform === 'linux'
    ? `127.${(process.pid >> 14) & 127}.${(process.pid >> 7) & 127}.${(process.pid & 127) + 2}`
    : '127.0.0.1'

function read(request: IncomingMessage, response: ServerResponse, got: (asked: Asked) => void): void {
  const chunks: Buffer[] = []
  const closed = new Promise<void>((resolve) => response.once('close', resolve))
  response.on('error', () => {})
  request.on('error', () => {})
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const json = parseJson(Buffer.concat(chunks).toString())
    const body = isObject(json) ? json : {}
    const { headers } = request
    got({
      model: textOf(body['model']) ?? '',
      stream: body['stream'] === true,
      path: request.url ?? '',
      key: textOf(headers['x-api-key']) ?? (headers.authorization ?? '').replace('Bearer ', ''),
      body,
      response,
      socket: request.socket,
      closed,
    })
  })
}
