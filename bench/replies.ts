/** A dialect's scripted answer: whole, or streamed as a head, any number of equal events, and a tail. */
export interface Reply {
  whole: Buffer
  head: Buffer
  event: Buffer
  tail: (events: number, usage: boolean) => Buffer
}

/** The text of each event: about one token. It is what a probe counts to know that nothing was lost. */
export const piece = ' keyring'

const sentence = 'A key ring holds many keys, and one hand carries it.'.repeat(2)

/** The path of each dialect that the scripted vendor speaks, and what it says there. */
export const replies: Readonly<Record<string, Reply>> = {
  '/v1/messages': anthropic(),
  '/v1/chat/completions': openaiChat(),
  '/v1/responses': openaiResponses(),
}

function anthropic(): Reply {
  const usage = { input_tokens: 42, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 }
  const message = {
    id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: [] as object[],
    stop_reason: null as string | null,
    stop_sequence: null,
    usage,
  }
  const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }
  const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } }
  const reason = { stop_reason: 'end_turn', stop_sequence: null }
  return {
    whole: json({ ...message, content: [{ type: 'text', text: sentence }], stop_reason: 'end_turn' }),
    head: named({ type: 'message_start', message }, block, { type: 'ping' }),
    event: named(delta),
    tail: (events) =>
      named(
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: reason, usage: { output_tokens: events } },
        { type: 'message_stop' },
      ),
  }
}

function openaiChat(): Reply {
  const base = { id: 'chatcmpl-BRf6mGTbSJgfCqsYvC2wVnZzQkQ1x', created: 1_763_000_000, model: 'gpt-4.1-2025-04-14' }
  const chunk = (delta: object, finish: string | null) => ({
    ...base,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  })
  const message = { role: 'assistant', content: sentence, refusal: null }
  const choice = { index: 0, message, logprobs: null, finish_reason: 'stop' }
  return {
    whole: json({ ...base, object: 'chat.completion', choices: [choice], usage: chatUsage(30) }),
    head: unnamed(chunk({ role: 'assistant', content: '', refusal: null }, null)),
    event: unnamed(chunk({ content: piece }, null)),
    tail: (events, usage) => {
      const counted = { ...base, object: 'chat.completion.chunk', choices: [], usage: chatUsage(events) }
      return Buffer.concat([unnamed(chunk({}, 'stop'), ...(usage ? [counted] : [])), Buffer.from('data: [DONE]\n\n')])
    },
  }
}

function openaiResponses(): Reply {
  const place = { item_id: 'msg_68af4030592c81938ec0a5fbab4a3e9f', output_index: 0, content_index: 0 }
  const item = (status: string, content: object[]) => ({
    id: place.item_id,
    type: 'message',
    status,
    role: 'assistant',
    content,
  })
  const response = (status: string, text: string | undefined, tokens: number) => ({
    id: 'resp_68af4030592c81938ec0a5fbab4a3e9f',
    object: 'response',
    created_at: 1_763_000_000,
    status,
    error: null,
    incomplete_details: null,
    model: 'gpt-5.2-2025-12-11',
    output: text === undefined ? [] : [item(status, [textPart(text)])],
    usage: text === undefined ? null : { input_tokens: 42, output_tokens: tokens, total_tokens: 42 + tokens },
  })
  const end = (text: string, tokens: number) =>
    named(
      { type: 'response.output_text.done', ...place, text, logprobs: [] },
      { type: 'response.content_part.done', ...place, part: textPart(text) },
      { type: 'response.output_item.done', output_index: 0, item: item('completed', [textPart(text)]) },
      { type: 'response.completed', response: response('completed', text, tokens) },
    )
  return {
    whole: json(response('completed', sentence, 30)),
    head: named(
      { type: 'response.created', response: response('in_progress', undefined, 0) },
      { type: 'response.output_item.added', output_index: 0, item: item('in_progress', []) },
      { type: 'response.content_part.added', ...place, part: textPart('') },
    ),
    event: named({ type: 'response.output_text.delta', ...place, delta: piece, logprobs: [] }),
    tail: (events) => end(piece.repeat(events), events),
  }
}

function chatUsage(completion: number): object {
  return { prompt_tokens: 42, completion_tokens: completion, total_tokens: 42 + completion }
}

function textPart(text: string): object {
  return { type: 'output_text', annotations: [], logprobs: [], text }
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}

interface Named {
  type: string
  [field: string]: unknown
}

/** Events as Anthropic and OpenAI's Responses frame them; the latter numbers them too, which no reader relies on. */
function named(...events: readonly Named[]): Buffer {
  return Buffer.from(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
}

function unnamed(...events: readonly object[]): Buffer {
  return Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))
}
