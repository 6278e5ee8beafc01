import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import fc from 'fast-check'
import { Importer, type Sink } from '../../journal/importer.ts'
import { JournalWriter } from '../../journal/writer.ts'
import type { UsageGroup, UsageRow } from '../service.ts'
import { openDatabase, type Database, type Row } from './database.ts'
import { sumColumns, type Entry } from './entries.ts'
import { storeOn, type Store } from './index.ts'
import { JournalSink, type Interrupted } from './sink.ts'
import { intentEntry, receiptEntry, reserved } from './support/calls.ts'
import { FaultyDatabase } from './support/faults.ts'
import { freshFolder } from './support/folder.ts'
import { otherModel } from './tally.ts'

const nowMs = Date.UTC(2026, 10, 25)
const noTokens = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 0 }

suite('the sink of journals', () => {
  const folder = freshFolder()
  let database: Database
  let store: Store
  let interrupted: Interrupted[]
  let sink: JournalSink
  beforeEach(() => {
    database = openDatabase(folder())
    store = storeOn(database)
    interrupted = []
    sink = store.sink({ nowMs: () => nowMs, onInterrupted: (calls) => interrupted.push(...calls) })
  })
  afterEach(() => database.close())

  const rows = (sql: string): Row[] => database.statement(sql).all()
  const ids = (table: 'receipts' | 'intents'): unknown[] =>
    rows(`SELECT id FROM ${table} ORDER BY id`).map(({ id }) => id)
  const put = (entries: readonly Entry[], writer = 'worker-0.1', file = `${writer}.0.journal`): void => {
    const from = sink.offset(file)
    sink.import({ file, writer, from, offset: from + entries.length, entries })
  }

  suite('what goes wrong', () => {
    test('a batch that does not go on where the last one ended is refused, and nothing of it is kept', () => {
      put([receiptEntry({ id: 'a' })])
      const batch = { file: 'worker-0.1.0.journal', writer: 'worker-0.1', from: 0, offset: 1 }
      assert.throws(() => sink.import({ ...batch, entries: [receiptEntry({ id: 'b' })] }), /those from 1 on are next/)
      assert.deepEqual(ids('receipts'), ['a'])
    })

    test('a crash between any two steps of an import leaves all of it or nothing, and the next time completes it', () => {
      const batches = [
        [intentEntry({ id: 'a' }), intentEntry({ id: 'b' }), receiptEntry({ id: 'c' }), receiptEntry({ id: 'd' })],
        [receiptEntry({ id: 'a', keyId: 'other' }), receiptEntry({ id: 'c' }), intentEntry({ id: 'e' })],
      ]
      let crashes = 0
      for (let at = 1; ; at += 1) {
        const file = `worker-0.${at}.0.journal`
        const faulty = new FaultyDatabase(database, at)
        const crashing = faultySink(faulty)
        for (const entries of batches.map((batch) => batch.map((entry) => ({ ...entry, id: `${at}${entry.id}` })))) {
          const from = sink.offset(file)
          const batch = { file, writer: `worker-0.${at}`, from, offset: from + 1, entries }
          const crashed = !attempt(() => crashing?.import(batch))
          assert.ok([from, from + 1].includes(sink.offset(file)), 'all or nothing')
          // After a restart: the offset says what is next.
          if (crashed && sink.offset(file) === from)
            storeOn(database)
              .sink({ nowMs: () => nowMs })
              .import(batch)
        }
        assert.deepEqual(ids('intents'), [`${at}b`, `${at}e`])
        const own = rows(`SELECT id FROM receipts WHERE id LIKE '${at}_' ORDER BY id`).map(({ id }) => id)
        assert.deepEqual(own, [`${at}a`, `${at}c`, `${at}d`])
        database.statement('DELETE FROM intents').run()
        assertSums()
        if (!faulty.fired) break
        crashes = at
      }
      assert.ok(crashes > 20, `${crashes} places to crash in`)
    })

    test('after an error at any step of an import the same sink goes on, and counts right', () => {
      const batch = (at: number, from: number): Entry[] =>
        ['a', 'b'].map((id) =>
          receiptEntry({ id: `${at}-${from}${id}`, model: `model-${at}`, startedMs: 200_000 * at }),
        )
      addKey(database, 'key00001')
      let errors = 0
      for (let at = 1; ; at += 1) {
        const faulty = new FaultyDatabase(database, at, 'error')
        const going = faultySink(faulty)
        const file = `worker-0.${at}.0.journal`
        for (const from of [0, 1]) {
          for (let tries = 0; tries < 2 && sink.offset(file) === from; tries += 1) {
            attempt(() => going?.import({ file, writer: 'w', from, offset: from + 1, entries: batch(at, from) }))
          }
        }
        if (going === undefined) continue
        assert.equal(ids('receipts').filter((id) => String(id).startsWith(`${at}-`)).length, 4)
        assert.equal(rows('SELECT last_used_ms FROM keys')[0]?.last_used_ms, 200_000 * at)
        assertSums()
        if (!faulty.fired) break
        errors = at
      }
      assert.ok(errors > 10, `${errors} places to fail in`)
    })

    test('a crash between any two steps of settling what was interrupted settles it once', () => {
      let crashes = 0
      for (let at = 1; ; at += 1) {
        put([intentEntry({ id: `${at}a` }), intentEntry({ id: `${at}b` })], `worker-0.${at}`)
        const faulty = new FaultyDatabase(database, at)
        attempt(() => faultySink(faulty)?.ended(`worker-0.${at}`))
        sink.ended(`worker-0.${at}`)
        assert.deepEqual(ids('intents'), [])
        assert.equal(ids('receipts').length, 2 * at)
        assertSums()
        if (!faulty.fired) break
        crashes = at
      }
      assert.ok(crashes > 5, `${crashes} places to crash in`)
    })

    const odd: [sentence: string, change: Record<string, unknown>, expected: Record<string, unknown>][] = [
      ['tokens that are no number', { usage: { input: 'many', output: null } }, { input: 0, output: 0 }],
      ['tokens below nothing', { usage: { input: -5 } }, { input: 0 }],
      ['tokens with a fraction', { usage: { input: 1.9 } }, { input: 1 }],
      ['more tokens than a call can have', { usage: { input: 1e300 } }, { input: 1e9 }],
      ['no usage', { usage: null }, { input: 0, thinking: 0 }],
      ['tries that are no list', { tries: 'three' }, { tries: '[]' }],
      ['a model that is no text', { model: { name: 'x' } }, { model: '' }],
      ['a very long name', { model: 'm'.repeat(5000) }, { model: 'm'.repeat(200) }],
      ['half a character', { model: 'a\ud800' }, { model: 'a\ufffd' }],
      ['a zero in a text', { model: "a\0b'; DROP TABLE receipts;--" }, { model: "a\0b'; DROP TABLE receipts;--" }],
      ['a time that is none', { startedMs: 'noon' }, { started_ms: 0 }],
      ['a time after all times', { startedMs: 1e300 }, { started_ms: 253_402_300_799_999 }],
      ['money without end', { nanoDollars: 1e300 }, { nano_dollars: 1e15 }],
      ['a count of none', { times: 0 }, { times: 1 }],
      ['nothing that it should have', Object.fromEntries(Object.keys(receiptEntry()).map((key) => [key, null])), {}],
    ]
    for (const [sentence, change, expected] of odd) {
      test(`a receipt with ${sentence} is stored all the same, as near to it as can be`, () => {
        put([{ ...receiptEntry(), ...change, type: 'receipt', id: 'odd' }, receiptEntry({ id: 'next' })])
        assert.deepEqual(ids('receipts'), ['next', 'odd'])
        const [row] = rows("SELECT * FROM receipts WHERE id = 'odd'")
        for (const [column, value] of Object.entries(expected)) assert.equal(row?.[column], value, column)
        assertSums()
      })
    }

    test('sums that would not fit stay at the largest that does, and hold nothing up', () => {
      for (let batch = 0; batch < 30; batch += 1) {
        const nanoDollars = Number.MAX_SAFE_INTEGER
        put(Array.from({ length: 10 }, (_, at) => receiptEntry({ id: `${batch}-${at}`, nanoDollars })))
      }
      const [row] = store.usage.query({ from: 0, to: nowMs, groupBy: [] })
      assert.equal(row?.nanoDollars, 9e15)
      assert.equal(row?.calls, 300)
    })

    test('an entry of a kind that is not known is passed over', () => {
      put([{ type: 'weather', id: 'w' }, receiptEntry({ id: 'a' })])
      assert.deepEqual(ids('receipts'), ['a'])
    })

    test('models that a caller makes up do not fill the sums: beyond a thousand they are told together', () => {
      const made = Array.from({ length: 1200 }, (_, at) => receiptEntry({ id: `req_${at}`, model: `made-up-${at}` }))
      put(made)
      put([receiptEntry({ id: 'other', keyId: 'key00002' }), receiptEntry({ id: 'again', model: 'made-up-7' })])
      assert.equal(rows('SELECT id FROM usage_dimensions').length, 1002)
      const sums = store.usage.query({ from: 0, to: nowMs, groupBy: ['model'], limit: 2000 })
      assert.equal(sums.find(({ group }) => group.model === otherModel)?.calls, 200)
      assert.equal(sums.find(({ group }) => group.model === 'made-up-7')?.calls, 2)
      assert.equal(sums.find(({ group }) => group.model === 'claude-9')?.calls, 1, 'another key has room of its own')
    })
  })

  suite('a call that was interrupted', () => {
    test('becomes a receipt with what was set aside for its input, when its writer has ended', () => {
      put([
        intentEntry({ id: 'a', owner: 'own_1', startedMs: 5000 }),
        intentEntry({ id: 'b' }),
        receiptEntry({ id: 'b' }),
      ])
      assert.deepEqual(ids('intents'), ['a'])
      sink.ended('worker-0.1')
      const receipt = store.receipts.get('a')
      const { failure, blame, status, inputTokens, outputTokens, nanoDollars, startedAt, endedAt, tries } =
        receipt ?? {}
      assert.deepEqual(
        { failure, blame, status, inputTokens, outputTokens, nanoDollars, startedAt, endedAt, tries },
        {
          failure: 'interrupted',
          blame: 'gateway',
          status: 0,
          inputTokens: reserved.input,
          outputTokens: 0,
          nanoDollars: undefined,
          startedAt: 5000,
          endedAt: nowMs,
          tries: [],
        },
      )
      assert.deepEqual(
        { ...rows("SELECT reserved_output, reserved_nano FROM receipts WHERE id = 'a'")[0] },
        {
          reserved_output: reserved.output,
          reserved_nano: reserved.nano,
        },
      )
      assert.deepEqual(interrupted, [{ id: 'a', key: 'key00001', owner: 'own_1', reserved }])
      assertSums()
    })

    test('is told once, also where its writer is said to have ended twice', () => {
      put([intentEntry({ id: 'a' })])
      sink.ended('worker-0.1')
      sink.ended('worker-0.1')
      assert.equal(interrupted.length, 1)
      assert.deepEqual(ids('receipts'), ['a'])
    })

    test('is of its own writer only', () => {
      put([intentEntry({ id: 'a' })], 'worker-0.1')
      put([intentEntry({ id: 'b' })], 'worker-1.1')
      sink.ended('worker-1.1')
      assert.deepEqual(ids('intents'), ['a'])
    })

    test('has one receipt, though another came late', () => {
      put([intentEntry({ id: 'a' })])
      sink.ended('worker-0.1')
      put([receiptEntry({ id: 'a' })])
      assert.equal(store.receipts.get('a')?.failure, 'interrupted')
      assertSums()
    })

    test('has the cost of its input where that is known', () => {
      const priced = storeOn(database).sink({ nowMs: () => nowMs, inputCost: ({ inputTokens }) => inputTokens * 3 })
      priced.import({ file: 'f', writer: 'w', from: 0, offset: 1, entries: [intentEntry({ id: 'a' })] })
      priced.ended('w')
      assert.equal(store.receipts.get('a')?.nanoDollars, reserved.input * 3)
    })

    test('costs nothing where it was simulated', () => {
      put([intentEntry({ id: 'a', simulated: true })])
      sink.ended('worker-0.1')
      assert.equal(store.receipts.get('a')?.nanoDollars, 0)
    })
  })

  suite('what goes right', () => {
    test('a call whose beginning and end come in different batches is open between them', () => {
      put([intentEntry({ id: 'a' })])
      assert.deepEqual([ids('intents'), ids('receipts')], [['a'], []])
      put([receiptEntry({ id: 'a' })])
      assert.deepEqual([ids('intents'), ids('receipts')], [[], ['a']])
    })

    test('the beginning of a call that has ended opens it no more', () => {
      put([receiptEntry({ id: 'a' }), intentEntry({ id: 'a' })])
      put([intentEntry({ id: 'a' })])
      assert.deepEqual(ids('intents'), [])
    })

    test('a receipt comes back as it was written', () => {
      const clientId = 'mine'
      put([
        receiptEntry({ clientId, owner: 'own_1', ladder: 'best', failure: 'vendor-cut', blame: 'vendor', times: 3 }),
      ])
      assert.deepEqual(store.receipts.get('req_1'), {
        id: 'req_1',
        clientId,
        key: 'key00001',
        owner: 'own_1',
        plan: 'basic',
        dialect: 'anthropic',
        modelAsked: 'claude',
        model: 'claude-9',
        vendor: 'anthropic',
        ladder: 'best',
        simulated: false,
        stream: true,
        tries: [{ vendor: 'anthropic', model: 'claude-9', credential: 1, status: 200, outcome: 'ok', durationMs: 12 }],
        inputTokens: 10,
        outputTokens: 20,
        cacheReadTokens: 3,
        cacheWriteTokens: 9,
        thinkingTokens: 6,
        nanoDollars: 1000,
        status: 200,
        failure: 'vendor-cut',
        blame: 'vendor',
        startedAt: 1_000_000,
        firstByteAt: 1_000_100,
        endedAt: 1_000_900,
        requestBytes: 500,
        replyBytes: 700,
        times: 3,
      })
    })

    const costs: [
      sentence: string,
      change: Parameters<typeof receiptEntry>[0],
      nano: number | undefined,
      unpriced: number,
    ][] = [
      ['of a model without a price is unknown, and counted as such', { nanoDollars: undefined }, undefined, 1],
      ['of several calls together is unknown for each', { nanoDollars: undefined, times: 4 }, undefined, 4],
      ['of a simulated one is nothing', { nanoDollars: undefined, simulated: true }, 0, 0],
      ['of one that used nothing is nothing', { nanoDollars: undefined, usage: noTokens }, 0, 0],
    ]
    for (const [sentence, change, nano, unpriced] of costs) {
      test(`the cost of a call ${sentence}`, () => {
        put([receiptEntry(change)])
        assert.equal(store.receipts.get('req_1')?.nanoDollars, nano)
        const [row] = store.usage.query({ from: 0, to: nowMs, groupBy: [] })
        assert.deepEqual([row?.unpriced, row?.nanoDollars], [unpriced, 0])
      })
    }

    test('the last use of a key is written down, and no more than once a minute', () => {
      addKey(database, 'key00001')
      const lastUsed = (): unknown => rows('SELECT last_used_ms FROM keys')[0]?.last_used_ms
      put([receiptEntry({ id: 'a', startedMs: 100_000 }), receiptEntry({ id: 'b', startedMs: 120_000 })])
      assert.equal(lastUsed(), 120_000)
      put([receiptEntry({ id: 'c', startedMs: 150_000 })])
      assert.equal(lastUsed(), 120_000)
      put([receiptEntry({ id: 'd', startedMs: 10_000 })])
      assert.equal(lastUsed(), 120_000, 'never back')
      put([receiptEntry({ id: 'e', startedMs: 180_000 })])
      assert.equal(lastUsed(), 180_000)
    })

    test('the offset of a file is forgotten when the file is gone', () => {
      put([receiptEntry()], 'worker-0.1')
      put([], 'worker-1.1')
      assert.deepEqual(sink.files(), ['worker-0.1.0.journal', 'worker-1.1.0.journal'])
      sink.finished('worker-0.1.0.journal')
      assert.deepEqual(sink.files(), ['worker-1.1.0.journal'])
      assert.equal(sink.offset('worker-0.1.0.journal'), 0)
    })

    test('the importer of journals takes it as it is: written, imported, settled and gone', async () => {
      const journals = join(folder(), 'journal')
      mkdirSync(journals)
      const taken: Sink = sink
      const onError = (error: unknown): void => assert.fail(String(error))
      const writer = new JournalWriter({ folder: journals, name: 'worker-0', startedMs: 1, onError })
      for (const id of ['a', 'b', 'c']) writer.append(intentEntry({ id }))
      for (const id of ['a', 'c']) writer.append(receiptEntry({ id }))
      writer.close()
      const importer = new Importer({ folder: journals, sink: taken, isLive: () => false, onError })
      await importer.close()
      assert.deepEqual(ids('receipts'), ['a', 'b', 'c'])
      assert.deepEqual(
        interrupted.map(({ id }) => id),
        ['b'],
      )
      assert.deepEqual(sink.files(), [])
      assertSums()
    })
  })

  test('sums are those of the receipts, whatever is imported, twice and in any order', () => {
    let file = 0
    fc.assert(
      fc.property(fc.array(fc.array(anyEntry, { maxLength: 12 }), { maxLength: 8 }), (batches) => {
        for (const entries of batches) put(entries, `worker-${file}.1`, `worker-${(file += 1) % 3}.1.0.journal`)
        assertSums()
        const open = new Set(ids('intents'))
        assert.ok(
          ids('receipts').every((id) => !open.has(id)),
          'nothing is open that has ended',
        )
      }),
      { numRuns: 100 },
    )
  })

  /** A sink that meets the fault; undefined where the fault is in its making. */
  function faultySink(faulty: Database): JournalSink | undefined {
    let made: JournalSink | undefined
    attempt(() => (made = new JournalSink(faulty, { nowMs: () => nowMs, onInterrupted: () => {} })))
    return made
  }

  /** By every group, sums of receipts and of the tables of sums are the same. */
  function assertSums(): void {
    const kinds: [periods: string, period: string][] = [
      ['hours', 'started_ms / 3600000'],
      ['days', 'started_ms / 86400000'],
      [
        'months',
        "strftime('%Y', started_ms / 1000, 'unixepoch') * 12 + strftime('%m', started_ms / 1000, 'unixepoch') - 1",
      ],
    ]
    for (const [periods, period] of kinds) {
      const kept = rows(
        `SELECT period, key_id, owner, plan, vendor, status, simulated, ${sumColumns.map((name) => `SUM(${name}) AS ${name}`).join(', ')}
         FROM usage_${periods} JOIN usage_dimensions ON id = dimension GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7`,
      )
      const reckoned = rows(
        `SELECT ${period} AS period, key_id, COALESCE(owner, '') AS owner, plan, vendor, status, simulated,
           SUM(times) AS calls, SUM(CASE WHEN failure IS NULL THEN 0 ELSE times END) AS failed, SUM(input) AS input,
           SUM(output) AS output, SUM(cache_read) AS cache_read, SUM(cache_write_5m + cache_write_1h) AS cache_write,
           SUM(thinking) AS thinking, COALESCE(SUM(nano_dollars), 0) AS nano_dollars,
           SUM(CASE WHEN nano_dollars IS NULL THEN times ELSE 0 END) AS unpriced
         FROM receipts GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7`,
      )
      assert.deepEqual(kept, reckoned, periods)
    }
    const all = rows('SELECT COALESCE(SUM(times), 0) AS calls FROM receipts')[0]?.calls
    const summed: UsageRow[] = store.usage.query({ from: 0, to: 253_402_300_800_000, groupBy: [] as UsageGroup[] })
    assert.equal(summed[0]?.calls, all)
  }
})

function attempt(work: () => void): boolean {
  try {
    work()
    return true
  } catch (error) {
    assert.match(String(error), /made up for a test/)
    return false
  }
}

function addKey(database: Database, id: string): void {
  database
    .statement(
      "INSERT INTO keys (id, name, digest, state, plan, sandbox, metadata, created_ms, changed_ms, version) VALUES (?, 'n', x'00', 'active', 'p', 0, '{}', 1, 1, 1)",
    )
    .run(id)
}

const count = fc.nat(1000)
const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    type: fc.constantFrom('intent', 'receipt', 'receipt', 'receipt'),
    id: fc.nat(60).map((number) => `req_${number}`),
    keyId: fc.constantFrom('key00001', 'key00002', "'; DROP TABLE keys;--", ''),
    owner: fc.constantFrom(undefined, 'own_1', '%_'),
    plan: fc.constantFrom('basic', 'pro'),
    model: fc.constantFrom('claude-9', 'gpt-7', 'a\0b', '🦉'),
    vendor: fc.constantFrom('anthropic', 'openai'),
    simulated: fc.boolean(),
    status: fc.constantFrom(200, 429, 529),
    failure: fc.constantFrom(undefined, 'vendor-limit' as const),
    times: fc.integer({ min: 1, max: 5 }),
    nanoDollars: fc.option(fc.nat(1_000_000), { nil: undefined }),
    usage: fc.record({
      input: count,
      output: count,
      cacheRead: count,
      cacheWrite5m: count,
      cacheWrite1h: count,
      thinking: count,
    }),
    startedMs: fc.integer({ min: Date.UTC(2026, 9, 28), max: Date.UTC(2026, 10, 3) }),
  })
  .map(({ type, keyId, ...fields }) =>
    type === 'intent' ? intentEntry({ ...fields, key: keyId }) : receiptEntry({ ...fields, keyId }),
  )
