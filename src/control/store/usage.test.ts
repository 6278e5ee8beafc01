import assert from 'node:assert/strict'
import { afterEach, beforeEach, suite, test } from 'node:test'
import fc from 'fast-check'
import type { UsageGroup, UsageQuery, UsageRow } from '../service.ts'
import { openDatabase } from './database.ts'
import type { Entry } from './entries.ts'
import { storeOn, type Store } from './index.ts'
import { day, hour, month, segmentsOf } from './periods.ts'
import { receiptEntry } from './support/calls.ts'
import { freshFolder } from './support/folder.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const kinds = [[month, day, hour], [day, hour], [hour]]

suite('a span of time as periods', () => {
  const spans: [sentence: string, from: string, to: string, expected: string[]][] = [
    ['a whole month is that month', '2026-10-01', '2026-11-01', ['month 1']],
    ['a year is its months', '2025-03-01', '2026-03-01', ['month 12']],
    ['a day is that day', '2026-10-05', '2026-10-06', ['day 1']],
    ['days at both edges', '2026-09-29', '2026-11-03', ['day 2', 'month 1', 'day 2']],
    ['days over the end of a month are cut there', '2026-10-30', '2026-11-02', ['day 2', 'day 1']],
    ['hours at both edges', '2026-10-05T22:00', '2026-10-07T03:00', ['hour 2', 'day 1', 'hour 3']],
    ['hours over midnight are cut there', '2026-10-05T23:00', '2026-10-06T01:00', ['hour 1', 'hour 1']],
    ['parts of hours are those hours', '2026-10-05T10:30', '2026-10-05T11:01', ['hour 2']],
    ['a month with everything around it', '2026-09-30T23:30', '2026-11-01T00:01', ['hour 1', 'month 1', 'hour 1']],
    ['a February of a leap year', '2028-02-01', '2028-03-01', ['month 1']],
    ['nothing is nothing', '2026-10-05', '2026-10-05', []],
  ]
  for (const [sentence, from, to, expected] of spans) {
    test(sentence, () => {
      const segments = segmentsOf(Date.parse(`${from}${timeOfDay(from)}`), Date.parse(`${to}${timeOfDay(to)}`), [
        month,
        day,
        hour,
      ])
      assert.deepEqual(
        segments.map(({ period, from: first, to: last }) => `${period.name} ${last - first}`),
        expected,
      )
    })
  }

  test('covers every hour of the span once, and each edge lies in the period that it is said to', () => {
    const from = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2026, 0, 1) })
    fc.assert(
      fc.property(from, fc.nat(500 * dayMs), fc.constantFrom(...kinds), (start, length, kind) => {
        const segments = segmentsOf(start, start + length, kind)
        let next = length === 0 ? 0 : hour.startMs(hour.at(start))
        for (const { period, from: first, to, withinMs } of segments) {
          assert.equal(period.startMs(first), next, 'without a gap')
          assert.ok(to > first)
          next = period.startMs(to)
          const longest = kind[0]
          if (withinMs === undefined) assert.equal(period, longest)
          else {
            assert.equal(longest?.at(period.startMs(first)), longest?.at(withinMs))
            assert.equal(longest?.at(next - 1), longest?.at(withinMs))
          }
        }
        if (length > 0) assert.equal(next, hour.startMs(hour.at(start + length - 1) + 1))
      }),
    )
  })
})

suite('sums of usage', () => {
  const folder = freshFolder()
  let store: Store
  beforeEach(() => {
    store = storeOn(openDatabase(folder()))
  })
  afterEach(() => store.close())

  const put = (entries: readonly Entry[]): void => {
    store.sink({ nowMs: () => 0 }).import({ file: 'f', writer: 'w', from: 0, offset: 1, entries })
  }

  test('are those of the receipts, by every group, filter and span', () => {
    const calls = fc.sample(anyCall, { numRuns: 400, seed: 7 })
    put(calls.map((call, at) => receiptEntry({ ...call, id: `req_${at}` })))
    fc.assert(
      fc.property(anyQuery, (query) => {
        const expected = reckoned(calls, query)
        const found = store.usage.query({ ...query, limit: 10_000 })
        const sorted = (rows: readonly UsageRow[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted()
        assert.deepEqual(sorted(found.map(inOrder)), sorted(expected))
      }),
      { numRuns: 300 },
    )
  })

  test('without groups are one row, also where nothing was called', () => {
    const [row, ...others] = store.usage.query({ from: 0, to: dayMs, groupBy: [] })
    assert.deepEqual([row?.calls, row?.group, others], [0, {}, []])
    assert.deepEqual(store.usage.query({ from: 0, to: dayMs, groupBy: ['key'] }), [])
  })

  test('are the newest first where times are asked for, and else the dearest', () => {
    const call = (id: string, ms: number, model: string, nanoDollars: number): Entry =>
      receiptEntry({ id, startedMs: ms, model, nanoDollars })
    put([
      call('a', 0, 'cheap', 1),
      call('b', dayMs, 'dear', 9),
      call('c', 2 * dayMs, 'cheap', 3),
      call('d', 0, 'dear', 2),
    ])
    const by = (groupBy: UsageGroup[], limit?: number): unknown[] =>
      store.usage
        .query({ from: 0, to: 3 * dayMs, groupBy, ...(limit !== undefined && { limit }) })
        .map(({ group, nanoDollars }) => [group.model ?? Number(group.day) / dayMs, nanoDollars])
    assert.deepEqual(by(['model']), [
      ['dear', 11],
      ['cheap', 4],
    ])
    assert.deepEqual(by(['model'], 1), [['dear', 11]])
    assert.deepEqual(by(['day']), [
      [2, 3],
      [1, 9],
      [0, 3],
    ])
  })

  test('of the day and the month are there for each key and owner, to count limits on from', () => {
    const nowMs = Date.UTC(2026, 10, 25, 12)
    const used = { input: 1, output: 2, cacheRead: 4, cacheWrite5m: 8, cacheWrite1h: 16, thinking: 32 }
    const call = (id: string, startedMs: number, keyId: string, owner?: string): Entry =>
      receiptEntry({ id, startedMs, keyId, owner, usage: used, nanoDollars: 5 })
    put([
      call('a', nowMs, 'key1', 'own_1'),
      call('b', nowMs - 12 * hourMs, 'key1', 'own_1'),
      call('c', nowMs - 13 * hourMs, 'key2', 'own_1'),
      call('d', Date.UTC(2026, 9, 31, 23), 'key3'),
      call('e', nowMs, ''),
    ])
    assert.deepEqual(store.usage.spent(nowMs), [
      { type: 'key', id: 'key1', dayTokens: 62, monthTokens: 62, dayNano: 10, monthNano: 10 },
      { type: 'key', id: 'key2', dayTokens: 0, monthTokens: 31, dayNano: 0, monthNano: 5 },
      { type: 'owner', id: 'own_1', dayTokens: 62, monthTokens: 93, dayNano: 10, monthNano: 15 },
    ])
  })
})

function timeOfDay(text: string): string {
  return text.includes('T') ? 'Z' : 'T00:00Z'
}

const anyCall = fc.record({
  keyId: fc.constantFrom('key00001', 'key00002', '%'),
  owner: fc.constantFrom(undefined, 'own_1'),
  plan: fc.constantFrom('basic', 'pro'),
  model: fc.constantFrom('claude-9', "gpt'7"),
  vendor: fc.constantFrom('anthropic', 'openai'),
  simulated: fc.boolean(),
  status: fc.constantFrom(200, 429),
  failure: fc.constantFrom(undefined, 'vendor-limit' as const),
  times: fc.integer({ min: 1, max: 3 }),
  nanoDollars: fc.nat(1000),
  startedMs: fc.integer({ min: Date.UTC(2026, 8, 25), max: Date.UTC(2026, 11, 5) }),
})
type Call = typeof anyCall extends fc.Arbitrary<infer Value> ? Value : never

const groups = ['key', 'owner', 'plan', 'model', 'vendor', 'status', 'hour', 'day', 'month'] as const
const anyQuery: fc.Arbitrary<UsageQuery> = fc
  .record(
    {
      key: fc.constantFrom('key00001', '%', 'nobody'),
      owner: fc.constantFrom('own_1', ''),
      plan: fc.constantFrom('basic'),
      model: fc.constantFrom("gpt'7"),
      vendor: fc.constantFrom('openai'),
      status: fc.constantFrom(429),
      groupBy: fc.subarray([...groups]),
      from: fc.integer({ min: Date.UTC(2026, 8, 20), max: Date.UTC(2026, 11, 1) }),
      length: fc.integer({ min: 1, max: 80 * dayMs }),
    },
    { requiredKeys: ['groupBy', 'from', 'length'] },
  )
  .map(({ length, ...query }) => ({ ...query, to: query.from + length }))

/** The same by looking at each call. */
function reckoned(calls: readonly Call[], query: UsageQuery): UsageRow[] {
  const fits = calls.filter(
    (call) =>
      hour.at(call.startedMs) >= hour.at(query.from) &&
      hour.at(call.startedMs) <= hour.at(query.to - 1) &&
      (['key', 'owner', 'plan', 'model', 'vendor', 'status'] as const).every(
        (name) => query[name] === undefined || valueOf(call, name) === query[name],
      ),
  )
  const byGroup = Map.groupBy(fits, (call) => JSON.stringify(groupOf(call, query.groupBy)))
  if (query.groupBy.length === 0 && fits.length === 0) byGroup.set('{}', [])
  return [...byGroup].map(([group, list]) => {
    const sum = (value: (call: Call) => number): number => list.reduce((all, call) => all + value(call), 0)
    return {
      group: JSON.parse(group) as UsageRow['group'],
      calls: sum(({ times }) => times),
      failed: sum(({ times, failure }) => (failure === undefined ? 0 : times)),
      inputTokens: 10 * list.length,
      outputTokens: 20 * list.length,
      cacheReadTokens: 3 * list.length,
      cacheWriteTokens: 9 * list.length,
      thinkingTokens: 6 * list.length,
      nanoDollars: sum(({ nanoDollars }) => nanoDollars),
      unpriced: 0,
    }
  })
}

function groupOf(call: Call, groupBy: readonly UsageGroup[]): object {
  return Object.fromEntries(groups.filter((name) => groupBy.includes(name)).map((name) => [name, valueOf(call, name)]))
}

function valueOf(call: Call, name: UsageGroup): string | number {
  const period = [hour, day, month].find((one) => one.name === name)
  if (period !== undefined) return period.startMs(period.at(call.startedMs))
  if (name === 'key') return call.keyId
  return call[name as 'plan'] ?? ''
}

/** With its groups in the order of their list. */
function inOrder(row: UsageRow): UsageRow {
  const group = Object.fromEntries(groups.filter((name) => name in row.group).map((name) => [name, row.group[name]]))
  return { ...row, group }
}
