import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { UsageQuery } from '../service.ts'
import { receiptEntry } from '../store/support/calls.ts'
import { by, hourMs, refused, stageEach, startMs } from './support/control.ts'

const span = { from: 0, to: 10 * hourMs }
const dayMs = 24 * hourMs

suite('usage and receipts', () => {
  const stage = stageEach()
  const put = (count: number): void => {
    const entries = Array.from({ length: count }, (_, at) => receiptEntry({ id: `req_${at}`, startedMs: at }))
    stage.store.sink({ nowMs: () => 0 }).import({ file: 'f', writer: 'w', from: 0, offset: 1, entries })
  }

  const wrong: [sentence: string, query: object, says: RegExp][] = [
    ['a group that there is not', { groupBy: ['name'] }, /^groupBy\.0: must be one of key, owner/],
    ['a group that is a command', { groupBy: ['key; DROP TABLE keys'] }, /^groupBy\.0: must be one of/],
    ['no groups', { groupBy: undefined }, /^groupBy: must be a list/],
    ['a field that there is not', { groupBy: [], where: '1=1' }, /^where: there is no such field/],
    ['a span that ends before it begins', { groupBy: [], from: 2, to: 1 }, /^from: must not be after to/],
    ['a time that is text', { groupBy: [], from: '2026' }, /^from: must be/],
    ['a time after all times', { groupBy: [], to: 1e15 }, /^to: must be at most/],
    ['a status that is text', { groupBy: [], status: '429' }, /^status: must be/],
    ['too many rows', { groupBy: [], limit: 10_001 }, /^limit: must be at most 10000/],
    ['hours of half a year', { groupBy: ['hour'], to: 180 * dayMs }, /^to: must be at most 31 days after from/],
    ['days of ten years', { groupBy: ['day'], to: 3650 * dayMs }, /^to: must be at most 400 days after from/],
  ]
  for (const [sentence, query, says] of wrong) {
    test(`sums with ${sentence} are refused`, () => {
      refused(() => stage.control.usage.query({ ...span, ...query } as UsageQuery), 400, says)
    })
  }

  test('sums of an empty span are none', () => {
    assert.deepEqual(stage.control.usage.query({ from: 5, to: 5, groupBy: [] }), [])
  })

  test('receipts come page by page, and one by one', () => {
    put(5)
    const first = stage.control.usage.receipts({ ...span, limit: 3 })
    const second = stage.control.usage.receipts({ ...span, limit: 3, cursor: first.next ?? '' })
    assert.deepEqual(
      [...first.data, ...second.data].map(({ id }) => id),
      ['req_4', 'req_3', 'req_2', 'req_1', 'req_0'],
    )
    assert.equal(second.next, undefined)
    assert.equal(stage.control.usage.receipt('req_3')?.startedAt, 3)
    for (const id of ['req_9', "' OR 1=1;--", '%', '']) assert.equal(stage.control.usage.receipt(id), undefined)
  })

  const wrongPages: [sentence: string, query: object, says: RegExp][] = [
    ['a cursor that is none', { cursor: 'abc' }, /^cursor: must be what/],
    ['a cursor of text', { cursor: Buffer.from('["a","b"]').toString('base64url') }, /^cursor: must be what/],
    ['a field that there is not', { groupBy: [] }, /^groupBy: there is no such field/],
    ['a long filter', { model: 'm'.repeat(201) }, /^model: must have at most 200/],
  ]
  for (const [sentence, query, says] of wrongPages) {
    test(`receipts with ${sentence} are refused, and so is their export, before its first line`, () => {
      refused(() => stage.control.usage.receipts({ ...span, ...query }), 400, says)
      refused(() => stage.control.usage.export({ ...span, ...query }, 'csv'), 400, says)
    })
  }

  test('an export has all receipts, in pieces', () => {
    put(1201)
    const pieces = [...stage.control.usage.export(span, 'jsonl')]
    assert.equal(pieces.length, 3)
    const ids = pieces
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id)
    assert.equal(new Set(ids).size, 1201)
    assert.equal([...stage.control.usage.export({ ...span, key: 'nobody' }, 'jsonl')].join(''), '')
  })

  test('an export goes on while others write and delete', () => {
    put(1201)
    const pieces = stage.control.usage.export(span, 'jsonl')[Symbol.iterator]()
    pieces.next()
    stage.control.keys.create({ name: 'k' }, by)
    assert.equal(stage.store.receipts.prune(1e9, 5000), 1201)
    assert.equal(pieces.next().done, true)
  })
})

suite('the audit log', () => {
  const stage = stageEach()

  test('has every change, the newest first, and can be asked by actor, target and time', () => {
    const other = { type: 'caller', id: "x'; DROP TABLE audit;--" } as const
    const { key } = stage.control.keys.create({ name: 'k' }, by)
    stage.nowMs += 10
    stage.control.keys.disable(key.id, other)
    stage.nowMs += 10
    stage.control.plans.put({ name: 'gold', limits: {}, ownerLimits: {} }, undefined, by)
    const actions = (query: object): string[] => stage.control.audit.list(query).data.map(({ action }) => action)
    assert.deepEqual(actions({}), ['plan.put', 'key.disable', 'key.create'])
    assert.deepEqual(actions({ actor: other.id }), ['key.disable'])
    assert.deepEqual(actions({ target: `key:${key.id}` }), ['key.disable', 'key.create'])
    assert.deepEqual(actions({ from: startMs + 10, to: startMs + 20 }), ['key.disable'])
    assert.deepEqual(actions({ target: '%' }), [])
  })

  test('comes page by page, each line once, also of one moment', () => {
    for (let at = 0; at < 5; at += 1) stage.control.keys.create({ name: `k${at}` }, by)
    const first = stage.control.audit.list({ limit: 3 })
    const second = stage.control.audit.list({ limit: 3, cursor: first.next ?? '' })
    assert.deepEqual(
      [...first.data, ...second.data].map(({ id }) => id),
      [5, 4, 3, 2, 1],
    )
    assert.equal(second.next, undefined)
  })

  test('only grows: the database itself refuses all else', () => {
    stage.control.keys.create({ name: 'k' }, by)
    const { audit } = stage.control
    for (const sql of ['UPDATE audit SET action = ?', 'DELETE FROM audit WHERE action <> ?']) {
      assert.throws(() => stage.run(sql, 'x'), /the audit log only grows/)
    }
    assert.equal(audit.list({}).data[0]?.action, 'key.create')
  })

  test('is refused with what cannot be asked for', () => {
    refused(() => stage.control.audit.list({ actor: 'a'.repeat(201) }), 400, /^actor: must have at most 200/)
    refused(() => stage.control.audit.list({ from: 2, to: 1 }), 400, /^from: must not be after to/)
    refused(() => stage.control.audit.list({ action: 'x' } as never), 400, /^action: there is no such field/)
  })
})
