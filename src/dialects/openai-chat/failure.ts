import type { Dialect } from '../../core/dialect.ts'
import { spelled, type Failure } from '../../core/failure.ts'
import { table, type JsonObject } from '../../core/json.ts'
import { readOpenaiError, writeOpenaiError } from '../openai-failure.ts'

/** Failures as OpenAI's chat SDKs know them. */
export const failure: Dialect['failure'] = {
  read: readOpenaiError,
  write,
  // No [DONE] follows: SDKs raise the error, and a client that overlooks it must not take the reply for whole.
  writeEvent: (failed, requestId) => `data: ${JSON.stringify(write(failed, requestId))}\n\n`,
}

/** Fields that the core knows by another name. */
const names: Readonly<Record<string, string>> = table({ effort: 'reasoning_effort' })

function write(failed: Failure, requestId: string): JsonObject {
  return writeOpenaiError(spelled(failed, names), requestId)
}
