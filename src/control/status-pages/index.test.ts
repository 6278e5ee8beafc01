import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, suite, test } from 'node:test'
import type { StatusPageForm, VendorPage } from '../../core/status.ts'
import { PageProblem, readWhole } from './fetch-page.ts'
import { fetchPage, StatusPages, type StatusPagesOptions } from './index.ts'

const everyMs = 300_000
const calm = '{"status":{"indicator":"none","description":"All Systems Operational"}}'

suite('a page that cannot be read', () => {
  const cases: { name: string; answer: Answer; timeoutMs?: number; problem: string | RegExp }[] = [
    {
      name: 'an error of its server',
      answer: (_request, response) => response.writeHead(503).end(calm),
      problem: 'It answered 503.',
    },
    {
      name: 'a page for people in place of JSON',
      answer: (_request, response) => response.end('<!doctype html><title>Are you human?</title>'),
      problem: 'What it sent is not in the form that was expected.',
    },
    {
      name: 'half of it',
      answer: (_request, response) => response.end(calm.slice(0, -1)),
      problem: 'What it sent is not in the form that was expected.',
    },
    {
      name: 'a connection that breaks before the answer',
      answer: (request) => request.socket.destroy(),
      problem: /^It could not be read \([A-Z_]+\)\.$/,
    },
    {
      name: 'a connection that breaks within the answer',
      answer: (request, response) => {
        response.writeHead(200, { 'content-length': 1000 }).write(calm, () => request.socket.destroy())
      },
      problem: /^It could not be read \([A-Z_]+\)\.$/,
    },
    {
      name: 'no answer in time',
      answer: () => {},
      timeoutMs: 50,
      problem: 'It did not send a whole answer within 0.05 s.',
    },
    {
      name: 'the beginning of an answer in time, and no end',
      answer: (_request, response) => response.write('{'),
      timeoutMs: 200,
      problem: 'It did not send a whole answer within 0.2 s.',
    },
  ]
  for (const { name, answer, timeoutMs, problem } of cases) {
    test(name, async () => {
      const server = await standIn(answer)
      const pages = pagesOf(server.url, { ...(timeoutMs !== undefined && { timeoutMs }) })
      pages.current()
      await pages.idle()
      const [{ problem: told, ...page } = {}] = pages.current() as Partial<VendorPage>[]
      assert.deepEqual(page, { vendor: 'v', url: server.url, state: 'unknown', summary: '', incidents: [] })
      if (typeof problem === 'string') assert.equal(told, problem)
      else assert.match(told ?? '', problem)
    })
  }

  test('nobody listens', async () => {
    const server = await standIn(() => {})
    await server.close()
    const pages = pagesOf(server.url)
    pages.current()
    await pages.idle()
    assert.equal(pages.current()[0]?.problem, 'It could not be read (ECONNREFUSED).')
  })

  test('a redirect is not followed', async () => {
    let asked = 0
    const elsewhere = await standIn((_request, response) => {
      asked += 1
      response.end(calm)
    })
    const server = await standIn((_request, response) => {
      response.writeHead(302, { location: elsewhere.url }).end()
    })
    const pages = pagesOf(server.url)
    pages.current()
    await pages.idle()
    assert.equal(pages.current()[0]?.problem, 'It answered 302, a redirect, which is not followed.')
    assert.equal(asked, 0)
  })

  test('of a body without end one megabyte is taken, and the connection is closed', async () => {
    const closed = Promise.withResolvers<void>()
    const server = await standIn((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) {
          // Until the reader is behind.
        }
      }
      response.on('drain', more).on('close', () => closed.resolve())
      more()
    })
    const pages = pagesOf(server.url)
    pages.current()
    await pages.idle()
    assert.equal(pages.current()[0]?.problem, 'It sent more than 1 MiB.')
    await closed.promise
  })

  test('an error page without end is not read to its end', async () => {
    const closed = Promise.withResolvers<void>()
    const server = await standIn((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) {
          // Until the reader is behind.
        }
      }
      response
        .writeHead(500)
        .on('drain', more)
        .on('close', () => closed.resolve())
      more()
    })
    const pages = pagesOf(server.url)
    pages.current()
    await pages.idle()
    assert.equal(pages.current()[0]?.problem, 'It answered 500.')
    await closed.promise
  })

  test('a request that takes no notice of its end is left behind', async () => {
    const pages = pagesOf('https://status.example', { request: () => new Promise(() => {}), timeoutMs: 20 })
    pages.current()
    await pages.idle()
    assert.equal(pages.current()[0]?.problem, 'It did not send a whole answer within 0.02 s.')
  })

  test('an error of another kind names no address', async () => {
    const request = (): never => {
      throw new Error('connect to 10.0.0.7 failed')
    }
    const pages = pagesOf('https://status.example', { request })
    pages.current()
    await pages.idle()
    assert.equal(pages.current()[0]?.problem, 'It could not be read.')
  })
})

suite('a page that can be read', () => {
  const bodies: { form: StatusPageForm; path: string; body: string }[] = [
    { form: 'statuspage', path: '/api/v2/summary.json', body: calm },
    { form: 'google', path: '/incidents.json', body: '[]' },
    { form: 'xai', path: '/feed.xml', body: '<rss version="2.0"><channel></channel></rss>' },
    {
      form: 'deepseek',
      path: '/api/status-page/6410630422455/summary/active',
      body: '{"data":{"page":{},"active_changes":[]}}',
    },
  ]
  for (const { form, path, body } of bodies) {
    test(`${form}: is asked for ${path}`, async () => {
      const asked: string[] = []
      const server = await standIn((request, response) => {
        asked.push(`${request.method} ${request.url}`)
        response.end(body)
      })
      const pages = pagesOf(server.url, { sources: [{ vendor: 'v', form, url: server.url }], nowMs: () => 7 })
      assert.deepEqual(pages.current(), [
        { vendor: 'v', url: server.url, state: 'unknown', summary: '', incidents: [] },
      ])
      await pages.idle()
      const [page] = pages.current()
      assert.deepEqual(asked, [`GET ${path}`])
      assert.deepEqual({ state: page?.state, readMs: page?.readMs }, { state: 'operational', readMs: 7 })
      assert.ok(!('problem' in page!))
    })
  }

  test('the request says nothing of who asks', async () => {
    let names: string[] = []
    const server = await standIn((request, response) => {
      names = Object.keys(request.headers)
      response.end(calm)
    })
    const pages = pagesOf(server.url)
    pages.current()
    await pages.idle()
    assert.deepEqual(names.toSorted(), ['accept', 'accept-encoding', 'connection', 'host', 'user-agent'])
  })

  for (const [bytes, problem] of [
    [1024 ** 2, undefined],
    [1024 ** 2 + 1, 'It sent more than 1 MiB.'],
  ] as const) {
    test(`a body of ${bytes} bytes: ${problem ?? 'read'}`, async () => {
      const server = await standIn((_request, response) => response.end(calm.padEnd(bytes)))
      const pages = pagesOf(server.url)
      pages.current()
      await pages.idle()
      assert.equal(pages.current()[0]?.problem, problem)
    })
  }

  test('characters that are cut between two packets stay whole', async () => {
    const bytes = Buffer.from(calm.replace('All', 'Äll'))
    const cut = bytes.indexOf(0xc3) + 1
    const server = await standIn((_request, response) => {
      response.write(bytes.subarray(0, cut), () => response.end(bytes.subarray(cut)))
    })
    const pages = pagesOf(server.url)
    pages.current()
    await pages.idle()
    assert.equal(pages.current()[0]?.summary, 'Äll Systems Operational')
  })
})

suite('when a page is read', () => {
  test('never before somebody looks', async () => {
    const { pages, asked } = counted()
    await pages.idle()
    assert.equal(asked(), 0)
  })

  test('once for all who look while it is being read, however long that takes', async () => {
    const { pages, asked, clock } = counted()
    pages.current()
    clock.ms += 2 * everyMs
    pages.current()
    await pages.idle()
    assert.equal(asked(), 1)
  })

  const times: { name: string; fails: boolean; afterMs: number; again: boolean }[] = [
    { name: 'not while it is younger than the time that is set', fails: false, afterMs: everyMs - 1, again: false },
    { name: 'again when it has reached that age', fails: false, afterMs: everyMs, again: true },
    { name: 'not soon after a failure', fails: true, afterMs: everyMs / 5 - 1, again: false },
    { name: 'again a fifth of that time after a failure', fails: true, afterMs: everyMs / 5, again: true },
    { name: 'again where the clock was set back', fails: false, afterMs: -1, again: true },
  ]
  for (const { name, fails, afterMs, again } of times) {
    test(name, async () => {
      const { pages, asked, clock } = counted(fails)
      pages.current()
      await pages.idle()
      clock.ms += afterMs
      pages.current()
      await pages.idle()
      assert.equal(asked(), again ? 2 : 1)
    })
  }

  test('a slow page does not hold up another', async () => {
    const slow = Promise.withResolvers<{ status: number; body: string }>()
    const pages = pagesOf('', {
      sources: [
        { vendor: 'slow', form: 'statuspage', url: 'https://slow.example' },
        { vendor: 'quick', form: 'statuspage', url: 'https://quick.example' },
      ],
      request: (url) => (url.includes('slow') ? slow.promise : Promise.resolve({ status: 200, body: calm })),
    })
    const states = (): string[] => pages.current().map(({ vendor, state }) => `${vendor} ${state}`)
    states()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(states(), ['slow unknown', 'quick operational'])
    slow.resolve({ status: 200, body: calm })
    await pages.idle()
    assert.deepEqual(states(), ['slow operational', 'quick operational'])
  })
})

test('what was read is kept while the page cannot be read, with the reason, which goes with the next reading', async () => {
  const clock = { ms: 1_000_000 }
  let answer = { status: 200, body: calm.replace('none', 'minor') }
  const pages = pagesOf('https://status.example', { request: async () => answer, nowMs: () => clock.ms })
  const look = async (): Promise<VendorPage | undefined> => {
    pages.current()
    await pages.idle()
    return pages.current()[0]
  }
  const first = await look()
  assert.equal(first?.state, 'degraded')
  assert.equal(first.readMs, 1_000_000)

  clock.ms += everyMs
  answer = { status: 500, body: '' }
  assert.deepEqual(await look(), { ...first, problem: 'It answered 500.' })

  clock.ms += everyMs
  answer = { status: 200, body: calm }
  const { readMs, state, problem } = (await look())!
  assert.deepEqual({ readMs, state, problem }, { readMs: clock.ms, state: 'operational', problem: undefined })
})

suite('fetchPage', () => {
  for (const url of ['http://127.0.0.1:1/', 'file:///etc/passwd', 'status.example', '']) {
    test(`refuses an address that is not https: ${url || 'none'}`, async () => {
      await assert.rejects(fetchPage(url, new AbortController().signal), PageProblem)
    })
  }
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const servers = new Set<Server>()
after(() => {
  for (const server of servers) server.close().closeAllConnections()
})

/** A server in place of a vendor's. */
async function standIn(answer: Answer): Promise<{ url: string; close: () => Promise<unknown> }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  servers.add(server)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => once(server.close(), 'close') }
}

/** One page in the form of Statuspage, read over plain HTTP, unless told otherwise. */
function pagesOf(url: string, options: Partial<StatusPagesOptions> = {}): StatusPages {
  const sources = [{ vendor: 'v', form: 'statuspage', url } as const]
  return new StatusPages({ sources, request: readWhole, everyMs, nowMs: () => 0, ...options })
}

/** One page whose requests are counted, at a time that the test sets. */
function counted(fails = false): { pages: StatusPages; asked: () => number; clock: { ms: number } } {
  const clock = { ms: 1_000_000 }
  let count = 0
  const request = async (): Promise<{ status: number; body: string }> => {
    count += 1
    return fails ? { status: 500, body: '' } : { status: 200, body: calm }
  }
  return { pages: pagesOf('https://status.example', { request, nowMs: () => clock.ms }), asked: () => count, clock }
}
