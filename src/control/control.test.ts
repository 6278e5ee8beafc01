import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import fc from 'fast-check'
import { noSlot } from '../core/caller.ts'
import { ControlError } from './service.ts'
import { by, hourMs, refused, stageEach, startMs } from './service/support/control.ts'
import { openDatabase } from './store/database.ts'
import { namedRows } from './store/named.ts'
import { receiptEntry } from './store/support/calls.ts'
import { freshFolder } from './store/support/folder.ts'

suite('the control plane', () => {
  const errors: unknown[] = []
  const stage = stageEach({ onError: (error) => errors.push(error) })

  test('tells a change after it is stored, before the method that made it returns', () => {
    const seen: string[] = []
    stage.control.onChange((event) => {
      if (event.type === 'caller') seen.push(stage.another().keys.get(event.caller.id).name)
    })
    stage.control.keys.create({ name: 'stored' }, by)
    assert.deepEqual(seen, ['stored'])
  })

  test('tells nothing of what was refused or undone', () => {
    const { key } = stage.control.keys.create({ name: 'k' }, by)
    stage.events.length = 0
    refused(() => stage.control.keys.change(key.id, { plan: 'gold' }, 1, by), 422, /^plan/)
    assert.equal(stage.events.length, 0)
  })

  test('lets a change stand whatever a listener makes of it, and tells the others', () => {
    const other: string[] = []
    stage.control.onChange(() => {
      throw new Error('a listener’s own')
    })
    const stop = stage.control.onChange(({ type }) => other.push(type))
    const { key } = stage.control.keys.create({ name: 'k' }, by)
    stop()
    stage.control.keys.disable(key.id, by)
    assert.deepEqual(other, ['caller'])
    assert.deepEqual(errors.splice(0).map(String), ['Error: a listener’s own', 'Error: a listener’s own'])
  })

  for (const [sentence, errcode, says] of [
    ['busy', 5, /Another process is writing/],
    ['read-only', 8, /cannot be written now/],
    ['full', 13, /cannot be written now/],
    ['broken in a way that has a number of its own', 10 + 256, /cannot be written now/],
  ] as const) {
    test(`with a database that is ${sentence} refuses changes with a 503, and knows nothing of them`, () => {
      const transaction = (): never => {
        throw Object.assign(new Error('from SQLite'), { errcode })
      }
      const control = stage.another({ store: { ...stage.store, transaction } })
      refused(() => control.keys.create({ name: 'k' }, by), 503, says)
      refused(() => control.plans.put({ name: 'gold', limits: {}, ownerLimits: {} }, undefined, by), 503, says)
      assert.equal(control.allPlans().length, 3)
      assert.deepEqual(control.keys.list({}).data, [])
    })
  }

  test('changes nothing while another process is writing, and can when that is done', () => {
    const other = openDatabase(stage.folder)
    stage.run('PRAGMA busy_timeout = 1')
    other.transaction(() => refused(() => stage.control.keys.create({ name: 'k' }, by), 503, /Another process/))
    other.close()
    assert.deepEqual(stage.control.keys.list({}).data, [])
    assert.equal(stage.control.keys.create({ name: 'k' }, by).key.version, 1)
  })

  test('has callers that go to a worker as they are', () => {
    for (const name of ['a', 'b'])
      stage.control.keys.create({ name, networks: ['::/0'], limits: { callsAtOnce: 1 } }, by)
    const callers = [...stage.control.callers()]
    const { port1, port2 } = new MessageChannel()
    port1.postMessage(callers)
    assert.deepEqual(receiveMessageOnPort(port2)?.message, callers)
    port1.close()
  })

  test('gives a place for limits to those that are declared elsewhere, of the same numbers', () => {
    const { key } = stage.control.keys.create({ name: 'k' }, by)
    assert.equal(stage.control.slotOf('key', 'declared'), 1)
    assert.equal(stage.control.slotOf('owner', 'declared'), 2)
    assert.equal(stage.control.slotOf('key', key.id), 0)
    assert.equal(stage.control.slotOf('key', 'declared'), 1)
    assert.ok(noSlot < 0)
  })

  test('says what was used today and this month', () => {
    const entries = [receiptEntry({ startedMs: startMs }), receiptEntry({ id: 'b', startedMs: startMs - 13 * hourMs })]
    stage.store.sink({ nowMs: () => 0 }).import({ file: 'f', writer: 'w', from: 0, offset: 1, entries })
    assert.deepEqual(stage.control.spent(), [
      { type: 'key', id: 'key00001', dayTokens: 42, monthTokens: 84, dayNano: 1000, monthNano: 2000 },
    ])
  })

  test('deletes what is old, all of it, and only when it is told to', async () => {
    const entries = Array.from({ length: 2500 }, (_, at) => receiptEntry({ id: `req_${at}`, startedMs: at }))
    stage.store.sink({ nowMs: () => 0 }).import({ file: 'f', writer: 'w', from: 0, offset: 1, entries })
    const content = { request: new Uint8Array(1), reply: new Uint8Array(1) }
    for (const expiresMs of [5, 15])
      stage.store.captures.put({ receiptId: `req_${expiresMs}`, key: 'k', expiresMs, ...content })
    assert.deepEqual(await stage.control.prune({}), { receipts: 0, captures: 0 })
    const pruned = await stage.control.prune({ receiptsBeforeMs: 2400, capturesBeforeMs: 10 })
    assert.deepEqual(pruned, { receipts: 2400, captures: 1 })
    const span = { from: 0, to: 1e9 }
    assert.equal(stage.control.usage.receipts({ ...span, limit: 200 }).data.length, 100)
    assert.equal(stage.control.usage.query({ ...span, groupBy: [] })[0]?.calls, 2500)
  })

  test('shows the secrets that it gives out once, and keeps them nowhere', () => {
    const { keys, tokens, credentials, audit } = stage.control
    const made = keys.create({ name: 'k' }, by)
    const rotated = keys.rotate(made.key.id, hourMs, by).secret
    const token = tokens.create({ name: 't', scopes: ['all'] }, by).secret
    const secrets = [made.secret, rotated, token, 'sk-vendor-canary-0123456789']
    credentials.put({ vendor: 'openai', name: 'main', secret: secrets[3] ?? '' }, undefined, by)
    keys.disable(made.key.id, by)
    for (const secret of secrets.slice(0, 3)) tokens.identify(secret)
    const shown: unknown[] = [keys.list({}).data, keys.get(made.key.id), tokens.list(), credentials.list()]
    shown.push(audit.list({ limit: 200 }).data, stage.control.owners.list({}).data)
    shown.push([...stage.control.callers()], stage.events)
    const texts = shown.map((value) => JSON.stringify(value))
    const files = readdirSync(stage.folder).map((file) => readFileSync(join(stage.folder, file), 'latin1'))
    for (const secret of secrets) {
      const middle = secret.slice(-20, -6)
      for (const text of [...texts, ...files]) assert.equal(text.includes(middle), false)
    }
    // Digests go to the workers and nowhere else.
    for (const text of texts.slice(0, 6)) assert.doesNotMatch(text, /digest|sealed/)
  })

  test('takes any text in any field as that text, or refuses it; nothing in it does anything', () => {
    let made = 0
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, other, prefix) => {
        const { owners, keys, audit, usage, plans, tokens, credentials } = stage.control
        const attempts: (() => unknown)[] = [
          () => same(owners.get(owners.create({ name, metadata: { [other]: prefix } }, by).id).name, name),
          () => same(keys.get(keys.create({ name, models: [other], metadata: { a: other } }, by).key.id).name, name),
          () => keys.create({ name, owner: other, plan: prefix, ladder: other, networks: [other] }, by),
          () => keys.list({ prefix, owner: other, plan: name }),
          () =>
            same(
              keys.list({ prefix, limit: 200 }).data.every((key) => fits(key, prefix)),
              true,
            ),
          () => keys.list({ cursor: other }),
          () => owners.list({ prefix }),
          () => keys.get(name),
          () => audit.list({ actor: name, target: other }),
          () =>
            same(
              audit.list({ actor: name }).data.every(({ actor }) => actor.id === name),
              true,
            ),
          () => keys.create({ name: 'by somebody odd' }, { type: 'caller', id: name }),
          () => usage.query({ from: 0, to: 1e9, groupBy: ['key', 'day'], key: name, owner: other, model: prefix }),
          () => usage.receipts({ from: 0, to: 1e9, model: name, vendor: other, failure: prefix }),
          () => usage.receipt(name),
          () => [...usage.export({ from: 0, to: 1e9, plan: name }, 'csv')],
          () => plans.put({ name, limits: {}, ownerLimits: {}, models: [other] }, undefined, by),
          () => tokens.create({ name, scopes: ['read'] }, by),
          () => tokens.identify(name),
          () => credentials.put({ vendor: 'openai', name, secret: other, origin: prefix }, undefined, by),
        ]
        for (const attempt of attempts) if (worked(attempt)) made += 1
      }),
      { numRuns: 60 },
    )
    assert.ok(made > 60)
    assert.deepEqual(stage.check(), ['ok'])
  })
})

suite('keys by name', () => {
  const folder = freshFolder()

  test('are found by how their ids begin, page by page, whatever their names are', () => {
    const database = openDatabase(folder())
    const insert = database.statement(
      `INSERT INTO keys (id, name, digest, state, plan, sandbox, metadata, created_ms, changed_ms, version)
       VALUES (?, ?, x'00', 'active', 'p', 0, '{}', 1, 1, 1)`,
    )
    const made = 'abc4 a,abc1 b,abc3 x,abc2 y,abd1 abc,zzz1 z'.split(',').map((one) => one.split(' '))
    for (const one of made) insert.run(...one)
    const found: string[] = []
    let after: { name: string; id: string } | undefined
    for (;;) {
      const [row] = namedRows(database, 'keys', { filter: {}, prefix: 'abc', after, limit: 1 })
      if (row === undefined) break
      after = { name: String(row.name), id: String(row.id) }
      found.push(after.id)
    }
    assert.deepEqual(found, ['abc4', 'abd1', 'abc1', 'abc3', 'abc2'])
    database.close()
  })

  test('are found without looking at all of them, whatever is asked', () => {
    const database = openDatabase(folder())
    const questions: string[] = []
    const watched = { ...database, statement: (sql: string) => (questions.push(sql), database.statement(sql)) }
    const after = { name: 'a', id: 'b' }
    for (const table of ['keys', 'owners'] as const) {
      for (const prefix of [undefined, '%_%_%', 'a']) {
        for (const filter of table === 'keys' ? [{}, { owner: 'o' }, { plan: 'p' }, { state: 'active' }] : [{}]) {
          namedRows(watched, table, { filter, prefix, after, limit: 10 })
        }
      }
    }
    for (const sql of questions) {
      const plan = database
        .statement(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail))
      assert.match(plan[0] ?? '', /^SEARCH (keys|owners) USING (COVERING )?INDEX/, sql)
    }
    database.close()
  })
})

const texts = [
  `' OR '1'='1|'; DROP TABLE keys;--|%_%_%|\\|"|?|:a|$1|@x|/* */|NULL|0x00|__proto__|constructor|{"a":1}|[]|`.split(
    '|',
  ),
  ['a\0b', '\ud800', '🦉'.repeat(40), 'x'.repeat(5000), '\u202Eabc'],
].flat()
const hostile = fc.oneof(fc.constantFrom(...texts), fc.string({ maxLength: 30, unit: 'binary' }))

function same(found: unknown, expected: unknown): void {
  assert.deepEqual(found, expected)
}

function fits({ name, id }: { name: string; id: string }, prefix: string): boolean {
  return name.startsWith(prefix) || id.startsWith(prefix)
}

/** Whether it was done; a refusal is as good, anything else is a bug. */
function worked(attempt: () => unknown): boolean {
  try {
    attempt()
    return true
  } catch (error) {
    assert.ok(error instanceof ControlError, String(error))
    assert.notEqual(error.status, 503, error.message)
    return false
  }
}
