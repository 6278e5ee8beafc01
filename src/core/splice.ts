import type { Patch } from './dialect.ts'
import { topLevelFields } from './fields.ts'

/**
 * Sets or removes top-level fields of a JSON object's bytes and leaves every other byte as it is. A field that stands
 * twice is replaced where it stands last, which is the one that parsers take, and removed elsewhere. Throws where
 * `body` is no JSON object.
 */
export function splice(body: Buffer, patch: Patch): Buffer {
  const text = body.toString('latin1')
  const fields = topLevelFields(text)
  if (fields === undefined) throw new SyntaxError('no JSON object')
  const last = new Map(fields.map((field, index) => [field.name, index]))
  const kept: Buffer[] = []
  for (const [name, value] of Object.entries(patch)) {
    if (value !== undefined && !last.has(name))
      kept.push(Buffer.from(`${JSON.stringify(name)}:${JSON.stringify(value)}`))
  }
  fields.forEach((field, index) => {
    if (!Object.hasOwn(patch, field.name)) {
      kept.push(body.subarray(field.start, field.end))
      return
    }
    const value = patch[field.name]
    if (value === undefined || last.get(field.name) !== index) return
    kept.push(Buffer.concat([body.subarray(field.start, field.valueStart), Buffer.from(JSON.stringify(value))]))
  })
  const comma = Buffer.from(',')
  const pieces = kept.flatMap((piece, index) => (index === 0 ? [piece] : [comma, piece]))
  return Buffer.concat([body.subarray(0, text.indexOf('{') + 1), ...pieces, body.subarray(text.lastIndexOf('}'))])
}
