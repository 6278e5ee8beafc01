import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A vendor that a test scripts by hand: each request is answered by the next function. */
export interface ScriptedVendor {
  origin: string
  /** The requests that came, in order. */
  requests: { method: string; path: string; headers: IncomingMessage['headers']; body: Buffer }[]
  close(): Promise<void>
}

export type Answer = (response: ServerResponse, request: IncomingMessage, body: Buffer) => void

/** Starts a scripted vendor on a free port. The last function answers all further requests too. */
export async function startScriptedVendor(...answers: Answer[]): Promise<ScriptedVendor> {
  const requests: ScriptedVendor['requests'] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const answer = answers[Math.min(requests.length, answers.length - 1)]
      requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body })
      answer?.(response, request, body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
