import type { Caller } from '../../src/core/caller.ts'
import type { Billed } from '../../src/core/receipt.ts'
import { createGateway, newMemories, type Log, type RunningGateway } from '../../src/gateway/gateway.ts'
import type { Journal } from '../../src/gateway/recorder.ts'
import type { Snapshot } from '../../src/core/snapshot.ts'

/** A gateway without a control plane; receipts are kept in the list. */
export function bareGateway({
  snapshot,
  receipts,
  log,
}: {
  snapshot: () => Snapshot
  receipts: Billed[]
  log: Log
}): RunningGateway {
  return createGateway({ snapshot, journal: listJournal(receipts), log, memories: newMemories(16), worker: 0 })
}

/** A journal that keeps its receipts in a list. */
export function listJournal(receipts: Billed[]): Journal {
  return {
    healthy: true,
    append(entry) {
      if (entry.type === 'receipt') receipts.push(entry as unknown as Billed)
    },
    flush: () => true,
  }
}

/** A caller with all rights, whose key is found by this digest. */
export function callerOf(id: string, digest: Uint8Array, more: Partial<Caller> = {}): Caller {
  return {
    id,
    name: id,
    declared: true,
    digest,
    state: 'active',
    plan: 'unlimited',
    sandbox: true,
    keySlot: 0,
    ...more,
  }
}

/** Callers as a snapshot has those that were declared: by their digests in hex. */
export function byDigest(...callers: Caller[]): Map<string, Caller> {
  return new Map(callers.map((caller) => [Buffer.from(caller.digest).toString('hex'), caller]))
}

/** The plan that has no limits. */
export const unlimited = { name: 'unlimited', limits: {}, ownerLimits: {} } as const
