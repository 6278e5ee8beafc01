import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { ConfigError } from '../../src/control/config.ts'
import { startTestGateway } from '../support/gateway.ts'
import { crowd } from '../ladder/support/crowd.ts'
import { until } from '../ladder/support/waiting.ts'
import { well } from '../ladder/support/ways.ts'
import { call, dialects, hold, type Got } from './support/calls.ts'
import { NotStarted, startProgram } from './support/program.ts'
import { by, journals, stage, type Stage } from './support/stage.ts'
import { begins, goesOn } from './support/usage.ts'

/** Of one kind, by one key in one second, that have receipts of their own; all further ones have one together. */
const singlesMax = 10

describe('a receipt', () => {
  let one: Stage
  before(async () => {
    one = await stage({ workers: 2, config: 'plans: { one: { limits: { requestsPerMinute: 1, requestsBurst: 1 } } }' })
  })
  after(() => one.close())

  for (const dialect of dialects) {
    for (const stream of [false, true]) {
      test(`is in the journal when the caller sees the end of the answer: ${dialect}, ${stream ? 'streamed' : 'whole'}`, async () => {
        const { secret } = one.key()
        one.vendor.answers(well)
        await crowd(20, 5, async () => {
          const answer = await call({ url: one.url, key: secret, dialect, stream })
          const id = String(answer.headers['request-id'])
          const own = journals(one.folder).filter(({ entry }) => entry.id === id)
          assert.deepEqual(
            own.map(({ entry }) => entry.type),
            ['intent', 'receipt'],
          )
          assert.equal(own[1]?.entry.status, 200)
        })
      })
    }
  }

  test('is in the journal when a caller sees an error', async () => {
    const answer = await call({ url: one.url, key: one.key().secret, model: 'nobodys' })
    const own = journals(one.folder).filter(({ entry }) => entry.id === answer.headers['request-id'])
    assert.deepEqual(
      own.map(({ entry }) => [entry.type, entry.failure]),
      [['receipt', 'model-unknown']],
    )
  })

  test('of a stream is one of an open call until the stream is over', async () => {
    const { secret } = one.key()
    one.vendor.answers(begins)
    const from = one.vendor.asked.length
    const { response, over } = await hold({ url: one.url, key: secret })
    const types = (): string[] =>
      journals(one.folder).flatMap(({ entry }) => (entry.id === response.headers['request-id'] ? entry.type : []))
    assert.deepEqual(types(), ['intent'])
    goesOn(await one.vendor.ask(from))
    await over
    assert.deepEqual(types(), ['intent', 'receipt'])
  })
})

describe('a storm of refusals', { concurrency: 5 }, () => {
  const calls = 100
  let one: Stage
  before(async () => {
    one = await stage({
      workers: 0,
      config: 'plans: { one: { limits: { requestsPerMinute: 1, requestsBurst: 1 }, models: [claude-*] } }',
    })
  })
  after(() => one.close())

  const storms: [what: string, failure: string, plan: string, ask: { key?: string; model?: string }][] = [
    ['of an unknown model', 'model-unknown', 'unlimited', { model: 'nobodys' }],
    ['by a key that nobody has', 'key-wrong', 'unlimited', { key: 'sk-aic-nobody' }],
    ['above a limit', 'plan-limit', 'one', {}],
    ['of a model that is not allowed', 'not-allowed', 'one', { model: 'gpt-4.1' }],
  ]
  for (const [what, failure, plan, ask] of storms) {
    test(`${what} has few receipts, which say how many calls they stand for`, async () => {
      const { secret, id } = one.key({ plan })
      if (failure === 'plan-limit') await call({ url: one.url, key: secret })
      const beganMs = performance.now()
      const answers = await crowd(calls, 20, () => call({ url: one.url, key: secret, ...ask }))
      assert.ok(answers.every((answer) => answer.failure === failure))
      const keyId = failure === 'key-wrong' ? '' : id
      const rows = (): Record<string, unknown>[] => {
        one.gateway.flush()
        return one.gateway.store.receipts(1000).filter((row) => row.key_id === keyId && row.failure === failure)
      }
      const sum = (): number => rows().reduce((all, { times }) => all + Number(times), 0)
      await until(() => sum() >= calls, 'all of them are told')
      const seconds = Math.ceil((performance.now() - beganMs) / 1000) + 1
      assert.equal(sum(), calls)
      assert.ok(rows().length <= seconds * (singlesMax + 1), `${rows().length} receipts within ${seconds} s`)
      const [usage] = one.gateway.control.usage.query({
        from: 0,
        to: Date.now() + 3_600_000,
        ...(keyId === '' ? { status: 401 } : { key: id, status: answers[0]?.status ?? 0 }),
        groupBy: [],
      })
      assert.deepEqual([usage?.calls, usage?.failed], [calls, calls])
    })
  }

  test('of calls that were let in has one receipt each, so that none counts as interrupted', async () => {
    const there = await stage({ workers: 0 })
    const { secret, id } = there.key({ sandbox: true })
    const count = async (): Promise<number> => {
      const answer = await fetch(`${there.url}/v1/messages/count_tokens`, {
        method: 'POST',
        headers: { 'x-api-key': secret, 'content-type': 'application/json', 'x-keyrung-fault': '500' },
        body: JSON.stringify({ model: 'grok-4.7', messages: [{ role: 'user', content: 'Hello' }] }),
      })
      await answer.arrayBuffer()
      return answer.status
    }
    const statuses = await crowd(30, 10, count)
    assert.deepEqual(new Set(statuses), new Set([400]))
    await there.gateway.close()
    const again = await stage({ workers: 0, folder: there.folder })
    const rows = again.gateway.store.receipts(100).filter((row) => row.key_id === id)
    assert.deepEqual(new Set(rows.map(({ failure }) => failure)), new Set(['request-invalid']))
    assert.deepEqual([rows.length, rows.every(({ times }) => times === 1)], [30, true])
    await again.close()
    await there.vendor.close()
    rmSync(there.folder, { recursive: true, force: true })
  })
})

describe('a full disk', () => {
  test('lets no new call in, says why, and is got over when there is room', async (context) => {
    const disk = smallDisk(context)
    if (disk === undefined) return
    const one = await stage({ workers: 1, folder: disk.folder })
    const { secret } = one.key()
    const ask = (): Promise<Got> => call({ url: one.url, key: secret })
    one.vendor.answers(begins)
    const from = one.vendor.asked.length
    const held = await hold({ url: one.url, key: secret })
    one.vendor.answers(well)
    disk.fill()
    let refused = await ask()
    // What was let in before the first failure was seen has its answer.
    while (refused.status === 200) {
      // eslint-disable-next-line no-await-in-loop -- one after the other
      refused = await ask()
    }
    assert.deepEqual(
      [refused.status, refused.failure, refused.headers['x-keyrung-blame'], refused.headers['retry-after']],
      [529, 'gateway-full', 'gateway', '10'],
    )
    assert.match(refused.message, /cannot write down its calls.* must make room on the disk/)
    goesOn(await one.vendor.ask(from))
    const { ended, body } = await held.over
    assert.ok(ended && body.includes('message_stop'), 'a stream under way goes on')
    const change = await fetch(`${one.gateway.adminUrl}/admin/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${one.gateway.newToken}`, 'content-type': 'application/json' },
      body: '{"name": "one more"}',
    })
    assert.ok([201, 503].includes(change.status), 'the admin API does it or says that it cannot')
    disk.clear()
    await until(async () => (await ask()).status === 200, 'calls are let in again')
    await one.gateway.flushAll()
    const rows = one.gateway.store.receipts(1000).map(({ id }) => id)
    for (const { headers } of [refused, held.response]) {
      assert.equal(rows.filter((id) => id === headers['request-id']).length, 1)
    }
    assert.ok(
      one.gateway.faults.some((fault) => /ENOSPC|no space/i.test(String(fault))),
      'the operator is told',
    )
    one.gateway.faults.length = 0
    await one.close()
  })

  test('lets calls go on where the operator wants that, and their receipts wait', async (context) => {
    const disk = smallDisk(context)
    if (disk === undefined) return
    const one = await stage({ workers: 0, folder: disk.folder, config: 'ledger: { diskFull: continue }' })
    const { secret } = one.key()
    await call({ url: one.url, key: secret })
    disk.fill()
    const answers = await crowd(50, 10, () => call({ url: one.url, key: secret }))
    assert.ok(answers.every(({ status }) => status === 200))
    assert.ok(one.gateway.faults.length > 0, 'the operator is told')
    disk.clear()
    const ids = new Set(answers.map(({ headers }) => headers['request-id']))
    await until(() => {
      one.gateway.flush()
      return one.gateway.store.receipts(1000).filter(({ id }) => ids.has(String(id))).length === 50
    }, 'all receipts')
    one.gateway.faults.length = 0
    await one.close()
  })
})

describe('a data folder', () => {
  test('is for one gateway at a time: the second says so and ends, and the first goes on', async () => {
    const one = await stage({ workers: 0 })
    const says = /another Keyrung uses this folder\. Stop that one, or start with --data/
    await assert.rejects(startTestGateway({ folder: one.folder }), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, says)
      return true
    })
    await assert.rejects(startProgram(one.folder), (error) => {
      assert.ok(error instanceof NotStarted)
      assert.equal(error.code, 78)
      assert.match(error.message, says)
      assert.ok(!error.message.includes('    at '), 'no stack trace')
      return true
    })
    const { secret, id } = one.key()
    assert.equal((await call({ url: one.url, key: secret })).status, 200)
    one.gateway.control.keys.disable(id, by)
    assert.equal((await call({ url: one.url, key: secret })).status, 401)
    await one.gateway.close()
    const next = await stage({ workers: 0, folder: one.folder })
    await next.close()
    await one.vendor.close()
    rmSync(one.folder, { recursive: true, force: true })
  })
})

interface Disk {
  folder: string
  fill(): void
  clear(): void
}

/** A folder on a disk of a few megabytes; undefined, and the test is skipped, where none can be made. */
function smallDisk(context: TestContext): Disk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'keyrung-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', folder], { stdio: 'ignore' })
  } catch {
    rmSync(folder, { recursive: true })
    context.skip('needs the right to mount a small disk')
    return undefined
  }
  context.after(() => {
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  const filler = join(folder, 'filler')
  return {
    folder,
    fill() {
      const fd = openSync(filler, 'w')
      for (const bytes of [64 * 1024, 1]) while (written(fd, bytes));
      closeSync(fd)
    },
    clear: () => rmSync(filler),
  }
}

/** False where the disk has no room for it. */
function written(fd: number, bytes: number): boolean {
  try {
    return writeSync(fd, Buffer.alloc(bytes)) === bytes
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false
    throw error
  }
}
