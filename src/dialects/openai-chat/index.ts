import type { Dialect } from '../../core/dialect.ts'
import { failure } from './failure.ts'
import { meter } from './meter.ts'
import { fold, unfold } from './reply.ts'
import { request } from './request.ts'
import { ping, reader, writer } from './stream.ts'

/** OpenAI's Chat Completions, as OpenAI, xAI and DeepSeek speak it. */
export const openaiChat: Dialect = {
  name: 'openai-chat',
  native: 'openai',
  requestIdHeader: 'x-request-id',
  request,
  reply: { unfold, fold },
  stream: { reader, writer, meter, ping },
  failure,
}
