import * as z from 'zod'
import { compact } from '../../core/json.ts'
import { newCallerKey } from '../../core/key.ts'
import type { Actor, ControlService, Key, KeyChange, KeyInput, KeyState } from '../service.ts'
import type { KeyRecord } from '../store/keys.ts'
import type { Store } from '../store/index.ts'
import type { Callers } from './callers.ts'
import { conflict, fits, notFound, same, type Changes } from './changes.ts'
import { checked, unfit } from './check.ts'
import { cursorOf, placeOf } from './cursor.ts'
import {
  captureMs,
  graceMs,
  ladder,
  limits,
  metadata,
  models,
  networks,
  pageRows,
  paging,
  reference,
  text,
  time,
} from './fields.ts'
import type { Ladders } from './ladders.ts'
import { checkTighter } from './limits.ts'
import type { Plans } from './plans.ts'

const fields = {
  owner: reference,
  plan: reference,
  expiresAt: time,
  models,
  networks,
  limits,
  sandbox: z.boolean(),
  ladder,
  captureMs,
  metadata,
} as const

const keyInput = z.strictObject({ name: text(100), ...z.strictObject(fields).partial().shape })
const keyChange = z.strictObject({
  name: text(100).optional(),
  ...Object.fromEntries(Object.entries(fields).map(([field, schema]) => [field, schema.nullish()])),
})

const keyQuery = z.strictObject({
  owner: reference.optional(),
  plan: reference.optional(),
  state: z.enum(['active', 'disabled', 'revoked']).optional(),
  prefix: text(100).optional(),
  ...paging,
})

/** What was given, without fields that are undefined. */
type Given = { readonly [Name in keyof KeyInput]?: Exclude<KeyInput[Name], undefined> } & { readonly name: string }

/** How long the former secret works after a rotation, where nothing is said. */
const graceMsDefault = 24 * 3_600_000

interface Needs {
  readonly store: Store
  readonly plans: Plans
  readonly ladders: Ladders
  readonly callers: Callers
  readonly changes: Changes
  readonly keyPrefix: string
  readonly digest: (key: string) => Uint8Array
  readonly nowMs: () => number
}

/** Callers' keys. */
export function keyService(needs: Needs): ControlService['keys'] {
  const { store, plans, callers, changes, nowMs } = needs
  /** Throws ControlError 404. */
  const found = (id: string): KeyRecord => {
    const record = store.keys.get(id)
    if (record === undefined) throw notFound('key', 'List the keys to see their ids.')
    return record
  }
  /** Writes a key's next version. Within `changes.make`. */
  const write = (action: string, before: KeyRecord, after: KeyRecord, by: Actor): Key => {
    const record = { ...after, key: { ...after.key, changedAt: nowMs(), version: before.key.version + 1 } }
    store.keys.change(record)
    changes.note(by, `key.${action}`, `key:${record.key.id}`, shown(before.key), shown(record.key))
    changes.tell({ type: 'caller', caller: callers.of(record) })
    return record.key
  }
  const setState = (id: string, state: KeyState, action: string, by: Actor): Key =>
    changes.make(() => {
      const before = found(id)
      if (before.key.state === state) return before.key
      usable(before.key)
      // A revoked key needs no secrets any more.
      const former = state === 'revoked' ? undefined : before.former
      const formerUntil = former?.untilMs
      return write(action, before, { ...before, former, key: { ...before.key, state, formerUntil } }, by)
    })
  return {
    create(input, by) {
      const given = checked(keyInput, input)
      return changes.make(() => {
        const { key: secret, id } = freshKey(needs)
        const at = { createdAt: nowMs(), changedAt: nowMs(), formerUntil: undefined, lastUsedAt: undefined }
        const key = tidy({ ...unsaid(plans), ...(compact(given) as Given), id, state: 'active', ...at, version: 1 })
        checkFits(key, Object.keys(given), needs)
        const record: KeyRecord = { key, digest: own(needs.digest(secret)), former: undefined }
        store.keys.add(record)
        changes.note(by, 'key.create', `key:${id}`, undefined, shown(key))
        changes.tell({ type: 'caller', caller: callers.of(record) })
        return { key, secret }
      })
    },
    list(query) {
      const { cursor, limit = pageRows, prefix, ...filter } = checked(keyQuery, query)
      const [name, id] = cursor === undefined ? [] : (placeOf(cursor, 'string', 'string') as string[])
      const after = name === undefined || id === undefined ? undefined : { name, id }
      const rows = store.keys.page({ filter: compact(filter), prefix, after, limit: limit + 1 })
      const data = rows.slice(0, limit).map(({ key }) => key)
      const last = data.at(-1)
      return { data, next: rows.length > limit && last !== undefined ? cursorOf(last.name, last.id) : undefined }
    },
    get: (id) => found(id).key,
    change(id, change, wanted, by) {
      const given = compact(checked(keyChange, change)) as KeyChange
      return changes.make(() => {
        const before = found(id)
        fits(wanted, before.key.version)
        usable(before.key)
        const key = changed(before.key, given, plans)
        if (same(key, before.key)) return before.key
        checkFits(key, Object.keys(given), needs)
        return write('change', before, { ...before, key }, by)
      })
    },
    disable: (id, by) => setState(id, 'disabled', 'disable', by),
    enable: (id, by) => setState(id, 'active', 'enable', by),
    revoke: (id, by) => setState(id, 'revoked', 'revoke', by),
    rotate(id, grace, by) {
      const lasts = checked(graceMs.optional(), grace, 'graceMs') ?? graceMsDefault
      return changes.make(() => {
        const before = found(id)
        usable(before.key)
        const { key: secret } = newCallerKey(needs.keyPrefix, id)
        const former = lasts === 0 ? undefined : { digest: before.digest, untilMs: nowMs() + lasts }
        const key = { ...before.key, formerUntil: former?.untilMs }
        return { key: write('rotate', before, { key, digest: own(needs.digest(secret)), former }, by), secret }
      })
    },
  }
}

/** With an id that no other key has; of 62^8 a second one would be a wonder, not an impossibility. */
function freshKey({ keyPrefix, store }: Needs): { key: string; id: string } {
  for (;;) {
    const fresh = newCallerKey(keyPrefix)
    if (store.keys.get(fresh.id) === undefined) return fresh
  }
}

/** A digest without whatever else lies in its buffer. */
function own(digest: Uint8Array): Uint8Array {
  return Uint8Array.from(digest)
}

/** What a key has where nothing is said. */
function unsaid(plans: Plans): Pick<Key, 'plan' | 'sandbox' | 'metadata'> {
  return { plan: plans.byDefault, sandbox: false, metadata: {} }
}

/** What is left out stays; what is null becomes what it is where nothing is said. */
function changed(key: Key, change: KeyChange, plans: Plans): Key {
  const unsaidFields: Partial<Key> = unsaid(plans)
  const fieldsGiven = Object.entries(change).map(([field, value]) => [field, value ?? unsaidFields[field as keyof Key]])
  return tidy({ ...key, ...(Object.fromEntries(fieldsGiven) as Partial<Key>) })
}

/** With all fields, and in one order, so that two keys can be compared. */
function tidy(key: Key): Key {
  return {
    id: key.id,
    name: key.name,
    owner: key.owner,
    plan: key.plan,
    state: key.state,
    expiresAt: key.expiresAt,
    models: key.models,
    networks: key.networks,
    limits: key.limits === undefined ? undefined : compact({ ...key.limits }),
    sandbox: key.sandbox,
    ladder: key.ladder,
    captureMs: key.captureMs,
    metadata: key.metadata ?? {},
    createdAt: key.createdAt,
    changedAt: key.changedAt,
    formerUntil: key.formerUntil,
    lastUsedAt: key.lastUsedAt,
    version: key.version,
  }
}

/** A key as it stands in the audit log: when it was last used is no part of a change. */
function shown(key: Key): Key {
  return { ...key, lastUsedAt: undefined }
}

/** Throws ControlError for a change of a key that is over. */
function usable({ state }: Key): void {
  if (state !== 'revoked') return
  throw conflict('key-revoked', 'The key was revoked, which is for good.', 'Make a new one.')
}

/** Throws ControlError where one of the fields that were given does not fit to what there is. */
function checkFits(key: Key, given: readonly string[], { store, plans, ladders, nowMs }: Needs): void {
  const isGiven = (field: keyof Key): boolean => given.includes(field)
  if (isGiven('owner') && key.owner !== undefined && store.owners.get(key.owner) === undefined) {
    throw unfit('owner', 'there is no owner of this id')
  }
  const plan = plans.needed(key.plan)
  if ((isGiven('limits') || isGiven('plan')) && key.limits !== undefined) checkTighter(key.limits, plan)
  if (isGiven('ladder') && key.ladder !== undefined) ladders.check('ladder', key.ladder)
  if (isGiven('expiresAt') && key.expiresAt !== undefined && key.expiresAt <= nowMs()) {
    throw unfit('expiresAt', 'must be in the future', 'Revoke or disable a key to end it now.')
  }
}
