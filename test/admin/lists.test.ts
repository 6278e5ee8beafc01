import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { after, mock, suite, test } from 'node:test'
import { open, type RawAnswer } from '../support/client.ts'
import { startAdmin } from './support/server.ts'

const admin = await startAdmin()
after(() => admin.close())

interface Listed {
  data: { id?: string; name?: string }[]
  next: string | null
}

suite('a long list comes in pages', () => {
  const made = ['a', 'b', 'c', 'd', 'e'].map((name) => `paged-${name}`)

  const lists: [path: string, make: (name: string) => Promise<RawAnswer>][] = [
    ['/keys?prefix=paged-&', (name) => admin.ask('POST', '/keys', { body: { name } })],
    ['/owners?prefix=paged-&', (name) => admin.ask('POST', '/owners', { body: { name } })],
    ['/plans?', (name) => admin.ask('PUT', `/plans/${name}`, { body: {} })],
    [
      '/credentials?',
      (name) => admin.ask('PUT', `/credentials/openai/${name}`, { body: { secret: 'sk-of-a-vendor' } }),
    ],
    ['/tokens?', (name) => admin.ask('POST', '/tokens', { body: { name, scopes: ['read'] } })],
  ]
  for (const [path, make] of lists) {
    test(`${path} by the header Link, as by \`next\`, each entry once`, async () => {
      for (const name of made) await make(name)
      const names: string[] = []
      let query = `${path}limit=2`
      for (let pages = 0; pages < 10; pages += 1) {
        const answer = await admin.ask('GET', query)
        const { data, next } = answer.json<Listed>()
        assert.ok(data.length <= 2)
        names.push(...data.map((one) => one.name ?? ''))
        if (next === null) {
          assert.equal(answer.headers.link, undefined)
          break
        }
        const link = /^<(\?[^>]+)>; rel="next"$/.exec(String(answer.headers.link))?.[1] ?? ''
        assert.equal(new URLSearchParams(link).get('cursor'), next)
        assert.equal(new URLSearchParams(link).get('limit'), '2')
        query = path.split('?')[0] + link
      }
      assert.deepEqual(names.filter((name) => name.startsWith('paged-')).toSorted(), made)
      assert.equal(new Set(names).size, names.length)
    })
  }

  test('50 entries are a page where nothing is said', async () => {
    for (let index = 0; index < 51; index += 1) await admin.ask('PUT', `/plans/many-${index}`, { body: {} })
    const { data, next } = (await admin.ask('GET', '/plans')).json<Listed>()
    assert.equal(data.length, 50)
    assert.notEqual(next, null)
  })

  test('an entry that goes between two pages shifts nothing', async () => {
    const first = (await admin.ask('GET', '/plans?limit=1')).json<Listed>()
    await admin.ask('PUT', '/plans/aaa', { body: {} })
    const second = (await admin.ask('GET', `/plans?limit=1&cursor=${first.next}`)).json<Listed>()
    assert.notEqual(second.data[0]?.name, first.data[0]?.name)
  })
})

suite('an export', () => {
  test('of JSON is a line for each call, as the pages have them', async () => {
    const answer = await admin.ask('GET', '/receipts.jsonl')
    assert.equal(answer.headers['content-type'], 'application/x-ndjson')
    assert.equal(answer.headers['content-disposition'], 'attachment; filename="receipts.jsonl"')
    const lines = answer.body
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    const shown: object[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Listed = (await admin.ask('GET', `/receipts${cursor && `?cursor=${cursor}`}`)).json<Listed>()
      shown.push(...page.data)
      cursor = page.next
    }
    assert.equal(shown.length, 5)
    assert.deepEqual(lines, shown)
  })

  test('of CSV is what the control plane writes', async () => {
    const answer = await admin.ask('GET', '/receipts.csv')
    assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8; header=present')
    assert.equal(answer.body.toString().split('\n').length, 4)
  })

  test('HEAD tells its type and makes nothing', async () => {
    admin.control.exported.pieces = 0
    const answer = await admin.ask('HEAD', '/receipts.csv')
    assert.equal(answer.status, 200)
    assert.equal(answer.body.length, 0)
    assert.equal(admin.control.exported.pieces, 0)
  })

  test('that cannot begin is an error like any other', async () => {
    admin.control.trouble = new Error('broken')
    const answer = await admin.ask('GET', '/receipts.jsonl')
    admin.control.trouble = undefined
    assert.equal(answer.status, 500)
    assert.equal(answer.headers['content-type'], 'application/json')
  })

  /** An export without end: whoever reads it decides when. */
  const endless = (token = admin.tokens.all) => {
    admin.control.exported.piecesMax = Infinity
    admin.control.exported.ended = false
    admin.control.exported.pieceBytes = 64 * 1024
    return open(`${admin.url}/admin/v1/receipts.csv`, { method: 'GET', headers: { authorization: `Bearer ${token}` } })
  }
  const closed = (response: IncomingMessage): Promise<void> =>
    new Promise((resolve) => {
      response.on('error', () => {})
      response.on('close', resolve)
    })
  const until = async (fact: () => boolean): Promise<void> => {
    while (!fact()) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Until an export makes no more, since what the sockets hold is full. Others are served meanwhile. */
  const still = async (): Promise<void> => {
    const { exported } = admin.control
    let [pieces, unchanged] = [0, 0]
    for (let asks = 0; asks < 2000 && unchanged < 20; asks += 1) {
      assert.equal((await admin.ask('GET', '/plans/basic')).status, 200)
      unchanged = exported.pieces === pieces ? unchanged + 1 : 0
      pieces = exported.pieces
    }
    assert.equal(unchanged, 20)
  }

  test('waits for its reader: what is not taken is not made', async () => {
    const { request, response } = await endless()
    await still()
    const { pieces } = admin.control.exported
    response.resume()
    await until(() => admin.control.exported.pieces > pieces)
    request.destroy()
    await until(() => admin.control.exported.ended)
  })

  test('waits a minute for a reader that takes nothing', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    const { response } = await endless()
    response.on('error', () => {})
    await still()
    mock.timers.tick(59_999)
    await still()
    assert.equal(admin.control.exported.ended, false)
    // What the sockets take late begins another minute.
    await until(() => {
      mock.timers.tick(60_000)
      return admin.control.exported.ended
    })
    mock.timers.reset()
  })

  test('ends when its reader leaves', async () => {
    const { request, response } = await endless()
    response.resume()
    request.destroy()
    await until(() => admin.control.exported.ended)
  })

  test('is broken off when its token is revoked', async () => {
    const by = { type: 'program', id: 'test' } as const
    const { token, secret } = admin.control.tokens.create({ name: 'brief', scopes: ['read'] }, by)
    const { response } = await endless(secret)
    response.resume()
    admin.control.tokens.revoke(token.id, by)
    admin.wait(5000)
    await closed(response)
    assert.equal(response.complete, false)
  })

  test('that breaks in the middle does not end like a whole one', async () => {
    admin.control.exported.breaksAt = 2
    admin.faults.length = 0
    const { response } = await endless()
    response.resume()
    await closed(response)
    admin.control.exported.breaksAt = Infinity
    assert.equal(response.complete, false)
    assert.equal(admin.faults.length, 1)
  })

  test('is one of four at most at once', async () => {
    const running = await Promise.all([endless(), endless(), endless(), endless()])
    const answer = await admin.ask('GET', '/receipts.csv')
    assert.equal(answer.status, 429)
    assert.equal(answer.headers['retry-after'], '10')
    for (const { request, response } of running) {
      response.on('error', () => {})
      request.destroy()
    }
    admin.control.exported.piecesMax = 1
    for (;;) {
      if ((await admin.ask('GET', '/receipts.csv')).status === 200) break
    }
  })
})
