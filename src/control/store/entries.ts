import type { NanoDollars } from '../../core/price.ts'
import type { Capture } from './captures.ts'
import type { Value } from './database.ts'

/** What a journal holds: something that happened (`type`) to a call (`id`), and what else is to be known of it. */
export interface Entry {
  readonly type: string
  readonly id: string
  readonly [field: string]: unknown
}

/** The columns of a receipt, in the order of their values in `ReceiptRow`. */
export const receiptColumns = `
  id key_id owner plan client_id dialect model_asked model vendor ladder simulated stream tries input output
  cache_read cache_write_5m cache_write_1h thinking nano_dollars reserved_input reserved_output reserved_nano
  times status failure blame started_ms first_byte_ms ended_ms request_bytes reply_bytes`
  .trim()
  .split(/\s+/)

/** A receipt as it is stored, and what of it goes into the sums. */
export interface ReceiptRow {
  readonly values: Value[]
  readonly key: string
  readonly owner: string
  readonly plan: string
  readonly model: string
  readonly vendor: string
  readonly status: number
  readonly simulated: number
  readonly startedMs: number
  readonly sums: Sums
}

/** What is summed up, in the order of the columns of usage. */
export const sumColumns = 'calls failed input output cache_read cache_write thinking nano_dollars unpriced'.split(' ')
export type Sums = number[]

/** A call that was admitted, as it is stored while it has no receipt. */
export interface IntentRow {
  readonly id: string
  readonly writer: string
  readonly key: string
  readonly owner: string | null
  readonly plan: string
  readonly model: string
  readonly vendor: string
  readonly dialect: string
  readonly simulated: number
  readonly startedMs: number
  readonly reservedInput: number
  readonly reservedOutput: number
  readonly reservedNano: number
}

export const intentColumns = `
  id writer key_id owner plan model vendor dialect simulated started_ms reserved_input reserved_output
  reserved_nano`
  .trim()
  .split(/\s+/)

/**
 * Reads an entry of type `receipt`. Nothing in it makes this throw, nor the database refuse the row: one odd value must not keep
 * all receipts behind it from being stored.
 */
export function receiptRow(entry: Entry): ReceiptRow {
  const used = usageOf(entry.usage)
  const simulated = flag(entry.simulated)
  // What used nothing costs nothing, and so does a simulation, whatever the price.
  const free = simulated === 1 || used.all === 0
  const nano = typeof entry.nanoDollars === 'number' ? money(entry.nanoDollars) : free ? 0 : null
  const times = Math.max(whole(entry.times, timesMax), 1)
  const failed = optionalText(entry.failure) === null ? 0 : times
  const unpriced = nano === null ? times : 0
  return {
    values: valuesOf(entry, used, nano, times),
    key: text(entry.keyId),
    owner: text(entry.owner),
    plan: text(entry.plan),
    model: text(entry.model),
    vendor: text(entry.vendor),
    status: whole(entry.status, statusMax),
    simulated,
    startedMs: time(entry.startedMs),
    sums: [times, failed, used.input, used.output, used.read, used.write, used.thinking, nano ?? 0, unpriced],
  }
}

/** In the order of the columns. */
function valuesOf(entry: Entry, used: Used, nano: number | null, times: number): Value[] {
  const reserved = record(entry.reserved)
  return [
    entry.id,
    text(entry.keyId),
    optionalText(entry.owner),
    text(entry.plan),
    optionalText(entry.clientId),
    text(entry.dialect),
    text(entry.modelAsked),
    text(entry.model),
    text(entry.vendor),
    optionalText(entry.ladder),
    flag(entry.simulated),
    flag(entry.stream),
    Array.isArray(entry.tries) ? JSON.stringify(entry.tries) : '[]',
    used.input,
    used.output,
    used.read,
    used.write5m,
    used.write - used.write5m,
    used.thinking,
    nano,
    tokens(reserved.input),
    tokens(reserved.output),
    money(reserved.nano),
    times,
    whole(entry.status, statusMax),
    optionalText(entry.failure),
    optionalText(entry.blame),
    time(entry.startedMs),
    time(entry.firstByteMs),
    time(entry.endedMs),
    whole(entry.requestBytes, bytesMax),
    whole(entry.replyBytes, bytesMax),
  ]
}

type Used = ReturnType<typeof usageOf>

function usageOf(value: unknown) {
  const usage = record(value)
  const [input, output, read] = [tokens(usage.input), tokens(usage.output), tokens(usage.cacheRead)]
  const [write5m, write1h] = [tokens(usage.cacheWrite5m), tokens(usage.cacheWrite1h)]
  const write = write5m + write1h
  return { input, output, read, write5m, write, thinking: tokens(usage.thinking), all: input + output + read + write }
}

/** Reads an entry of type `intent`; throws no more than `receiptRow`. */
export function intentRow(entry: Entry, writer: string): IntentRow {
  const reserved = record(entry.reserved)
  return {
    id: entry.id,
    writer,
    key: text(entry.key),
    owner: optionalText(entry.owner),
    plan: text(entry.plan),
    model: text(entry.model),
    vendor: text(entry.vendor),
    dialect: text(entry.dialect),
    simulated: flag(entry.simulated),
    startedMs: time(entry.startedMs),
    reservedInput: tokens(reserved.input),
    reservedOutput: tokens(reserved.output),
    reservedNano: money(reserved.nano),
  }
}

/**
 * The receipt of a call in whose middle the program ended: nobody knows how far the vendor came. The input that was set
 * aside counts as used, the output does not.
 */
export function interruptedRow(intent: IntentRow, nano: NanoDollars | undefined, nowMs: number): ReceiptRow {
  const { id, key, owner, plan, model, vendor, dialect, simulated, startedMs } = intent
  return receiptRow({
    type: 'receipt',
    id,
    keyId: key,
    owner,
    plan,
    dialect,
    model,
    vendor,
    startedMs,
    modelAsked: model,
    simulated: simulated === 1,
    usage: { input: intent.reservedInput },
    nanoDollars: nano,
    reserved: { input: intent.reservedInput, output: intent.reservedOutput, nano: intent.reservedNano },
    status: 0,
    failure: 'interrupted',
    blame: 'gateway',
    endedMs: nowMs,
  })
}

/**
 * Limits of one receipt, above all that a call can be, so that no vendor's slip makes a sum that the database cannot hold:
 * tokens of a call, its cost (a million dollars), its bytes and how many calls it stands for.
 */
const tokensMax = 1e9
const nanoMax = 1e15
const bytesMax = 1e12
const timesMax = 1e9
const textMax = 200
const statusMax = 999
/** The last millisecond of the year 9999. */
const timeMaxMs = 253_402_300_799_999

function whole(value: unknown, max: number): number {
  return typeof value === 'number' && value > 0 ? Math.min(Math.trunc(value), max) : 0
}

function tokens(value: unknown): number {
  return whole(value, tokensMax)
}

function money(value: unknown): number {
  return whole(value, nanoMax)
}

function time(value: unknown): number {
  return whole(value, timeMaxMs)
}

function flag(value: unknown): number {
  return value === true ? 1 : 0
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, textMax) : ''
}

function optionalText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, textMax) : null
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** What was said in a call, from the journal: bytes in base64. */
export function captureOf({ id, key, expiresMs, request, reply }: Entry): Capture {
  const bytes = (text: unknown): Buffer => Buffer.from(typeof text === 'string' ? text : '', 'base64')
  return {
    receiptId: id,
    key: typeof key === 'string' ? key : '',
    expiresMs: Math.trunc(Number(expiresMs)) || 0,
    request: bytes(request),
    reply: bytes(reply),
  }
}
