import {
  ControlError,
  type Actor,
  type AuditEntry,
  type ControlService,
  type Key,
  type Owner,
  type Page,
  type PlanView,
  type ReceiptView,
  type Scope,
  type Token,
  type UsageRow,
  type VendorCredential,
} from '../../../src/control/service.ts'
import { newCallerKey } from '../../../src/core/key.ts'
import { randomId } from '../../../src/core/id.ts'
import { noUsage } from '../../../src/core/event.ts'

/** A control plane in memory, with the manners of the real one: what the HTTP API is tried on. */
export interface FakeControl extends ControlService {
  /** What was asked of it, by name, in order: `keys.create`. */
  readonly asked: string[]
  /** Throws this from every method but `tokens.identify` while it is set. */
  trouble: Error | undefined
  /** What happens just before a method does its work: another process is faster. */
  meddle: ((method: string) => void) | undefined
  /** How exports are made, and how far the last one came. */
  readonly exported: { pieces: number; ended: boolean; piecesMax: number; pieceBytes: number; breaksAt: number }
}

/** 2026-11-25T16:00:00Z: what the clock says in these tests, unless it is moved on. */
export const startMs = Date.UTC(2026, 10, 25, 16)

/** A control plane with a plan, an owner, a credential and a few receipts; every method notes that it was called. */
export function fakeControl(nowMs: () => number): FakeControl {
  const asked: string[] = []
  const exported = { pieces: 0, ended: false, piecesMax: 3, pieceBytes: 100, breaksAt: Infinity }
  const audit: AuditEntry[] = []
  const note = (by: Actor, action: string, target: string, before: unknown, after: unknown): void => {
    audit.unshift({ id: audit.length + 1, at: nowMs(), actor: by, action, target, before, after })
  }
  const parts: ControlService = {
    ...keysAndOwners(nowMs, note),
    plans: plans(note),
    tokens: tokens(nowMs, note),
    credentials: credentials(note),
    usage: usage(exported),
    audit: {
      list: ({ actor, limit = 50, cursor }) =>
        paged(
          audit.filter((one) => (actor ?? one.actor.id) === one.actor.id),
          limit,
          cursor,
        ),
    },
  }
  const fake = { asked, exported, trouble: undefined, meddle: undefined } as Pick<
    FakeControl,
    'asked' | 'exported' | 'trouble' | 'meddle'
  >
  const watched = Object.entries(parts).map(([part, methods]) => [
    part,
    Object.fromEntries(
      Object.entries(methods as Record<string, (...input: unknown[]) => unknown>).map(([method, does]) => [
        method,
        (...input: unknown[]) => {
          asked.push(`${part}.${method}`)
          if (fake.trouble !== undefined && method !== 'identify') throw fake.trouble
          fake.meddle?.(`${part}.${method}`)
          return does(...input)
        },
      ]),
    ),
  ])
  return Object.assign(fake, Object.fromEntries(watched) as unknown as ControlService)
}

/** What a key has where nothing is said. */
const unsaid = { plan: 'basic', sandbox: false }

type Note = (by: Actor, action: string, target: string, before: unknown, after: unknown) => void

function keysAndOwners(nowMs: () => number, note: Note): Pick<ControlService, 'keys' | 'owners'> {
  const keys = new Map<string, Key>()
  const owners = new Map<string, Owner>()
  const key = (id: string): Key => found(keys.get(id), `There is no key ${id}.`)
  const owner = (id: string): Owner => ({
    ...found(owners.get(id), `There is no owner ${id}.`),
    keys: [...keys.values()].filter((one) => one.owner === id).length,
  })
  const put = (next: Key, by: Actor, action: string): Key => {
    const before = keys.get(next.id)
    keys.set(next.id, next)
    note(by, action, `key:${next.id}`, before, next)
    return next
  }
  const turned = (id: string, state: Key['state'], by: Actor): Key => {
    const before = key(id)
    if (before.state === 'revoked') throw new ControlError(409, 'key-revoked', 'The key was revoked.')
    return put({ ...before, state, changedAt: nowMs(), version: before.version + 1 }, by, `key.${state}`)
  }
  return {
    keys: {
      create(input, by) {
        if (input.plan === 'no-such-plan') {
          throw new ControlError(422, 'plan-unknown', 'There is no such plan.', { path: 'plan' })
        }
        const made = newCallerKey('sk-aic-')
        const next: Key = {
          ...input,
          id: made.id,
          plan: input.plan ?? unsaid.plan,
          sandbox: input.sandbox ?? unsaid.sandbox,
          state: 'active',
          createdAt: nowMs(),
          changedAt: nowMs(),
          formerUntil: undefined,
          lastUsedAt: undefined,
          version: 1,
        }
        return { key: put(next, by, 'key.create'), secret: made.key }
      },
      list: ({ prefix = '', state, limit = 50, cursor }) =>
        paged(
          [...keys.values()].filter((one) => one.name.startsWith(prefix) && (state ?? one.state) === one.state),
          limit,
          cursor,
        ),
      get: key,
      change(id, change, version, by) {
        const before = key(id)
        fits(before.version, version)
        return put({ ...unsaid, ...changed(before, change, nowMs()) }, by, 'key.change')
      },
      disable: (id, by) => turned(id, 'disabled', by),
      enable: (id, by) => turned(id, 'active', by),
      revoke: (id, by) => turned(id, 'revoked', by),
      rotate(id, graceMs = 86_400_000, by) {
        const before = key(id)
        const next = { ...before, formerUntil: nowMs() + graceMs, changedAt: nowMs(), version: before.version + 1 }
        return { key: put(next, by, 'key.rotate'), secret: newCallerKey('sk-aic-').key }
      },
    },
    owners: {
      create(input, by) {
        const id = randomId(8)
        const next: Owner = { ...input, id, keys: 0, createdAt: nowMs(), changedAt: nowMs(), version: 1 }
        owners.set(id, next)
        note(by, 'owner.create', `owner:${id}`, undefined, next)
        return next
      },
      list: ({ prefix = '', limit = 50, cursor }) =>
        paged(
          [...owners.values()].filter((one) => one.name.startsWith(prefix)),
          limit,
          cursor,
        ),
      get: owner,
      change(id, change, version, by) {
        const before = owner(id)
        fits(before.version, version)
        const next = changed(before, change, nowMs())
        owners.set(id, next)
        note(by, 'owner.change', `owner:${id}`, before, next)
        return next
      },
      remove(id, version, by) {
        const before = owner(id)
        fits(before.version, version)
        if (before.keys > 0) throw new ControlError(409, 'owner-has-keys', 'The owner has keys.')
        owners.delete(id)
        note(by, 'owner.remove', `owner:${id}`, before, undefined)
      },
    },
  }
}

/** The next version: null removes, what is left out stays. */
function changed<Thing extends { version: number }>(before: Thing, change: object, nowMs: number): Thing {
  const next = { ...before, changedAt: nowMs, version: before.version + 1 } as Record<string, unknown>
  for (const [field, value] of Object.entries(change)) {
    if (value === null) delete next[field]
    else next[field] = value
  }
  return next as unknown as Thing
}

function plans(note: Note): ControlService['plans'] {
  const basic: PlanView = {
    name: 'basic',
    limits: { requestsPerMinute: 60, nanoDollarsPerDay: 2_500_000_000 },
    ownerLimits: {},
    source: 'shipped',
    keys: 0,
    version: 1,
  }
  const all = new Map([['basic', basic]])
  const plan = (name: string): PlanView => found(all.get(name), `There is no plan ${name}.`)
  const ours = (before: PlanView | undefined): void => {
    if (before?.source === 'shipped') throw new ControlError(409, 'plan-shipped', 'The plan is shipped.')
  }
  return {
    list: () => [...all.values()],
    get: plan,
    put(next, version, by) {
      const before = all.get(next.name)
      ours(before)
      if (before !== undefined) fits(before.version, version)
      const made: PlanView = { ...next, source: 'api', keys: 0, version: (before?.version ?? 0) + 1 }
      all.set(next.name, made)
      note(by, 'plan.put', `plan:${next.name}`, before, made)
      return made
    },
    remove(name, version, by) {
      const before = plan(name)
      ours(before)
      fits(before.version, version)
      all.delete(name)
      note(by, 'plan.remove', `plan:${name}`, before, undefined)
    },
  }
}

function tokens(nowMs: () => number, note: Note): ControlService['tokens'] {
  const bySecret = new Map<string, string>()
  const all = new Map<string, Token>()
  return {
    create(input: { name: string; scopes: readonly Scope[]; expiresAt?: number | undefined }, by) {
      const { key: secret, id } = newCallerKey('kra_')
      const { name, scopes, expiresAt } = input
      const token: Token = { id, name, scopes, createdAt: nowMs(), expiresAt, lastUsedAt: undefined, state: 'active' }
      all.set(id, token)
      bySecret.set(secret, id)
      note(by, 'token.create', `token:${id}`, undefined, token)
      return { token, secret }
    },
    list: () => [...all.values()],
    revoke(id, by) {
      const before = found(all.get(id), `There is no token ${id}.`)
      const token: Token = { ...before, state: 'revoked' }
      all.set(id, token)
      note(by, 'token.revoke', `token:${id}`, before, token)
      return token
    },
    identify(secret) {
      const token = all.get(bySecret.get(secret) ?? '')
      return token?.state === 'active' && (token.expiresAt ?? Infinity) > nowMs() ? token : undefined
    },
  }
}

function credentials(note: Note): ControlService['credentials'] {
  const all = new Map<string, VendorCredential>()
  return {
    list: () => [...all.values()],
    put({ vendor, name, secret, weight = 1, origin, callsMax }, version, by) {
      const before = all.get(`${vendor}/${name}`)
      if (before !== undefined) fits(before.version, version)
      if (vendor === 'no-such-vendor') throw new ControlError(404, 'vendor-unknown', 'There is no such vendor.')
      if (secret === undefined && (before === undefined || before.origin !== origin)) {
        throw new ControlError(422, 'secret-missing', 'The secret is needed.', { path: 'secret' })
      }
      const last4 = secret?.slice(-4) ?? before?.last4 ?? ''
      const next = { vendor, name, last4, weight, origin, callsMax, source: 'api', version: (before?.version ?? 0) + 1 }
      all.set(`${vendor}/${name}`, next)
      note(by, 'credential.put', `credential:${vendor}/${name}`, before, next)
      return next
    },
    remove(vendor, name, version, by) {
      const before = found(all.get(`${vendor}/${name}`), 'There is no such credential.')
      fits(before.version, version)
      all.delete(`${vendor}/${name}`)
      note(by, 'credential.remove', `credential:${vendor}/${name}`, before, undefined)
    },
  }
}

function usage(exported: FakeControl['exported']): ControlService['usage'] {
  const receipts = Array.from({ length: 5 }, (_, index) => receipt(index))
  return {
    query: ({ groupBy, limit = 1000 }) => Array.from({ length: Math.min(limit, 3) }, (_, index) => row(groupBy, index)),
    receipts: ({ from, to, limit = 50, cursor }) =>
      paged(
        receipts.filter((one) => one.startedAt >= from && one.startedAt < to),
        // A page may hold fewer than were asked for.
        Math.min(limit, 2),
        cursor,
      ),
    receipt: (id) => receipts.find((one) => one.id === id),
    content: (id) =>
      receipts.some((one) => one.id === id) ? { request: '{}', reply: '{}', expiresAt: 4_102_444_800_000 } : undefined,
    *export(_query, form) {
      try {
        for (exported.pieces = 0; exported.pieces < exported.piecesMax; exported.pieces += 1) {
          if (exported.pieces === exported.breaksAt) throw new Error('broken')
          yield `${form === 'csv' ? 'id,key' : '{"id":"x"}'}${' '.repeat(exported.pieceBytes)}\n`
        }
      } finally {
        exported.ended = true
      }
    },
  }
}

function row(groupBy: readonly string[], index: number): UsageRow {
  const times: readonly string[] = ['hour', 'day', 'month']
  return {
    group: Object.fromEntries(
      groupBy.map((name) => [name, times.includes(name) ? startMs : name === 'status' ? 200 : `${name}-${index}`]),
    ),
    calls: 3,
    failed: 1,
    inputTokens: 100,
    outputTokens: 20,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    thinkingTokens: 0,
    nanoDollars: 1_250_000_000 - index,
    unpriced: 0,
  }
}

function receipt(index: number): ReceiptView {
  const priced = index > 0
  return {
    id: `req_${index}`,
    clientId: undefined,
    key: 'ab12cd34',
    owner: undefined,
    plan: 'basic',
    dialect: 'anthropic',
    modelAsked: 'claude',
    model: 'claude',
    vendor: 'anthropic',
    ladder: undefined,
    simulated: false,
    stream: true,
    tries: [
      {
        vendor: 'anthropic',
        model: 'claude',
        credential: 1,
        status: 200,
        outcome: 'ok',
        durationMs: 12,
        ...(priced && { waitMs: 3, hedge: true as const, usage: noUsage, vendorRequestId: 'req_vendor' }),
      },
    ],
    inputTokens: 10,
    outputTokens: 20,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    thinkingTokens: 0,
    nanoDollars: priced ? 42 : undefined,
    status: 200,
    failure: priced ? undefined : 'interrupted',
    blame: undefined,
    startedAt: startMs - 1000 - index,
    firstByteAt: priced ? startMs - 500 : undefined,
    endedAt: startMs,
    requestBytes: 1,
    replyBytes: 2,
    times: 1,
  }
}

function found<T>(value: T | undefined, message: string): T {
  if (value === undefined) throw new ControlError(404, 'unknown', message)
  return value
}

function fits(current: number, version: number | undefined): void {
  if (version !== undefined && version !== current) throw new ControlError(412, 'version-stale', 'It has changed.')
}

function paged<T>(entries: readonly T[], limit: number, cursor = '0'): Page<T> {
  const start = Number(cursor)
  if (!Number.isInteger(start)) throw new ControlError(400, 'cursor-invalid', 'No such cursor.', { path: 'cursor' })
  const data = entries.slice(start, start + limit)
  return { data, next: start + limit < entries.length ? String(start + limit) : undefined }
}
