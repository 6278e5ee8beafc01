import assert from 'node:assert/strict'
import { afterEach, beforeEach, suite, test } from 'node:test'
import type { ReceiptQuery, ReceiptView } from '../service.ts'
import { openDatabase, type Database } from './database.ts'
import { exported } from './export.ts'
import { storeOn, type Store } from './index.ts'
import { Receipts, type ReceiptPlace } from './receipts.ts'
import { receiptEntry } from './support/calls.ts'
import { freshFolder } from './support/folder.ts'

const all = { from: 0, to: 1e12 }

suite('receipts', () => {
  const folder = freshFolder()
  let database: Database
  let store: Store
  let at = 0
  beforeEach(() => {
    database = openDatabase(folder())
    store = storeOn(database)
    at = 0
  })
  afterEach(() => database.close())

  const put = (...calls: Parameters<typeof receiptEntry>[0][]): void => {
    const entries = calls.map((call) => receiptEntry({ id: `req_${String((at += 1)).padStart(4, '0')}`, ...call }))
    const sink = store.sink({ nowMs: () => 0 })
    sink.import({ file: 'f', writer: 'w', from: sink.offset('f'), offset: sink.offset('f') + 1, entries })
  }
  const pages = (query: ReceiptQuery, limit: number, receipts = store.receipts): string[][] => {
    const found: string[][] = []
    let place: ReceiptPlace | undefined
    do {
      const { data, next } = receipts.page(query, place, limit)
      found.push(data.map(({ id }) => id.slice(4)))
      place = next
    } while (place !== undefined)
    return found
  }

  test('come the newest first, page by page, each once, also where many began in the same millisecond', () => {
    put(...[5, 5, 5, 9, 1].map((startedMs) => ({ startedMs })))
    assert.deepEqual(pages(all, 2), [['0004', '0003'], ['0002', '0001'], ['0005']])
    assert.deepEqual(pages(all, 5), [['0004', '0003', '0002', '0001', '0005']])
    assert.deepEqual(pages(all, 50), [['0004', '0003', '0002', '0001', '0005']])
  })

  test('that come in while one turns the pages shift nothing', () => {
    put(...[1, 2, 3, 4].map((startedMs) => ({ startedMs })))
    const first = store.receipts.page(all, undefined, 2)
    put({ startedMs: 100 }, { startedMs: 101 })
    const second = store.receipts.page(all, first.next, 2)
    assert.deepEqual(
      second.data.map(({ id }) => id),
      ['req_0002', 'req_0001'],
    )
    assert.equal(second.next, undefined)
  })

  const filters: [sentence: string, query: Partial<ReceiptQuery>, expected: string[]][] = [
    ['a time from which on', { from: 3 }, ['0004', '0003']],
    ['a time before which', { to: 3 }, ['0002', '0001']],
    ['a key', { key: "k'2" }, ['0004', '0002']],
    ['an owner', { owner: 'own_1' }, ['0003', '0002']],
    ['a failure', { failure: 'vendor-cut' }, ['0004', '0003']],
    ['a key and an owner', { key: "k'2", owner: 'own_1' }, ['0002']],
    ['a key and a failure', { key: 'k1', failure: 'vendor-cut' }, ['0003']],
    ['a model', { model: 'm%' }, ['0001']],
    ['a pattern, which stands for itself', { model: '%' }, []],
    ['a vendor', { vendor: 'openai' }, ['0004']],
    ['a status', { status: 429 }, ['0003']],
    ['a plan', { plan: 'pro' }, ['0002']],
    ['everything', { key: "k'2", owner: 'own_1', plan: 'pro', status: 200, model: 'm_' }, ['0002']],
  ]
  for (const [sentence, query, expected] of filters) {
    test(`are found by ${sentence}`, () => {
      put(
        { startedMs: 1, keyId: 'k1', model: 'm%' },
        { startedMs: 2, keyId: "k'2", owner: 'own_1', plan: 'pro', model: 'm_' },
        { startedMs: 3, keyId: 'k1', owner: 'own_1', failure: 'vendor-cut', status: 429 },
        { startedMs: 4, keyId: "k'2", failure: 'vendor-cut', vendor: 'openai' },
      )
      for (const limit of [1, 2, 50]) assert.deepEqual(pages({ ...all, ...query }, limit).flat(), expected)
    })
  }

  test('that are rare are looked for a bounded way at a time, and all of them are found', () => {
    put(...Array.from({ length: 100 }, (_, ms) => ({ startedMs: ms, model: ms % 40 === 0 ? 'rare' : 'common' })))
    const receipts = new Receipts(database, 10)
    const found = pages({ ...all, model: 'rare' }, 5, receipts)
    assert.deepEqual(found.flat(), ['0081', '0041', '0001'])
    assert.equal(found.length, 11, 'ten receipts are looked at for each')
    assert.deepEqual(pages({ ...all, model: 'none' }, 5, receipts).flat(), [])
    assert.deepEqual(pages({ ...all, key: 'key00001', model: 'rare' }, 1, receipts).flat(), ['0081', '0041', '0001'])
  })

  test('are found without looking at all of them: each question has its index', () => {
    const questions: string[] = []
    const receipts = new Receipts({
      ...database,
      statement: (sql) => (questions.push(sql), database.statement(sql)),
    })
    for (const [, query] of filters) receipts.page({ ...all, ...query }, { startedMs: 9, row: 9 }, 10)
    for (const sql of questions) {
      const plan = database
        .statement(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail))
      assert.deepEqual(plan.length, 1, plan.join())
      assert.match(plan[0] ?? '', /^SEARCH receipts USING (COVERING )?INDEX receipts_by_/)
    }
  })

  test('are deleted some at a time, the oldest first, and their sums stay', () => {
    put(...[1, 2, 3, 4, 5].map((startedMs) => ({ startedMs })))
    assert.equal(store.receipts.prune(4, 2), 2)
    assert.deepEqual(pages(all, 9), [['0005', '0004', '0003']])
    assert.equal(store.receipts.prune(4, 2), 1)
    assert.equal(store.receipts.prune(4, 2), 0)
    assert.deepEqual(pages(all, 9), [['0005', '0004']])
    assert.equal(store.usage.query({ ...all, groupBy: [] })[0]?.calls, 5)
  })

  suite('as lines', () => {
    const view = (change: Partial<ReceiptView> = {}): ReceiptView => {
      put({})
      const found = store.receipts.get('req_0001')
      assert.ok(found)
      return { ...found, ...change }
    }

    test('of JSON are receipts as they are', () => {
      const receipt = view()
      assert.deepEqual(
        [...exported([[receipt], [], [receipt]], 'jsonl')].map((piece) => JSON.parse(piece)),
        [receipt, receipt].map((one) => JSON.parse(JSON.stringify(one))),
      )
    })

    test('of CSV have a line with the names of the columns, and as many cells each', () => {
      const lines = [...exported([[view()]], 'csv')].join('').split('\r\n')
      assert.equal(lines.length, 3)
      assert.match(lines[0] ?? '', /^id,startedAt,firstByteAt,endedAt,key,owner,/)
      assert.match(lines[1] ?? '', /^req_0001,1970-01-01T00:16:40\.000Z,.*,key00001,,basic,/)
      assert.equal(lines[1]?.split(',').length, lines[0]?.split(',').length)
    })

    const cells: [sentence: string, model: string, cell: string][] = [
      ['a comma', 'a,b', '"a,b"'],
      ['quotes', 'a"b', '"a""b"'],
      ['a new line', 'a\nb', '"a\nb"'],
      ['what a spreadsheet would reckon with', '=HYPERLINK(1)', "'=HYPERLINK(1)"],
      ['a plus', '+1', "'+1"],
      ['a minus', '-1', "'-1"],
      ['an at', '@SUM(1)', "'@SUM(1)"],
    ]
    for (const [sentence, model, cell] of cells) {
      test(`of CSV may hold ${sentence}, which does nothing there`, () => {
        const [, line = ''] = [...exported([[view({ model })]], 'csv')]
        assert.ok(line.includes(`,${cell},`), line)
      })
    }
  })
})

suite('captures and thresholds', () => {
  const folder = freshFolder()
  let store: Store
  beforeEach(() => {
    store = storeOn(openDatabase(folder()))
  })
  afterEach(() => store.close())

  test('what was said is kept until it expires, not shown after that, and then deleted', () => {
    const [request, reply] = [Uint8Array.of(1, 0, 255), new Uint8Array(300_000)]
    store.captures.put({ receiptId: 'a', key: 'k', expiresMs: 10, request, reply })
    store.captures.put({ receiptId: 'b', key: 'k', expiresMs: 20, request, reply })
    assert.deepEqual(store.captures.get('a', 9)?.request, request)
    assert.equal(store.captures.get('a', 9)?.reply.length, 256 * 1024, 'cut to its bound')
    assert.equal(store.captures.get('a', 10), undefined)
    assert.equal(store.captures.prune(15, 100), 1)
    assert.equal(store.captures.get('a', 0), undefined)
    assert.ok(store.captures.get('b', 0))
  })

  test('a threshold is told once in each period, also by two who reach it at once, and never for one that is over', () => {
    const threshold = { subject: 'key:a', limit: 'tokensPerDay', percent: 80, period: 5 }
    assert.equal(store.thresholds.tell(threshold, 1), true)
    assert.equal(store.thresholds.tell(threshold, 2), false)
    assert.equal(store.thresholds.tell({ ...threshold, percent: 100 }, 2), true)
    assert.equal(store.thresholds.tell({ ...threshold, period: 6 }, 3), true)
    assert.equal(store.thresholds.tell(threshold, 4), false)
  })
})
