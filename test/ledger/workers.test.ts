import assert from 'node:assert/strict'
import { syncBuiltinESMExports } from 'node:module'
import { after, before, describe, test } from 'node:test'
import workerThreads, { type Worker } from 'node:worker_threads'
import { objectOf } from '../../src/core/json.ts'
import { until } from '../ladder/support/waiting.ts'
import { well } from '../ladder/support/ways.ts'
import { call, dialects, get, hold, type Held } from './support/calls.ts'
import { journals, stage, type Stage } from './support/stage.ts'
import { begins, goesOn } from './support/usage.ts'

/** All worker threads that were started, in order, and which worker each is. The gateway itself shows none. */
const threads: { worker: string; thread: Worker }[] = []
const RealWorker = workerThreads.Worker
workerThreads.Worker = class extends RealWorker {
  constructor(...given: ConstructorParameters<typeof RealWorker>) {
    super(...given)
    const { worker } = (given[1] as { workerData: { worker: number } }).workerData
    threads.push({ worker: `worker-${worker}`, thread: this })
  }
}
syncBuiltinESMExports()

const config = 'plans: { few: { limits: { callsAtOnce: 100, tokensPerDay: 100000 } } }'
const streamsMax = 60

describe('a worker that is lost', () => {
  let one: Stage
  before(async () => {
    one = await stage({ workers: 2, config })
  })
  after(async () => {
    one.gateway.faults.length = 0
    await one.close()
  })

  const ways: [what: string, lose: (thread: Worker) => unknown, says: 'nothing' | 'why'][] = [
    ['whose thread is gone from one moment to the next', (thread) => thread.terminate(), 'nothing'],
    [
      'that meets a bug which nobody catches',
      (thread) => thread.postMessage({ type: 'settings', settings: 'nonsense' }),
      'why',
    ],
  ]
  for (const [what, lose, says] of ways) {
    test(`${what} is replaced; the other goes on, its own calls are settled, and its receipts are there`, async () => {
      const { secret, id } = one.key({ plan: 'few' })
      one.vendor.answers(well)
      const ended = await Promise.all(Array.from({ length: 10 }, () => call({ url: one.url, key: secret })))
      const from = one.vendor.asked.length
      one.vendor.answers(begins)
      const held = await holdOnBoth(secret)
      const at = (writer: string): Held[] => held.filter(({ response }) => idsOf(writer).has(requestId(response)))
      const [lost, going] = [at('worker-1'), at('worker-0')]
      assert.equal(lost.length + going.length, held.length)
      assert.equal(await placesTaken(secret), held.length)

      const started = threads.length
      lose(threadOf('worker-1'))
      const ends = await Promise.all(lost.map(({ over }) => over))
      for (const { ended: whole, body, message } of ends) {
        assert.equal(whole, says === 'why')
        assert.ok(!/message_stop|\[DONE\]/.test(body))
        if (says === 'why') assert.match(message, /^The gateway met a bug of its own\./)
      }
      await until(async () => (await placesTaken(secret)) === going.length, 'its calls are taken off')
      await until(() => threads.length === started + 1, 'another is started')
      one.vendor.answers(well)
      await until(async () => {
        await call({ url: one.url, key: secret })
        return journals(one.folder).some(({ writer, entry }) => writer === 'worker-1' && entry.keyId === id)
      }, 'the new one has calls')

      for (const asked of one.vendor.asked.slice(from)) if (!asked.response.destroyed) goesOn(asked)
      const others = await Promise.all(going.map(({ over }) => over))
      assert.ok(others.every(({ ended: whole, body }) => whole && /message_stop|\[DONE\]/.test(body)))

      await one.gateway.flushAll()
      const rows = new Map(one.gateway.store.receipts(1000).map((row) => [String(row.id), row.failure]))
      for (const { headers } of [...ended, ...others]) assert.equal(rows.get(String(headers['request-id'])), null)
      for (const { headers } of ends) {
        assert.equal(rows.get(String(headers['request-id'])), says === 'why' ? 'gateway-fault' : 'interrupted')
      }
      assert.equal(await placesTaken(secret), 0)
    })
  }

  test('is missed by nobody who asks meanwhile, but for those whom it was answering', async (context) => {
    const { secret } = one.key()
    one.vendor.answers(well)
    const life = { over: false }
    let [good, broken] = [0, 0]
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      while (!life.over) {
        // eslint-disable-next-line no-await-in-loop -- a caller has one call at a time
        const answer = await call({ url: one.url, key: secret, dialect: dialects[caller % 2] ?? 'anthropic' }).catch(
          () => undefined,
        )
        if (answer?.status === 200 && answer.ended) good += 1
        else broken += 1
      }
    })
    await until(() => good > 50, 'calls')
    const started = threads.length
    await threadOf('worker-0').terminate()
    const then = good
    await until(() => threads.length > started && good > then + 200, 'many calls afterwards')
    life.over = true
    await Promise.all(callers)
    // Eight at once; connections that its port had taken and it had not yet looked at break too.
    assert.ok(broken <= 16, `${broken} calls broke`)
    context.diagnostic(`${good} calls went well, ${broken} broke`)
  })

  /** Streams until each worker has at least two. */
  async function holdOnBoth(secret: string): Promise<Held[]> {
    const held: Held[] = []
    const count = (writer: string): number =>
      held.filter(({ response }) => idsOf(writer).has(requestId(response))).length
    while (count('worker-0') < 2 || count('worker-1') < 2) {
      assert.ok(held.length < streamsMax, 'all streams are at one worker')
      const dialect = dialects[held.length % 2] ?? 'anthropic'
      // eslint-disable-next-line no-await-in-loop -- one after the other
      held.push(await hold({ url: one.url, key: secret, dialect }))
    }
    return held
  }

  /** The calls that a worker has begun. */
  function idsOf(worker: string): Set<string> {
    return new Set(
      journals(one.folder).flatMap(({ writer, entry }) =>
        writer === worker && entry.type === 'intent' ? entry.id : [],
      ),
    )
  }

  async function placesTaken(secret: string): Promise<number> {
    const { json } = await get(`${one.url}/v1/me`, secret)
    return 100 - Number(objectOf(objectOf(json.limits).callsAtOnce).remaining)
  }
})

function requestId({ headers }: Held['response']): string {
  return String(headers['request-id'])
}

/** The newest thread of a worker. */
function threadOf(worker: string): Worker {
  const found = threads.findLast((one) => one.worker === worker)
  assert.ok(found !== undefined)
  return found.thread
}
