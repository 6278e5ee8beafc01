import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { monotonicMs } from './monotonic-ms.ts'

const source = `
  const { workerData } = require('node:worker_threads')
  import(workerData.url).then(({ monotonicMs }) => { workerData.told[0] = monotonicMs() })
`

test('monotonicMs: threads that begin later tell the same time', async () => {
  const url = new URL('monotonic-ms.ts', import.meta.url).href
  for (let thread = 0; thread < 3; thread += 1) {
    const told = new Float64Array(new SharedArrayBuffer(8))
    const beforeMs = monotonicMs()
    await once(new Worker(source, { eval: true, workerData: { url, told } }), 'exit')
    const thereMs = told[0] as number
    // What comes first has the earlier time: by a clock of its own, a thread would be behind by the age of the process.
    assert.ok(beforeMs <= thereMs && thereMs <= monotonicMs(), `${thereMs} after ${beforeMs}`)
  }
})

test('monotonicMs: it only grows', () => {
  let lastMs = monotonicMs()
  for (let look = 0; look < 10_000; look += 1) {
    const nowMs = monotonicMs()
    assert.ok(nowMs >= lastMs)
    lastMs = nowMs
  }
})
