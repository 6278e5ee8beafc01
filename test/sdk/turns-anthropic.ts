import assert from 'node:assert/strict'
import type Anthropic from '@anthropic-ai/sdk'
import { pdf, png, weatherSchema } from './matrix.ts'

type Message = Anthropic.MessageParam

/** A tool with an argument; the sandbox's models call the first tool they are given. */
export const weather: Anthropic.Tool = {
  name: 'weather',
  description: 'The weather in a city.',
  input_schema: weatherSchema,
}

/** A tool without any. */
export const clock: Anthropic.Tool = {
  name: 'clock',
  description: 'The time of day.',
  input_schema: { type: 'object' },
}

/** A turn of the user. */
export function user(content: Message['content']): Message {
  return { role: 'user', content }
}

/** The turn as the SDK gave it, and a result for each of its calls. */
export function answered(
  called: Anthropic.Message,
  ...results: Omit<Anthropic.ToolResultBlockParam, 'type' | 'tool_use_id'>[]
): [Message, { role: 'user'; content: Anthropic.ToolResultBlockParam[] }] {
  const calls = callsOf(called)
  assert.equal(calls.length, results.length)
  const content = calls.map((call, index): Anthropic.ToolResultBlockParam => {
    return { type: 'tool_result', tool_use_id: call.id, ...results[index] }
  })
  return [
    { role: 'assistant', content: called.content },
    { role: 'user', content },
  ]
}

/** The tool calls of a message that ended for them. */
export function callsOf(message: Anthropic.Message): Anthropic.ToolUseBlock[] {
  assert.equal(message.stop_reason, 'tool_use')
  const calls = message.content.filter((block) => block.type === 'tool_use')
  assert.ok(calls.length > 0, 'a tool call')
  for (const { id } of calls) assert.match(id, /^[a-zA-Z0-9_-]+$/)
  assert.equal(new Set(calls.map((call) => call.id)).size, calls.length, 'ids are unique')
  return calls
}

/** The names of the tools that a message calls. */
export function namesOf(message: Anthropic.Message): string[] {
  return callsOf(message).map((call) => call.name)
}

/** All text of a message. */
export function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

/** The image of the matrix, by value. */
export const image: Anthropic.ImageBlockParam = {
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data: png.base64 },
}

/** The PDF of the matrix. */
export const document: Anthropic.DocumentBlockParam = {
  type: 'document',
  source: { type: 'base64', media_type: 'application/pdf', data: pdf.base64 },
}
