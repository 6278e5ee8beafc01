import type { Dialect, Head, Patch } from '../../core/dialect.ts'
import { isObject, objectOf, type Json, type JsonObject } from '../../core/json.ts'
import { Failure } from '../../core/failure.ts'
import type { Model } from '../../core/vendor.ts'
import { invalid, missing, optionalFlag, optionalText, wrongValueBegins } from './check.ts'
import { checkMessages } from './messages-read.ts'
import { readRequest } from './request-read.ts'
import { writeRequest } from './request-write.ts'
import { firstNumber } from '../first-number.ts'

/** Requests of `POST /chat/completions`. */
export const request: Dialect['request'] = {
  head,
  tokensMax: (json) => firstNumber(json, ['max_completion_tokens', 'max_tokens']),
  thinks: ({ reasoning_effort: effort }) => typeof effort === 'string' && effort !== 'none',
  check,
  read: readRequest,
  write: writeRequest,
  path: () => '/chat/completions',
  marks: ['"reasoning_content"', '"reasoning_details"', '"extra_content"'],
  purge,
  ask,
}

function head(json: JsonObject): Head {
  const model = optionalText(json, 'model', 'model')
  if (model === undefined || model === '') throw missing('model')
  return { model, stream: optionalFlag(json, 'stream') ?? false }
}

/**
 * The reader's own rules, save lists of words: OpenAI may know more of them by now. They are OpenAI's: a guest in the
 * dialect may take more (DeepSeek sixteen stops), so of its calls only what nobody takes is refused.
 */
function check(json: JsonObject, model: Model): void {
  if (model.vendor !== 'openai') {
    checkMessages(json['messages'])
    return
  }
  try {
    readRequest(json, head(json))
  } catch (thrown) {
    if (!(thrown instanceof Failure && thrown.message.startsWith(wrongValueBegins))) throw thrown
  }
  for (const field of ['max_completion_tokens', 'max_tokens']) {
    const asked = json[field]
    const most = model.vendor === 'openai' ? model.outputMax : undefined
    if (typeof asked !== 'number' || most === undefined || asked <= most) continue
    const message = `${field} is too large: ${asked}. This model supports at most ${most} completion tokens, whereas you provided ${asked}.`
    throw invalid(message, field, 'invalid_value')
  }
}

/** What we put into replies for the way back, without a meaning to this vendor: OpenAI refuses fields it does not know. */
function purge(json: JsonObject, vendor: string): Patch {
  const foreign = new Set(['reasoning_details', 'extra_content'])
  // DeepSeek demands it on turns with tool calls; xAI takes it.
  if (vendor === 'openai') foreign.add('reasoning_content')
  if (!Array.isArray(json['messages'])) return {}
  const messages = json['messages'].map((message) => purged(message, foreign))
  return messages.some((message, index) => message !== (json['messages'] as Json[])[index]) ? { messages } : {}
}

/** The message itself where there is nothing to take out of it or its tool calls. */
function purged(message: Json, foreign: ReadonlySet<string>): Json {
  if (!isObject(message)) return message
  const kept = without(message, foreign)
  const calls = kept['tool_calls']
  if (!Array.isArray(calls)) return kept
  const callsKept = calls.map((call) => (isObject(call) ? without(call, foreign) : call))
  return callsKept.some((call, index) => call !== calls[index]) ? { ...kept, tool_calls: callsKept } : kept
}

function without(object: JsonObject, foreign: ReadonlySet<string>): JsonObject {
  const keys = Object.keys(object)
  if (!keys.some((key) => foreign.has(key))) return object
  return Object.fromEntries(keys.filter((key) => !foreign.has(key)).map((key) => [key, object[key]]))
}

/** The usage chunk: without it a stream's cost is unknown. Callers who did not ask for it do not get it. */
function ask(json: JsonObject, asked: Head): Patch {
  const options = objectOf(json['stream_options'])
  return asked.stream && options['include_usage'] !== true
    ? { stream_options: { ...options, include_usage: true } }
    : {}
}
