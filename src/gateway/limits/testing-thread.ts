import { isMainThread, workerData } from 'node:worker_threads'
import { Locks } from './locks.ts'
import { Layout } from './memory.ts'
import { LimitTable, type Account, type Amounts } from './table.ts'
import { keySlot } from './testing.ts'

/** For tests: what a thread does in each of its rounds. */
export type Job = keyof typeof jobs

export interface Work {
  job: Job
  memory: SharedArrayBuffer
  account: Account
  /** What the threads share besides. */
  shared: Shared
  rounds: number
  /** Of the thread, from 0. */
  worker: number
}

export interface Shared {
  cells: Int32Array
  /** When calls were let in, in the order in which they were written down. */
  log: Int32Array
}

const cell = { threads: 0, arrived: 1, clockMs: 2, inside: 3, tooMany: 4, tokens: 5, logged: 6 } as const

export const firstMs = 1_000_000
export const dateMs = Date.UTC(2026, 10, 25, 12)

export function sharedBy(threads: number, logMax = 0): Shared {
  const cells = new Int32Array(new SharedArrayBuffer(4 * 16))
  cells[cell.threads] = threads
  cells[cell.clockMs] = firstMs
  return { cells, log: new Int32Array(new SharedArrayBuffer(4 * logMax)) }
}

/** What the threads have seen, all together. */
export function toldIn({ cells, log }: Shared): { tooMany: number; tokens: number; log: Int32Array } {
  const of = (name: keyof typeof cell): number => Atomics.load(cells, cell[name])
  return { tooMany: of('tooMany'), tokens: of('tokens'), log: log.subarray(0, of('logged')) }
}

/** Waits until all threads have come here. */
export async function allHaveArrived({ cells }: Shared): Promise<void> {
  for (;;) {
    const arrived = Atomics.load(cells, cell.arrived)
    if (arrived >= Atomics.load(cells, cell.threads)) return
    await Atomics.waitAsync(cells, cell.arrived, arrived).value
  }
}

const jobs = {
  /** Asks at every millisecond, and writes down when it was let in. */
  rate({ shared: { cells, log }, account, rounds }: Work, table: LimitTable): void {
    for (let round = 0; round < rounds; round += 1) {
      const nowMs = Atomics.add(cells, cell.clockMs, 1)
      const ask = amounts(round)
      const call = table.reserve(account, ask, { nowMs, dateMs })
      if (call.type === 'refused') continue
      log[Atomics.add(cells, cell.logged, 1)] = nowMs
      table.settle(call, ask, { nowMs, dateMs })
    }
  },

  /** Is under way together with as many as there may be, and with no more. */
  calls({ shared: { cells }, account, rounds }: Work, table: LimitTable): void {
    const most = account.keyLimits.callsAtOnce ?? 0
    for (let round = 0; round < rounds; round += 1) {
      const call = table.reserve(account, amounts(round), now)
      if (call.type === 'refused') continue
      if (Atomics.add(cells, cell.inside, 1) >= most) Atomics.add(cells, cell.tooMany, 1)
      Atomics.sub(cells, cell.inside, 1)
      table.settle(call, amounts(round), now)
    }
  },

  /** Reserves one thing and uses another. */
  sums({ shared: { cells }, account, rounds, worker }: Work, table: LimitTable): void {
    const mine = { ...account, keySlot: account.keySlot + (worker % 2) }
    for (let round = 0; round < rounds; round += 1) {
      const call = table.reserve(mine, amounts(round), now)
      if (call.type === 'refused') {
        Atomics.add(cells, cell.tooMany, 1)
        continue
      }
      const used = amounts(round + worker)
      Atomics.add(cells, cell.tokens, used.inputTokens + used.outputTokens)
      table.settle(call, used, now)
    }
  },

  /** Has the other thread's key for an owner, and its owner for a key. */
  crossed({ account, rounds, worker }: Work, table: LimitTable): void {
    const { keySlot, ownerSlot = 0 } = account
    const crossed = worker % 2 === 0 ? account : { ...account, keySlot: ownerSlot, ownerSlot: keySlot }
    for (let round = 0; round < rounds; round += 1) {
      const call = table.reserve(crossed, one, now)
      if (call.type === 'reserved') table.settle(call, one, now)
    }
  },

  /** Takes a lock and never gives it back. */
  hold({ memory, worker, shared: { cells } }: Work): void {
    new Locks(new Layout(memory), worker).take(keySlot, -1)
    arrive(cells)
    Atomics.wait(cells, cell.inside, 0)
  },

  /** Has a few calls under way, others that come and go, and never ends. */
  hammer({ account, shared: { cells } }: Work, table: LimitTable): void {
    for (let round = 0; round < 3; round += 1) table.reserve(account, amounts(round), now)
    arrive(cells)
    for (let round = 0; ; round += 1) {
      const call = table.reserve(account, amounts(round), now)
      if (call.type === 'reserved') table.settle(call, amounts(round + 1), now)
    }
  },
}

const now = { nowMs: firstMs, dateMs }
const one: Amounts = { inputTokens: 1, outputTokens: 0, nanoDollars: 0 }

function amounts(round: number): Amounts {
  return { inputTokens: round % 7, outputTokens: round % 5, nanoDollars: round % 3 }
}

function arrive(cells: Int32Array): void {
  Atomics.add(cells, cell.arrived, 1)
  Atomics.notify(cells, cell.arrived)
}

if (!isMainThread) {
  const work = workerData as Work
  const table = new LimitTable(work.memory, work.worker)
  const { cells } = work.shared
  if (work.job !== 'hold' && work.job !== 'hammer') {
    arrive(cells)
    // All begin at once.
    for (;;) {
      const arrived = Atomics.load(cells, cell.arrived)
      if (arrived >= Atomics.load(cells, cell.threads)) break
      Atomics.wait(cells, cell.arrived, arrived)
    }
  }
  jobs[work.job](work, table)
}
