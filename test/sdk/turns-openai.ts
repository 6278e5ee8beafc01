import assert from 'node:assert/strict'
import type OpenAI from 'openai'
import type { Completion } from './fold-openai.ts'
import { pdf, png, weatherSchema } from './matrix.ts'

type Message = OpenAI.ChatCompletionMessageParam
type Content = OpenAI.ChatCompletionContentPart

/** A tool with an argument; the sandbox's models call the first tool they are given. */
export const weather: OpenAI.ChatCompletionFunctionTool = {
  type: 'function',
  function: { name: 'weather', description: 'The weather in a city.', parameters: weatherSchema },
}

/** A tool without any. */
export const clock: OpenAI.ChatCompletionFunctionTool = { type: 'function', function: { name: 'clock' } }

/** A turn of the user. */
export function user(content: string | Content[]): Message {
  return { role: 'user', content }
}

/** The turn as the SDK gave it, and a result for each of its calls. */
export function answered(called: Completion, ...results: string[]): [Message, ...Message[]] {
  const calls = callsOf(called)
  assert.equal(calls.length, results.length)
  return [
    called.message,
    ...calls.map(({ id }, index): Message => ({ role: 'tool', tool_call_id: id, content: results[index] ?? '' })),
  ]
}

/** The function calls of an answer that ended for them. */
export function callsOf({ message, finish }: Completion): OpenAI.ChatCompletionMessageFunctionToolCall[] {
  assert.equal(finish, 'tool_calls')
  const calls = functionsOf({ message })
  assert.ok(calls.length > 0, 'a tool call')
  assert.equal(new Set(calls.map((call) => call.id)).size, calls.length, 'ids are unique')
  return calls
}

/** The names and parsed arguments of the functions that an answer calls, whatever its finish reason. */
export function namedIn(answer: Completion): [name: string, input: unknown][] {
  return functionsOf(answer).map((call) => [call.function.name, JSON.parse(call.function.arguments)])
}

function functionsOf({ message }: Pick<Completion, 'message'>): OpenAI.ChatCompletionMessageFunctionToolCall[] {
  return (message.tool_calls ?? []).filter((call) => call.type === 'function')
}

/** The text of an answer, '' for none. */
export function textOf({ message }: Completion): string {
  return message.content ?? ''
}

/** The image of the matrix, by value. */
export const image: Content = { type: 'image_url', image_url: { url: `data:image/png;base64,${png.base64}` } }

/** The PDF of the matrix. */
export const document: Content = {
  type: 'file',
  file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf.base64}` },
}
