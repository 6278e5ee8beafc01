import type { Dialect, Head } from '../../core/dialect.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { opaqueMark } from '../../core/opaque.ts'
import { checkRequest } from './check-request.ts'
import { given, invalid } from './fields.ts'
import { purge } from './purge.ts'
import { readRequest } from './read-request.ts'
import { writeRequest } from './write-request.ts'
import { firstNumber } from '../first-number.ts'

export { dropped } from './read-request.ts'

/** Requests of the Messages API. */
export const request: Dialect['request'] = {
  head: readHead,
  tokensMax: (json) => firstNumber(json, ['max_tokens']),
  thinks: ({ thinking, output_config: output }) =>
    (isObject(thinking) && thinking.type !== 'disabled') || (isObject(output) && given(output.effort)),
  check: checkRequest,
  read: readRequest,
  write: writeRequest,
  path: () => '/v1/messages',
  marks: [opaqueMark],
  purge,
}

function readHead(json: JsonObject): Head {
  const { model, stream } = json
  if (typeof model !== 'string' || model === '') {
    throw invalid('model', given(model) ? 'Input should be a valid string' : 'Field required')
  }
  if (given(stream) && typeof stream !== 'boolean') throw invalid('stream', 'Input should be a valid boolean')
  return { model, stream: stream === true }
}
