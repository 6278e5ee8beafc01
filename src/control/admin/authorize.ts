import type { IncomingMessage } from 'node:http'
import { callerKeyParts } from '../../core/key.ts'
import type { ControlService, Scope, Token } from '../service.ts'
import { Refusal } from './refusal.ts'
import type { Strikes } from './strikes.ts'

/** Whoever asks, and what they showed. */
export interface Holder {
  readonly token: Token
  readonly secret: string
}

interface Gate {
  readonly service: Pick<ControlService, 'tokens'>
  readonly strikes: Strikes
  readonly addressOf: (request: IncomingMessage) => string
  readonly nowMs: () => number
}

/**
 * Who asks, and whether they may. Throws Refusal 401, 403, or 429 after too many wrong tokens from one address. A token
 * that is unknown, revoked or expired has one answer, so that nobody learns which it is.
 */
export function authorize(
  request: IncomingMessage,
  scope: Scope,
  { service, strikes, addressOf, nowMs }: Gate,
): Holder {
  const address = addressOf(request)
  const waitMs = strikes.waitMs(address, nowMs())
  if (waitMs > 0) {
    throw new Refusal(429, 'tokens-wrong', 'Too many wrong tokens came from this address.', {
      fix: 'Wait as long as Retry-After says, then send a token that is right.',
      headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
    })
  }
  const secret = bearer(request)
  const token = looksRight(secret) ? service.tokens.identify(secret) : undefined
  if (token === undefined) {
    strikes.add(address, nowMs())
    throw unauthorized('token-wrong', wrongToken(secret))
  }
  if (!token.scopes.some((one) => rank[one] >= rank[scope])) {
    throw new Refusal(403, 'scope-narrow', `This needs a token with the scope '${scope}'.`, {
      fix: `Yours has ${token.scopes.map((one) => `'${one}'`).join(', ') || 'none'}. A token with the scope 'all' can make another.`,
      headers: { 'www-authenticate': `Bearer realm="${realm}", error="insufficient_scope", scope="${scope}"` },
    })
  }
  return { token, secret }
}

/** Throws Refusal 401 where the token holds no longer: a body may have come slowly. */
export function reauthorize(holder: Holder, service: Pick<ControlService, 'tokens'>): void {
  if (!holds(holder, service)) throw unauthorized('token-wrong', wrongToken(holder.secret))
}

/** Does the token still hold? For what lasts longer than a moment. */
export function holds({ token, secret }: Holder, { tokens }: Pick<ControlService, 'tokens'>): boolean {
  return tokens.identify(secret)?.id === token.id
}

/** Each holds what the ones before it do. */
const rank: Readonly<Record<Scope, number>> = { read: 0, keys: 1, all: 2 }

const realm = 'keyrung admin'
const prefix = 'kra_'

/** Longer than any token; nothing longer is looked up. */
const charactersMax = 200

function looksRight(secret: string): boolean {
  return secret.startsWith(prefix) && secret.length <= charactersMax
}

function bearer(request: IncomingMessage): string {
  const given = request.headers.authorization
  if (given === undefined || given === '') {
    const fix = 'Send the header "authorization: Bearer kra_…"; no other header is read.'
    throw unauthorized('token-missing', 'No admin token was sent.', fix)
  }
  const [, secret] = /^bearer +(\S+) *$/i.exec(given) ?? []
  if (secret === undefined || twice(request)) {
    throw unauthorized('token-wrong', 'The header authorization is not one "Bearer TOKEN".')
  }
  return secret
}

/** Two such headers, of which Node keeps the first. */
function twice(request: IncomingMessage): boolean {
  const names = request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization')
  return names.length > 1
}

function unauthorized(code: string, message: string, fix?: string): Refusal {
  const error = code === 'token-missing' ? '' : ', error="invalid_token"'
  return new Refusal(401, code, message, {
    fix: fix ?? 'Send an admin token that is in force, as "authorization: Bearer kra_…".',
    headers: { 'www-authenticate': `Bearer realm="${realm}"${error}` },
  })
}

/** A key that opens another door is named as such; of what was sent nothing is repeated. */
function wrongToken(secret: string): string {
  if (looksRight(secret)) return 'The token is not known here, was revoked, or has expired.'
  if (isCallerKey(secret)) return "This is a caller's key: it opens the models, and never this API."
  return `This is no admin token: those begin with ${prefix}.`
}

/** After its prefix, which each operator chooses, a caller's key has a form and a checksum of its own. */
function isCallerKey(secret: string): boolean {
  return callerKeyParts(secret, secret.slice(0, Math.max(0, secret.length - callerKeyCharacters)))?.intact === true
}

/** What follows the prefix: id, secret and checksum. */
const callerKeyCharacters = 46
