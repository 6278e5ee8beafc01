import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a measured process tells its parent once it listens. */
export interface Started {
  port: number
  /** The key that callers must send, where it asks for one. */
  key?: string
}

/** What a measured process has used since it started. */
export interface Usage {
  cpuMicroseconds: number
  rssBytes: number
}

/** A question from the parent; `ask` is what it is about. */
export interface Question {
  id: number
  ask: 'usage' | 'usage-collected' | 'script'
  script?: Script
}

/** How the scripted vendor answers from now on. */
export interface Script {
  /** Text events in a streamed reply. */
  events: number
  /** How many of them go out in one write. */
  eventsPerWrite: number
  /** Leave the stream open and silent after its first event. */
  hold: boolean
}

/**
 * The part that every measured process shares: it tells the parent where it listens, answers for its own CPU and
 * memory, and ends with its parent, however that ends.
 */
export function serveParent(started: Started, take: (script: Script) => void = () => {}): void {
  process.on('message', (question: Question) => {
    if (question.script !== undefined) take(question.script)
    process.send?.({ id: question.id, usage: usage(question.ask === 'usage-collected') })
  })
  process.once('disconnect', () => process.exit(0))
  process.send?.({ started })
}

/** Starts an HTTP server on a free port of the loopback, its timeouts out of the way of a measurement. */
export function listen(listener: RequestListener): Promise<number> {
  const server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0 }, listener)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', 1024, () => resolve((server.address() as AddressInfo).port))
  })
}

function usage(collect: boolean): Usage {
  // For memory, where only what is really held counts. Never between two readings of the CPU: it would be in the figure.
  if (collect) globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  return { cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() }
}
