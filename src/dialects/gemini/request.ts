import type { Dialect, Head } from '../../core/dialect.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, type JsonObject, listOf } from '../../core/json.ts'
import { skipSignature } from './contents-write.ts'
import { read } from './request-read.ts'
import { write } from './request-write.ts'
import { isWrapped, openState, wrappedMark } from './state.ts'
import { firstNumber } from '../first-number.ts'

/** Requests: the model and whether to stream stand in the path, all else in the body. */
export const request: Dialect['request'] = {
  tokensMax({ generationConfig: config }) {
    const found = isObject(config) ? firstNumber(config, ['maxOutputTokens']) : undefined
    return found === undefined ? undefined : { ...found, path: `generationConfig.${found.path}` }
  },
  thinks: ({ generationConfig: config }) => isObject(config) && isObject(config.thinkingConfig),
  head(_json, path): Head {
    const [, model, method] = /\/models\/([^?]+):(\w+)(?:\?|$)/.exec(path) ?? []
    if (model === undefined || method === undefined) {
      throw new Failure('request-invalid', 'The path must end with models/MODEL:generateContent.')
    }
    return { model: decoded(model), stream: method === 'streamGenerateContent' }
  },
  read,
  write,
  path: (head) => `${modelPath(head.model)}:${head.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  marks: [wrappedMark],
  purge(json, vendor) {
    const contents = json['contents']
    if (!Array.isArray(contents)) return {}
    return { contents: contents.map((content) => purged(content, vendor)).filter((content) => content !== undefined) }
  },
}

/** Where a model's methods stand below the API's base. */
export function modelPath(model: string): string {
  return `/models/${encodeURIComponent(model)}`
}

function decoded(model: string): string {
  try {
    return decodeURIComponent(model)
  } catch {
    return model
  }
}

/** A content without other vendors' states; undefined where nothing is left of it. */
function purged<T>(content: T, vendor: string): T | JsonObject | undefined {
  if (!isObject(content)) return content
  const before = listOf(content['parts'])
  const parts = before.filter((part) => !isObject(part) || !foreign(part, vendor))
  if (parts.length === before.length) return content
  if (parts.length === 0) return undefined
  // A call that another vendor's model made: Gemini 3 refuses it without a signature.
  const at = parts.findIndex((part) => isObject(part) && isObject(part['functionCall']))
  const call = parts[at]
  if (isObject(call) && call['thoughtSignature'] === undefined) {
    parts[at] = { ...call, thoughtSignature: skipSignature }
  }
  return { ...content, parts }
}

/** States of others stand on a thought of their own (see `PartWriter`), which goes with them. */
function foreign(part: JsonObject, vendor: string): boolean {
  const signature = part['thoughtSignature']
  return isWrapped(signature) && openState(signature).vendor !== vendor
}
