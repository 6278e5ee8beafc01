import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { adminHandler, type AdminOptions } from '../../../src/control/admin/handler.ts'
import type { ControlService, Scope } from '../../../src/control/service.ts'
import { fetchRaw, type RawAnswer } from '../../support/client.ts'
import { fakeControl, startMs, type FakeControl } from './fake-control.ts'

/** The admin API on a socket of its own, over a control plane in memory. */
export interface AdminServer {
  readonly url: string
  readonly control: FakeControl
  /** An admin token of each scope. */
  readonly tokens: Readonly<Record<Scope, string>>
  /** Bugs that were logged. */
  readonly faults: unknown[]
  /** Moves the clock on. */
  wait(ms: number): void
  ask(method: string, path: string, options?: AskOptions): Promise<RawAnswer>
  close(): Promise<void>
}

export interface AskOptions {
  token?: string | undefined
  headers?: Record<string, string>
  /** JSON, or text as it is. */
  body?: unknown
}

const starter = { type: 'program', id: 'test' } as const

interface StartOptions extends Partial<Omit<AdminOptions, 'service'>> {
  /** Another control plane than the one in memory, on the same clock. */
  service?: (nowMs: () => number) => ControlService
}

/** Starts it. Where nothing else is said, a request shows the token that may do everything. */
export async function startAdmin(options: StartOptions = {}): Promise<AdminServer> {
  let now = startMs
  const faults: unknown[] = []
  const control = fakeControl(() => now)
  const service = options.service?.(() => now) ?? control
  const secret = (scope: Scope): string => service.tokens.create({ name: scope, scopes: [scope] }, starter).secret
  const tokens = { read: secret('read'), keys: secret('keys'), all: secret('all') }
  const handle = adminHandler({
    version: '1.2.3',
    nowMs: () => now,
    log: { fault: (_id, cause) => faults.push(cause) },
    ...options,
    service,
  })
  const server = createServer((request, response) => {
    // As the listener does it: the target as it was sent, in origin or absolute form.
    const path = (request.url ?? '/').replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '')
    void handle(request, response, path)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  control.asked.length = 0
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    control,
    tokens,
    faults,
    wait(ms) {
      now += ms
    },
    ask(method, path, { headers = {}, body, ...rest } = {}) {
      const token = 'token' in rest ? rest.token : tokens.all
      const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
      return fetchRaw(`${url}/admin/v1${path}`, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          // Without it Node sends the body of a GET or DELETE as if it were the next request.
          ...(sent !== undefined && { 'content-length': String(Buffer.byteLength(sent)) }),
          ...headers,
        },
        ...(sent !== undefined && { body: sent }),
      })
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
