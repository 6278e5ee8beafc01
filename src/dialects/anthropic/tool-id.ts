import { createHash } from 'node:crypto'

/**
 * A tool call's id in the alphabet that Anthropic demands (`^[a-zA-Z0-9_-]+$`). Other vendors' ids (`functions.f:0`)
 * are mapped the same way every time, so that call and result still match.
 */
export function toolId(id: string): string {
  if (/^[a-zA-Z0-9_-]+$/.test(id)) return id
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 8)
  return `${id.replace(/[^a-zA-Z0-9_-]/g, '_')}_${digest}`
}
