import * as z from 'zod'
import { compact } from '../../core/json.ts'
import type { TryRecord } from '../../core/receipt.ts'
import { ControlError, type ControlService, type ReceiptQuery, type ReceiptView } from '../service.ts'
import { text } from '../service/fields.ts'
import { page, paging, shown, timeShown, whole } from './fields.ts'
import { dollars } from './money.ts'
import { jsonRoute, linesRoute, type Route } from './route.ts'
import { filterOf, spanFields } from './spans.ts'

const tokens = {
  inputTokens: whole,
  outputTokens: whole,
  cacheReadTokens: whole,
  cacheWriteTokens: whole,
  thinkingTokens: whole,
} as const

const tryShown = z.strictObject({
  vendor: z.string(),
  model: z.string(),
  credential: whole.optional().describe('Which of the vendor’s keys, by its place.'),
  status: whole.describe('The vendor’s; 0 where none came.'),
  outcome: z.string(),
  durationMs: z.number(),
  waitMs: z.number().optional(),
  unfit: z.literal(true).optional(),
  hedge: z.literal(true).optional(),
  usage: z.strictObject(tokens).optional(),
  vendorRequestId: z.string().optional(),
})

/** One call as it is answered. */
export const receiptShown = z.strictObject({
  id: z.string(),
  clientId: z.string().nullable(),
  key: z.string(),
  owner: z.string().nullable(),
  plan: z.string(),
  dialect: z.string(),
  modelAsked: z.string(),
  model: z.string(),
  vendor: z.string(),
  ladder: z.string().nullable(),
  simulated: z.boolean(),
  stream: z.boolean(),
  tries: z.array(tryShown),
  ...tokens,
  nanoDollars: whole.nullable().describe('null: the model has no price.'),
  dollars: z.string().nullable(),
  status: whole,
  failure: z.string().nullable().describe('interrupted: the gateway ended in the middle of the call.'),
  blame: z.string().nullable(),
  startedAt: timeShown,
  firstByteAt: timeShown.nullable(),
  endedAt: timeShown,
  requestBytes: whole,
  replyBytes: whole,
  times: whole.describe('How many calls it stands for: refusals of a storm are written down together.'),
})

function showReceipt(receipt: ReceiptView): z.output<typeof receiptShown> {
  const { nanoDollars } = receipt
  return {
    id: receipt.id,
    clientId: receipt.clientId ?? null,
    key: receipt.key,
    owner: receipt.owner ?? null,
    plan: receipt.plan,
    dialect: receipt.dialect,
    modelAsked: receipt.modelAsked,
    model: receipt.model,
    vendor: receipt.vendor,
    ladder: receipt.ladder ?? null,
    simulated: receipt.simulated,
    stream: receipt.stream,
    tries: receipt.tries.map(showTry),
    inputTokens: receipt.inputTokens,
    outputTokens: receipt.outputTokens,
    cacheReadTokens: receipt.cacheReadTokens,
    cacheWriteTokens: receipt.cacheWriteTokens,
    thinkingTokens: receipt.thinkingTokens,
    nanoDollars: nanoDollars ?? null,
    dollars: nanoDollars === undefined ? null : dollars(nanoDollars),
    status: receipt.status,
    failure: receipt.failure ?? null,
    blame: receipt.blame ?? null,
    startedAt: shown(receipt.startedAt),
    firstByteAt: shown(receipt.firstByteAt),
    endedAt: shown(receipt.endedAt),
    requestBytes: receipt.requestBytes,
    replyBytes: receipt.replyBytes,
    times: receipt.times,
  }
}

function showTry(one: TryRecord): z.output<typeof tryShown> {
  const { vendor, model, credential, status, outcome, durationMs, waitMs, unfit, hedge, usage, vendorRequestId } = one
  const used = usage && {
    inputTokens: usage.input,
    outputTokens: usage.output,
    cacheReadTokens: usage.cacheRead,
    cacheWriteTokens: usage.cacheWrite5m + usage.cacheWrite1h,
    thinkingTokens: usage.thinking,
  }
  // Receipts of earlier versions know of less.
  const optional = compact({ credential, waitMs, unfit, hedge, usage: used, vendorRequestId })
  return { vendor, model, status, outcome, durationMs, ...optional }
}

const filter = {
  ...spanFields,
  failure: text(50).optional().describe('The kind of failure, or interrupted.'),
} as const

function askedOf({ failure, ...span }: z.output<z.ZodObject<typeof filter>>, nowMs: number): ReceiptQuery {
  return { ...filterOf(span, nowMs), ...compact({ failure }) }
}

/** How many receipts are read at a time, of which other requests wait for one reading. */
const pageMax = 200

/** The same objects as in the pages, a line each; a page in which nothing was found is an empty piece. */
function* jsonLines(service: ControlService, query: ReceiptQuery): Generator<string> {
  for (let cursor: string | undefined; ;) {
    const { data, next } = service.usage.receipts({ ...query, limit: pageMax, ...compact({ cursor }) })
    yield data.map((receipt) => `${JSON.stringify(showReceipt(receipt))}\n`).join('')
    if (next === undefined) return
    cursor = next
  }
}

export const receiptRoutes: readonly Route[] = [
  jsonRoute({
    method: 'GET',
    path: '/receipts',
    scope: 'read',
    summary: 'The calls one by one, the newest first.',
    query: z.strictObject({ ...filter, ...paging }),
    answer: page(receiptShown),
    handle: ({ service, query: { limit, cursor, ...asked }, nowMs }) => {
      const { data, next } = service.usage.receipts({ ...askedOf(asked, nowMs), limit, ...compact({ cursor }) })
      return { json: { data: data.map(showReceipt), next: next ?? null }, next }
    },
  }),
  jsonRoute({
    method: 'GET',
    path: '/receipts/{id}',
    scope: 'read',
    summary: 'One call.',
    answer: receiptShown,
    handle: ({ service, params }) => {
      const receipt = service.usage.receipt(params.id)
      if (receipt === undefined) {
        throw new ControlError(404, 'receipt-unknown', 'There is no receipt of this id.', {
          fix: 'Receipts are found by the request id of the answer, and are not kept for ever.',
        })
      }
      return { json: showReceipt(receipt) }
    },
  }),
  jsonRoute({
    method: 'GET',
    path: '/receipts/{id}/content',
    scope: 'all',
    summary: 'What was said in one call, where its key keeps that: the first 16 KB of both sides.',
    answer: z.strictObject({ request: z.string(), reply: z.string(), expiresAt: timeShown }),
    handle: ({ service, params }) => {
      const content = service.usage.content(params.id)
      if (content === undefined) {
        throw new ControlError(404, 'content-unknown', 'Nothing that was said in this call is kept.', {
          fix: 'A key keeps what is said in its calls for as long as its captureMs says; without it, nothing.',
        })
      }
      const { request, reply, expiresAt } = content
      return { json: { request, reply, expiresAt: shown(expiresAt) } }
    },
  }),
  linesRoute({
    method: 'GET',
    path: '/receipts.csv',
    scope: 'read',
    summary: 'All calls of the span as CSV, the newest first.',
    contentType: 'text/csv; charset=utf-8; header=present',
    fileName: 'receipts.csv',
    query: z.strictObject(filter),
    handle: ({ service, query, nowMs }) => service.usage.export(askedOf(query, nowMs), 'csv'),
  }),
  linesRoute({
    method: 'GET',
    path: '/receipts.jsonl',
    scope: 'read',
    summary: 'All calls of the span as lines of JSON, the newest first.',
    contentType: 'application/x-ndjson',
    fileName: 'receipts.jsonl',
    query: z.strictObject(filter),
    handle: ({ service, query, nowMs }) => jsonLines(service, askedOf(query, nowMs)),
  }),
]
