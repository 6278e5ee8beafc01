import type { Meter, ReplyContext } from '../../core/dialect.ts'
import { noUsage, type Usage } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, listOf, parseJson, textOf, type JsonObject } from '../../core/json.ts'
import { utf8 } from '../../core/sse.ts'
import { isOpenaiError, openaiEventFailure } from '../openai-failure.ts'
import { brokenOff } from './reply.ts'
import { readUsage } from './usage.ts'

/** Watches chunks that pass unchanged. */
export function meter(context: ReplyContext): Meter {
  return new ChunkMeter(context.streamUsage)
}

/** Signs of content: a field that holds something. A quote inside a text is escaped, so none of them is found there. */
const content =
  /"(?:content|reasoning_content|refusal)":"(?!")|"(?:tool_calls|annotations)":\[(?!\])|"(?:function_call|audio)":\{/

class ChunkMeter implements Meter {
  readonly #keepUsage: boolean
  #finished = false
  begun = false
  complete = false
  failure: Failure | undefined
  usage: Usage = { ...noUsage }
  model: string | undefined
  drop = false

  /** `keepUsage`: the caller asked for the usage chunk. */
  constructor(keepUsage: boolean) {
    this.#keepUsage = keepUsage
  }

  event(name: string, data: string): void {
    this.drop = false
    if (this.complete || this.failure !== undefined) return
    if (data === '[DONE]') {
      // Without a finish reason the vendor gave up half-way: the caller must not read it as an end.
      this.complete = this.#finished
      this.drop = !this.#finished
      return
    }
    if (!data.startsWith('{') || !data.endsWith('}')) {
      throw new Failure('vendor-unreadable', 'The vendor sent a chunk that is no JSON object.')
    }
    // Compact JSON with choices, as all vendors write it, is searched for the few fields that matter; all else is parsed.
    const plain = name !== 'error' && data.includes('"choices":[') && !data.includes('"error":{')
    if (!plain || data.includes('"usage":{')) this.#parsed(name, data)
    else this.#searched(data)
  }

  #searched(data: string): void {
    if (this.model === undefined) {
      const model = /"model":"([^"\\]*)"/.exec(data)?.[1]
      if (model !== undefined) this.model = model
    }
    if (!this.begun && content.test(data)) this.begun = true
    if (!this.#finished && data.includes('"finish_reason":"')) {
      const reason = /"finish_reason":"(\w+)"/.exec(data)?.[1]
      if (reason !== undefined) this.#finish(reason)
    }
  }

  #parsed(name: string, data: string): void {
    const json = parseJson(utf8(data))
    if (!isObject(json)) throw new Failure('vendor-unreadable', 'The vendor sent a chunk that is no JSON object.')
    if (name === 'error' || isOpenaiError(json)) {
      this.failure = openaiEventFailure(json)
      return
    }
    this.model ??= textOf(json['model'])
    const choices = listOf(json['choices']).filter(isObject)
    if (isObject(json['usage'])) {
      this.usage = readUsage(json['usage'])
      this.drop = !this.#keepUsage && choices.length === 0
    }
    for (const choice of choices) this.#choice(choice)
  }

  #choice(choice: JsonObject): void {
    if (!this.begun && content.test(JSON.stringify(choice['delta'] ?? null))) this.begun = true
    const reason = textOf(choice['finish_reason'])
    if (reason !== undefined && reason !== '') this.#finish(reason)
  }

  #finish(reason: string): void {
    this.#finished = true
    this.begun = true
    if (reason === 'insufficient_system_resource' || reason === 'error') this.failure = brokenOff()
  }
}
