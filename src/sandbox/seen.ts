import { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from '../core/json.ts'

/** A request as the sandbox got it. */
export interface SeenRequest {
  /** '' for a path that belongs to no vendor. */
  vendor: string
  method: string
  /** Below the vendor's own, its query included. */
  path: string
  headers: IncomingHttpHeaders
  /** The body, once it was read and was an object. */
  json: JsonObject | undefined
  /** The status answered; 0 before. */
  status: number
  /** The client left before the answer was complete. */
  aborted: boolean
  /** A fault broke the answer off, or gave none, before the client left. */
  cut: boolean
  /** When the answer was complete or the client had left, Unix milliseconds; 0 before. */
  endedMs: number
}

/** `request`: read and understood, about to be answered; `ended`: answered, or left; `aborted`: left. */
interface SeenEvents {
  request: [SeenRequest]
  ended: [SeenRequest]
  aborted: [SeenRequest]
}

const seenMax = 256

/** The last requests, and word of each as it happens. */
export class SeenLog extends EventEmitter<SeenEvents> {
  readonly requests: SeenRequest[] = []

  add(request: Pick<SeenRequest, 'vendor' | 'method' | 'path' | 'headers'>): SeenRequest {
    const seen: SeenRequest = { ...request, json: undefined, status: 0, aborted: false, cut: false, endedMs: 0 }
    this.requests.push(seen)
    if (this.requests.length > seenMax) this.requests.shift()
    return seen
  }

  end(seen: SeenRequest, aborted: boolean): void {
    seen.aborted = aborted
    seen.endedMs = Date.now()
    if (aborted) this.emit('aborted', seen)
    this.emit('ended', seen)
  }
}
