import type { Call } from '../core/call.ts'
import type { Dialect, DialectName, Head, Patch } from '../core/dialect.ts'
import { unsupported } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { Rung } from '../core/ladder.ts'
import type { Prompt } from '../core/prompt.ts'
import { splice } from '../core/splice.ts'
import { parsedWholeMax } from './read.ts'

/** A call as it will be sent to one vendor. */
export interface Sending {
  /** The dialect spoken to the vendor. */
  readonly dialect: Dialect
  /** The caller speaks it too: requests and replies go on as bytes. */
  readonly passes: boolean
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: readonly Buffer[] | Buffer | string
}

type Dialects = Readonly<Record<DialectName, Dialect>>

/**
 * The caller's call, written for this rung. Throws Failure `unsupported` for what the model or its dialect cannot do.
 * Pure: every rung of a ladder gets the request written anew.
 */
export function prepare(call: Call, rung: Rung, dialects: Dialects): Sending {
  const { vendor, model } = rung
  // Larger bodies pass on without being parsed: what is wrong deep inside them is the vendor's to tell.
  if (call.body.length <= parsedWholeMax) call.dialect.request.check?.(call.json, model, call.purpose === 'count')
  const asked = call.purpose === 'count' ? vendor.counts : vendor.choose(call.dialect.name, model, call.json)
  const dialect = dialects[asked ?? call.dialect.name]
  const passes = dialect === call.dialect && vendor.rewrites?.includes(dialect.name) !== true
  const head: Head = { model: model.id, stream: call.head.stream }
  return {
    dialect,
    passes,
    path: rung.credential.base + (vendor.speaks[dialect.name] ?? '') + pathOf(call, dialect, head),
    headers: headersOf(call, rung, passes),
    body: passes ? passedBody(call, rung) : JSON.stringify(translated(call, rung, dialect)),
  }
}

function pathOf(call: Call, dialect: Dialect, head: Head): string {
  return call.purpose === 'count' && dialect.count !== undefined ? dialect.count.path(head) : dialect.request.path(head)
}

/** Built from nothing: what a caller sends reaches a vendor only where it is named here. */
function headersOf(call: Call, rung: Rung, passes: boolean): Record<string, string> {
  const { vendor } = rung
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: call.head.stream ? 'text/event-stream' : 'application/json',
    'user-agent': 'keyrung',
    ...vendor.headers?.defaults,
    ...vendor.authorize(rung.credential.secret.reveal()),
    ...rung.headers,
  }
  if (!passes || vendor.headers === undefined) return headers
  for (const [name, value] of Object.entries(call.headers)) {
    if (typeof value === 'string' && vendor.headers.pass.test(name)) headers[name] = value
  }
  return headers
}

/** The caller's own bytes; only the top-level fields that must differ are set anew. */
function passedBody(call: Call, rung: Rung): readonly Buffer[] | Buffer {
  const { json, dialect, body } = call
  const patch: Patch = {}
  if (json.model !== undefined && json.model !== rung.model.id) patch.model = rung.model.id
  if (call.purpose === 'generate') Object.assign(patch, dialect.request.ask?.(json, call.head))
  const foreign = rung.vendor.name !== dialect.native || dialect.request.marks.some((mark) => body.includes(mark))
  if (foreign) Object.assign(patch, dialect.request.purge(json, rung.vendor.name))
  if (rung.vendor.adjust !== undefined) {
    Object.assign(patch, rung.vendor.adjust({ ...json, ...patch }, rung.model, dialect.name))
  }
  if (Object.keys(patch).length > 0) return splice(body, patch)
  return body.chunks.length === 1 ? body.bytes : body.chunks
}

function translated(call: Call, rung: Rung, dialect: Dialect): JsonObject {
  const prompt = promptOf(call, rung)
  if (call.purpose === 'count' && dialect.count !== undefined) return dialect.count.write(prompt, rung.model)
  const json = dialect.request.write(prompt, rung.model)
  return Object.assign(json, rung.vendor.adjust?.(json, rung.model, dialect.name))
}

/** The request in the core's words. What only the caller's own dialect can carry is refused here, by name. */
export function promptOf(call: Call, rung: Rung): Prompt {
  const prompt = call.dialect.request.read(call.json, call.head)
  prompt.model = rung.model.id
  const [extra] = prompt.extras
  if (extra !== undefined) throw unsupported(extra.path, extra.what ?? 'this field', rung.model.id)
  return prompt
}
