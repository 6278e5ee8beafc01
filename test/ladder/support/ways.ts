import type { Asked, Way } from './vendor.ts'

/** What a model says that answers as it should. */
export function textFrom(model: string): string {
  return `This is ${model}.`
}

/** Answers well, in the dialect that was asked in. */
export const well: Way = (asked) => {
  if (!asked.stream) {
    asked.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(replyOf(asked)))
    return
  }
  begin(asked)
  asked.response.end([...content(asked), ending(asked)].join(''))
}

/** The events before any content, sent with the head. */
export function begin(asked: Asked): void {
  asked.response.writeHead(200, { 'content-type': 'text/event-stream' }).write(opening(asked))
}

/** An error answer, as the vendor's API has it. */
export function fails(status: number, { headers = {}, type, message = 'It cannot be done.' }: Told = {}): Way {
  return (asked) => {
    const kind = type ?? typeOf(status)
    const body = isAnthropic(asked)
      ? { type: 'error', error: { type: kind, message }, request_id: 'req_vendor' }
      : { error: { type: kind, message, param: null, code: null } }
    asked.response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
}

interface Told {
  headers?: Record<string, string>
  type?: string
  message?: string
}

/** An error in place of an event. */
export function errorEvent(asked: Asked, type = 'overloaded_error', message = 'Overloaded'): string {
  return isAnthropic(asked)
    ? event('error', { type: 'error', error: { type, message } })
    : data({ error: { type, message, param: null, code: null } })
}

/** The connection is reset. */
export const resets: Way = ({ socket }) => void socket.resetAndDestroy()

/** The connection stays open, and nothing comes. */
export const silent: Way = () => {}

/** A page of a proxy. */
export const page: Way = ({ response }) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Hello</title></html>')
}

/** The pieces of the whole answer of a stream, after `opening`. */
export function content(asked: Asked): string[] {
  const words = textFrom(asked.model).split(/(?<= )/)
  if (isAnthropic(asked)) {
    return [
      event('content_block_start', {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'text', text: '' },
      }),
      ...words.map((text) =>
        event('content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
      ),
    ]
  }
  return words.map((text) => chunk(asked, { content: text }, null))
}

export function ending(asked: Asked): string {
  if (isAnthropic(asked)) {
    return [
      event('content_block_stop', { type: 'content_block_stop', index: 0 }),
      event('message_delta', {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 7 },
      }),
      event('message_stop', { type: 'message_stop' }),
    ].join('')
  }
  const usage = { prompt_tokens: 3, completion_tokens: 7, total_tokens: 10 }
  return `${chunk(asked, {}, 'stop')}${data({ ...chunkBase(asked), choices: [], usage })}data: [DONE]\n\n`
}

/** A ping: life, and no content. */
export function ping(asked: Asked): string {
  return isAnthropic(asked) ? event('ping', { type: 'ping' }) : ': keep-alive\n\n'
}

/** What comes before any content. */
export function opening(asked: Asked): string {
  if (!isAnthropic(asked)) return chunk(asked, { role: 'assistant', content: '' }, null)
  const message = { ...replyOf(asked), content: [], stop_reason: null, usage: { input_tokens: 3, output_tokens: 1 } }
  return event('message_start', { type: 'message_start', message })
}

function replyOf(asked: Asked): Record<string, unknown> {
  const { model } = asked
  const text = textFrom(model)
  if (asked.path.endsWith('/count_tokens')) return { input_tokens: 42 }
  if (isAnthropic(asked)) {
    return {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model,
      content: [{ type: 'text', text }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 7 },
    }
  }
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [
      { index: 0, message: { role: 'assistant', content: text, refusal: null }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 7, total_tokens: 10 },
  }
}

function isAnthropic({ path }: Asked): boolean {
  return path.includes('/messages')
}

function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error'
  if (status === 401) return 'authentication_error'
  if (status === 529) return 'overloaded_error'
  return status < 500 ? 'invalid_request_error' : 'api_error'
}

function chunkBase({ model }: Asked): Record<string, unknown> {
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model }
}

function chunk(asked: Asked, delta: Record<string, unknown>, finish: string | null): string {
  return data({ ...chunkBase(asked), choices: [{ index: 0, delta, finish_reason: finish }] })
}

function event(name: string, json: unknown): string {
  return `event: ${name}\n${data(json)}`
}

function data(json: unknown): string {
  return `data: ${JSON.stringify(json)}\n\n`
}
