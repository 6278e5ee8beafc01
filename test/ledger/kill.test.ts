import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { seeded } from '../ladder/support/crowd.ts'
import { sleep, until } from '../ladder/support/waiting.ts'
import { call, dialects, got, send } from './support/calls.ts'
import { startProgram, type Program } from './support/program.ts'

const long = process.env.KEYRUNG_LONG === '1'
const kills = long ? 50 : 6
const workers = long ? 2 : 1
const atOnce = 20
/** Calls that a life sees at least, and the longest that it then goes on. */
const callsMin = 60
const furtherMs = 150

/** What the caller knows of one of its calls. */
interface Known {
  clientId: string
  /** The id in the head of the answer, once that is here. */
  id?: string
  /** All of the answer is here. */
  ended: boolean
}

describe('a gateway that is killed in the midst of its calls, again and again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyrung-kill-'))
  const known: Known[] = []
  const restartsMs: number[] = []
  const random = seeded(20_261_126)
  let database: DatabaseSync

  before(async () => {
    const file = join(folder, 'keyrung.yaml')
    writeFileSync(file, `server: { workers: ${workers} }\nsandbox: { paceMs: 3 }\n`)
    const args = ['--config', file]
    let program = await startProgram(folder, args)
    const key = program.key ?? ''
    // What it compiled is kept at an end in good order only, and makes all further starts quicker.
    program.child.kill('SIGTERM')
    await program.ended
    program = await startProgram(folder, args)
    for (let kill = 0; kill < kills; kill += 1) {
      // eslint-disable-next-line no-await-in-loop -- one life after the other
      await live(program, key, known, random() * furtherMs)
      const startMs = performance.now()
      // eslint-disable-next-line no-await-in-loop -- one life after the other
      program = await startProgram(folder, args)
      // eslint-disable-next-line no-await-in-loop -- one life after the other
      assert.equal((await call({ url: program.url, key })).status, 200)
      restartsMs.push(performance.now() - startMs)
    }
    program.child.kill('SIGTERM')
    assert.equal(await program.ended, 0)
    database = new DatabaseSync(join(folder, 'keyrung.db'), { readOnly: true })
  })
  after(() => {
    database.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('has one receipt of every call whose end the caller saw, and it says how that went', () => {
    const ended = known.filter((one) => one.ended)
    assert.ok(ended.length >= kills * callsMin, `${ended.length} calls ended`)
    const find = database.prepare('SELECT id, failure, status FROM receipts WHERE client_id = ?')
    for (const { clientId, id } of ended) {
      assert.deepEqual(
        find.all(clientId).map((row) => ({ ...row })),
        [{ id: id ?? '', failure: null, status: 200 }],
        clientId,
      )
    }
  })

  test('has one receipt of every call that had begun to be answered', (context) => {
    const begun = known.filter((one) => one.id !== undefined && !one.ended)
    assert.ok(begun.length > 0, 'some were cut off')
    const find = database.prepare('SELECT failure, status FROM receipts WHERE id = ?')
    const failures = begun.map(({ id }) => {
      const rows = find.all(id ?? '')
      assert.equal(rows.length, 1, id ?? '')
      return rows[0]?.failure
    })
    const interrupted = failures.filter((failure) => failure === 'interrupted').length
    assert.ok(interrupted > 0, 'a kill came in the midst of them')
    // The others had ended: their receipts were written, and their ends not yet sent or not yet received.
    assert.ok(failures.every((failure) => failure === 'interrupted' || failure === null))
    context.diagnostic(`${known.length} calls, ${begun.length} begun and cut off, ${interrupted} of them interrupted`)
  })

  test('has none twice, and none that no caller has made', () => {
    const all = database.prepare('SELECT client_id AS clientId, failure FROM receipts').all()
    const named = all.flatMap(({ clientId }) => (clientId === null ? [] : String(clientId)))
    assert.equal(new Set(named).size, named.length)
    const mine = new Set(known.map(({ clientId }) => clientId))
    assert.deepEqual(
      named.filter((name) => !mine.has(name)),
      [],
    )
    // Those after each start had no name.
    assert.equal(all.filter(({ clientId, failure }) => clientId === null && failure === null).length, kills)
    const calls = known.length + kills
    assert.ok(all.length <= calls, `${all.length} receipts of ${calls} calls`)
  })

  test('leaves no call open, and its sums are those of its receipts', () => {
    const { open } = database.prepare('SELECT COUNT(*) AS open FROM intents').get() ?? {}
    assert.equal(open, 0)
    const receipts = database
      .prepare(
        `SELECT SUM(times) AS calls, SUM(CASE WHEN failure IS NULL THEN 0 ELSE times END) AS failed,
           SUM(output) AS output FROM receipts`,
      )
      .get()
    const sums = database
      .prepare('SELECT SUM(calls) AS calls, SUM(failed) AS failed, SUM(output) AS output FROM usage_hours')
      .get()
    assert.deepEqual({ ...sums }, { ...receipts })
  })

  test('keeps a sound database', () => {
    assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
  })

  test('is back soon', (context) => {
    const sorted = restartsMs.toSorted((one, other) => one - other).map(Math.round)
    context.diagnostic(`from the start to the first answer: ${sorted[0]} to ${sorted.at(-1)} ms`)
    assert.equal(restartsMs.length, kills)
  })
})

/** Callers that ask on and on, whole and streamed, until the program is killed under them. */
async function live({ child, url, ended }: Program, key: string, known: Known[], furtherMs: number): Promise<void> {
  const before = known.length
  const life = { over: false }
  const callers = Array.from({ length: atOnce }, async (_, caller) => {
    for (let turn = caller; !life.over; turn += 1) {
      const one: Known = { clientId: `call-${known.length}`, ended: false }
      known.push(one)
      const request = send({
        url,
        key,
        dialect: dialects[turn % 2] ?? 'anthropic',
        stream: turn % 3 > 0,
        headers: { 'x-client-request-id': one.clientId },
      })
      // eslint-disable-next-line no-await-in-loop -- a caller has one call at a time
      await follow(one, request).catch(() => {})
    }
  })
  await until(() => known.slice(before).filter((one) => one.ended).length >= callsMin, 'enough calls')
  await sleep(furtherMs)
  child.kill('SIGKILL')
  life.over = true
  await Promise.all([ended, ...callers])
}

async function follow(one: Known, request: ReturnType<typeof send>): Promise<void> {
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  request.on('error', () => {})
  one.id = String(response.headers['request-id'])
  one.ended = (await got(response, 0)).ended
}
