import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { Receipt } from '../core/receipt.ts'
import { ConfigError } from './config.ts'
import { Ledger } from './ledger.ts'
import { keyDigest } from './secrets.ts'
import { Store } from './store.ts'

const receipt: Receipt = {
  id: 'req_1',
  clientId: undefined,
  keyId: 'k',
  dialect: 'anthropic',
  modelAsked: 'm',
  model: 'm',
  vendor: 'v',
  simulated: false,
  stream: false,
  tries: [],
  usage: { input: 1, output: 2, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 0 },
  status: 200,
  failure: undefined,
  blame: undefined,
  startedMs: 1,
  firstByteMs: 2,
  endedMs: 3,
  requestBytes: 4,
  replyBytes: 5,
}

suite('ledger', () => {
  let folder: string
  let store: Store
  let errors: unknown[]
  let ledger: Ledger
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyrung-ledger-'))
    store = new Store(folder)
  })
  beforeEach(() => {
    errors = []
    ledger = new Ledger(store, (error) => errors.push(error))
  })
  after(() => {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('counts that no vendor should send are kept as whole numbers, and hold up no other receipt', () => {
    const odd = [0.5, 1e300, -1, Number.NaN, Infinity, 7]
    odd.forEach((input, index) => ledger.add({ ...receipt, id: `odd_${index}`, usage: { ...receipt.usage, input } }))
    ledger.flush()
    assert.deepEqual(errors, [])
    const kept = store.receipts(10).map((row) => row.input)
    assert.deepEqual(kept.toReversed(), [0, Number.MAX_SAFE_INTEGER, 0, 0, Number.MAX_SAFE_INTEGER, 7])
  })

  test('while another process holds the database, calls are not held up, and nothing is lost', () => {
    const other = new DatabaseSync(join(folder, 'keyrung.db'))
    other.exec('BEGIN IMMEDIATE')
    const startedMs = performance.now()
    for (let index = 0; index < 1000; index += 1) ledger.add({ ...receipt, id: `held_${index}` })
    assert.ok(performance.now() - startedMs < 1000, `${performance.now() - startedMs} ms`)
    assert.equal(errors.length, 1)
    other.exec('COMMIT')
    other.close()
    ledger.close()
    assert.equal(store.receipts(2000).filter((row) => String(row.id).startsWith('held_')).length, 1000)
  })

  test('a receipt that is given twice is one', () => {
    ledger.add({ ...receipt, id: 'twice' })
    ledger.flush()
    ledger.add({ ...receipt, id: 'twice' })
    ledger.close()
    assert.equal(store.receipts(2000).filter((row) => row.id === 'twice').length, 1)
  })
})

suite('the data folder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyrung-store-'))
  })

  test('a file that is no database is told by name', () => {
    writeFileSync(join(folder, 'keyrung.db'), 'no database at all '.repeat(1000))
    assert.throws(
      () => new Store(folder),
      (thrown) => thrown instanceof ConfigError && /keyrung\.db: cannot be opened/.test(thrown.message),
    )
  })

  test('a database of another program is told by name', () => {
    const other = new DatabaseSync(join(folder, 'keyrung.db'))
    other.exec('CREATE TABLE callers (x TEXT)')
    other.close()
    assert.throws(
      () => new Store(folder),
      (thrown) => thrown instanceof ConfigError && /keyrung\.db: cannot be opened/.test(thrown.message),
    )
  })

  test('a database of a newer Keyrung is told by name', () => {
    new Store(folder).close()
    const newer = new DatabaseSync(join(folder, 'keyrung.db'))
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    assert.throws(
      () => new Store(folder),
      (thrown) => thrown instanceof ConfigError && /written by a newer Keyrung/.test(thrown.message),
    )
  })

  test('a pepper that cannot be read is told by name', () => {
    writeFileSync(join(folder, 'file'), '')
    assert.throws(
      () => keyDigest(join(folder, 'file')),
      (thrown) => thrown instanceof ConfigError && /pepper: cannot be made or read/.test(thrown.message),
    )
  })

  test('two processes may use one folder', () => {
    const [one, other] = [new Store(folder), new Store(folder)]
    one.addReceipts([{ ...receipt, id: 'one' }], 50)
    other.addReceipts([{ ...receipt, id: 'other' }], 50)
    assert.equal(one.receipts(10).length, 2)
    one.close()
    other.close()
  })
})
