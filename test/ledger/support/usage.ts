import type { Asked, Way } from '../../ladder/support/vendor.ts'
import { begin, content, ending } from '../../ladder/support/ways.ts'

/** Begins a stream and says something, and no more until the test goes on. */
export const begins: Way = (asked) => {
  begin(asked)
  asked.response.write(content(asked).join(''))
}

/** Ends what `begins` has begun; once. */
export function goesOn(asked: Asked): void {
  if (!asked.response.writableEnded) asked.response.end(ending(asked))
}

/** Answers well, and says that so many tokens were used. */
export function replies({ input, output }: { input: number; output: number }): Way {
  return (asked) => {
    const { stream, response } = asked
    const json = asked.path.includes('/messages')
      ? message(asked.model, input, output)
      : chat(asked.model, input, output)
    if (!stream) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json))
      return
    }
    const events = asked.path.includes('/messages') ? messageEvents(json, output) : chatEvents(json)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''))
  }
}

function message(model: string, input: number, output: number) {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text: 'So many.' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: input, output_tokens: output },
  }
}

function messageEvents(json: object, output: number): string[] {
  const events = [
    { type: 'message_start', message: { ...json, content: [], stop_reason: null } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'So many.' } },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: output },
    },
    { type: 'message_stop' },
  ]
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
}

function chat(model: string, input: number, output: number) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'So many.', refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  }
}

function chatEvents(json: { model: string; usage: object }): string[] {
  const base = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: json.model }
  const events = [
    { ...base, choices: [{ index: 0, delta: { role: 'assistant', content: 'So many.' }, finish_reason: null }] },
    { ...base, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    { ...base, choices: [], usage: json.usage },
  ]
  return [...events.map((event) => `data: ${JSON.stringify(event)}\n\n`), 'data: [DONE]\n\n']
}
