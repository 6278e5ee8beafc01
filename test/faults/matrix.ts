import { exceptions } from './exceptions.ts'
import { kinds, retrySecondsMax, type KindName } from './kinds.ts'
import { ownWords } from './own-words.ts'

/** One model of each vendor, and of OpenAI one for each of its formats: it chooses by model and caller. */
export const models = [
  { vendor: 'anthropic', model: 'claude-sonnet-5' },
  { vendor: 'openai', model: 'gpt-4.1' },
  { vendor: 'openai', model: 'gpt-5.6' },
  { vendor: 'google', model: 'gemini-3.8-flash' },
  { vendor: 'xai', model: 'grok-4.7' },
  { vendor: 'deepseek', model: 'deepseek-flash' },
] as const

export type Vendor = (typeof models)[number]['vendor']
/** The dialect that the caller's SDK speaks. */
export type Dialect = 'anthropic' | 'openai'

/** What must come of a call that meets a fault. */
export interface Expected {
  kind: KindName | 'ok'
  /**
   * It happens after content. In a stream that has begun it is told by an event; where the content came together with
   * the fault, nothing has gone out yet, and it is told by a status.
   */
  late: boolean
  /** How long Retry-After and retry-after-ms say to wait, in milliseconds; undefined: neither is sent. */
  waitMs?: number
  /** The requests that the vendor must have seen. */
  tries: number
  /** In place of the kind's own: the vendor's words, which pass. */
  own?: OwnWords
  /** The answer says that it is a refusal. */
  refusal?: true
}

/** A vendor's error in the caller's own dialect. */
export interface OwnWords {
  status: number
  type: string
  code: string | number | null
  param: string | null
  message: RegExp
}

interface Row {
  fault: string
  whole: KindName | 'ok'
  /** Where it differs; `late` is an event after content. */
  streamed?: KindName | 'ok'
  late?: true
  waitMs?: number
}

/** So many pieces of content come before a stream breaks: more than any of the models thinks. */
const pieces = 5
const overload = 'vendor-overloaded'

/** Every fault that there is: what becomes of a whole reply and of a stream, at any vendor, for any caller. */
export const rows: readonly Row[] = [
  // Statuses: a stream that is refused before it begins is told as a whole reply is.
  { fault: '400', whole: 'request-invalid' },
  { fault: '401', whole: 'vendor-refuses' },
  { fault: '402', whole: 'vendor-refuses' },
  { fault: '403', whole: 'vendor-refuses' },
  { fault: '404', whole: 'model-unknown' },
  { fault: '409', whole: 'conflict' },
  { fault: '413', whole: 'body-too-large' },
  { fault: '422', whole: 'request-invalid' },
  { fault: '429', whole: 'vendor-limit' },
  { fault: '429-after-7', whole: 'vendor-limit', waitMs: 7000 },
  { fault: '429-after-90', whole: 'vendor-limit', waitMs: 90_000 },
  { fault: '429-after-ms-1200', whole: 'vendor-limit', waitMs: 1200 },
  { fault: '429-date-7', whole: 'vendor-limit', waitMs: 7000 },
  { fault: '429-retryinfo-7', whole: 'vendor-limit', waitMs: 7000 },
  { fault: '429-text-7', whole: 'vendor-limit', waitMs: 7000 },
  { fault: '429-reset-40', whole: 'vendor-limit', waitMs: 40_000 },
  { fault: 'quota', whole: 'vendor-refuses' },
  { fault: 'quota-period', whole: 'vendor-refuses' },
  { fault: '500', whole: 'vendor-broken' },
  { fault: '502-html', whole: 'vendor-unreachable' },
  { fault: '503', whole: overload },
  { fault: '504', whole: 'vendor-slow' },
  { fault: '529', whole: overload },
  { fault: 'overloaded', whole: overload },
  { fault: 'region', whole: 'vendor-refuses' },
  { fault: 'policy', whole: 'content-refused' },
  { fault: 'too-long', whole: 'prompt-too-long' },
  // Connections.
  { fault: 'reset', whole: 'vendor-unreachable' },
  { fault: 'close', whole: 'vendor-unreachable' },
  { fault: 'silent', whole: 'vendor-slow' },
  { fault: 'slow-50', whole: 'ok' },
  // Bodies.
  { fault: 'error-in-200', whole: 'vendor-broken', streamed: overload },
  { fault: 'empty', whole: 'vendor-unreadable', streamed: 'vendor-cut' },
  { fault: 'cut', whole: 'vendor-cut', late: true },
  { fault: 'cut-clean', whole: 'vendor-unreadable', streamed: 'vendor-cut', late: true },
  { fault: 'html', whole: 'vendor-unreadable' },
  // A whole reply is known by its content, a stream by its name alone: what calls itself text is not begun.
  { fault: 'wrong-type', whole: 'ok', streamed: 'vendor-unreadable' },
  { fault: 'not-json', whole: 'vendor-unreadable' },
  // An event of an unknown kind is passed over; then the stream has no last event.
  { fault: 'wrong-shape', whole: 'vendor-unreadable', streamed: 'vendor-cut' },
  { fault: 'reset-in-body', whole: 'vendor-cut', late: true },
  // Streams.
  { fault: 'error-first', whole: overload },
  { fault: `error-after-${pieces}`, whole: overload, late: true },
  { fault: `error-bare-after-${pieces}`, whole: overload, streamed: 'vendor-cut', late: true },
  { fault: `cut-after-${pieces}`, whole: 'vendor-cut', late: true },
  { fault: `end-after-${pieces}`, whole: 'vendor-unreadable', streamed: 'vendor-cut', late: true },
  { fault: 'no-last-event', whole: 'vendor-unreadable', streamed: 'vendor-cut', late: true },
  { fault: `reset-after-${pieces}`, whole: 'vendor-cut', late: true },
  { fault: `stall-after-${pieces}`, whole: 'vendor-slow', late: true },
  { fault: 'stall-before', whole: 'vendor-slow' },
  { fault: `garbage-after-${pieces}`, whole: 'vendor-unreadable', late: true },
  { fault: `noise-after-${pieces}`, whole: 'ok' },
  { fault: 'not-a-stream', whole: 'vendor-unreadable' },
]

/** One place of the table: a fault at a model, met by a caller who wants a whole reply or a stream. */
export interface Place {
  fault: string
  vendor: Vendor
  model: string
  dialect: Dialect
  streamed: boolean
  expected: Expected
}

/** The whole table, exceptions applied. */
export function places(): Place[] {
  return rows.flatMap((row) =>
    models.flatMap(({ vendor, model }) =>
      (['anthropic', 'openai'] as const).flatMap((dialect) =>
        [false, true].map((streamed): Place => {
          const at = { fault: row.fault, vendor, model, dialect, streamed }
          return { ...at, expected: expectedOf(row, at) }
        }),
      ),
    ),
  )
}

function expectedOf(row: Row, at: Omit<Place, 'expected'>): Expected {
  const kind = at.streamed ? (row.streamed ?? row.whole) : row.whole
  const expected: Expected = { kind, late: at.streamed && row.late === true, tries: 1 }
  if (row.waitMs !== undefined) expected.waitMs = row.waitMs
  for (const { fits, changes } of exceptions) if (fits(at)) Object.assign(expected, changes)
  const own = ownWords(at, expected)
  return own === undefined ? expected : { ...expected, own }
}

/** What the SDK must find in the error: the vendor's own words where they pass, else those of the kind. */
export function wordsOf(
  expected: Expected & { kind: KindName },
  dialect: Dialect,
): { status: number; type: string; code: string | number | null } {
  if (expected.own !== undefined) return expected.own
  const kind = kinds[expected.kind]
  const [type, code] = dialect === 'anthropic' ? [kind.anthropic, null] : kind.openai
  return { status: kind.status, type, code }
}

/** May an SDK retry by itself? */
export function shouldRetry({ kind, waitMs = 0 }: Expected & { kind: KindName }): boolean {
  return kinds[kind].retry && waitMs <= retrySecondsMax * 1000
}
