import * as z from 'zod'
import type { ControlService } from '../service.ts'
import type { Store } from '../store/index.ts'
import { checked, invalid } from './check.ts'
import { cursorOf, placeOf } from './cursor.ts'
import { pageRows, paging, text, time } from './fields.ts'

const auditQuery = z.strictObject({
  actor: text(200).optional(),
  target: text(250).optional(),
  from: time.optional(),
  to: time.optional(),
  ...paging,
})

/** Who changed what. */
export function auditService({ audit }: Pick<Store, 'audit'>): ControlService['audit'] {
  return {
    list(query) {
      const { cursor, limit = pageRows, ...asked } = checked(auditQuery, query)
      if (asked.from !== undefined && asked.to !== undefined && asked.from > asked.to) {
        throw invalid('from', 'must not be after to')
      }
      const [at, id] = cursor === undefined ? [] : (placeOf(cursor, 'number', 'number') as number[])
      const after = at === undefined || id === undefined ? undefined : { at, id }
      const rows = audit.page(asked, after, limit + 1)
      const data = rows.slice(0, limit)
      const last = data.at(-1)
      return { data, next: rows.length > limit && last !== undefined ? cursorOf(last.at, last.id) : undefined }
    },
  }
}
