import type { Meter } from '../../core/dialect.ts'
import { noUsage, type Usage } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { objectOf, parseJson, textOf, type JsonObject } from '../../core/json.ts'
import { utf8 } from '../../core/sse.ts'
import { errorIn, isError } from './failure.ts'
import { readUsage } from './usage.ts'

/**
 * Watches a stream that passes unchanged. Parses only the first event, the last ones and errors; deltas, which are
 * nearly all events, cost two comparisons.
 */
export class MessagesMeter implements Meter {
  begun = false
  complete = false
  failure: Failure | undefined
  usage: Usage = noUsage
  model: string | undefined
  readonly drop = false

  event(name: string, data: string): void {
    if (data.charCodeAt(0) !== OPEN_BRACE || data.charCodeAt(data.length - 1) !== CLOSE_BRACE) {
      throw new Failure('vendor-unreadable', "The vendor's stream holds an event that is not a JSON object.")
    }
    switch (name) {
      case 'content_block_delta':
        this.begun = true
        return
      case 'content_block_start':
        // Text and thinking start empty, and an error may still come before their first delta.
        if (!this.begun && !/"type":\s*"(?:text|thinking)"/.test(data)) this.begun = true
        return
      case 'content_block_stop':
      case 'ping':
        return
      case 'message_stop':
        this.begun = true
        this.complete = true
        return
      default:
        this.#parsed(name, objectOf(parseJson(utf8(data))))
    }
  }

  #parsed(name: string, json: JsonObject): void {
    switch (name) {
      case 'message_start': {
        const message = objectOf(json.message)
        this.model ??= textOf(message.model)
        this.usage = readUsage(this.usage, objectOf(message.usage))
        return
      }
      case 'message_delta':
        this.begun = true
        this.usage = readUsage(this.usage, objectOf(json.usage))
        return
      default:
        if (isError(json)) this.failure ??= errorIn(json)
    }
  }
}

const OPEN_BRACE = 123
const CLOSE_BRACE = 125
