import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Sends pieces one after the other: each waits for the pace and for the client to have taken the one before. Stops at
 * once when the client leaves. `end` is called after the last, where it should not simply be the end.
 */
export async function sendPieces(
  response: Writable,
  pieces: Iterable<string>,
  options: { paceMs: number; gone: AbortSignal; end?: () => void | Promise<void> },
): Promise<void> {
  const { paceMs, gone, end = () => void response.end() } = options
  let first = true
  for (const piece of pieces) {
    if (piece === '') continue
    if (paceMs > 0 && !first) await pause(paceMs, gone)
    if (gone.aborted) return
    first = false
    if (!response.write(piece)) await quietly(once(response, 'drain', { signal: gone }))
  }
  if (!gone.aborted) await end()
}

/** Waits, but not for a client that has left. */
export function pause(waitMs: number, gone: AbortSignal): Promise<void> {
  return quietly(sleep(waitMs, undefined, { signal: gone }))
}

/** Waiting ends early, and with a rejection, only where the client has left: the caller looks at that itself. */
async function quietly(waiting: Promise<unknown>): Promise<void> {
  try {
    await waiting
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error
  }
}
