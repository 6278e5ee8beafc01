import type { Passed, TryRecord } from '../core/receipt.ts'

/**
 * The tries of a call in one header, a structured list of RFC 9651: vendor and model of each, with its status (0: none came),
 * how it went, and how long it took. `"anthropic/claude-opus-5";status=529;outcome=vendor-overloaded;ms=812, …`
 * Where there is more to say: `credential` (its number, from the second on), `wait` (milliseconds before it), `unfit` and
 * `passed` (not asked), `hedge` (started beside another).
 */
export function trail(tries: readonly TryRecord[]): string {
  const items: string[] = []
  let length = 0
  for (const one of tries) {
    const item = `"${nameOf(one)}"${parameters(one)}`
    length += item.length + 2
    if (length > lengthMax) return [...items, `"more";tries=${tries.length - items.length}`].join(', ')
    items.push(item)
  }
  return items.join(', ')
}

/** Some clients take 16 KB of headers in all. */
const lengthMax = 4000

function nameOf({ vendor, model }: TryRecord): string {
  return `${vendor}/${model}`.replaceAll(/[^\x20-\x7e]|["\\]/g, '').slice(0, 200)
}

function parameters({ status, outcome, durationMs, credential, waitMs, unfit, hedge }: TryRecord): string {
  const told = [`status=${status}`, `outcome=${outcome}`, `ms=${durationMs}`]
  if (credential > 1) told.push(`credential=${credential}`)
  if (waitMs !== undefined) told.push(`wait=${waitMs}`)
  if (unfit === true) told.push('unfit')
  if (hedge === true) told.push('hedge')
  if (isPassed(outcome)) told.push('passed')
  return told.map((one) => `;${one}`).join('')
}

/** Is this why a rung was not tried, rather than how a try went? */
export function isPassed(outcome: TryRecord['outcome']): outcome is Passed {
  return passed.has(outcome)
}

const passed: ReadonlySet<string> = new Set<Passed>(['cooling', 'failing', 'full', 'refused', 'missing'])
