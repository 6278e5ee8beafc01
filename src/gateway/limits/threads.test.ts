import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { Limits } from '../../core/plan.ts'
import { LimitTable, type Account } from './table.ts'
import {
  allHaveArrived,
  dateMs,
  firstMs,
  sharedBy,
  toldIn,
  type Job,
  type Shared,
  type Work,
} from './testing-thread.ts'
import { accountOf, keySlot, ownerSlot, slotCellsOf, smallMemory } from './testing.ts'

const threads = 3
const now = { nowMs: firstMs, dateMs }

interface Group {
  job: Job
  account: Account
  shared: Shared
  memory: SharedArrayBuffer
  rounds: number
}

/** A thread that does its work; number 0 is the tests' own. */
function start({ job, account, shared, memory, rounds }: Group, worker: number): Worker {
  const workerData: Work = { job, memory, account, shared, rounds, worker }
  return new Worker(new URL('testing-thread.ts', import.meta.url), { workerData })
}

/** Has all threads do the same at the same time. */
async function together(job: Job, account: Account, rounds: number): Promise<Group> {
  const group: Group = {
    job,
    account,
    shared: sharedBy(threads, rounds * threads),
    memory: smallMemory(),
    rounds,
  }
  const workers = Array.from({ length: threads }, (_, number) => start(group, number + 1))
  try {
    await Promise.all(workers.map((worker) => once(worker, 'exit')))
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return group
}

const rates: [name: string, keyLimits: Limits, ownerLimits: Limits][] = [
  ['of a key', { requestsPerMinute: 6000, requestsBurst: 20 }, {}],
  ['of an owner', {}, { requestsPerMinute: 6000, requestsBurst: 20 }],
]
for (const [name, keyLimits, ownerLimits] of rates) {
  test(`threads: of a hundred thousand requests as many are let in as the rate ${name} allows`, async () => {
    const { shared } = await together('rate', accountOf(keyLimits, ownerLimits), Math.ceil(100_000 / threads))
    const log = toldIn(shared).log.toSorted()
    const spanMs = 100_000
    const every = 10
    assert.ok(log.length >= (spanMs / every) * 0.99, `only ${log.length} were let in`)
    for (const windowMs of [1, 10, 100, 1000, 60_000]) {
      const most = Math.ceil(windowMs / every) + 20 - 1
      for (let first = 0; first + most < log.length; first += 1) {
        const lastsMs = (log[first + most] ?? 0) - (log[first] ?? 0)
        assert.ok(lastsMs >= windowMs, `${most + 1} requests within ${windowMs} ms`)
      }
    }
  })
}

test('threads: no more calls are under way at once than there may be', async () => {
  const { shared, memory } = await together('calls', accountOf({ callsAtOnce: 2 }, { callsAtOnce: 5 }), 30_000)
  assert.equal(toldIn(shared).tooMany, 0)
  assert.equal(slotCellsOf(memory, keySlot).calls, 0)
  assert.ok(slotCellsOf(memory, ownerSlot).dayTokens > 0)
})

test('threads: what all use at once is counted, once', async () => {
  const { shared, memory } = await together('sums', accountOf({}, {}), 30_000)
  const { tokens, tooMany } = toldIn(shared)
  const cells = [keySlot, keySlot + 1].map((slot) => slotCellsOf(memory, slot).monthTokens)
  assert.equal(tooMany, 0)
  assert.equal(slotCellsOf(memory, ownerSlot).monthTokens, tokens)
  assert.equal((cells[0] ?? 0) + (cells[1] ?? 0), tokens)
})

test('threads: two who want the same slots the other way round do not wait for each other', async () => {
  const rounds = 30_000
  const { memory } = await together('crossed', accountOf({}, {}), rounds)
  for (const slot of [keySlot, ownerSlot]) assert.equal(slotCellsOf(memory, slot).dayTokens, rounds * threads)
})

test('threads: a lock is opened whose worker was ended while it held it', async () => {
  const memory = smallMemory()
  const shared = sharedBy(1)
  const account = accountOf({}, {})
  const worker = start({ job: 'hold', account, shared, memory, rounds: 0 }, 1)
  await allHaveArrived(shared)
  await worker.terminate()
  const table = new LimitTable(memory, 0)
  table.breakLocks(1)
  assert.equal(table.reserve(account, { inputTokens: 1, outputTokens: 1, nanoDollars: 1 }, now).type, 'reserved')
})

test('threads: a worker that is ended at any moment leaves nothing half done, and no calls under way', async () => {
  const limits = { requestsPerMinute: 1e9, inputTokensPerMinute: 1e9, outputTokensPerMinute: 1e9, callsAtOnce: 20 }
  const account = accountOf(limits, limits)
  const memory = smallMemory()
  const table = new LimitTable(memory, 0)
  for (let round = 0; round < 12; round += 1) {
    const shared = sharedBy(1)
    const worker = start({ job: 'hammer', account, shared, memory, rounds: 0 }, 1)
    await allHaveArrived(shared)
    // Beside calls of this thread, which have to go on.
    for (let one = 0; one < 200 * round; one += 1) {
      const call = table.reserve(account, { inputTokens: 2, outputTokens: 1, nanoDollars: 0 }, now)
      if (call.type === 'reserved') table.settle(call, call.asked, now)
    }
    await worker.terminate()
    assert.ok(table.forget(1, now) >= 3)
    const [key, owner] = [slotCellsOf(memory, keySlot), slotCellsOf(memory, ownerSlot)]
    assert.deepEqual(key, owner)
    assert.deepEqual([key.calls, key.tokensHeld, key.nanoHeld], [0, 0, 0])
    assert.ok(key.dayTokens > 0)
  }
})
