import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { isObject, objectOf, parseJson, textOf, type JsonObject } from '../../src/core/json.ts'
import { cheatSheet } from '../support/pages.ts'
import type { Seen, Way } from './ask.ts'
import { kinds, type KindName } from './kinds.ts'
import { shouldRetry, wordsOf, type Dialect, type Expected, type OwnWords, type Place } from './matrix.ts'

/** One cell of the matrix, after its call. */
export interface Cell extends Place {
  way: Way
  seen: Seen
  /** Requests that the vendor got for it. */
  tries: number
}

/** What the store has of a call, as far as the matrix looks. */
export interface Receipt {
  status: number
  failure: string | null
  blame: string | null
  tries: { vendor: string; outcome: string; vendorRequestId?: string }[]
}

type Failed = Expected & { kind: KindName }

/** The whole answer of the prompt that all cells send. */
export const answerText = Array.from(
  { length: 40 },
  (_, index) => ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'][index % 10],
).join(' ')

/** All that is wrong with a cell, a line each; none where all is as it must be. */
export function problemsOf(cell: Cell, receipts: readonly Receipt[], secrets: readonly string[]): string[] {
  const problems: string[] = []
  const same = (what: string, got: unknown, wanted: unknown): void => {
    if (got !== wanted) problems.push(`${what}: got ${shown(got)}, expected ${shown(wanted)}`)
  }
  const { expected, seen } = cell
  same('requests that the vendor saw', cell.tries, expected.tries)
  same('receipts', receipts.length, 1)
  checkIds(cell, same)
  if (expected.kind === 'ok') checkAnswer(cell, same)
  else if (expected.late && seen.status === 200) checkEvent(cell, { ...expected, kind: expected.kind }, same)
  else checkStatus(cell, statusOf({ ...expected, kind: expected.kind }), same)
  const [receipt] = receipts
  if (receipt !== undefined) checkReceipt(cell, receipt, same)
  problems.push(...leaks(seen, [...secrets, ...(receipt?.tries ?? []).flatMap((one) => one.vendorRequestId ?? [])]))
  return problems
}

type Same = (what: string, got: unknown, wanted: unknown) => void

function checkIds({ seen, vendor }: Cell, same: Same): void {
  const { headers } = seen
  const id = headers.get('request-id') ?? ''
  same('a request-id', /^req_[0-9A-Za-z]+$/.test(id), true)
  same('x-request-id', headers.get('x-request-id'), id)
  same('x-keyrung-vendor', headers.get('x-keyrung-vendor'), vendor)
  same('x-keyrung-simulated', headers.get('x-keyrung-simulated'), 'true')
  same('an x-keyrung-model', (headers.get('x-keyrung-model') ?? '') !== '', true)
}

function checkAnswer({ seen, expected, dialect }: Cell, same: Same): void {
  same('raised', nameOf(seen.raised), 'nothing')
  same('status', seen.status, 200)
  const reason = dialect === 'anthropic' ? ['end_turn', 'refusal'] : ['stop', 'content_filter']
  same('why it ended', seen.reason, reason[expected.refusal === true ? 1 : 0])
  if (expected.refusal !== true) same('the text', seen.text, answerText)
  same('x-keyrung-failure', seen.headers.get('x-keyrung-failure'), null)
  same('x-keyrung-attempts', seen.headers.get('x-keyrung-attempts'), null)
}

/** What was meant to be an event and came before anything had gone out: the kind's own status. */
function statusOf({ own, ...expected }: Failed): Failed {
  return own === undefined || expected.late ? expected : { ...expected, own }
}

/** A failure before any content: an HTTP status, with all that its headers must say. */
function checkStatus(cell: Cell, expected: Failed, same: Same): void {
  const { seen, dialect, vendor } = cell
  const { headers } = seen
  const kind = kinds[expected.kind]
  const words = wordsOf(expected, dialect)
  same('status', seen.status, words.status)
  same('text before the error', seen.text, '')
  checkError(cell, expected, { class: classOf(words.status, dialect), status: words.status }, same)
  checkBody(cell, expected, same)
  same('content-type', headers.get('content-type'), 'application/json')
  same('x-keyrung-failure', headers.get('x-keyrung-failure'), expected.kind)
  same('x-keyrung-blame', headers.get('x-keyrung-blame'), kind.blame)
  same('x-should-retry', headers.get('x-should-retry'), String(shouldRetry(expected)))
  const { waitMs } = expected
  same('retry-after', headers.get('retry-after'), waitMs === undefined ? null : String(Math.ceil(waitMs / 1000)))
  same('retry-after-ms', isLeft(headers.get('retry-after-ms'), waitMs), true)
  same('link', headers.get('link'), `</errors/${words.status}>; rel="help"`)
  const trail = headers.get('x-keyrung-attempts') ?? ''
  const item = new RegExp(`^"${vendor}/[^"]+";status=\\d+;outcome=${expected.kind};ms=\\d+$`)
  same(`x-keyrung-attempts (${trail})`, item.test(trail), true)
}

/** Is it what is left of the time that the vendor said? The gateway's own few milliseconds are taken off. */
function isLeft(told: string | null, waitMs: number | undefined): boolean {
  if (waitMs === undefined || told === null) return waitMs === undefined && told === null
  return /^\d+$/.test(told) && Number(told) <= waitMs && Number(told) > waitMs - ownMsMax
}

/** Far more than the gateway takes from a vendor’s answer to its own, and less than would show in whole seconds of any row. */
const ownMsMax = 150

/** A failure after content: an event, and never an end. */
function checkEvent(cell: Cell, expected: Failed, same: Same): void {
  const { seen, dialect } = cell
  same('status', seen.status, 200)
  same('content before the error', seen.text !== '' || seen.body.includes('"reasoning_content"'), true)
  same('the beginning of the text', answerText.startsWith(seen.text), true)
  if (cell.fault !== 'no-last-event') same('a reason to end', seen.reason, undefined)
  same('an end event', /event: message_stop|data: \[DONE\]/.test(seen.body), false)
  checkError(cell, expected, { class: 'APIError', status: undefined }, same)
  const last = seen.body.trimEnd().split('\n\n').at(-1) ?? ''
  const error = objectOf(objectOf(parseJson(/^data: (.*)$/m.exec(last)?.[1] ?? '')).error)
  same('the type in the last event', error.type, wordsOf(expected, dialect).type)
  if (expected.own !== undefined) checkWords(error, expected.own, same)
}

/** What the SDK raises. */
function checkError(
  { seen, dialect }: Cell,
  expected: Failed,
  wanted: { class: string; status: number | undefined },
  same: Same,
): void {
  const { raised, headers } = seen
  const words = wordsOf(expected, dialect)
  const base = dialect === 'anthropic' ? Anthropic.APIError : OpenAI.APIError
  if (!(raised instanceof base)) {
    same('raised', nameOf(raised), `an ${wanted.class}`)
    return
  }
  same('class', raised.constructor.name, wanted.class)
  same('error.status', raised.status, wanted.status)
  same('error.type', raised.type, words.type)
  same('error.requestID', raised.requestID, headers.get('request-id'))
  if (raised instanceof OpenAI.APIError) same('error.code', raised.code, words.code)
}

function checkBody({ seen, dialect }: Cell, expected: Failed, same: Same): void {
  const body = parseJson(seen.body)
  if (!isObject(body) || !isObject(body.error)) {
    same('the body', seen.body.slice(0, 200), 'an error object')
    return
  }
  const { error } = body
  const words = wordsOf(expected, dialect)
  same('error.type in the body', error.type, words.type)
  if (dialect === 'anthropic') {
    same('type of the body', body.type, 'error')
    same('request_id in the body', body.request_id, seen.headers.get('request-id'))
  } else {
    same('code in the body', error.code, words.code)
    if (expected.own !== undefined) same('param', error.param, expected.own.param)
    same('keys of the error', Object.keys(error).toSorted().join(), 'code,message,param,type')
  }
  if (expected.own === undefined)
    same('a message', typeof error.message === 'string' && error.message.length > 10, true)
  else checkWords(error, expected.own, same)
}

function checkWords(error: JsonObject, own: OwnWords, same: Same): void {
  const message = textOf(error.message) ?? ''
  same(`the vendor's words (${message})`, own.message.test(message), true)
}

function checkReceipt({ expected, seen, vendor }: Cell, receipt: Receipt, same: Same): void {
  const failed = expected.kind === 'ok' ? undefined : expected.kind
  same('the receipt: failure', receipt.failure, failed ?? null)
  same('the receipt: blame', receipt.blame, failed === undefined ? null : kinds[failed].blame)
  same('the receipt: status', receipt.status, seen.status)
  same(
    'the receipt: tries',
    receipt.tries.map((one) => `${one.vendor} ${one.outcome}`).join(),
    Array.from({ length: expected.tries }, () => `${vendor} ${expected.kind}`).join(),
  )
}

const sheet = new Map(cheatSheet().map((line) => [line.status, line]))

function classOf(status: number, dialect: Dialect): string {
  return (
    sheet.get(status)?.[dialect === 'anthropic' ? 'anthropicTypescript' : 'openaiTypescript'] ?? `a class for ${status}`
  )
}

/** Names of the simulated vendors' accounts, keys, networks and ids, and what only a bug would show. */
const private_ =
  /org-sandbox|proj_sandbox|5a9db0c5|req_sandbox|req_011Sandbox|[\w-]*\*\*\*[\w-]*|203\.0\.113\.7|9a5db0c5|127\.0\.0\.1|localhost|node_modules|\.ts:\d+|x-sandbox/g
const privateHeaders =
  /ratelimit|organization|^openai-|^anthropic-|^cf-|^x-goog|^x-ds-|^x-envoy|^x-amz|^x-sandbox|^server$|^via$/

function leaks({ headers, body, raised }: Seen, secrets: readonly string[]): string[] {
  const text = `${[...headers].map(([name, value]) => `${name}: ${value}`).join('\n')}\n${body}\n${raised instanceof Error ? raised.message : ''}`
  const found = new Set([...(text.match(private_) ?? []), ...secrets.filter((secret) => text.includes(secret))])
  const names = [...headers.keys()].filter((name) => privateHeaders.test(name))
  return [...found, ...names].map((leak) => `leaks ${leak}`)
}

/** What was raised, as a test tells it. */
function nameOf(raised: unknown): string {
  return raised instanceof Error
    ? `${raised.constructor.name}: ${raised.message}`
    : raised === undefined
      ? 'nothing'
      : 'no Error'
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined'
}
