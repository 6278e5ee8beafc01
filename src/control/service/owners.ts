import * as z from 'zod'
import { randomId } from '../../core/id.ts'
import { compact } from '../../core/json.ts'
import type { ControlService, Owner } from '../service.ts'
import type { OwnerRecord } from '../store/owners.ts'
import type { Store } from '../store/index.ts'
import type { Callers } from './callers.ts'
import { conflict, fits, notFound, same, type Changes } from './changes.ts'
import { checked } from './check.ts'
import { cursorOf, placeOf } from './cursor.ts'
import { limits, metadata, pageRows, paging, text } from './fields.ts'

const fields = { email: z.email().max(254), limits, metadata } as const
const ownerInput = z.strictObject({ name: text(100), ...z.strictObject(fields).partial().shape })
const ownerChange = z.strictObject({
  name: text(100).optional(),
  email: fields.email.nullish(),
  limits: fields.limits.nullish(),
  metadata: fields.metadata.nullish(),
})
const ownerQuery = z.strictObject({ prefix: text(100).optional(), ...paging })

interface Needs {
  readonly store: Store
  readonly callers: Callers
  readonly changes: Changes
  readonly nowMs: () => number
}

/** Those whose keys are counted together. */
export function ownerService({ store, callers, changes, nowMs }: Needs): ControlService['owners'] {
  /** Throws ControlError 404. */
  const found = (id: string): OwnerRecord => {
    const owner = store.owners.get(id)
    if (owner === undefined) throw notFound('owner', 'List the owners to see their ids.')
    return owner
  }
  const view = (owner: OwnerRecord): Owner => ({ ...owner, keys: store.keys.count('owner', owner.id) })
  return {
    create(input, by) {
      const { name, email, limits: own, metadata: notes = {} } = checked(ownerInput, input)
      return changes.make(() => {
        const at = { createdAt: nowMs(), changedAt: nowMs(), version: 1 }
        const owner = tidy({
          id: `own_${randomId(12)}`,
          name,
          email,
          limits: own,
          metadata: notes,
          ...at,
        } as OwnerRecord)
        store.owners.add(owner)
        changes.note(by, 'owner.create', `owner:${owner.id}`, undefined, owner)
        return view(owner)
      })
    },
    list(query) {
      const { cursor, limit = pageRows, prefix } = checked(ownerQuery, query)
      const [name, id] = cursor === undefined ? [] : (placeOf(cursor, 'string', 'string') as string[])
      const after = name === undefined || id === undefined ? undefined : { name, id }
      const rows = store.owners.page({ filter: {}, prefix, after, limit: limit + 1 })
      const data = rows.slice(0, limit).map(view)
      const last = data.at(-1)
      return { data, next: rows.length > limit && last !== undefined ? cursorOf(last.name, last.id) : undefined }
    },
    get: (id) => view(found(id)),
    change(id, change, wanted, by) {
      const given = checked(ownerChange, change)
      return changes.make(() => {
        const before = found(id)
        fits(wanted, before.version)
        const owner = tidy({ ...before, ...removed(given) } as OwnerRecord)
        if (same(owner, before)) return view(before)
        const after = { ...owner, changedAt: nowMs(), version: before.version + 1 }
        store.owners.change(after)
        changes.note(by, 'owner.change', `owner:${id}`, before, after)
        // Its keys carry its limits with them.
        if (!same(before.limits, after.limits)) {
          for (const record of store.keys.ofOwner(id)) changes.tell({ type: 'caller', caller: callers.of(record) })
        }
        return view(after)
      })
    },
    remove(id, wanted, by) {
      changes.make(() => {
        const before = found(id)
        fits(wanted, before.version)
        const keys = store.keys.count('owner', id)
        if (keys > 0) {
          throw conflict('owner-used', `The owner has ${keys} keys that are not revoked.`, 'Revoke them first.')
        }
        store.keys.leave(id)
        store.owners.remove(id)
        changes.note(by, 'owner.remove', `owner:${id}`, before, undefined)
      })
    },
  }
}

/** A field that is there and holds nothing is removed; one that is not there stays. The name can only be another one. */
function removed({ name, ...given }: z.output<typeof ownerChange>) {
  const fieldsGiven = Object.entries(given).map(([field, value]) => [field, value ?? undefined])
  return { ...Object.fromEntries(fieldsGiven), ...(name !== undefined && { name }) }
}

/** In one order of its fields, so that two can be compared. */
function tidy(owner: OwnerRecord): OwnerRecord {
  const { id, name, email, limits: own, metadata: notes, createdAt, changedAt, version: current } = owner
  const limited = own === undefined ? undefined : compact({ ...own })
  return { id, name, email, limits: limited, metadata: notes ?? {}, createdAt, changedAt, version: current }
}
