import type { Dialect } from '../../core/dialect.ts'
import { Failure, type FailureKind } from '../../core/failure.ts'
import { objectOf, textOf, table, type JsonObject } from '../../core/json.ts'
import { openaiEventFailure, openaiMessage, openaiNames, readOpenaiError, writeOpenaiError } from '../openai-failure.ts'

/** Error answers as in OpenAI's other dialect; the event in a stream is flat and numbered. */
export const failure: Dialect['failure'] = {
  read: readOpenaiError,
  write: writeOpenaiError,
  writeEvent(failure: Failure, requestId: string): string {
    const event = {
      type: 'error',
      code: failure.code ?? openaiNames[failure.kind].code,
      message: openaiMessage(failure, requestId),
      param: failure.path ?? null,
      sequence_number: 0,
    }
    return `event: error\ndata: ${JSON.stringify(event)}\n\n`
  },
}

/** Codes that stand alone in `response.failed`, where no status tells whose fault it is (OpenAI: ResponseErrorCode). */
const kinds: Readonly<Record<string, FailureKind>> = table({
  context_length_exceeded: 'prompt-too-long',
  invalid_prompt: 'request-invalid',
  data_residency_mismatch: 'request-invalid',
  bio_policy: 'request-invalid',
  invalid_image: 'request-invalid',
  invalid_image_format: 'request-invalid',
  invalid_base64_image: 'request-invalid',
  invalid_image_url: 'request-invalid',
  image_too_large: 'request-invalid',
  image_too_small: 'request-invalid',
  image_parse_error: 'request-invalid',
  image_content_policy_violation: 'request-invalid',
  invalid_image_mode: 'request-invalid',
  image_file_too_large: 'request-invalid',
  unsupported_image_media_type: 'request-invalid',
  empty_image_file: 'request-invalid',
  failed_to_download_image: 'request-invalid',
  image_file_not_found: 'request-invalid',
})

/** The failure in an `error` event, flat or nested, in a response that failed, or in an error body. */
export function readFailure(json: JsonObject, vendor?: string): Failure {
  const response = objectOf(json['response'])
  const told = json['error'] ?? response['error']
  const flat = { message: json['message'] ?? 'The vendor failed without saying why.', code: json['code'] ?? null }
  const error = told ?? flat
  const failure = openaiEventFailure({ error }, vendor)
  const kind = kinds[textOf(objectOf(error)['code']) ?? '']
  if (failure.kind !== 'vendor-broken' || kind === undefined) return failure
  return new Failure(kind, failure.message, vendor === undefined ? {} : { vendor })
}
