import type { Dialect } from '../../core/dialect.ts'
import { Failure } from '../../core/failure.ts'
import { numberOf } from '../../core/json.ts'
import { modelPath } from './request.ts'
import { write } from './request-write.ts'

/** `countTokens`: the whole request is counted, its tools and instructions included. */
export const count: NonNullable<Dialect['count']> = {
  path: (head) => `${modelPath(head.model)}:countTokens`,
  write(prompt, model) {
    const { generationConfig: _options, ...request } = write(prompt, model)
    return { generateContentRequest: { model: `models/${prompt.model}`, ...request } }
  },
  read(json) {
    // Google leaves zeros out of its JSON, but no prompt has none.
    const tokens = numberOf(json['totalTokens'])
    if (tokens === undefined) throw new Failure('vendor-unreadable', 'The vendor sent a count without totalTokens.')
    return tokens
  },
  fold: (tokens) => ({ totalTokens: tokens }),
}
