import type { Dialect, Head, Patch } from '../../core/dialect.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, listOf, numberOf, type JsonObject } from '../../core/json.ts'
import { opaqueMark } from '../../core/opaque.ts'
import type { Prompt } from '../../core/prompt.ts'
import type { Model } from '../../core/vendor.ts'
import { booleanField, textNeeded } from './fields.ts'
import { read } from './request-read.ts'
import { write, writeContent } from './request-write.ts'
import { purgeItems } from './state.ts'
import { firstNumber } from '../first-number.ts'

/** Requests of `POST /responses`. */
export const request: Dialect['request'] = {
  tokensMax: (json) => firstNumber(json, ['max_output_tokens']),
  thinks: ({ reasoning }) => isObject(reasoning) && reasoning.effort !== 'none',
  head(json: JsonObject): Head {
    return { model: textNeeded(json, 'model'), stream: booleanField(json, 'stream') ?? false }
  },
  read,
  write,
  path: () => '/responses',
  marks: [opaqueMark],
  purge(json: JsonObject, vendor: string): Patch {
    const input = purgeItems(listOf(json['input']), vendor)
    return input === undefined ? {} : { input }
  },
}

/** Requests of `POST /responses/input_tokens`, which counts without a paid call. */
export const count: NonNullable<Dialect['count']> = {
  path: () => '/responses/input_tokens',
  write: (prompt: Prompt, model: Model) => writeContent(prompt, model),
  read(json: JsonObject): number {
    const tokens = numberOf(json['input_tokens'])
    if (tokens === undefined) {
      throw new Failure('vendor-unreadable', 'The vendor’s count of tokens has no "input_tokens".')
    }
    return tokens
  },
  fold: (tokens: number) => ({ object: 'response.input_tokens', input_tokens: tokens }),
}
