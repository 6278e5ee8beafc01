import type { Dialect } from '../../core/dialect.ts'
import { readOpenaiError, writeOpenaiError } from '../openai-failure.ts'

/** Failures as OpenAI's chat SDKs know them. */
export const failure: Dialect['failure'] = {
  read: readOpenaiError,
  write: writeOpenaiError,
  // No [DONE] follows: SDKs raise the error, and a client that overlooks it must not take the reply for whole.
  writeEvent: (failed, requestId) => `data: ${JSON.stringify(writeOpenaiError(failed, requestId))}\n\n`,
}
