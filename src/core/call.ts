import type { IncomingHttpHeaders } from 'node:http'
import type { Body } from './body.ts'
import type { Dialect, Head } from './dialect.ts'
import type { JsonObject } from './json.ts'

/** One request of a caller, read and understood as far as routing needs it. */
export interface Call {
  readonly dialect: Dialect
  /** `count`: the caller wants its tokens counted, not an answer. */
  readonly purpose: 'generate' | 'count'
  readonly head: Head
  /** The request; of a large one each field is parsed when it is first asked for. */
  readonly json: JsonObject
  /** The body as it came: what a vendor of the same dialect gets. */
  readonly body: Body
  readonly headers: IncomingHttpHeaders
}
