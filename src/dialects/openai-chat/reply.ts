import type { ReplyContext } from '../../core/dialect.ts'
import { noUsage, type EndReason, type ReplyEvent } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { compact, isObject, listOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { isOpenaiError, openaiEventFailure } from '../openai-failure.ts'
import { TextSpans } from './annotations.ts'
import { MessageEvents } from './message-events.ts'
import { writeDetail } from './reasoning.ts'
import { readUsage, writeUsage } from './usage.ts'

/** A whole reply as events. Throws where it is an error, or no reply at all. */
export function unfold(json: JsonObject, vendor: string): ReplyEvent[] {
  if (isOpenaiError(json)) throw openaiEventFailure(json, vendor)
  const choice = firstChoice(json)
  if (choice === undefined || !isObject(choice['message'])) {
    throw new Failure('vendor-unreadable', 'The vendor sent a chat completion without a message.', { vendor })
  }
  const id = textOf(json['id'])
  const events: ReplyEvent[] = [{ type: 'start', model: textOf(json['model']) ?? '', ...(id !== undefined && { id }) }]
  const message = new MessageEvents(vendor, id ?? '')
  message.whole(choice['message'], (event) => events.push(event))
  const reason = message.endReason(textOf(choice['finish_reason']) ?? 'stop')
  if (reason === undefined) throw brokenOff(vendor)
  const usage = isObject(json['usage']) ? readUsage(json['usage']) : { ...noUsage }
  events.push({ type: 'usage', usage }, { type: 'end', reason })
  return events
}

/** The only choice that is read: n > 1 never reaches a vendor through here. */
export function firstChoice(json: JsonObject): JsonObject | undefined {
  return listOf(json['choices'])
    .filter(isObject)
    .find((choice) => (choice['index'] ?? 0) === 0)
}

/** The failure behind a finish reason like DeepSeek's `insufficient_system_resource`. */
export function brokenOff(vendor?: string): Failure {
  return new Failure(
    'vendor-broken',
    'The vendor stopped the answer half-way for a failure of its own.',
    vendor === undefined ? {} : { vendor },
  )
}

const finishReasons: Readonly<Record<EndReason, string>> = {
  end: 'stop',
  stop: 'stop',
  pause: 'stop',
  length: 'length',
  window: 'length',
  tool: 'tool_calls',
  refusal: 'content_filter',
}

/** OpenAI's word for why a reply ended. `refused`: the model declined in words of its own, which is a `stop`. */
export function finishReason(reason: EndReason, refused: boolean): string {
  return refused && reason === 'refusal' ? 'stop' : finishReasons[reason]
}

/** The events of a reply as one chat completion, with every key that strict SDKs require. */
export function fold(events: readonly ReplyEvent[], context: ReplyContext): JsonObject {
  let model = context.model
  let usage = noUsage
  let text = ''
  let refusal = ''
  let thinking = ''
  let thought = ''
  let finish = 'stop'
  let call: { arguments: string } | undefined
  const details: Json[] = []
  const annotations: Json[] = []
  const calls: Json[] = []
  const spans = new TextSpans()
  for (const event of events) {
    switch (event.type) {
      case 'start':
        model = event.model || context.model
        break
      case 'text':
        text += event.text
        spans.text(event.text)
        break
      case 'refusal':
        refusal += event.text
        break
      case 'thinking':
        thinking += event.text
        thought += event.text
        break
      case 'thinking-end': {
        const detail = writeDetail({ ...event, text: thought }, details.length)
        if (detail !== undefined) details.push(detail)
        thought = ''
        break
      }
      case 'tool-start': {
        const named = { name: event.name, arguments: '' }
        call = named
        calls.push(compact({ id: event.id, type: 'function', function: named, extra_content: extraContent(event) }))
        break
      }
      case 'tool-delta':
        if (call !== undefined) call.arguments += event.json
        break
      case 'tool-end':
        if (call?.arguments === '') call.arguments = '{}'
        break
      case 'citation':
        annotations.push(spans.annotation(event))
        break
      case 'usage':
        usage = event.usage
        break
      case 'end':
        finish = finishReason(event.reason, refusal !== '')
        if (event.reason === 'refusal' && refusal === '') refusal = event.explanation ?? ''
        break
      case 'failure':
        throw event.failure
      case 'ping':
        break
    }
  }
  const silent = text === '' && (calls.length > 0 || refusal !== '')
  const message = compact({
    role: 'assistant',
    content: silent ? null : text,
    refusal: refusal === '' ? null : refusal,
    annotations,
    reasoning_content: thinking === '' ? undefined : thinking,
    reasoning_details: details.length === 0 ? undefined : details,
    tool_calls: calls.length === 0 ? undefined : calls,
  })
  return {
    id: `chatcmpl-${context.id}`,
    object: 'chat.completion',
    created: Math.floor(context.createdMs / 1000),
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    usage: writeUsage(usage),
  }
}

/** Gemini's thought signature of a call, where Gemini's own compatible endpoint puts it. */
export function extraContent(event: Extract<ReplyEvent, { type: 'tool-start' }>): JsonObject | undefined {
  const { state } = event
  return state?.vendor === 'google' ? { google: { thought_signature: state.data } } : undefined
}
