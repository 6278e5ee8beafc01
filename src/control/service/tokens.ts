import { timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import { callerKeyParts, newCallerKey } from '../../core/key.ts'
import { ControlError, type ControlService, type Token } from '../service.ts'
import type { Store } from '../store/index.ts'
import type { TokenRecord } from '../store/tokens.ts'
import { conflict, notFound, type Changes } from './changes.ts'
import { checked, unfit } from './check.ts'
import { text, time } from './fields.ts'

/** How admin tokens begin; no caller's key does. */
export const tokenPrefix = 'kra_'

const tokenInput = z.strictObject({
  name: text(100),
  scopes: z
    .array(z.enum(['read', 'keys', 'all']))
    .min(1)
    .max(3)
    .refine((scopes) => new Set(scopes).size === scopes.length, 'must name each scope once'),
  expiresAt: time.optional(),
})

/** How many tokens there can be that are not revoked. */
const tokensMax = 1000

/** Longer than any token; nothing longer is looked at. */
const charactersMax = 200

/** How old `lastUsedAt` may become before it is written anew. */
const lastUsedStepMs = 60_000

interface Needs {
  readonly store: Store
  readonly changes: Changes
  readonly digest: (key: string) => Uint8Array
  readonly nowMs: () => number
}

/** Tokens of the admin API. All are in memory: what is sent by strangers is never asked of the database. */
export function tokenService({ store, changes, digest, nowMs }: Needs): ControlService['tokens'] {
  const tokens = new Map(store.tokens.all().map((record) => [record.token.id, record]))
  const set = (record: TokenRecord): void => {
    tokens.set(record.token.id, record)
  }
  const use = (record: TokenRecord): Token => {
    const { token } = record
    if (nowMs() - (token.lastUsedAt ?? 0) < lastUsedStepMs) return token
    const used = { ...token, lastUsedAt: nowMs() }
    set({ ...record, token: used })
    try {
      changes.make(() => store.tokens.used(token.id, nowMs()))
    } catch (error) {
      // Nobody is kept out because the database cannot be written at this moment; the next minute tries again.
      if (!(error instanceof ControlError)) throw error
    }
    return used
  }
  return {
    create(input, by) {
      const { name, scopes, expiresAt } = checked(tokenInput, input)
      if (expiresAt !== undefined && expiresAt <= nowMs()) throw unfit('expiresAt', 'must be in the future')
      if ([...tokens.values()].filter(({ token }) => token.state === 'active').length >= tokensMax) {
        throw conflict('tokens-full', `There are ${tokensMax} tokens, and no more can be.`, 'Revoke one.')
      }
      const { key: secret, id } = newCallerKey(tokenPrefix)
      const times = { createdAt: nowMs(), expiresAt, lastUsedAt: undefined }
      const token: Token = { id, name, scopes, ...times, state: 'active' }
      const record = { token, digest: Uint8Array.from(digest(secret)) }
      changes.make(() => {
        store.tokens.add(record)
        changes.note(by, 'token.create', `token:${id}`, undefined, shown(token))
        changes.kept(() => set(record))
      })
      return { token, secret }
    },
    list: () => [...tokens.values()].map(({ token }) => token),
    revoke(id, by) {
      const record = tokens.get(id)
      if (record === undefined) throw notFound('token', 'List the tokens to see their ids.')
      const { token } = record
      if (token.state === 'revoked') return token
      const revoked: Token = { ...token, state: 'revoked' }
      changes.make(() => {
        store.tokens.revoke(id)
        changes.note(by, 'token.revoke', `token:${id}`, shown(token), shown(revoked))
        changes.kept(() => set({ ...record, token: revoked }))
      })
      return revoked
    },
    identify(secret) {
      if (typeof secret !== 'string' || secret.length > charactersMax) return undefined
      const id = callerKeyParts(secret, tokenPrefix)?.id ?? ''
      const record = tokens.get(id)
      const sent = digest(secret)
      // For those that nobody has there is the same work to do, and nothing that fits.
      const fits = timingSafeEqual(sent, record?.digest ?? new Uint8Array(sent.length))
      if (!fits || record === undefined || !holds(record.token, nowMs())) return undefined
      return use(record)
    },
  }
}

function holds({ state, expiresAt }: Token, nowMs: number): boolean {
  return state === 'active' && (expiresAt === undefined || nowMs < expiresAt)
}

/** A token as it stands in the audit log: when it was last used is no part of a change. */
function shown(token: Token): Token {
  return { ...token, lastUsedAt: undefined }
}
