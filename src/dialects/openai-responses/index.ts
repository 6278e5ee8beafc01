import type { Dialect } from '../../core/dialect.ts'
import { failure } from './failure.ts'
import { reply } from './reply.ts'
import { count, request } from './request.ts'
import { native } from './state.ts'
import { stream } from './stream.ts'

export { dropped } from './request-read.ts'

/** OpenAI's Responses API: spoken to OpenAI's and xAI's newer models. */
export const openaiResponses: Dialect = {
  name: 'openai-responses',
  native,
  requestIdHeader: 'x-request-id',
  request,
  reply,
  stream,
  count,
  failure,
}
