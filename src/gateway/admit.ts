import { Failure } from '../core/failure.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Gateway } from './gateway.ts'
import type { End } from './limits/concurrency.ts'

/** Step 3: may the call be made now? Gives back how to leave. Throws Failure `gateway-full`. */
export function admit(gateway: Gateway, snapshot: Snapshot, end: End): () => void {
  if (gateway.draining) {
    throw new Failure('gateway-full', 'This gateway is stopping and takes no new calls.', { retryAfterMs: 5000 })
  }
  return gateway.concurrency.admit(snapshot.callsMax, end)
}
