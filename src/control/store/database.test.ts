import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, test } from 'node:test'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { ConfigError } from '../config.ts'
import { openDatabase } from './database.ts'
import { storeOn } from './index.ts'
import { migrations } from './migrations.ts'
import { freshFolder } from './support/folder.ts'

const newest = migrations.length
const oldMs = Date.UTC(2025, 11, 31, 23, 30)

/** This file is also the thread that opens a database while others do. */
if (isMainThread) tests()
else openDatabase(workerData as string).close()

function tests(): void {
  suite('a database of an earlier version', () => {
    const folder = freshFolder()
    const file = (): string => join(folder(), 'keyrung.db')

    for (const version of [1, 2]) {
      test(`of version ${version} keeps its callers, as keys without limits`, () => {
        writeOld(folder(), version)
        const store = storeOn(openDatabase(folder()))
        const record = store.keys.get('abcd1234')
        assert.equal(record?.key.name, "the 'first'")
        assert.deepEqual(record?.digest, Uint8Array.from(Buffer.alloc(32, 7)))
        const { plan, state, version: changes, createdAt, sandbox, owner } = record.key
        assert.deepEqual(
          { plan, state, changes, createdAt, sandbox, owner },
          { plan: 'unlimited', state: 'active', changes: 1, createdAt: 5, sandbox: false, owner: undefined },
        )
        store.close()
      })

      test(`of version ${version} keeps its receipts, and their sums are made up for`, () => {
        writeOld(folder(), version)
        const store = storeOn(openDatabase(folder()))
        const { data } = store.receipts.page({ from: 0, to: 1e14 }, undefined, 10)
        assert.deepEqual(
          data.map(({ id, nanoDollars, plan, times, cacheWriteTokens, failure }) => {
            return { id, nanoDollars, plan, times, cacheWriteTokens, failure }
          }),
          [
            { id: 'req_c', nanoDollars: undefined, plan: '', times: 1, cacheWriteTokens: 9, failure: undefined },
            { id: 'req_b', nanoDollars: 0, plan: '', times: 1, cacheWriteTokens: 9, failure: undefined },
            { id: 'req_a', nanoDollars: undefined, plan: '', times: 1, cacheWriteTokens: 9, failure: 'vendor-cut' },
          ],
        )
        assert.equal(data[0]?.clientId, version === 1 ? undefined : 'mine')
        for (const groupBy of [[], ['hour'], ['day'], ['month']] as const) {
          const rows = store.usage.query({ from: 0, to: oldMs + 3_600_000, groupBy: [...groupBy] })
          const [row] = rows
          assert.equal(rows.length, 1, groupBy.join())
          assert.deepEqual(
            { ...row, group: undefined },
            {
              group: undefined,
              calls: 3,
              failed: 1,
              inputTokens: 30,
              outputTokens: 60,
              cacheReadTokens: 9,
              cacheWriteTokens: 27,
              thinkingTokens: 18,
              nanoDollars: 0,
              // The simulated one cost nothing.
              unpriced: 2,
            },
          )
        }
        const [month] = store.usage.query({ from: 0, to: 1e14, groupBy: ['month'] })
        assert.deepEqual(month?.group, { month: Date.UTC(2025, 11) })
        store.close()
      })

      test(`of version ${version} is kept beside the new one as it was, for its owner only`, () => {
        writeOld(folder(), version)
        openDatabase(folder()).close()
        const copy = `${file()}.before-v${newest}`
        assert.deepEqual(
          readdirSync(folder()).filter((name) => name.includes('before')),
          [`keyrung.db.before-v${newest}`],
        )
        assert.equal(statSync(copy).mode & 0o777, 0o600)
        const old = new DatabaseSync(copy, { readOnly: true })
        assert.equal(old.prepare('PRAGMA user_version').get()?.user_version, version)
        assert.equal(old.prepare('SELECT name FROM callers').get()?.name, "the 'first'")
        assert.equal(old.prepare('SELECT COUNT(*) AS count FROM receipts').get()?.count, 3)
        old.close()
      })
    }

    test('stays as it is where a step fails, and is brought up to date the next time', () => {
      writeOld(folder(), 2)
      const steps = [...migrations.slice(0, 2), 'CREATE TABLE half (way TEXT); INSERT INTO nowhere VALUES (1);']
      assert.throws(() => openDatabase(folder(), steps), /cannot be opened \(no such table: nowhere\)/)
      const old = new DatabaseSync(file())
      assert.equal(old.prepare('PRAGMA user_version').get()?.user_version, 2)
      assert.equal(old.prepare("SELECT COUNT(*) AS count FROM sqlite_master WHERE name = 'half'").get()?.count, 0)
      old.close()
      const store = storeOn(openDatabase(folder()))
      assert.ok(store.keys.get('abcd1234'))
      store.close()
    })

    for (const version of [0, 1]) {
      test(`of version ${version} is brought up to date once, by one of four that start together`, async () => {
        if (version > 0) writeOld(folder(), version)
        const writing = version === 0 ? undefined : new DatabaseSync(file())
        writing?.exec('BEGIN IMMEDIATE')
        const workers = [1, 2, 3, 4].map(() => new Worker(new URL(import.meta.url), { workerData: folder() }))
        const ends = workers.map((worker) => once(worker, 'exit'))
        // All of them are about to open it, or wait, before any can begin.
        await Promise.all(workers.map((worker) => once(worker, 'online')))
        writing?.exec('COMMIT')
        writing?.close()
        assert.deepEqual((await Promise.all(ends)).flat(), [0, 0, 0, 0])
        const database = openDatabase(folder())
        assert.equal(database.statement('SELECT COUNT(*) AS count FROM keys').get()?.count, version)
        database.close()
        if (version === 0) return
        const copy = new DatabaseSync(`${file()}.before-v${newest}`, { readOnly: true })
        assert.equal(copy.prepare('PRAGMA user_version').get()?.user_version, version, 'as it was before any of them')
        copy.close()
      })
    }

    test('leaves no half copy behind after a start that was killed while copying', () => {
      writeOld(folder(), 2)
      writeFileSync(`${file()}.before-v${newest}.unfinished`, 'half a copy')
      openDatabase(folder()).close()
      assert.equal(existsSync(`${file()}.before-v${newest}.unfinished`), false)
      assert.equal(readFileSync(`${file()}.before-v${newest}`).subarray(0, 6).toString(), 'SQLite')
    })
  })

  suite('a database', () => {
    const folder = freshFolder()
    const file = (): string => join(folder(), 'keyrung.db')

    test('of a newer version is refused, says so, and is not touched', () => {
      openDatabase(folder()).close()
      const newer = new DatabaseSync(file())
      newer.exec(`PRAGMA user_version = ${newest + 1}`)
      newer.close()
      assert.throws(
        () => openDatabase(folder()),
        (thrown) => {
          assert.ok(thrown instanceof ConfigError)
          const message = `${file()}: was written by a newer Keyrung (schema ${newest + 1}, this one knows ${newest}); use that one.`
          assert.equal(thrown.message, message)
          return true
        },
      )
      assert.equal(
        readdirSync(folder()).some((name) => name.includes('before')),
        false,
      )
    })

    test('that is none is refused with its path', () => {
      writeFileSync(file(), 'this is no database, but some other file that lies in its place')
      assert.throws(() => openDatabase(folder()), { name: 'ConfigError', message: /keyrung\.db: cannot be opened \(/ })
    })

    test('that is new has no copy beside it, and is for its owner only', () => {
      openDatabase(folder()).close()
      assert.equal(statSync(file()).mode & 0o777, 0o600)
      assert.equal(
        readdirSync(folder()).some((name) => name.includes('before')),
        false,
      )
    })

    test('is whole after its migrations, and is opened again without any', () => {
      writeOld(folder(), 1)
      openDatabase(folder()).close()
      const database = openDatabase(folder())
      assert.equal(database.statement('PRAGMA integrity_check').get()?.integrity_check, 'ok')
      assert.deepEqual(database.statement('PRAGMA foreign_key_check').all(), [])
      database.close()
    })

    test('undoes all of a transaction that throws, an inner one with it', () => {
      const database = openDatabase(folder())
      assert.throws(() =>
        database.transaction(() => {
          database.transaction(() => database.statement("INSERT INTO journals VALUES ('a', 1)").run())
          throw new Error('after it')
        }),
      )
      assert.deepEqual(database.statement('SELECT * FROM journals').all(), [])
      database.close()
    })

    test('syncs while somebody else reads', () => {
      const database = openDatabase(folder())
      const reader = new DatabaseSync(file(), { readOnly: true })
      reader.exec('BEGIN')
      reader.prepare('SELECT * FROM synced').all()
      database.statement("INSERT INTO journals VALUES ('a', 1)").run()
      database.sync()
      assert.equal(database.statement('PRAGMA synchronous').get()?.synchronous, 1, 'NORMAL again')
      reader.close()
      database.close()
    })

    test('keeps a bounded number of statements, and those go on working', () => {
      const database = openDatabase(folder())
      const first = database.statement('SELECT 0 AS number')
      for (let number = 1; number < 1000; number += 1) database.statement(`SELECT ${number} AS number`).get()
      assert.deepEqual({ ...first.get() }, { number: 0 })
      assert.deepEqual({ ...database.statement('SELECT 0 AS number').get() }, { number: 0 })
      database.close()
    })
  })
}

/** A file as the Keyrung of that version wrote it. */
function writeOld(folder: string, version: number): void {
  const database = openDatabase(folder, migrations.slice(0, version))
  database.statement('INSERT INTO callers VALUES (?, ?, ?, ?)').run('abcd1234', "the 'first'", Buffer.alloc(32, 7), 5)
  const calls = [
    { id: 'req_a', simulated: 0, failure: 'vendor-cut', ms: oldMs },
    { id: 'req_b', simulated: 1, failure: null, ms: oldMs + 1 },
    { id: 'req_c', simulated: 0, failure: null, ms: oldMs + 2 },
  ]
  for (const { id, simulated, failure, ms } of calls) {
    const names = ['abcd1234', 'anthropic', 'claude', 'claude-9', 'anthropic']
    const tokens = [10, 20, 3, 4, 5, 6]
    const values = [id, ...names, simulated, 1, '[]', ...tokens, 200, failure, failure && 'vendor', ms, 0, ms + 9, 1, 2]
    const all = version === 1 ? values : [...values, 'mine']
    database.statement(`INSERT INTO receipts VALUES (${all.map(() => '?').join(', ')})`).run(...all)
  }
  database.close()
}
