import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ModelStatus, Status, VendorPage, WindowStatus } from '../core/status.ts'
import { statusHtml, statusJson } from './status.ts'

const nowMs = Date.parse('2026-11-25T14:02:30Z')
const none: WindowStatus = { calls: 0, ok: 0, limited: 0, overloaded: 0, broken: 0, refused: 0, other: 0 }
const busy: WindowStatus = { ...none, calls: 3, ok: 1, limited: 2, p50Ms: 840, p95Ms: 2100 }

function model(change: Partial<ModelStatus> = {}): ModelStatus {
  const windows = { minute: none, quarter: none, day: busy }
  return { vendor: 'anthropic', model: 'claude-opus-5', simulated: false, standing: 'well', windows, ...change }
}

const idle = { minute: none, quarter: none, day: none }

const page: VendorPage = {
  vendor: 'openai',
  url: 'https://status.openai.example',
  state: 'degraded',
  summary: 'Partially Degraded Service',
  incidents: [{ title: 'Slow answers', url: 'https://status.openai.example/1', sinceMs: nowMs - 600_000 }],
  readMs: nowMs - 30_000,
}

function status(change: Partial<Status> = {}): Status {
  return { nowMs, sinceMs: nowMs - 3_600_000, models: [model()], pages: [page], ...change }
}

/** The page as a reader sees it: without tags, each run of space as one. */
function textOf(html: string): string {
  const body = html.slice(html.indexOf('<body>'))
  return body.replaceAll(/<[^>]*>/g, ' ').replaceAll(/[\s\u{a0}]+/gu, ' ')
}

suite('status as JSON', () => {
  test('tells counts, shares of the calls with four decimals, times as RFC 3339, and what the vendors say', () => {
    const barred = model({ standing: 'barred', reason: 'limited', untilMs: nowMs + 42_000 })
    const empty = { ...none, shares: null, p50Ms: null, p95Ms: null }
    assert.deepEqual(statusJson(status({ models: [barred] })), {
      now: '2026-11-25T14:02:30.000Z',
      since: '2026-11-25T13:02:30.000Z',
      models: [
        {
          vendor: 'anthropic',
          model: 'claude-opus-5',
          simulated: false,
          standing: 'barred',
          reason: 'limited',
          until: '2026-11-25T14:03:12.000Z',
          windows: {
            minute: empty,
            quarter: empty,
            day: { ...busy, shares: { ok: 0.3333, limited: 0.6667, overloaded: 0, broken: 0, refused: 0, other: 0 } },
          },
        },
      ],
      pages: [
        {
          vendor: 'openai',
          url: 'https://status.openai.example',
          state: 'degraded',
          summary: 'Partially Degraded Service',
          incidents: [
            { title: 'Slow answers', url: 'https://status.openai.example/1', since: '2026-11-25T13:52:30.000Z' },
          ],
          read: '2026-11-25T14:02:00.000Z',
        },
      ],
    })
  })

  test('pages that are switched off are null, and not an empty list', () => {
    assert.equal(statusJson(status({ pages: undefined })).pages, null)
  })

  test('a page that could not be read says why, and when it last was', () => {
    const unread: VendorPage = { vendor: 'xai', url: 'https://x.example', state: 'unknown', summary: '', incidents: [] }
    const pages = [{ ...unread, problem: 'It answered 503.' }]
    assert.deepEqual(statusJson(status({ pages })).pages, [{ ...unread, read: null, problem: 'It answered 503.' }])
  })

  for (const ms of [Number.NaN, Infinity, 1e300]) {
    test(`a time that is none (${ms}) is left out`, () => {
      const incidents = [{ title: 'Slow answers', sinceMs: ms }]
      const json = statusJson(
        status({ models: [model({ standing: 'resting', untilMs: ms })], pages: [{ ...page, incidents }] }),
      )
      assert.doesNotMatch(JSON.stringify(json), /"until"|"since":[^"]|Invalid/)
      assert.doesNotMatch(textOf(statusHtml(status({ pages: [{ ...page, incidents }] }))), /NaN|Infinity|Invalid/)
    })
  }
})

suite('which models are shown', () => {
  const cases: { name: string; models: ModelStatus[]; names: string[] }[] = [
    { name: 'one that nobody called in 24 hours is left out', models: [model({ windows: idle })], names: [] },
    ...(['probe', 'resting', 'barred', 'full'] as const).map((standing) => ({
      name: `one that is ${standing} is always shown`,
      models: [model({ windows: idle, standing })],
      names: ['claude-opus-5'],
    })),
    {
      name: 'they stand in the order of their names, whatever order they came in',
      models: [model({ vendor: 'xai', model: 'grok-5' }), model({ model: 'claude-sonnet-5' }), model()],
      names: ['claude-opus-5', 'claude-sonnet-5', 'grok-5'],
    },
  ]
  for (const { name, models, names } of cases) {
    test(`${name}, in JSON and on the page alike`, () => {
      const json = statusJson(status({ models })).models as { model: string }[]
      assert.deepEqual(
        json.map((one) => one.model),
        names,
      )
      const rows = [...statusHtml(status({ models })).matchAll(/<b class="name">([^<]*)</g)].map((match) => match[1])
      assert.deepEqual(rows, names)
    })
  }
})

suite('status as a page', () => {
  test('nothing that comes from outside is read as HTML', () => {
    const evil = `<img src=x onerror='alert(1)'>"&`
    const html = statusHtml(
      status({
        models: [model({ vendor: evil, model: evil, standing: 'resting', reason: evil })],
        pages: [
          { ...page, vendor: evil, url: evil, summary: evil, problem: evil, incidents: [{ title: evil, url: evil }] },
        ],
      }),
    )
    assert.doesNotMatch(html, /<img|onerror='/)
    const shown = html.split('&#60;img src=x onerror=&#39;alert(1)&#39;&#62;&#34;&#38;').length - 1
    assert.equal(shown, 8)
  })

  for (const url of ['javascript:alert(1)', 'data:text/html,x', '//elsewhere.example', '/errors']) {
    test(`an address that is none of the web is text, and no link: ${url}`, () => {
      const incidents = [{ title: 'Slow answers', url }]
      const html = statusHtml(status({ pages: [{ ...page, url, incidents }] }))
      assert.ok(!html.includes(`href="${url}`))
    })
  }

  test('it has no scripts, loads nothing, and reads itself anew', () => {
    const html = statusHtml(status())
    assert.doesNotMatch(html, /<script|<link|<img|<iframe|@import|url\(| on\w+=|src=/i)
    assert.match(html, /<meta http-equiv="refresh" content="30" \/>/)
  })

  test('its links to the gateway hold below any mount', () => {
    const links = [...statusHtml(status({ pages: undefined })).matchAll(/href="([^"]*)"/g)].map((match) => match[1])
    assert.deepEqual(links, ['status', 'status.json', 'errors'])
  })

  test('where nobody called yet, it says what to do', () => {
    assert.match(textOf(statusHtml(status({ models: [] }))), /No calls in the last 24 hours Send one, .*\/v1\/messages/)
  })

  test('where the vendors’ pages are switched off, they have no part of it', () => {
    assert.doesNotMatch(statusHtml(status({ pages: undefined })), /What the vendors say/)
    assert.match(statusHtml(status()), /What the vendors say/)
  })

  const window = (change: Partial<WindowStatus>): Status =>
    status({ models: [model({ windows: { ...idle, day: { ...none, ...change } } })] })
  const says: { name: string; status: Status; says: RegExp }[] = [
    {
      name: 'all good is 100%, and no fault is listed',
      status: window({ calls: 5, ok: 5 }),
      says: /100% of 5 (?!429|529|5xx|refused|other)/,
    },
    {
      name: 'one failure of many thousands does not read 100%, nor 0%',
      status: window({ calls: 64_120, ok: 64_119, broken: 1 }),
      says: /99\.9% of 64,120 5xx 0\.1%/,
    },
    {
      name: 'each kind of fault has its share',
      status: window({ calls: 100, ok: 50, limited: 20, overloaded: 15, broken: 10, refused: 3, other: 2 }),
      says: /50\.0% of 100 429 20\.0% 529 15\.0% 5xx 10\.0% refused 3\.0% other 2\.0%/,
    },
    {
      name: 'times to the first content are told in milliseconds or seconds',
      status: window({ calls: 1, ok: 1, p50Ms: 840.4, p95Ms: 12_345 }),
      says: /p50 840 ms, p95 12 s/,
    },
    { name: 'a window without calls says so', status: status(), says: /no calls no calls 33\.3% of 3/ },
    {
      name: 'a simulated vendor is marked',
      status: status({ models: [model({ simulated: true })] }),
      says: /anthropic simulated claude-opus-5/,
    },
    {
      name: 'one that is barred says until when, how long that is, and why',
      status: status({ models: [model({ standing: 'barred', reason: 'limited', untilMs: nowMs + 42_000 })] }),
      says: /Cooling until 14:03:12 UTC \(42 s\) the vendor limits the rate/,
    },
    {
      name: 'a time of another day has its date',
      status: status({ models: [model({ standing: 'resting', untilMs: nowMs + 30 * 3_600_000 })] }),
      says: /Cooling until 2026-11-26 20:02:30 UTC \(30 h\)/,
    },
    {
      name: 'a time that has passed is not told',
      status: status({ models: [model({ standing: 'resting', untilMs: nowMs })] }),
      says: /Cooling(?! until)/,
    },
    {
      name: 'a reason that has no words of its own is told as it is',
      status: status({ models: [model({ standing: 'resting', reason: 'strange' })] }),
      says: /Cooling strange/,
    },
    {
      name: 'all well is told first',
      status: status({ models: [model(), model({ model: 'claude-sonnet-5' })] }),
      says: /All 2 models in use take calls\./,
    },
    {
      name: 'one that rests is told first',
      status: status({ models: [model(), model({ model: 'claude-sonnet-5', standing: 'resting' })] }),
      says: /1 of 2 models in use take calls\./,
    },
    {
      name: 'a reading has its age, and an incident its time',
      status: status(),
      says: /Degraded Partially Degraded Service Slow answers for 10 min status\.openai\.example · read 30 s ago/,
    },
    {
      name: 'an old reading says why it is old',
      status: status({ pages: [{ ...page, readMs: nowMs - 7_200_000, problem: 'It answered 503.' }] }),
      says: /read 2 h ago, not since\. It answered 503\./,
    },
    {
      name: 'a page that was never read says why',
      status: status({
        pages: [
          { vendor: 'xai', url: page.url, state: 'unknown', summary: '', incidents: [], problem: 'It answered 503.' },
        ],
      }),
      says: /Unknown status\.openai\.example · not read yet\. It answered 503\./,
    },
    {
      name: 'a page that is being read for the first time says so',
      status: status({ pages: [{ vendor: 'xai', url: page.url, state: 'unknown', summary: '', incidents: [] }] }),
      says: /Unknown status\.openai\.example · being read/,
    },
  ]
  for (const { name, status: given, says: expected } of says) {
    test(name, () => assert.match(textOf(statusHtml(given)), expected))
  }
})
