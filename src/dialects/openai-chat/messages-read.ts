import { isObject, objectOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import type { Extra, Part, TextPart, ToolCallPart, ToolResultPart, Turn } from '../../core/prompt.ts'
import { invalid, missing, noteUnknown, requiredList, requiredText, wrongType, wrongValue } from './check.ts'
import { readAssistantContent, readTexts, readUserContent } from './content-read.ts'
import { readThoughts } from './reasoning.ts'

const roles = ['system', 'assistant', 'user', 'function', 'tool', 'developer']

/** There must be a list of messages with something in it. */
export function checkMessages(value: Json | undefined): void {
  if ((value ?? null) === null) throw missing('messages')
  if (Array.isArray(value) && value.length === 0) {
    throw invalid(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'messages',
      'empty_array',
    )
  }
  requiredList(value, 'messages')
}

/** The messages as the core's system texts and turns. */
export function readMessages(value: Json | undefined, extras: Extra[]): { system: TextPart[]; turns: Turn[] } {
  checkMessages(value)
  const conversation = new Conversation()
  requiredList(value, 'messages').forEach((message, index) => {
    const path = `messages[${index}]`
    if (!isObject(message)) throw wrongType(path, 'an object', message)
    const role = requiredText(message, 'role', `${path}.role`)
    conversation.expect(role, path)
    switch (role) {
      case 'system':
      case 'developer':
        noteUnknown(message, new Set(['role', 'content', 'name']), path, extras)
        conversation.system(readTexts(message, path, extras), path)
        break
      case 'user':
        noteUnknown(message, new Set(['role', 'content', 'name']), path, extras)
        conversation.turn('user', readUserContent(message, path, extras), path)
        break
      case 'assistant':
        conversation.turn('assistant', readAssistant(message, path, extras), path)
        break
      case 'tool':
        noteUnknown(message, new Set(['role', 'content', 'name', 'tool_call_id']), path, extras)
        conversation.result(readResult(message, path, extras), path)
        break
      case 'function':
        extras.push({ path, what: 'a message of the role function' })
        break
      default:
        throw wrongValue(`${path}.role`, role, roles)
    }
  })
  conversation.expect(undefined, '')
  return { system: conversation.texts, turns: conversation.turns }
}

/** Puts messages into turns, and sees to it that every tool call gets its result and every result has its call. */
class Conversation {
  readonly texts: TextPart[] = []
  readonly turns: Turn[] = []
  #begun = false
  /** The turn that collects results: neighbouring tool messages are one turn. */
  #results: Turn | undefined
  #calls = new Set<string>()
  #unanswered = new Set<string>()
  #callsPath = ''

  /** A message of this role comes next; undefined for the end. */
  expect(role: string | undefined, path: string): void {
    if (role === 'tool') return
    this.#results = undefined
    this.#calls.clear()
    if (this.#unanswered.size === 0) return
    const ids = [...this.#unanswered].join(', ').slice(0, 200)
    const message = `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids}`
    throw invalid(message, `${path === '' ? this.#callsPath : path}.role`)
  }

  system(parts: TextPart[], path: string): void {
    if (!this.#begun) this.texts.push(...parts)
    else if (parts.length > 0) this.turns.push({ role: 'system', parts, path })
  }

  turn(role: 'user' | 'assistant', parts: Part[], path: string): void {
    this.#begun = true
    for (const part of parts) {
      if (part.type !== 'tool-call') continue
      this.#calls.add(part.id)
      this.#unanswered.add(part.id)
      this.#callsPath = path
    }
    if (parts.length > 0) this.turns.push({ role, parts, path })
  }

  result(part: ToolResultPart, path: string): void {
    if (!this.#calls.has(part.callId)) {
      const message =
        "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
      throw invalid(message, `${path}.role`)
    }
    this.#unanswered.delete(part.callId)
    if (this.#results === undefined) {
      this.#results = { role: 'user', parts: [], path }
      this.turns.push(this.#results)
    }
    this.#results.parts.push(part)
  }
}

const assistantFields = new Set([
  'role',
  'content',
  'name',
  'refusal',
  'tool_calls',
  'audio',
  'function_call',
  'annotations',
  'parsed',
  'reasoning_content',
  'reasoning_details',
])

function readAssistant(message: JsonObject, path: string, extras: Extra[]): Part[] {
  noteUnknown(message, assistantFields, path, extras)
  for (const [key, what] of [
    ['audio', 'an earlier answer in sound'],
    ['function_call', 'function_call'],
  ] as const) {
    if ((message[key] ?? null) !== null) extras.push({ path: `${path}.${key}`, what })
  }
  const thinking: Part[] = readThoughts(message).map((thought) => ({ type: 'thinking', ...thought, path }))
  const text = readAssistantContent(message, path, extras)
  const refusal = textOf(message['refusal'])
  if (refusal !== undefined && refusal !== '') text.push({ type: 'text', text: refusal, refusal: true, path })
  const list = message['tool_calls'] ?? undefined
  const calls = list === undefined ? [] : requiredList(list, `${path}.tool_calls`)
  return [
    ...thinking,
    ...text,
    ...calls.flatMap((call, index) => readCall(call, `${path}.tool_calls[${index}]`, extras)),
  ]
}

function readCall(call: Json, path: string, extras: Extra[]): ToolCallPart[] {
  if (!isObject(call)) throw wrongType(path, 'an object', call)
  const type = textOf(call['type']) ?? 'function'
  const id = requiredText(call, 'id', `${path}.id`)
  if (type === 'custom') {
    extras.push({ path, what: 'a call of a custom tool' })
    // Kept in the turn all the same, so that its result is not taken for an orphan.
    return [{ type: 'tool-call', id, name: 'custom', arguments: '{}', path }]
  }
  if (type !== 'function') throw wrongValue(`${path}.type`, type, ['function', 'custom'])
  noteUnknown(call, new Set(['id', 'type', 'function', 'index', 'extra_content']), path, extras)
  const named = call['function'] ?? undefined
  if (named === undefined) throw missing(`${path}.function`)
  if (!isObject(named)) throw wrongType(`${path}.function`, 'an object', named)
  noteUnknown(named, new Set(['name', 'arguments', 'parsed_arguments']), `${path}.function`, extras)
  const signature = textOf(objectOf(objectOf(call['extra_content'])['google'])['thought_signature'])
  return [
    {
      type: 'tool-call',
      id,
      name: requiredText(named, 'name', `${path}.function.name`),
      arguments: requiredText(named, 'arguments', `${path}.function.arguments`).trim() || '{}',
      ...(signature !== undefined && { state: { vendor: 'google', data: signature } }),
      path,
    },
  ]
}

function readResult(message: JsonObject, path: string, extras: Extra[]): ToolResultPart {
  const callId = requiredText(message, 'tool_call_id', `${path}.tool_call_id`)
  return { type: 'tool-result', callId, parts: readTexts(message, path, extras), failed: false, path }
}
