import type { Patch } from './dialect.ts'
import type { Body } from './body.ts'
import { topLevelFields } from './fields.ts'

/**
 * Sets or removes top-level fields of a JSON object's bytes and leaves every other byte as it is. A field that stands
 * twice is replaced where it stands last, which is the one that parsers take, and removed elsewhere. Throws where
 * `body` is no JSON object.
 */
export function splice(body: Body, patch: Patch): Buffer {
  const { bytes } = body
  const fields = topLevelFields(body)
  if (fields === undefined) throw new SyntaxError('no JSON object')
  const last = new Map(fields.map((field, index) => [field.name, index]))
  const kept: Buffer[] = []
  for (const [name, value] of Object.entries(patch)) {
    if (value !== undefined && !last.has(name))
      kept.push(Buffer.from(`${JSON.stringify(name)}:${JSON.stringify(value)}`))
  }
  fields.forEach((field, index) => {
    if (!Object.hasOwn(patch, field.name)) {
      kept.push(bytes.subarray(field.start, field.end))
      return
    }
    const value = patch[field.name]
    if (value === undefined || last.get(field.name) !== index) return
    kept.push(Buffer.concat([bytes.subarray(field.start, field.valueStart), Buffer.from(JSON.stringify(value))]))
  })
  const comma = Buffer.from(',')
  const pieces = kept.flatMap((piece, index) => (index === 0 ? [piece] : [comma, piece]))
  return Buffer.concat([bytes.subarray(0, bytes.indexOf('{') + 1), ...pieces, bytes.subarray(bytes.lastIndexOf('}'))])
}
