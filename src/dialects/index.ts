import type { Dialect, DialectName } from '../core/dialect.ts'
import { anthropic } from './anthropic/index.ts'
import { gemini } from './gemini/index.ts'
import { openaiChat } from './openai-chat/index.ts'
import { openaiResponses } from './openai-responses/index.ts'

/** The wire formats Keyrung speaks. */
export const dialects: Readonly<Record<DialectName, Dialect>> = {
  anthropic,
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  gemini,
}
