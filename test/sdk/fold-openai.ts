import assert from 'node:assert/strict'
import type OpenAI from 'openai'

type Chunk = OpenAI.ChatCompletionChunk
type Delta = OpenAI.ChatCompletionChunk.Choice.Delta

/** An assistant message with the fields beyond OpenAI's own that the chat dialect carries. */
export interface ChatMessage extends OpenAI.ChatCompletionMessage {
  reasoning_content?: string
  reasoning_details?: unknown[]
}

/** A whole answer, or what chunks make of it. */
export interface Completion {
  id: string
  model: string
  created: number
  message: ChatMessage
  finish: string
  usage: OpenAI.CompletionUsage | undefined
}

/**
 * The answer that raw chunks make, as an application folds them that uses no helper. Asserts what applications rely
 * on: one id and time, the role first, tool calls counted from 0 with id and name once, the finish once and last but
 * for the usage, and that only where it was asked for.
 */
export async function foldOpenai(chunks: AsyncIterable<Chunk>, usageAsked: boolean): Promise<Completion> {
  let first: Chunk | undefined
  let finish: string | undefined
  let usage: OpenAI.CompletionUsage | undefined
  const message: ChatMessage = { role: 'assistant', content: null, refusal: null }
  for await (const chunk of chunks) {
    assert.equal(chunk.object, 'chat.completion.chunk')
    first ??= chunk
    assert.deepEqual([chunk.id, chunk.created, chunk.model], [first.id, first.created, first.model])
    const [choice] = chunk.choices
    if (choice === undefined) {
      assert.ok(usageAsked, 'a usage chunk that was not asked for')
      assert.ok(finish !== undefined, 'usage came before the finish')
      assert.ok(chunk.usage, 'a chunk with neither choice nor usage')
      assert.equal(usage, undefined, 'usage came twice')
      usage = chunk.usage
      continue
    }
    assert.equal(choice.index, 0)
    assert.equal(finish, undefined, 'a choice came after the finish')
    assert.ok(chunk.usage === null || chunk.usage === undefined, 'usage stands in a chunk of its own')
    if (chunk === first) assert.equal(choice.delta.role, 'assistant')
    add(message, choice.delta)
    if (choice.finish_reason !== null) finish = choice.finish_reason
  }
  assert.ok(first !== undefined && finish !== undefined, 'the stream ended without a finish')
  assert.equal(usage !== undefined, usageAsked, 'usage where it was asked for')
  for (const call of message.tool_calls ?? []) assert.ok(call.type === 'function' && call.id !== '')
  return { id: first.id, model: first.model, created: first.created, message, finish, usage }
}

function add(
  message: ChatMessage,
  delta: Delta & { reasoning_content?: string | null; reasoning_details?: unknown[] },
): void {
  if (typeof delta.content === 'string') message.content = (message.content ?? '') + delta.content
  if (typeof delta.refusal === 'string') message.refusal = (message.refusal ?? '') + delta.refusal
  if (typeof delta.reasoning_content === 'string') {
    message.reasoning_content = (message.reasoning_content ?? '') + delta.reasoning_content
  }
  if (delta.reasoning_details !== undefined) {
    message.reasoning_details = [...(message.reasoning_details ?? []), ...delta.reasoning_details]
  }
  for (const piece of delta.tool_calls ?? []) addCall(message, piece)
}

function addCall(message: ChatMessage, piece: OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall): void {
  const calls = (message.tool_calls ??= [])
  const known = calls[piece.index]
  if (known === undefined) {
    assert.equal(piece.index, calls.length, 'tool calls are counted from 0')
    const { index: _index, ...call } = piece
    assert.match(call.id ?? '', /^.+$/)
    assert.equal(call.type, 'function')
    assert.match(call.function?.name ?? '', /^.+$/)
    calls.push(structuredClone(call) as OpenAI.ChatCompletionMessageFunctionToolCall)
    return
  }
  assert.ok(known.type === 'function')
  assert.ok(piece.id === undefined || piece.id === known.id, 'an id is told once')
  known.function.arguments += piece.function?.arguments ?? ''
}
