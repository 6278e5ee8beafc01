import type { IncomingHttpHeaders } from 'node:http'
import { errors, type Dispatcher } from 'undici'
import type { Call } from '../core/call.ts'
import { classify } from '../core/classify.ts'
import type { Dialect, ReplyContext } from '../core/dialect.ts'
import { noUsage, type ReplyEvent, type Usage } from '../core/event.ts'
import { Failure, failureOf, type FailureKind } from '../core/failure.ts'
import { isObject, parseJson, type JsonObject } from '../core/json.ts'
import type { Rung } from '../core/ladder.ts'
import type { TryRecord } from '../core/receipt.ts'
import { redact } from '../core/redact.ts'
import { madeBefore } from './connections.ts'
import { Passthrough, Translation, type Transcoder } from '../core/transcoder.ts'
import type { Sending } from './prepare.ts'

/** Most bytes of a whole reply, and of an error answer. */
const replyBytesMax = 64 * 1024 * 1024
const errorBytesMax = 64 * 1024
/** No vendor means a longer time, and some clients read no longer number. */
const retryAfterMsMax = 30 * 86_400_000
/** How long the text of an error is waited for. */
const errorMs = 3000

/** Most bytes of a request that may be held until the end of its answer. */
const heldBytesMax = 64 * 1024

/** An answer that is safe to give: all of a whole reply, or a stream whose content has begun. */
export type Answer = WholeAnswer | StreamedAnswer

export interface WholeAnswer {
  type: 'whole'
  body: Buffer | string
  usage: Usage
  model: string | undefined
}

export interface StreamedAnswer {
  type: 'streamed'
  /** What has been written for the caller up to now. */
  first: (Buffer | string)[]
  transcoder: Transcoder
  /** Lets the rest flow, synchronously, into the sink. */
  attach(sink: Sink): Flow
}

/** Where a stream flows to. */
export interface Sink {
  /** One piece for the caller; false asks the vendor to pause until `Flow.resume`. */
  data(out: Buffer | string): boolean
  /** The stream is over: in full, or with a failure. */
  end(failure: Failure | undefined): void
}

export interface Flow {
  resume(): void
}

/** What an attempt needs besides the call. */
export interface Attempt {
  call: Call
  rung: Rung
  sending: Sending
  context: ReplyContext
  patience: Patience
  dispatcher: Dispatcher
  record: TryRecord
}

/** How long one try may take, in milliseconds from its start; Infinity for ever. */
export interface Patience {
  /** To the vendor's first byte. */
  readonly firstByteMs: number
  /** Asked once that has passed: how long to wait for the first byte after all; less than what has passed to give up now. */
  longer(): number
  /** To the commit point, because the caller waits no longer for the beginning of an answer. */
  readonly commitMs: number
  /** To the end. */
  readonly totalMs: number
}

/** One try under way. */
export interface Running {
  readonly outcome: Promise<Answer | Failure>
  /** Closes the vendor's request, at any time. */
  readonly cancel: (reason: Failure) => void
}

/**
 * One try at one rung. Resolves with an Answer once it is safe to commit to, or with the Failure for the ladder to
 * weigh; never rejects. `cancel` closes the vendor's request at any time.
 */
export function attempt(one: Attempt): Running {
  const { rung, sending } = one
  const pieces = piecesOf(sending.body)
  const reception = new Reception(one, pieces)
  const outcome = new Promise<Answer | Failure>((resolve) => {
    reception.settle = resolve
  })
  one.dispatcher.dispatch(
    {
      origin: rung.credential.origin,
      path: sending.path,
      method: 'POST',
      headers: pieces === undefined ? sending.headers : { ...sending.headers, 'content-length': lengthOf(pieces) },
      // A list of chunks is written one by one; the types do not say so, the documentation of `body` (iterable) does.
      body: (pieces ?? sending.body) as string | Buffer,
      headersTimeout: 0,
      bodyTimeout: rung.deadlines.idleMs,
    },
    reception,
  )
  return { outcome, cancel: reception.cancel }
}

/**
 * A large body as a list of its own. undici holds a body until its response ends, but of a list, which is emptied once
 * it is sent, only the shell.
 */
function piecesOf(body: Sending['body']): Buffer[] | undefined {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return [...body]
  if (body.length <= heldBytesMax) return undefined
  return [typeof body === 'string' ? Buffer.from(body) : body]
}

/** Said to the vendor, as the caller did: some servers refuse a body of unknown length. */
function lengthOf(pieces: readonly Buffer[]): string {
  return String(pieces.reduce((sum, piece) => sum + piece.length, 0))
}

/** The patience with an answer that has begun. */
function onlyToTheEnd({ totalMs }: Patience): Patience {
  return { firstByteMs: Infinity, longer: () => Infinity, commitMs: Infinity, totalMs }
}

/** What an attempt was asked to do. */
type Asked = Pick<Attempt, 'call' | 'sending' | 'context'>

/** Receives one vendor's response as undici pushes it: synchronous, no stream objects in between. */
class Reception implements Dispatcher.DispatchHandler {
  settle: (outcome: Answer | Failure) => void = () => {}
  readonly #rung: Rung
  /** Let go at the commit point but for its end: to find out about other rungs it holds the call. */
  #patience: Patience
  readonly #startedMs = performance.now()
  readonly #record: TryRecord
  /** Let go at the commit point: a stream may be open for an hour, and its request may be large. */
  #asked: Asked | undefined
  readonly #pieces: Buffer[] | undefined
  #timer: NodeJS.Timeout | undefined
  #firstByteMs: number
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: IncomingHttpHeaders = {}
  #chunks: Buffer[] = []
  #bytes = 0
  #transcoder: Transcoder | undefined
  #first: (Buffer | string)[] = []
  #sink: Sink | undefined
  /** Committed, failed or cancelled: what comes later concerns the sink only. */
  #settled = false
  #over = false

  constructor(one: Attempt, pieces: Buffer[] | undefined) {
    this.#pieces = pieces
    this.#rung = one.rung
    this.#patience = one.patience
    this.#firstByteMs = one.patience.firstByteMs
    this.#record = one.record
    this.#asked = one
    this.#watch(0)
  }

  /** One timer for all of a try's limits: set for the nearest, and looked at anew when it has come. */
  #watch(passedMs: number): void {
    const { commitMs, totalMs } = this.#patience
    const nearestMs = Math.min(totalMs, commitMs, this.#status === 0 ? this.#firstByteMs : Infinity)
    if (nearestMs === Infinity) return
    this.#timer = setTimeout(() => this.#due(), Math.max(0, Math.min(nearestMs - passedMs, timerMsMax)))
  }

  #due(): void {
    if (this.#over) return
    // A timer may come a little early.
    const passedMs = performance.now() - this.#startedMs + 1
    const { commitMs, totalMs } = this.#patience
    if (passedMs >= totalMs) this.#late(`did not finish within ${seconds(totalMs)}.`)
    else if (passedMs >= commitMs)
      this.#late(`did not begin its answer within ${seconds(commitMs)}, which is as long as the caller waits.`)
    else {
      if (this.#status === 0 && passedMs >= this.#firstByteMs) {
        this.#firstByteMs = this.#patience.longer()
        if (passedMs >= this.#firstByteMs) {
          this.#late(`did not answer within ${seconds(this.#firstByteMs)}.`)
          return
        }
      }
      this.#watch(passedMs)
    }
  }

  #late(what: string): void {
    this.#finish(this.#failure('vendor-slow', what))
  }

  /** Whoever holds it holds the reception only, and not the request. */
  readonly cancel = (reason: Failure): void => this.#finish(reason)

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(new Error('cancelled'))
  }

  onRequestSent(): void {
    if (this.#pieces !== undefined) this.#pieces.length = 0
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // Early hints and the like are no answer yet.
    if (status < 200) return
    this.#status = status
    this.#headers = headers
    this.#record.status = status
    const id = headers['request-id'] ?? headers['x-request-id'] ?? headers['x-ds-trace-id']
    if (typeof id === 'string') this.#record.vendorRequestId = id.slice(0, 100)
    if (status !== 200) this.#awaitError()
    if (status !== 200 || this.#asked?.call.head.stream !== true) return
    const type = contentTypeOf(headers)
    // A 200 of another kind is an error body, a proxy's page or a vendor that ignored `stream`: read it whole and see.
    if (!type.startsWith('text/event-stream')) return
    const { sending, call, context } = this.#asked
    this.#transcoder = sending.passes
      ? new Passthrough(sending.dialect, context)
      : new Translation(sending.dialect, call.dialect, this.#rung.vendor.name, context)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
    if (this.#transcoder === undefined) {
      this.#collect(chunk)
      return
    }
    try {
      this.#put(this.#transcoder.push(chunk))
    } catch (thrown) {
      this.#finish(failureOf(thrown))
    }
    this.#weigh(this.#transcoder)
  }

  onResponseEnd(): void {
    if (this.#over) return
    try {
      if (this.#transcoder !== undefined) {
        this.#finishStream(
          this.#transcoder,
          this.#failure('vendor-cut', 'ended its stream before the answer was complete.'),
        )
      } else if (this.#asked !== undefined) this.#finishWhole(this.#asked)
    } catch (thrown) {
      this.#finish(failureOf(thrown))
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return
    const failure = this.#networkFailure(error)
    // A connection that breaks after the last event has broken nothing.
    if (this.#transcoder === undefined) this.#finish(failure)
    else this.#finishStream(this.#transcoder, failure)
  }

  #put(out: Buffer | string): void {
    if (out.length === 0) return
    if (this.#sink === undefined) this.#first.push(out)
    else if (!this.#sink.data(out)) this.#controller?.pause()
  }

  /** After each chunk: has it failed, or may it now be committed to? */
  #weigh(transcoder: Transcoder): void {
    if (this.#over) return
    if (transcoder.failure !== undefined) this.#finish(transcoder.failure)
    else if (transcoder.begun && !this.#settled) this.#commit(transcoder)
  }

  #commit(transcoder: Transcoder): void {
    this.#settled = true
    this.#asked = undefined
    this.#patience = onlyToTheEnd(this.#patience)
    // Nothing flows until the caller's side is attached: what is pushed meanwhile would have nowhere to go.
    this.#controller?.pause()
    this.settle({ type: 'streamed', first: this.#first, transcoder, attach: (sink) => this.#attach(sink) })
  }

  #attach(sink: Sink): Flow {
    this.#sink = sink
    if (this.#over) sink.end(this.#ending)
    else this.#controller?.resume()
    return { resume: () => this.#controller?.resume() }
  }

  #ending: Failure | undefined

  /** Ends a stream: well if its last event was seen, else with what went wrong. */
  #finishStream(transcoder: Transcoder, cut: Failure): void {
    let rest: Buffer | string
    try {
      rest = transcoder.end()
    } catch (thrown) {
      // Half an event at the end is what a cut leaves behind.
      this.#finish(thrown instanceof Failure ? cut : failureOf(thrown))
      return
    }
    if (transcoder.failure !== undefined) this.#finish(transcoder.failure)
    else if (transcoder.complete) {
      this.#put(rest)
      if (!this.#settled) this.#commit(transcoder)
      this.#finish(undefined)
    } else this.#finish(cut)
  }

  /** The status has said what matters: its text is not waited for as long as an answer is. */
  #awaitError(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#endError(), errorMs)
  }

  #endError(): void {
    if (this.#over || this.#asked === undefined) return
    try {
      this.#finishWhole(this.#asked)
    } catch (thrown) {
      this.#finish(failureOf(thrown))
    }
  }

  #collect(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#status !== 200 && this.#bytes > errorBytesMax) {
      this.#endError()
      return
    }
    if (this.#bytes > replyBytesMax)
      this.#finish(this.#failure('vendor-unreadable', `sent more than ${replyBytesMax} bytes.`))
    else this.#chunks.push(chunk)
  }

  #finishWhole({ sending, call, context }: Asked): void {
    const body = Buffer.concat(this.#chunks)
    if (this.#status !== 200) {
      this.#finish(this.#errorAnswer(body, sending))
      return
    }
    const json = parseJson(body.toString())
    if (!isObject(json)) throw this.#failure('vendor-unreadable', 'sent an answer that is no JSON object.')
    if (json.error !== undefined && json.error !== null) {
      this.#finish(this.#errorAnswer(body, sending))
      return
    }
    if (call.head.stream) throw this.#failure('vendor-unreadable', 'did not stream its answer.')
    const answer = whole(json, body, sending, call, this.#rung, context)
    this.#settled = true
    this.settle(answer)
    this.#finish(undefined)
  }

  #errorAnswer(body: Buffer, sending: Sending): Failure {
    const { vendor, model } = this.#rung
    const contentType = contentTypeOf(this.#headers)
    const wire = { dialect: sending.dialect.name, status: this.#status, contentType, body }
    if (this.#status >= 300 && this.#status < 400) {
      return this.#failure('vendor-unreadable', 'answered with a redirect, which is not followed.')
    }
    const error = sending.dialect.failure.read(wire, this.#headers)
    const kind = vendor.classify?.(error) ?? classify(error)
    if (kind === 'vendor-unreadable') {
      return this.#failure(kind, `answered ${this.#status} with what is no error of its API (${error.message}).`)
    }
    const message = aboutUs(kind, vendor.title, model.id) ?? error.message
    const secret = this.#rung.credential.secret.reveal()
    const text = body.toString()
    return new Failure(kind, message.replaceAll(secret, '[key]'), {
      vendor: vendor.name,
      vendorStatus: this.#status,
      model: model.id,
      // Passed on as it came only where it names neither a key nor the operator's account.
      ...(redact(text) === text && !text.includes(secret) ? { wire } : {}),
      // Names of fields and codes mean something in their own dialect only.
      ...(sending.passes && error.code !== undefined ? { code: error.code } : {}),
      ...(sending.passes && error.path !== undefined ? { path: error.path } : {}),
      ...(Number.isFinite(error.retryAfterMs) && {
        retryAfterMs: Math.min(error.retryAfterMs ?? 0, retryAfterMsMax),
      }),
    })
  }

  #networkFailure(error: Error): Failure {
    if (error instanceof Failure) return error
    const cause = { cause: error }
    const code = codeOf(error)
    if (error instanceof errors.BodyTimeoutError) {
      return this.#failure(
        'vendor-slow',
        `fell silent for ${seconds(this.#rung.deadlines.idleMs)} in the middle of its answer.`,
        cause,
      )
    }
    if (this.#status !== 0) return this.#failure('vendor-cut', 'broke off its answer.', cause)
    if (noHttp.test(code)) {
      return this.#failure('vendor-unreadable', `answered with what is no HTTP that can be read (${code}).`, cause)
    }
    if (noTls.test(code)) {
      return this.#failure('vendor-unreachable', `has no certificate or TLS that is accepted (${code}).`, {
        ...cause,
        unsent: true,
      })
    }
    const unsent = notConnected.has(code)
    // Once it was reached, it may have begun the work: only a request that was never sent is free to send again.
    const stale =
      this.#rung.headers === undefined &&
      !unsent &&
      madeBefore(error, this.#startedMs) &&
      performance.now() - this.#startedMs < staleMs
    const what = unsent ? `could not be reached (${code}).` : 'closed the connection before it answered.'
    return this.#failure('vendor-unreachable', what, { ...cause, unsent, stale })
  }

  #failure(
    kind: Failure['kind'],
    what: string,
    details: { cause?: unknown; unsent?: boolean; stale?: boolean } = {},
  ): Failure {
    const { vendor, model } = this.#rung
    return new Failure(kind, `${vendor.title} ${what}`, {
      vendor: vendor.name,
      vendorStatus: this.#status,
      model: model.id,
      ...details,
    })
  }

  /** The one end: closes what is open and tells whoever waits. */
  #finish(failure: Failure | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#ending = failure
    clearTimeout(this.#timer)
    // What a failed try has used is paid for all the same.
    if (failure !== undefined && this.#transcoder !== undefined && !this.#settled)
      this.#record.usage = this.#transcoder.usage
    if (failure !== undefined) {
      this.#controller?.abort(failure)
      if (!this.#settled) this.settle(failure)
    }
    this.#settled = true
    this.#sink?.end(failure)
  }
}

/** What a vendor says to the gateway ("your organization", "your plan") is not said to the caller: ours instead. */
function aboutUs(kind: FailureKind, vendor: string, model: string): string | undefined {
  if (kind === 'vendor-refuses') return `${vendor} refuses the account of this gateway.`
  if (kind === 'vendor-limit') return `${vendor} limits this gateway's rate.`
  if (kind === 'model-unknown') return `${vendor} has no model ${model} for this gateway.`
  return undefined
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toPrecision(3))} s`
}

/** The longest that a timer takes. */
const timerMsMax = 2 ** 31 - 1

/**
 * A connection that had served a call before and closed at once on the next was closed while it was idle, and the request
 * crossed its end on the way. After a longer time the vendor may have begun the work.
 */
const staleMs = 1000

/** A connection that was never made: nothing can have been sent over it. */
const notConnected = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Codes of Node and OpenSSL where a connection was refused by this side, before anything was sent. */
const noTls =
  /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET|VERIFY)_|EPROTO$)/
/** Codes of the parser, for an answer that is none. */
const noHttp = /^(HPE_|UND_ERR_HEADERS_OVERFLOW$)/

/** A header that came twice is a list, whatever the types say. */
function contentTypeOf(headers: IncomingHttpHeaders): string {
  const [type = ''] = [headers['content-type'] ?? []].flat()
  return type
}

function codeOf(error: Error): string {
  const code: unknown = 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'connection failed'
}

/** A whole reply for the caller: the vendor's own bytes, or its events folded into the caller's form. */
function whole(
  json: JsonObject,
  body: Buffer,
  sending: Sending,
  call: Call,
  rung: Rung,
  context: ReplyContext,
): WholeAnswer {
  if (call.purpose === 'count') return counted(json, body, sending, call)
  const events = sending.dialect.reply.unfold(json, rung.vendor.name)
  const known = summary(events)
  const written = sending.passes ? body : JSON.stringify(call.dialect.reply.fold(events, context))
  return { type: 'whole', body: written, ...known }
}

function counted(json: JsonObject, body: Buffer, sending: Sending, call: Call): WholeAnswer {
  const tokens = countOf(sending.dialect).read(json)
  const written = sending.passes ? body : JSON.stringify(countOf(call.dialect).fold(tokens))
  return { type: 'whole', body: written, usage: noUsage, model: undefined }
}

function countOf(dialect: Dialect): NonNullable<Dialect['count']> {
  if (dialect.count === undefined) throw new Error(`${dialect.name} counts no tokens`)
  return dialect.count
}

function summary(events: readonly ReplyEvent[]): { usage: Usage; model: string | undefined } {
  let usage: Usage = noUsage
  let model: string | undefined
  for (const event of events) {
    if (event.type === 'usage') usage = event.usage
    if (event.type === 'start') model = event.model
    if (event.type === 'failure') throw event.failure
  }
  return { usage, model }
}
