import type { Dialect } from '../../core/dialect.ts'
import { Failure } from '../../core/failure.ts'
import { numberOf } from '../../core/json.ts'
import { failure } from './failure.ts'
import { reply } from './reply.ts'
import { request } from './request.ts'
import { stream } from './stream.ts'
import { writeCount } from './write-request.ts'

/** Anthropic's Messages API, which DeepSeek speaks too. */
export const anthropic: Dialect = {
  name: 'anthropic',
  native: 'anthropic',
  requestIdHeader: 'request-id',
  request,
  reply,
  stream,
  count: {
    path: () => '/v1/messages/count_tokens',
    write: writeCount,
    read(json) {
      const tokens = numberOf(json.input_tokens)
      if (tokens !== undefined) return tokens
      throw new Failure('vendor-unreadable', "The vendor's answer holds no count of tokens.")
    },
    fold: (tokens) => ({ input_tokens: tokens }),
  },
  failure,
}
