import type { JsonObject } from '../core/json.ts'
import type { ModelStatus, Status, VendorIncident, VendorPage, WindowName, WindowStatus } from '../core/status.ts'

/** The status for programs: counts with their shares of the calls, times as RFC 3339. */
export function statusJson(status: Status): JsonObject {
  return {
    now: timeOf(status.nowMs) ?? null,
    since: timeOf(status.sinceMs) ?? null,
    models: shown(status).map((model) => modelJson(model)),
    pages: status.pages?.map((page) => pageJson(page)) ?? null,
  }
}

/** The same for people: one page without scripts, which reads itself anew. It looks like the pages on errors (cli/pages.ts). */
export function statusHtml(status: Status): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta http-equiv="refresh" content="${refreshSeconds}" />
        <title>Status · Keyrung</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <nav><a href="status">Status</a> · <a href="status.json">As JSON</a> · <a href="errors">Errors</a></nav>
        <h1>Status</h1>
        ${overview(status)} ${modelsTable(status)} ${pageCards(status)}
      </body>
    </html> `.text
}

const refreshSeconds = 30

/** Those in use, and those that cannot be used now; in an order that stays while the page is watched. */
function shown({ models }: Status): ModelStatus[] {
  return models
    .filter(({ windows, standing }) => windows.day.calls > 0 || standing !== 'well')
    .toSorted((one, other) => compare(one.vendor, other.vendor) || compare(one.model, other.model))
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

const kinds = ['ok', 'limited', 'overloaded', 'broken', 'refused', 'other'] as const

function modelJson(model: ModelStatus): JsonObject {
  const { vendor, simulated, standing, reason, untilMs, windows } = model
  const until = timeOf(untilMs)
  return {
    vendor,
    model: model.model,
    simulated,
    standing,
    ...(reason !== undefined && { reason }),
    ...(until !== undefined && { until }),
    windows: Object.fromEntries(spans.map(({ name }) => [name, windowJson(windows[name])])),
  }
}

function windowJson(window: WindowStatus): JsonObject {
  const { calls, p50Ms, p95Ms } = window
  return {
    calls,
    ...Object.fromEntries(kinds.map((kind) => [kind, window[kind]])),
    // Of no calls there are no shares.
    shares: calls === 0 ? null : Object.fromEntries(kinds.map((kind) => [kind, rounded(window[kind] / calls)])),
    p50Ms: p50Ms ?? null,
    p95Ms: p95Ms ?? null,
  }
}

function rounded(share: number): number {
  return Math.round(share * 10_000) / 10_000
}

function pageJson({ vendor, url, state, summary, incidents, readMs, problem }: VendorPage): JsonObject {
  return {
    vendor,
    url,
    state,
    summary,
    incidents: incidents.map((incident) => {
      const since = timeOf(incident.sinceMs)
      return {
        title: incident.title,
        ...(incident.url !== undefined && { url: incident.url }),
        ...(since !== undefined && { since }),
      }
    }),
    read: timeOf(readMs) ?? null,
    ...(problem !== undefined && { problem }),
  }
}

/** RFC 3339; undefined for what is no time: others' pages say what they like. */
function timeOf(ms: number | undefined): string | undefined {
  const date = new Date(ms ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

const spans: readonly { name: WindowName; title: string }[] = [
  { name: 'minute', title: '1 minute' },
  { name: 'quarter', title: '15 minutes' },
  { name: 'day', title: '24 hours' },
]

function overview(status: Status): Html {
  const { nowMs, sinceMs } = status
  const models = shown(status)
  const taking = models.filter(({ standing }) => standing === 'well' || standing === 'probe').length
  const mood = taking === models.length ? 'good' : 'fair'
  const lead = models.length === 0 ? html`` : html`<p class="lead ${mood}">${leadOf(taking, models.length)}</p>`
  return html`${lead}
    <p class="quiet">
      As of ${moment(nowMs, nowMs)}, read anew every ${refreshSeconds} seconds. Counted since ${moment(sinceMs, nowMs)}.
    </p>`
}

function leadOf(taking: number, all: number): string {
  if (all === 1) return taking === 1 ? 'The model in use takes calls.' : 'The model in use takes no calls now.'
  return taking === all ? `All ${all} models in use take calls.` : `${taking} of ${all} models in use take calls.`
}

function modelsTable(status: Status): Html {
  const models = shown(status)
  if (models.length === 0) return nothingYet()
  return html`<table>
      <thead>
        <tr>
          <th scope="col">Model</th>
          ${spans.map(({ title }) => html`<th scope="col">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${models.map((model) => modelRow(model, status.nowMs))}
      </tbody>
    </table>
    ${legend()}`
}

function nothingYet(): Html {
  return html`<section class="empty">
    <h2>No calls in the last 24 hours</h2>
    <p>
      Send one, and the model that answers is here when the page is read anew: <code>POST /v1/messages</code> with an
      Anthropic SDK, or <code>POST /v1/chat/completions</code> with an OpenAI SDK, and a key of this gateway.
      <code>GET /v1/models</code> lists the models.
    </p>
  </section>`
}

function modelRow(model: ModelStatus, nowMs: number): Html {
  const simulated = model.simulated ? html` <span class="tag">simulated</span>` : html``
  return html`<tr>
    <th scope="row">
      <span class="quiet">${model.vendor}</span>${simulated}<b class="name">${model.model}</b>${standing(model, nowMs)}
    </th>
    ${spans.map(({ name, title }) => windowCell(model.windows[name], title))}
  </tr> `
}

const standings: Readonly<Record<ModelStatus['standing'], { mood: string; words: string }>> = {
  well: { mood: 'good', words: 'Takes calls' },
  probe: { mood: 'fair', words: 'Being tried again' },
  resting: { mood: 'bad', words: 'Cooling' },
  barred: { mood: 'bad', words: 'Cooling' },
  full: { mood: 'fair', words: 'Full: it has as many calls as it may' },
}

const reasons: Readonly<Record<string, string>> = {
  limited: 'the vendor limits the rate',
  failing: 'it failed several times',
  refused: 'the vendor refuses this gateway’s key',
  missing: 'the vendor has no such model',
}

function standing({ standing: type, reason, untilMs }: ModelStatus, nowMs: number): Html {
  const { mood, words } = standings[type]
  const until =
    untilMs === undefined || untilMs <= nowMs
      ? html``
      : html` until ${moment(untilMs, nowMs)} (${span(untilMs - nowMs)})`
  const why = reason === undefined ? html`` : html`<span class="quiet why">${reasons[reason] ?? reason}</span>`
  return html`<span class="state ${mood}">${words}${until}</span>${why}`
}

const failing = [
  { kind: 'limited', title: '429' },
  { kind: 'overloaded', title: '529' },
  { kind: 'broken', title: '5xx' },
  { kind: 'refused', title: 'refused' },
  { kind: 'other', title: 'other' },
] as const

function windowCell(window: WindowStatus, title: string): Html {
  const { calls, ok } = window
  if (calls === 0) return html`<td data-title="${title}"><span class="quiet">no calls</span></td>`
  const faults = failing.filter(({ kind }) => window[kind] > 0)
  const bars = kinds.map(
    (kind) => html`<i class="${kind}" style="width:${rounded((window[kind] / calls) * 100)}%"></i>`,
  )
  const list = faults.map((fault) => html`<span>${fault.title} ${percent(window[fault.kind], calls)}</span> `)
  return html`<td data-title="${title}">
    <b>${percent(ok, calls)}</b> <span class="quiet">of ${count.format(calls)}</span>
    <span class="bar" aria-hidden="true">${bars}</span>
    <span class="faults">${list}</span>${latency(window)}
  </td>`
}

function latency({ p50Ms, p95Ms }: WindowStatus): Html {
  if (p50Ms === undefined && p95Ms === undefined) return html``
  return html`<span class="quiet wait">p50 ${seconds(p50Ms)}, p95 ${seconds(p95Ms)}</span>`
}

const count = new Intl.NumberFormat('en-GB')

/** A share that is not all never reads 100%, and one that is something never 0%. */
function percent(part: number, whole: number): string {
  if (part === 0 || part === whole) return part === 0 ? '0%' : '100%'
  return `${Math.min(99.9, Math.max(0.1, (part / whole) * 100)).toFixed(1)}%`
}

function seconds(ms: number | undefined): string {
  if (ms === undefined) return '–'
  if (ms < 1000) return `${Math.round(ms)} ms`
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
}

function legend(): Html {
  return html`<details>
    <summary>How to read this</summary>
    <dl>
      <dt>98.2% of 1,204</dt>
      <dd>
        So many tries in this time, and the share that ended well. A call that was tried at several models counts at
        each of them.
      </dd>
      <dt>429</dt>
      <dd>The vendor limits this gateway’s rate.</dd>
      <dt>529</dt>
      <dd>The vendor is overloaded; a 503 counts here too.</dd>
      <dt>5xx</dt>
      <dd>Any other failure of the vendor: no answer, none that can be read, or one that broke off.</dd>
      <dt>refused</dt>
      <dd>The vendor does not take this gateway’s key or account.</dd>
      <dt>other</dt>
      <dd>The request was at fault, or its caller had gone.</dd>
      <dt>p50, p95</dt>
      <dd>Half of the answers, and 95 of 100, began within this time, from the request to the first content.</dd>
      <dt>Cooling</dt>
      <dd>Left alone until then by calls that another model can answer.</dd>
    </dl>
  </details>`
}

function pageCards({ pages, nowMs }: Status): Html {
  if (pages === undefined || pages.length === 0) return html``
  return html`<h2>What the vendors say</h2>
    <div class="cards">${pages.map((page) => pageCard(page, nowMs))}</div>`
}

const states: Readonly<Record<VendorPage['state'], { mood: string; words: string }>> = {
  operational: { mood: 'good', words: 'Operational' },
  degraded: { mood: 'fair', words: 'Degraded' },
  outage: { mood: 'bad', words: 'Outage' },
  maintenance: { mood: 'fair', words: 'Maintenance' },
  unknown: { mood: 'none', words: 'Unknown' },
}

function pageCard(page: VendorPage, nowMs: number): Html {
  const { mood, words } = states[page.state]
  const { vendor, url, summary, incidents } = page
  return html`<section class="card">
    <h3>${vendor}</h3>
    <span class="state ${mood}">${words}</span>
    <p>${summary}</p>
    ${
      incidents.length === 0
        ? html``
        : html`<ul>
            ${incidents.map((incident) => incidentItem(incident, nowMs))}
          </ul>`
    }
    <p class="quiet">${link(url, url.replace(/^https?:\/\//, ''))} · ${reading(page, nowMs)}</p>
  </section> `
}

function incidentItem({ title, url, sinceMs }: VendorIncident, nowMs: number): Html {
  const since =
    sinceMs === undefined || timeOf(sinceMs) === undefined
      ? html``
      : html` <span class="quiet">for ${span(nowMs - sinceMs)}</span>`
  return html`<li>${link(url, title)}${since}</li>`
}

/** How old the reading is, and why it is no younger. */
function reading({ readMs, problem }: VendorPage, nowMs: number): string {
  if (problem !== undefined) {
    return readMs === undefined ? `not read yet. ${problem}` : `read ${span(nowMs - readMs)} ago, not since. ${problem}`
  }
  return readMs === undefined ? 'being read' : `read ${span(nowMs - readMs)} ago`
}

function link(url: string | undefined, text: string): Html {
  return url !== undefined && /^https?:\/\//.test(url)
    ? html`<a href="${url}" rel="noreferrer">${text}</a>`
    : html`${text}`
}

/** The time of day, with its date where that may be another. */
function moment(ms: number, nowMs: number): Html {
  const time = timeOf(ms)
  if (time === undefined) return html`–`
  const day = Math.abs(ms - nowMs) < dayMs / 2 ? '' : `${time.slice(0, 10)} `
  return html`<time datetime="${time}">${day}${time.slice(11, 19)} UTC</time>`
}

const dayMs = 86_400_000

function span(ms: number): string {
  const wholeSeconds = Math.max(0, Math.round(ms / 1000))
  if (wholeSeconds < 90) return `${wholeSeconds}\u{a0}s`
  if (wholeSeconds < 90 * 60) return `${Math.round(wholeSeconds / 60)}\u{a0}min`
  if (wholeSeconds < 48 * 3600) return `${Math.round(wholeSeconds / 3600)}\u{a0}h`
  return `${Math.round(wholeSeconds / 86_400)}\u{a0}days`
}

/** Text that is HTML already; only `html` and what is written out in this file make it. */
class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** HTML with values in it, each of them escaped unless it is HTML. */
function html(parts: TemplateStringsArray, ...values: readonly (string | number | Html | readonly Html[])[]): Html {
  return new Html(parts.reduce((text, part, index) => text + textOf(values[index - 1]) + part))
}

function textOf(value: string | number | Html | readonly Html[] | undefined): string {
  if (value === undefined) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map((one) => one.text).join('')
  return String(value).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); --quiet: color-mix(in srgb, currentColor 62%, transparent);
  --good: #2e7d4f; --fair: #a86a00; --bad: #b3372f; --ok: #7fb894; --limited: #e0b04c; --overloaded: #d98850; --broken: #cb5d54; --refused: #93608f; --other: #a3a8ad }
@media (prefers-color-scheme: dark) {
  :root { --good: #7cc79a; --fair: #e3b25a; --bad: #ee8a80; --ok: #4f8f69; --limited: #b98a2c; --overloaded: #b86c37; --broken: #b3504a; --refused: #8b5f88; --other: #71767b }
}
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1, h2, h3 { line-height: 1.25 }
code { font: 0.9em/1.5 ui-monospace, monospace; background: color-mix(in srgb, currentColor 8%, transparent); border-radius: 4px; padding: 0.1em 0.3em }
nav { border-bottom: 1px solid var(--line); padding-bottom: 0.5rem }
.quiet { color: var(--quiet); font-weight: normal; font-size: 0.85em }
.lead { font-size: 1.15rem; margin-bottom: 0 }
.lead::before, .state::before { content: ''; display: inline-block; width: 0.6em; height: 0.6em; margin-right: 0.45em; border-radius: 50%; background: var(--quiet) }
.good::before { background: var(--good) } .fair::before { background: var(--fair) } .bad::before { background: var(--bad) }
.good { color: var(--good) } .fair { color: var(--fair) } .bad { color: var(--bad) }
.state { display: block; font-size: 0.85rem; font-weight: normal }
.tag { border: 1px solid var(--line); border-radius: 999px; padding: 0 0.5em; font-size: 0.75rem; font-weight: normal }
table { border-collapse: collapse; width: 100%; margin-top: 1.5rem }
th, td { border-bottom: 1px solid var(--line); padding: 0.6rem 1.2rem 0.6rem 0; text-align: left; vertical-align: top; font-variant-numeric: tabular-nums }
thead th { font-size: 0.85rem; color: var(--quiet); font-weight: normal; padding-bottom: 0.3rem }
tbody th { width: 34% } td { width: 22% }
.name { display: block; overflow-wrap: anywhere }
.bar { display: flex; height: 5px; border-radius: 3px; overflow: hidden; margin: 0.25rem 0 }
.bar i { display: block } .ok { background: var(--ok) } .limited { background: var(--limited) } .overloaded { background: var(--overloaded) }
.broken { background: var(--broken) } .refused { background: var(--refused) } .other { background: var(--other) }
.faults { display: flex; flex-wrap: wrap; gap: 0 0.8em; font-size: 0.85rem }
.wait, .why { display: block }
.empty { border: 1px solid var(--line); border-radius: 8px; padding: 0.5rem 1.2rem; margin: 1.5rem 0 }
.empty h2 { font-size: 1.1rem }
details { margin: 1rem 0 2rem; font-size: 0.9rem } summary { cursor: pointer; color: var(--quiet) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 1rem } dt { font-weight: bold } dd { margin: 0 }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem }
.card { border: 1px solid var(--line); border-radius: 8px; padding: 0.8rem 1rem; overflow-wrap: anywhere }
.card h3 { margin: 0; font-size: 1rem } .card p { margin: 0.4rem 0 } .card ul { margin: 0.4rem 0; padding-left: 1.1rem; font-size: 0.9rem }
@media (max-width: 44rem) {
  thead { display: none }
  table, tbody, tr, th, td { display: block } tbody th, td { width: auto; padding-right: 0 }
  tr { border-bottom: 1px solid var(--line); padding: 0.6rem 0 } th, td { border: 0; padding: 0.25rem 0 }
  td::before { content: attr(data-title); display: inline-block; min-width: 6.2rem; color: var(--quiet); font-size: 0.85rem }
  dl { grid-template-columns: 1fr } dd { margin-bottom: 0.4rem }
}
`
