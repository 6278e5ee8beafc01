import type { TryRecord } from '../core/receipt.ts'

/**
 * The tries of a call in one header, a structured list of RFC 9651: vendor and model of each, with its status (0: none came),
 * how it went, and how long it took. `"anthropic/claude-opus-5";status=529;outcome=vendor-overloaded;ms=812, …`
 */
export function trail(tries: readonly TryRecord[]): string {
  return tries
    .map(({ vendor, model, status, outcome, durationMs }) => {
      const name = `${vendor}/${model}`.replaceAll(/[^\x20-\x7e]|["\\]/g, '').slice(0, 200)
      return `"${name}";status=${status};outcome=${outcome};ms=${durationMs}`
    })
    .join(', ')
}
