import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Health, healthMemory } from './health.ts'
import { clockOf, floor, floorRules, sharedCells, toldIn, type Job, type Told, type Work } from './testing-thread.ts'

const threads = 3
const dayMs = 24 * 3_600_000

/** Has all threads do the same at the same time. What they leave behind is seen through `health`. */
async function together(job: Job, rounds: number): Promise<Told & { health: Health }> {
  const memory = healthMemory()
  const cells = sharedCells(threads)
  const workers = Array.from({ length: threads }, (_, number) => {
    const workerData: Work = { job, memory, cells, rounds, number }
    return new Worker(new URL('testing-thread.ts', import.meta.url), { workerData })
  })
  try {
    await Promise.all(workers.map((worker) => once(worker, 'exit')))
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return { ...toldIn(cells), health: new Health(memory, clockOf(cells)) }
}

test('threads: what all count at once is counted, once', async () => {
  const rounds = 8000
  const { health } = await together('count', rounds)
  const all = rounds * threads
  const { calls, ok, limited, overloaded, broken, refused, other } = health.of('busy').window(dayMs)
  assert.deepEqual(
    { calls, ok, limited, overloaded, broken, refused, other },
    {
      calls: all,
      ok: all / 4,
      limited: all / 8,
      overloaded: all / 8,
      broken: all / 8,
      refused: all / 4,
      other: all / 8,
    },
  )
})

test('threads: keys that all meet at once have one place each', async () => {
  const keys = 500
  const { health } = await together('meet', keys)
  for (let key = 0; key < keys; key += 1) {
    assert.equal(health.of(`key ${key}`).window(dayMs).ok, threads, `key ${key}`)
  }
})

test('threads: of all who ask for the probe at once, one gets it', async () => {
  const { granted, tooMany } = await together('probe', 200_000)
  assert.equal(tooMany, 0)
  assert.ok(granted > 0)
})

test('threads: of all who ask for a retry at once, no more than the floor have one', async () => {
  const { granted, tooMany, health } = await together('floor', 100_000)
  assert.equal(tooMany, 0)
  assert.ok(granted > 0)
  const rung = health.of('floor')
  for (let place = 0; place < floor; place += 1) {
    assert.equal(rung.claimRetry(floorRules, 1000), true, 'a place was not given back')
  }
  assert.equal(rung.claimRetry(floorRules, 1000), false)
})

test('threads: of all who ask for a retry at once, as many as their share get one', async () => {
  const rounds = 60_000
  const { granted } = await together('share', rounds)
  assert.equal(granted, (rounds * threads) / 10)
})

test('threads: what all meet with at once opens it once, and doubles no rest', async () => {
  const { tooMany } = await together('wave', 200)
  assert.equal(tooMany, 0)
})
