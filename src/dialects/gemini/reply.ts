import type { Dialect } from '../../core/dialect.ts'
import type { ReplyEvent } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { ChunkReader } from './chunk.ts'
import { joinPart, PartWriter } from './parts.ts'
import { writeUsage } from './usage.ts'

/** Whole replies: one GenerateContentResponse. */
export const reply: Dialect['reply'] = {
  unfold(json, vendor) {
    const events: ReplyEvent[] = []
    const reader = new ChunkReader(vendor)
    reader.take(json, (event) => events.push(event))
    const failed = events.find((event) => event.type === 'failure')
    if (failed !== undefined) throw failed.failure
    if (json['candidates'] === undefined && json['promptFeedback'] === undefined) {
      throw new Failure('vendor-unreadable', 'The vendor sent an answer without candidates.', { vendor })
    }
    const whole = reader.end((event) => events.push(event))
    if (!whole) throw new Failure('vendor-cut', 'The vendor sent an answer without a finishReason.', { vendor })
    return events
  },

  fold(events, context) {
    const writer = new PartWriter()
    const parts: JsonObject[] = []
    const json: JsonObject = {}
    let model = context.model
    for (const event of events) {
      const part = writer.take(event)
      if (part !== undefined) joinPart(parts, part)
      if (event.type === 'start' && event.model !== '') model = event.model
      if (event.type === 'usage') json['usageMetadata'] = writeUsage(event.usage)
      if (event.type === 'end') json['candidates'] = [{ content: { parts, role: 'model' }, ...writer.tail(event) }]
    }
    return {
      candidates: json['candidates'] ?? [{ content: { parts, role: 'model' }, index: 0 }],
      ...(json['usageMetadata'] === undefined ? {} : { usageMetadata: json['usageMetadata'] }),
      modelVersion: model,
      responseId: context.id,
    }
  },
}
