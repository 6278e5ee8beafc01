import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve, type House } from './exchange.ts'
import { CallMemory } from './faults/memory.ts'
import { PrefixCache } from './prefix-cache.ts'
import { SeenLog, type SeenRequest } from './seen.ts'

export { callerHeader, faultHeader, faultList, faultSuffixes, findFault, unknownFault } from './faults/index.ts'
export type { FaultEntry } from './faults/index.ts'
export type { SeenRequest } from './seen.ts'

/** How a sandbox is started. */
export interface SandboxOptions {
  /** 0 or nothing: any free port. */
  port?: number
  host?: string
  /** Between the events of a stream. The header `x-sandbox-pace-ms` sets it for one request. */
  paceMs?: number
  /** Gets a line for each request answered. */
  log?: (line: string) => void
}

/** Simulated vendors behind one HTTP server: each speaks its own wire format, below its own name in the path. */
export interface Sandbox {
  /** What a vendor's origin is to be set to. */
  origin(vendor: string): string
  /** The last requests, oldest first. */
  readonly seen: readonly SeenRequest[]
  /** Emits `request`, `ended` and `aborted`, each with the SeenRequest: to be awaited instead of sleeping. */
  readonly events: SeenLog
  close(): Promise<void>
}

/** Starts a sandbox on this machine. It reaches nothing outside and remembers nothing after its end. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, host = '127.0.0.1', paceMs = 0, log } = options
  const events = new SeenLog()
  const house: House = { seen: events, cache: new PrefixCache(), calls: new CallMemory(), paceMs, count: 0 }
  if (log !== undefined) events.on('ended', (seen) => log(lineOf(seen)))
  const server = createServer((request, response) => {
    // A bug here must look like a broken vendor, not like a sandbox that is gone.
    serve(house, request, response).catch((error: unknown) => {
      // The client left while it was still sending.
      if (response.destroyed) return
      log?.(`sandbox fault: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      response.destroy()
    })
  })
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const shownHost = host.includes(':') ? `[${host}]` : host
  return {
    origin: (vendor) => `http://${shownHost}:${address.port}/${vendor}`,
    seen: events.requests,
    events,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function lineOf(seen: SeenRequest): string {
  return `${seen.vendor} ${seen.method} ${seen.path} ${seen.aborted ? 'aborted' : seen.status}`
}
