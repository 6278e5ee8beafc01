import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readDeepseek } from './deepseek.ts'
import { readGoogle } from './google.ts'
import type { Reading } from './reading.ts'
import { readStatuspage } from './statuspage.ts'
import { readXai } from './xai.ts'

type Read = (body: string) => Reading | undefined

const sinceMs = Date.parse('2026-11-25T13:00:00Z')

const readers: readonly Read[] = [readStatuspage, readGoogle, readXai, readDeepseek]

suite('a body of another form is not read', () => {
  const bodies: { name: string; body: string }[] = [
    { name: 'nothing', body: '' },
    { name: 'a page for people', body: '<!doctype html><html><body>All systems operational</body></html>' },
    { name: 'JSON that was cut off', body: '{"status":{"indicator":"none"' },
    { name: 'JSON of something else', body: '{"error":"not found"}' },
    { name: 'null', body: 'null' },
    { name: 'text in JSON', body: '"operational"' },
    { name: 'a status without an indicator', body: '{"status":{}}' },
    { name: 'changes of no page', body: '{"data":{"active_changes":[]}}' },
    {
      name: 'a feed that was cut off between items',
      body: feed(item('x', ['outage', 'active'])).replace('</channel></rss>', ''),
    },
    { name: 'a feed that was cut off within an item', body: '<rss version="2.0"><channel><item><title>x</rss>' },
    {
      name: 'a feed whose CDATA does not end',
      body: '<rss><channel><item><title><![CDATA[x</title></item></channel></rss>',
    },
    { name: 'a feed whose item does not say whether it is over', body: feed('<item><title>x</title></item>') },
  ]
  for (const { name, body } of bodies) {
    test(name, () => {
      for (const read of readers) assert.equal(read(body), undefined, read.name)
    })
  }
})

suite('Statuspage', () => {
  const calm = { status: { indicator: 'none', description: 'All Systems Operational' }, incidents: [], components: [] }
  const incident = {
    name: 'Elevated errors',
    status: 'investigating',
    shortlink: 'https://stspg.example/1',
    started_at: '2026-11-25T13:00:00.000Z',
    created_at: '2026-11-25T13:05:00.000Z',
  }
  const told = { title: 'Elevated errors', url: 'https://stspg.example/1', sinceMs }
  const maintenance = { name: 'New disks', status: 'in_progress', scheduled_for: '2026-11-25T13:00:00Z' }

  check(readStatuspage, [
    {
      name: 'nothing going on',
      body: calm,
      reading: { state: 'operational', summary: 'All Systems Operational', incidents: [] },
    },
    ...Object.entries({
      minor: 'degraded',
      major: 'outage',
      critical: 'outage',
      maintenance: 'maintenance',
    } as const).map(([indicator, state]) => ({
      name: `${indicator} is told as ${state}`,
      body: { status: { indicator, description: 'Some words' } },
      reading: { state, summary: 'Some words', incidents: [] },
    })),
    {
      name: 'an indicator that nobody knows is no sign of health',
      body: { status: { indicator: 'purple' } },
      reading: { state: 'unknown', summary: '', incidents: [] },
    },
    {
      name: 'the parts that are not well are named, groups of them are not',
      body: {
        status: { indicator: 'major', description: 'Partial System Outage' },
        components: [
          { name: 'APIs', status: 'partial_outage', group: true },
          { name: 'Claude API', status: 'partial_outage' },
          { name: 'claude.ai', status: 'degraded_performance', group: false },
          { name: 'Console', status: 'operational' },
        ],
      },
      reading: {
        state: 'outage',
        summary: 'Partial System Outage: Claude API (partial outage), claude.ai (degraded performance)',
        incidents: [],
      },
    },
    {
      name: 'of many parts four are named',
      body: {
        status: { indicator: 'minor', description: 'Degraded' },
        components: Array.from({ length: 9 }, (_, index) => ({ name: `P${index}`, status: 'major_outage' })),
      },
      reading: {
        state: 'degraded',
        summary: 'Degraded: P0 (major outage), P1 (major outage), P2 (major outage), P3 (major outage) and 5 more',
        incidents: [],
      },
    },
    {
      name: 'an open incident is told, one that is over is not',
      body: {
        ...calm,
        incidents: [incident, ...['resolved', 'postmortem'].map((status) => ({ ...incident, status }))],
      },
      reading: { state: 'operational', summary: 'All Systems Operational', incidents: [told] },
    },
    {
      name: 'without a start, an incident began when it was written',
      body: { ...calm, incidents: [{ ...incident, started_at: undefined }] },
      reading: {
        state: 'operational',
        summary: 'All Systems Operational',
        incidents: [{ ...told, sinceMs: sinceMs + 300_000 }],
      },
    },
    {
      name: 'maintenance under way is told, what is planned or done is not',
      body: {
        ...calm,
        scheduled_maintenances: [
          maintenance,
          ...['scheduled', 'completed'].map((status) => ({ ...maintenance, status })),
        ],
      },
      reading: {
        state: 'maintenance',
        summary: 'All Systems Operational',
        incidents: [{ title: 'Maintenance: New disks', sinceMs }],
      },
    },
    {
      name: 'fields of other kinds than they should be are left out',
      body: {
        status: { indicator: 'minor', description: 7 },
        components: 'none',
        incidents: [null, 7, { name: ['x'], status: {}, shortlink: 7, started_at: 'soon' }],
        scheduled_maintenances: {},
      },
      reading: { state: 'degraded', summary: '', incidents: [{ title: 'An incident without a title' }] },
    },
    {
      name: 'a link that is none of the web is left out',
      body: { ...calm, incidents: [{ ...incident, shortlink: 'javascript:alert(1)' }] },
      reading: {
        state: 'operational',
        summary: 'All Systems Operational',
        incidents: [{ title: 'Elevated errors', sinceMs }],
      },
    },
  ])

  test('long texts and lists are cut, and lines are joined', () => {
    const name = `Two\nlines\u0000 ${'x'.repeat(100_000)}`
    const reading = readStatuspage(
      JSON.stringify({
        status: { indicator: 'minor', description: 'y'.repeat(1000) },
        incidents: Array.from({ length: 1000 }, () => ({ ...incident, name })),
      }),
    )
    assert.equal(reading?.incidents.length, 20)
    assert.equal(reading.incidents[0]?.title, `Two lines ${'x'.repeat(189)}…`)
    assert.equal(reading.summary, `${'y'.repeat(199)}…`)
  })
})

suite('Google', () => {
  const incident = {
    begin: '2026-11-25T13:00:00+00:00',
    external_desc: 'Errors of Gemini 3 Pro',
    status_impact: 'SERVICE_DISRUPTION',
    uri: 'incidents/abc',
    affected_products: [{ title: 'Vertex Gemini API', id: 'Z0FZ' }],
    most_recent_update: { status: 'SERVICE_DISRUPTION' },
  }
  const told = { title: 'Errors of Gemini 3 Pro', url: 'https://status.cloud.google.com/incidents/abc', sinceMs }
  const calm: Reading = {
    state: 'operational',
    summary: 'Nothing is reported of Gemini on Google Cloud.',
    incidents: [],
  }
  const bad = (state: Reading['state']): Reading => ({ state, summary: 'Gemini on Google Cloud.', incidents: [told] })
  const of = (title: string): object => ({ ...incident, affected_products: [{ title }] })

  check(readGoogle, [
    { name: 'no incidents at all', body: [], reading: calm },
    {
      name: 'those that are over are left out, with an end or without',
      body: [
        { ...incident, end: '2026-11-25T13:30:00+00:00' },
        { ...incident, most_recent_update: { status: 'AVAILABLE' } },
      ],
      reading: calm,
    },
    { name: 'a disruption', body: [incident], reading: bad('degraded') },
    { name: 'an outage', body: [{ ...incident, status_impact: 'SERVICE_OUTAGE' }], reading: bad('outage') },
    {
      name: 'a mere piece of information does no harm to the state',
      body: [{ ...incident, status_impact: 'SERVICE_INFORMATION' }],
      reading: bad('operational'),
    },
    {
      name: 'an impact that nobody knows is taken for one',
      body: [{ ...incident, status_impact: 'X' }],
      reading: bad('degraded'),
    },
    { name: 'the newer name of the product', body: [of('Gemini on Agent Platform')], reading: bad('degraded') },
    {
      name: 'one of many products, told by their list alone',
      body: [
        {
          ...incident,
          service_name: 'Multiple Products',
          affected_products: [{ title: 'Cloud Storage' }, { title: 'Vertex AI', current_title: 'Gemini API' }],
        },
      ],
      reading: bad('degraded'),
    },
    {
      name: 'other products, also those that only carry the name',
      body: ['Cloud SQL', 'Gemini Code Assist', 'Gemini Enterprise', 'Gemini in BigQuery', 'Gemini for Workspace'].map(
        of,
      ),
      reading: calm,
    },
    { name: 'what is no incident is left out', body: [null, 7, 'Gemini', { affected_products: 7 }], reading: calm },
  ])
})

suite('xAI', () => {
  const calm: Reading = { state: 'operational', summary: 'Nothing is reported of the API.', incidents: [] }
  const bad = (state: Reading['state'], title: string): Reading => ({
    state,
    summary: 'The API is affected.',
    incidents: [{ title, url: 'https://status.x.example/INC1', sinceMs }],
  })
  const cases: { name: string; body: string; reading: Reading }[] = [
    { name: 'a feed without items', body: feed(''), reading: calm },
    {
      name: 'items that are over, as their category or their description tells',
      body: feed(
        item('[API] a', ['available', 'resolved']),
        item('[API] b', ['outage'], '<h3>Status: RESOLVED</h3>'),
        item('[API] c', ['maintenance', 'completed']),
      ),
      reading: calm,
    },
    {
      name: 'an outage',
      body: feed(item('[API] Models outage', ['outage', 'active'])),
      reading: bad('outage', 'Models outage (API)'),
    },
    {
      name: 'anything else that is open is degraded',
      body: feed(item('Slow', ['disruption', 'monitoring'])),
      reading: bad('degraded', 'Slow'),
    },
    {
      name: 'maintenance',
      body: feed(item('[Global (api.x.ai)] Disks', ['maintenance', 'active'])),
      reading: bad('maintenance', 'Disks (Global (api.x.ai))'),
    },
    {
      name: 'a state that only the description tells',
      body: feed(item('Slow', [], '<h3>Status: ACTIVE</h3><p>Severity: info</p>')),
      reading: bad('degraded', 'Slow'),
    },
    {
      name: 'one event in several places is told once, as grave as its worst place',
      body: feed(
        item('[API (us-east-1.api.x.ai)] Errors', ['disruption', 'active']),
        item('[API (eu-west-1.api.x.ai)] Errors', ['outage', 'active']),
      ),
      reading: bad('outage', 'Errors (API (us-east-1.api.x.ai), API (eu-west-1.api.x.ai))'),
    },
    {
      name: 'troubles of the apps and of the console are not the API’s',
      body: feed(
        ...['Grok (iOS)', 'grok.com', 'API Console', 'Console', 'iOS App', 'Android App'].map((place) =>
          item(`[${place}] Outage`, ['outage', 'active']),
        ),
      ),
      reading: calm,
    },
    {
      name: 'entities and CDATA are read as what they stand for, and a tag within CDATA is text',
      body: feed(
        item('A &amp; B &#60;b&#x3e; &unknown; &#9999999;', ['info', 'active']),
        item(
          '<![CDATA[Old]]>',
          ['<![CDATA[resolved]]>'],
          '<![CDATA[</item></rss> &amp; <category>outage</category>]]>',
        ),
      ),
      reading: bad('degraded', 'A & B <b> &unknown; &#9999999;'),
    },
    {
      name: 'a date that is none is left out, and so is a bad link',
      body: feed(
        '<item><title>Slow</title><link>ftp://x</link><pubDate>soon</pubDate><category>active</category></item>',
      ),
      reading: { state: 'degraded', summary: 'The API is affected.', incidents: [{ title: 'Slow' }] },
    },
  ]
  for (const { name, body, reading } of cases) test(name, () => assert.deepEqual(readXai(body), reading))

  for (const piece of ['<item>', '<![CDATA[', '<item></item><![CDATA[', '<item><title>', '<item><category>']) {
    test(`a megabyte of ${piece} is gone through, and is no feed`, () => {
      assert.equal(readXai(feed(piece.repeat(1024 ** 2 / piece.length))), undefined)
    })
  }
})

suite('DeepSeek', () => {
  const page = { page_id: 6410630422455, components: [{ component_id: 'c1', name: 'API Service' }] }
  const change = {
    change_id: 1,
    type: 'incident',
    title: 'API errors',
    status: 'monitoring',
    start_at_seconds: sinceMs / 1000,
    affected_components: [{ component_id: 'c1', name: 'API Service', status: 'degraded' }],
  }
  const told = { title: 'API errors', sinceMs }
  const calm: Reading = { state: 'operational', summary: 'Nothing is reported of the API.', incidents: [] }
  const bad = (state: Reading['state']): Reading => ({ state, summary: 'Affected: API Service', incidents: [told] })
  const body = (...changes: unknown[]): object => ({ request_id: 'r', data: { page, active_changes: changes } })
  const withStatus = (status: string): object => ({ ...change, affected_components: [{ name: 'API Service', status }] })

  check(readDeepseek, [
    { name: 'nothing going on', body: body(), reading: calm },
    { name: 'degraded', body: body(change), reading: bad('degraded') },
    ...['partial_outage', 'full_outage', 'major_outage', 'critical'].map((status) => ({
      name: `${status} is an outage`,
      body: body(withStatus(status)),
      reading: bad('outage'),
    })),
    {
      name: 'maintenance under way',
      body: body({ ...change, type: 'maintenance', status: 'in_progress' }),
      reading: {
        state: 'maintenance',
        summary: 'Affected: API Service',
        incidents: [{ title: 'Maintenance: API errors', sinceMs }],
      },
    },
    {
      name: 'what is over, called off or yet to come is left out',
      body: body(...['resolved', 'completed', 'cancelled', 'scheduled'].map((status) => ({ ...change, status }))),
      reading: calm,
    },
    {
      name: 'what touches the chat only is left out',
      body: body({ ...change, affected_components: [{ name: '对话服务(Chat Service)', status: 'full_outage' }] }),
      reading: calm,
    },
    {
      name: 'what names no part may be about the API',
      body: body({ ...change, affected_components: [] }),
      reading: { state: 'degraded', summary: 'Something is going on.', incidents: [told] },
    },
    {
      name: 'fields of other kinds than they should be are left out',
      body: body(null, { title: 7, start_at_seconds: '7', affected_components: 7 }),
      reading: {
        state: 'degraded',
        summary: 'Something is going on.',
        incidents: [{ title: 'An incident without a title' }],
      },
    },
  ])
})

function check(read: Read, cases: readonly { name: string; body: unknown; reading: Reading }[]): void {
  for (const { name, body, reading } of cases) {
    test(name, () => assert.deepEqual(read(JSON.stringify(body)), reading))
  }
}

function feed(...items: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
<title>System Status</title><link>https://status.x.example</link>
${items.join('\n')}
</channel></rss>
`
}

function item(title: string, categories: string[], description = ''): string {
  return `<item>
<title>${title}</title>
<link>https://status.x.example/INC1</link>
<guid isPermaLink="false">INC1</guid>
<description>${description.startsWith('<h3>') ? `<![CDATA[ ${description} ]]>` : description}</description>
<pubDate>Wed, 25 Nov 2026 13:00:00 GMT</pubDate>
${categories.map((category) => `<category>${category}</category>`).join('\n')}
</item>`
}
