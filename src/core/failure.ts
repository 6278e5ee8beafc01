import type { DialectName } from './dialect.ts'

/**
 * Whose doing a failure is. `caller`: the request or its key; `vendor`: the model's maker; `gateway`: Keyrung or how its
 * operator set it up.
 */
export type Blame = 'caller' | 'vendor' | 'gateway'

/**
 * What the ladder may do after a failure, best first; nothing means that no rung can help. `credential`: the same model
 * by another credential of its vendor, at once. `rung`: the next rung, at once. `again`: the same place once more, after a wait.
 */
export type Move = 'credential' | 'rung' | 'again'

/**
 * What a failure tells of the place that it came from (vendor, model, credential). `broken`: it cannot serve now. `limited`: it
 * wants a pause. `refused`: it does not take the credential. `missing`: it has no such model. `nothing`: the request's own.
 */
export type Sign = 'nothing' | 'broken' | 'limited' | 'refused' | 'missing'

interface Row {
  /** The one status of this kind, in every dialect. */
  status: number
  blame: Blame
  moves: readonly Move[]
  sign: Sign
  /** Can the caller's waiting and asking again help? */
  retry: boolean
  /** In plain words, for people: the command line, the docs and the console print the same. */
  cause: string
  fix: string
}

/**
 * Every kind of failure there is, one row each. To add one: add a row here and its names in each dialect's
 * `failure.ts` (the compiler asks for them).
 */
export const failures = {
  'request-invalid': {
    status: 400,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: false,
    cause: 'The request breaks a rule of the API it was sent to.',
    fix: 'Correct the field that the message names.',
  },
  unsupported: {
    status: 400,
    blame: 'caller',
    moves: ['rung'],
    sign: 'nothing',
    retry: false,
    cause: 'The model asked for cannot do what a field of the request demands.',
    fix: 'Leave the field out, or ask a model that can do it.',
  },
  'prompt-too-long': {
    status: 400,
    blame: 'caller',
    moves: ['rung'],
    sign: 'nothing',
    retry: false,
    cause: "The prompt does not fit into the model's context window.",
    fix: 'Shorten the conversation, or ask a model with a larger window.',
  },
  'content-refused': {
    status: 400,
    blame: 'caller',
    moves: ['rung'],
    sign: 'nothing',
    retry: false,
    cause: "The vendor's content policy refuses the prompt.",
    fix: 'Change the prompt; another vendor may judge it otherwise.',
  },
  'key-missing': {
    status: 401,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: false,
    cause: 'The request carries no key.',
    fix: 'Send your Keyrung key as "x-api-key: KEY" or "Authorization: Bearer KEY".',
  },
  'key-wrong': {
    status: 401,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: false,
    cause: 'The key is not one that this gateway gave out.',
    fix: 'Check that the whole key was copied, without spaces or quotes.',
  },
  'not-allowed': {
    status: 403,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: false,
    cause: 'The key may not do this.',
    fix: 'Ask the operator of this gateway for the permission.',
  },
  'path-unknown': {
    status: 404,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: false,
    cause: 'There is nothing at this path.',
    fix: 'Check the base URL: Anthropic SDKs take it without /v1, OpenAI SDKs with /v1.',
  },
  'model-unknown': {
    status: 404,
    blame: 'caller',
    moves: ['credential', 'rung'],
    sign: 'missing',
    retry: false,
    cause: 'No vendor behind this gateway has a model of this name.',
    fix: 'GET /v1/models lists the names.',
  },
  'method-wrong': {
    status: 405,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: false,
    cause: 'The path exists, but not for this HTTP method.',
    fix: 'Use the method that the message names.',
  },
  'body-slow': {
    status: 408,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: true,
    cause: 'The body of the request stopped coming.',
    fix: 'Check the connection between the caller and the gateway.',
  },
  conflict: {
    status: 409,
    blame: 'caller',
    moves: ['rung', 'again'],
    sign: 'nothing',
    retry: true,
    cause: 'Something else is changing the same thing at the same time.',
    fix: 'Ask again.',
  },
  'body-too-large': {
    status: 413,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: false,
    cause: 'The body of the request is larger than allowed.',
    fix: 'Send fewer or smaller images and files, or a shorter conversation.',
  },
  'content-type-wrong': {
    status: 415,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: false,
    cause: 'The body is in an encoding that this gateway does not read.',
    fix: 'Send plain JSON with "content-type: application/json" and no content-encoding.',
  },
  'plan-limit': {
    status: 429,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: true,
    cause: "The rate limit of your key's plan is reached.",
    fix: 'Wait as long as Retry-After says, or ask the operator for a larger plan.',
  },
  'plan-budget': {
    status: 429,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: false,
    cause: "The budget of your key's plan is used up.",
    fix: 'Wait for the next period, or ask the operator for a larger plan.',
  },
  'caller-gone': {
    status: 499,
    blame: 'caller',
    moves: [],
    sign: 'nothing',
    retry: false,
    cause: 'The caller closed the connection before the answer was complete.',
    fix: "Raise the caller's timeout if this was not meant.",
  },
  'vendor-limit': {
    status: 429,
    blame: 'vendor',
    moves: ['credential', 'rung', 'again'],
    sign: 'limited',
    retry: true,
    cause: "The vendor limits this gateway's rate.",
    fix: "Ask again after a pause, as long as Retry-After says where it is given, or ask another vendor's model.",
  },
  'vendor-refuses': {
    status: 502,
    blame: 'gateway',
    moves: ['credential', 'rung'],
    sign: 'refused',
    retry: false,
    cause: "The vendor refuses this gateway's own key or account, or its credit there is used up.",
    fix: "The operator must mend the vendor's key or account; nothing in the request is wrong.",
  },
  'vendor-keyless': {
    status: 502,
    blame: 'gateway',
    moves: ['rung'],
    sign: 'nothing',
    retry: false,
    cause: 'This gateway has no key for the vendor, and the sandbox is off.',
    fix: "The operator must set the vendor's key and start the gateway again.",
  },
  'vendor-broken': {
    status: 500,
    blame: 'vendor',
    moves: ['rung', 'again'],
    sign: 'broken',
    retry: true,
    cause: 'The vendor failed while answering.',
    fix: 'Ask again; if it goes on, ask another model.',
  },
  'vendor-unreachable': {
    status: 502,
    blame: 'vendor',
    moves: ['rung', 'again'],
    sign: 'broken',
    retry: true,
    cause: "The vendor's server could not be reached, or closed the connection before it answered.",
    fix: 'Ask again; if it goes on, the operator should check the network and the vendor’s origin.',
  },
  'vendor-unreadable': {
    status: 502,
    blame: 'vendor',
    moves: ['rung', 'again'],
    sign: 'broken',
    retry: true,
    cause: "The vendor's answer is not what its API promises.",
    fix: 'Ask again; if it goes on, a proxy on the way may be answering instead of the vendor.',
  },
  'vendor-cut': {
    status: 502,
    blame: 'vendor',
    moves: ['rung', 'again'],
    sign: 'broken',
    retry: true,
    cause: "The vendor's answer broke off before its end.",
    fix: 'Ask again; what came before the cut is not the whole answer.',
  },
  'vendor-slow': {
    status: 504,
    blame: 'vendor',
    moves: ['rung', 'again'],
    sign: 'broken',
    retry: true,
    cause: 'The vendor did not answer in time.',
    fix: 'Ask again, stream the answer, or ask a faster model.',
  },
  'vendor-overloaded': {
    status: 529,
    blame: 'vendor',
    moves: ['rung', 'again'],
    sign: 'broken',
    retry: true,
    cause: 'The vendor has more calls than it can take.',
    fix: "Ask again after a pause, or ask another vendor's model.",
  },
  'gateway-fault': {
    status: 500,
    blame: 'gateway',
    moves: [],
    sign: 'nothing',
    retry: true,
    cause: 'A bug in the gateway.',
    fix: 'Ask again, and give the operator the request id.',
  },
  'gateway-full': {
    status: 529,
    blame: 'gateway',
    moves: [],
    sign: 'nothing',
    retry: true,
    cause: 'The gateway is stopping or has as many calls as it may.',
    fix: 'Ask again after the time in Retry-After.',
  },
} as const satisfies Record<string, Row>

export type FailureKind = keyof typeof failures

interface FailureDetails {
  /** The field of the request it is about, in the caller's own spelling: `messages.0.content`. */
  path?: string
  /** A finer name in OpenAI's `code`, where its SDKs know one: `unsupported_parameter`. */
  code?: string
  /** When a retry can succeed, counted from now; only what the vendor or a limit really said. */
  retryAfterMs?: number
  /** Overrides the row's `fix`. */
  fix?: string
  /** The vendor that answered or should have. */
  vendor?: string
  /** The vendor's status, for the receipt. */
  vendorStatus?: number
  /** The vendor's answer as it came: it may be passed on where the caller speaks the same dialect. */
  wire?: Wire
  /** The model the failure is about. */
  model?: string
  /** The request surely never reached the vendor: trying once more costs nothing. */
  unsent?: boolean
  /** So, and nobody's doing: a connection that was kept for the next call had been closed meanwhile. Implies `unsent`. */
  stale?: boolean
  cause?: unknown
}

/** A vendor's failure as bytes. */
export interface Wire {
  /** The dialect it was spoken in, once known. */
  dialect?: DialectName
  status: number
  contentType: string
  body: Uint8Array
}

/**
 * The one error class: everything that ends a call before its natural end. The message is for the caller: it names no
 * secret, no prompt text, no address and no account of the operator. Whatever else is thrown is a bug of ours and
 * becomes a `gateway-fault`.
 */
export class Failure extends Error {
  readonly kind: FailureKind
  readonly path?: string
  readonly code?: string
  readonly retryAfterMs?: number
  readonly fix: string
  readonly vendor?: string
  readonly vendorStatus?: number
  readonly wire?: Wire
  readonly model?: string
  readonly unsent: boolean
  readonly stale: boolean

  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Failure'
    this.kind = kind
    this.fix = details.fix ?? failures[kind].fix
    this.stale = details.stale ?? false
    this.unsent = this.stale || (details.unsent ?? false)
    if (details.path !== undefined) this.path = details.path
    if (details.code !== undefined) this.code = details.code
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
    if (details.vendor !== undefined) this.vendor = details.vendor
    if (details.vendorStatus !== undefined) this.vendorStatus = details.vendorStatus
    if (details.wire !== undefined) this.wire = details.wire
    if (details.model !== undefined) this.model = details.model
  }

  get status(): number {
    return failures[this.kind].status
  }

  get blame(): Blame {
    return failures[this.kind].blame
  }

  get moves(): readonly Move[] {
    return failures[this.kind].moves
  }

  get sign(): Sign {
    return this.stale ? 'nothing' : failures[this.kind].sign
  }

  /** Can waiting and asking again help? */
  get retry(): boolean {
    return failures[this.kind].retry
  }

  /** The same failure, told later: the time until a retry has grown shorter. */
  after(retryAfterMs: number): Failure {
    const { path, code, fix, vendor, vendorStatus, wire, model, unsent, stale, cause } = this
    return new Failure(this.kind, this.message, {
      ...(path !== undefined && { path }),
      ...(code !== undefined && { code }),
      ...(vendor !== undefined && { vendor }),
      ...(vendorStatus !== undefined && { vendorStatus }),
      ...(wire !== undefined && { wire }),
      ...(model !== undefined && { model }),
      fix,
      unsent,
      stale,
      cause,
      retryAfterMs,
    })
  }
}

/** What was thrown, as a Failure: anything else is a bug of ours. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  return new Failure('gateway-fault', 'The gateway met a bug of its own while serving this call.', { cause: thrown })
}

/** The failure with its field named as the caller's dialect spells it: writers of other dialects use the core's name. */
export function spelled(failure: Failure, names: Readonly<Record<string, string>>): Failure {
  const { kind, path, message } = failure
  const name = kind === 'unsupported' && path !== undefined && Object.hasOwn(names, path) ? names[path] : undefined
  if (path === undefined || name === undefined) return failure
  const { code, model, fix } = failure
  return new Failure(
    kind,
    message.replace(path, () => name),
    {
      path: name,
      fix,
      ...(code !== undefined && { code }),
      ...(model !== undefined && { model }),
    },
  )
}

/** A 400 for what the target model cannot do: names the field as the caller wrote it. */
export function unsupported(path: string, what: string, model: string): Failure {
  return new Failure('unsupported', `${path}: ${what} is not supported by ${model}.`, {
    path,
    code: 'unsupported_parameter',
    model,
  })
}
