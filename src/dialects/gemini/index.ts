import type { Dialect } from '../../core/dialect.ts'
import { count } from './count.ts'
import { failure } from './failure.ts'
import { reply } from './reply.ts'
import { request } from './request.ts'
import { stream } from './stream.ts'

/** Google's own format: `generateContent` and `streamGenerateContent?alt=sse` below `/v1beta`. */
export const gemini: Dialect = {
  name: 'gemini',
  native: 'google',
  // Google sends no request id of its own; answers to callers carry this one.
  requestIdHeader: 'x-request-id',
  request,
  reply,
  stream,
  count,
  failure,
}
