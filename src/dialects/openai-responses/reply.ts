import type { Dialect, ReplyContext } from '../../core/dialect.ts'
import type { ReplyEvent } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { listOf, textOf, type JsonObject } from '../../core/json.ts'
import { isOpenaiError } from '../openai-failure.ts'
import { readFailure } from './failure.ts'
import { ReplyReader } from './reply-reader.ts'
import { ReplyWriter } from './reply-writer.ts'

/** Whole replies: they are read and written as streams whose events all come at once. */
export const reply: Dialect['reply'] = {
  unfold(json: JsonObject, vendor: string): ReplyEvent[] {
    if (isOpenaiError(json)) throw readFailure(json, vendor)
    if (!Array.isArray(json['output'])) {
      throw new Failure('vendor-unreadable', 'The vendor’s answer is no response: it has no "output".', { vendor })
    }
    const status = textOf(json['status']) ?? 'completed'
    if (status !== 'completed' && status !== 'incomplete') {
      throw new Failure(
        'vendor-broken',
        `The vendor’s answer is not complete: its status is "${status.slice(0, 40)}".`,
        {
          vendor,
        },
      )
    }
    const events: ReplyEvent[] = []
    const emit = (event: ReplyEvent): void => {
      events.push(event)
    }
    const reader = new ReplyReader(vendor)
    reader.take('response.created', { response: json }, emit)
    listOf(json['output']).forEach((item, index) => {
      reader.take('response.output_item.done', { output_index: index, item }, emit)
    })
    reader.take(`response.${status}`, { response: json }, emit)
    return events
  },

  fold(events: readonly ReplyEvent[], context: ReplyContext): JsonObject {
    const writer = new ReplyWriter(context)
    for (const event of events) writer.write(event)
    return writer.response
  },
}
