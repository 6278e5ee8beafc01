import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Caller } from '../core/caller.ts'
import { Failure } from '../core/failure.ts'
import { callerKeyParts } from '../core/key.ts'
import type { Snapshot } from '../core/snapshot.ts'
import { inNetworks } from './rights.ts'

/** Step 1: who calls. Throws Failure `key-missing` or `key-wrong`; the message shows of a key its beginning and length only. */
export function identify(snapshot: Snapshot, request: IncomingMessage, nowMs = Date.now()): Caller {
  const { key, header } = credential(request.headers)
  if (key === undefined) throw new Failure('key-missing', 'No key was sent.')
  const caller = known(snapshot, key, nowMs)
  if (caller !== undefined) return usable(caller, snapshot, request, nowMs)
  throw new Failure('key-wrong', `${wrongKey(snapshot, key)} It came in the header ${header}.`)
}

/** Throws Failure `key-wrong` where a key that was identified holds no longer. */
export function checkHolds({ callers, callersByDigest }: Snapshot, { id, digest, declared }: Caller): void {
  const caller = declared === true ? callersByDigest.get(Buffer.from(digest).toString('hex')) : callers.get(id)
  if (caller !== undefined) checkState(caller, Date.now())
}

function usable(caller: Caller, { trustedProxies }: Snapshot, request: IncomingMessage, nowMs: number): Caller {
  checkState(caller, nowMs)
  if (caller.networks !== undefined && !inNetworks(caller.networks, addressOf(request, trustedProxies))) {
    throw new Failure('not-allowed', `The key ${caller.id} may not be used from this address.`)
  }
  return caller
}

/** What is wrong with a key is told to those who hold it, and to nobody else. */
function checkState({ id, state, expiresMs }: Caller, nowMs: number): void {
  const refused = (what: string, fix: string): Failure => new Failure('key-wrong', `The key ${id} ${what}.`, { fix })
  if (state === 'revoked') throw refused('was revoked', 'Ask the operator of this gateway for a new one.')
  if (state === 'disabled') throw refused('is disabled', 'Ask the operator of this gateway to enable it.')
  if (expiresMs !== undefined && expiresMs <= nowMs) {
    throw refused(`expired at ${new Date(expiresMs).toISOString()}`, 'Ask the operator of this gateway for a new one.')
  }
}

/** Where the request comes from: the last address that no trusted proxy has. */
export function addressOf({ socket, headers }: IncomingMessage, trustedProxies: readonly string[]): string {
  const own = socket.remoteAddress ?? ''
  if (trustedProxies.length === 0) return own
  const told = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  const chain = [...told, own]
  return chain.findLast((address) => !inNetworks(trustedProxies, address)) ?? own
}

interface Credential {
  key: string | undefined
  header: string
}

/** The key of a request, whichever header its SDK uses. Two different keys in one request are refused. */
function credential(headers: IncomingHttpHeaders): Credential {
  let found: Credential = { key: undefined, header: '' }
  const take = (header: string, value: string | string[] | undefined): void => {
    if (typeof value !== 'string' || value === '') return
    if (found.key !== undefined && found.key !== value) {
      throw new Failure('key-wrong', `The headers ${found.header} and ${header} carry different keys.`, {
        fix: 'Send one of them, or the same key in both.',
      })
    }
    found = { key: value, header }
  }
  const authorization = headers.authorization
  if (authorization !== undefined) {
    const bearer = /^bearer\b *(.*)$/i.exec(authorization)
    if (bearer === null) {
      throw new Failure('key-wrong', 'The header authorization is not of the form "Bearer KEY".')
    }
    take('authorization', bearer[1]?.trim())
  }
  take('x-api-key', headers['x-api-key'])
  take('x-goog-api-key', headers['x-goog-api-key'])
  take('api-key', headers['api-key'])
  return found
}

function known(snapshot: Snapshot, key: string, nowMs: number): Caller | undefined {
  const parts = callerKeyParts(key, snapshot.keyPrefix)
  const own = parts?.intact === true
  // Without declared keys, a mistyped one is known by its checksum, without looking anything up.
  if (!own && snapshot.callersByDigest.size === 0) return undefined
  const digest = snapshot.digest(key)
  // Declared by the operator: any text, also a key that another Keyrung made, found by its digest.
  const declared = snapshot.callersByDigest.get(digest.toString('hex'))
  if (declared !== undefined || !own) return declared
  const caller = snapshot.callers.get(parts.id)
  // An unknown id costs the same as a wrong secret.
  const none = Buffer.alloc(digest.length)
  const current = timingSafeEqual(digest, caller?.digest ?? none)
  const former = timingSafeEqual(digest, caller?.former?.digest ?? none) && (caller?.former?.untilMs ?? 0) > nowMs
  return current || former ? caller : undefined
}

/** Whose keys begin how: so that a key sent to the wrong door is named as such. */
const foreignKeys: readonly (readonly [RegExp, string])[] = [
  [/^sk-ant-/, "an Anthropic key (it begins with 'sk-ant-')"],
  [/^(sk-proj-|sk-svcacct-|sk-admin-)/, "an OpenAI key (it begins with 'sk-proj-')"],
  [/^AIza/, "a Google key (it begins with 'AIza')"],
  [/^xai-/, "an xAI key (it begins with 'xai-')"],
]

function wrongKey(snapshot: Snapshot, key: string): string {
  for (const [pattern, name] of foreignKeys) {
    if (pattern.test(key)) return `The key is ${name}; this gateway wants a key of its own.`
  }
  const parts = callerKeyParts(key, snapshot.keyPrefix)
  const shown = `'${visible(key.slice(0, snapshot.keyPrefix.length))}…' (${key.length} characters)`
  if (parts !== undefined && !parts.intact) return `The key ${shown} is mistyped: its checksum does not fit.`
  return `The key ${shown} is not known here.`
}

/** Only what may stand in a message: letters, digits, `-` and `_`. */
function visible(text: string): string {
  return text.replace(/[^\w-]/g, '?')
}
