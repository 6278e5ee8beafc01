import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { pathToFileURL } from 'node:url'
import { Pool, type Dispatcher } from 'undici'
import { listen, serveParent } from './child.ts'

/**
 * The yardstick: the least that a reverse proxy can be in Node. It passes bytes and waits for nothing, keeps its
 * connections, minds backpressure and a caller that leaves, and knows of no model, key or event.
 */
export function startRelay(vendorOrigin: string): Promise<number> {
  const pool = new Pool(vendorOrigin, { pipelining: 1, keepAliveTimeout: 120_000 })
  return listen((request, response) => {
    const relayed = new Relayed(response)
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: request.method ?? 'GET',
        headers: endToEnd(request.rawHeaders),
        body: request.method === 'GET' || request.method === 'HEAD' ? null : request,
      },
      relayed,
    )
  })
}

/** One call on its way back. A class, because a closure for each of its callbacks costs more. */
class Relayed implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #controller: Dispatcher.DispatchController | undefined

  constructor(response: ServerResponse) {
    this.#response = response
    response.once('close', () => {
      if (!response.writableFinished) this.#controller?.abort(new Error('the caller has gone'))
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#response.destroyed) controller.abort(new Error('the caller has gone'))
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    for (const name of hopByHop) delete headers[name]
    this.#response.writeHead(status, headers)
    this.#response.on('drain', () => controller.resume())
    // A stream's headers must not wait for its first event; a whole reply's go out with its bytes in one write.
    if (headers['content-length'] === undefined) this.#response.flushHeaders()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.#response.end()
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy()
    else this.#response.writeHead(502).end()
  }
}

const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'proxy-authenticate', 'trailer']
const notPassed = new Set([...hopByHop, 'host', 'expect', 'te', 'proxy-authorization'])

/** The request's headers without those that belong to the caller's connection. */
function endToEnd(raw: readonly string[]): string[] {
  const passed: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] as string
    if (!notPassed.has(name.toLowerCase())) passed.push(name, raw[at + 1] as string)
  }
  return passed
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  serveParent({ port: await startRelay(process.argv[2] ?? '') })
}
