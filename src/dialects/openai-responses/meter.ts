import type { Meter } from '../../core/dialect.ts'
import { noUsage, type Usage } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, objectOf, parseJson, textOf, type JsonObject } from '../../core/json.ts'
import { utf8 } from '../../core/sse.ts'
import { readFailure } from './failure.ts'
import { readUsage } from './usage.ts'

/** Watches a passing stream: parses the first event, the last and errors, and only looks at the name of the others. */
export class ResponsesMeter implements Meter {
  begun = false
  complete = false
  failure: Failure | undefined
  usage: Usage = { ...noUsage }
  model: string | undefined
  readonly drop = false

  event(name: string, data: string): void {
    if (data === '[DONE]') return
    if (!data.startsWith('{') || !data.endsWith('}')) {
      throw new Failure('vendor-unreadable', 'The vendor sent a stream event that is no JSON object.')
    }
    const type = name === 'message' ? typeOf(data) : name
    switch (type) {
      case 'response.created':
        this.model = textOf(objectOf(parse(data)['response'])['model'])
        return
      case 'response.completed':
      case 'response.incomplete':
        this.#end(objectOf(parse(data)['response']))
        return
      case 'response.failed':
      case 'response.cancelled':
      case 'error':
        this.failure ??= readFailure(parse(utf8(data)))
        return
      default:
        // Not at an item's opening: it holds nothing yet, and an error may still be the next event.
        if (!this.begun) this.begun = type.endsWith('.delta') || type.endsWith('.done')
    }
  }

  #end(response: JsonObject): void {
    this.begun = true
    this.complete = true
    this.usage = readUsage(response['usage'])
    this.model = textOf(response['model']) ?? this.model
  }
}

/** Where the stream has no `event:` lines: the first `type` of the data is the event's own. */
function typeOf(data: string): string {
  return /"type"\s*:\s*"([^"]*)"/.exec(data)?.[1] ?? ''
}

/** Names and numbers read the same in Latin-1; texts need `utf8` before. */
function parse(data: string): JsonObject {
  const json = parseJson(data)
  if (!isObject(json)) throw new Failure('vendor-unreadable', 'The vendor sent a stream event that is no JSON object.')
  return json
}
