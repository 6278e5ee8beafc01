import { isObject, listOf, objectOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import { open } from '../../core/opaque.ts'
import type {
  DocumentPart,
  Extra,
  ImagePart,
  OpaqueState,
  Part,
  Prompt,
  Source,
  TextPart,
  ThinkingPart,
  Turn,
} from '../../core/prompt.ts'
import {
  below,
  invalid,
  missing,
  noteUnknown,
  textField,
  textNeeded,
  wordField,
  wrongType,
  wrongValue,
} from './fields.ts'
import { native, redactedId } from './state.ts'

const roles = ['user', 'assistant', 'system', 'developer'] as const
const details = ['low', 'high', 'auto', 'original'] as const

/** Reads `input` into the prompt: instructions before the first turn, the turns, and what only this API has. */
export function readInput(input: Json | undefined, prompt: Prompt): void {
  if (input === undefined || input === null) throw missing('input')
  if (typeof input === 'string') {
    prompt.turns.push({ role: 'user', parts: [{ type: 'text', text: input, path: 'input' }], path: 'input' })
    return
  }
  if (!Array.isArray(input)) throw wrongType('input', 'a string or an array of items', input)
  const reader = new InputReader(prompt)
  input.forEach((item, index) => {
    const path = `input[${index}]`
    if (!isObject(item)) throw wrongType(path, 'an object', item)
    reader.item(item, path)
  })
  reader.checkCalls()
}

/** Takes the items in order and groups them into turns: the items of one answer are one assistant turn. */
class InputReader {
  readonly #prompt: Prompt
  /** Call ids that await their output, with the path of the call. */
  readonly #calls = new Map<string, string>()
  readonly #answered = new Set<string>()
  /** A part of the conversation lies at OpenAI. */
  #stored: boolean

  constructor(prompt: Prompt) {
    this.#prompt = prompt
    this.#stored = prompt.extras.some(({ path }) => path === 'previous_response_id' || path === 'conversation')
  }

  item(item: JsonObject, path: string): void {
    const type = textField(item, 'type', path)
    switch (type) {
      case 'message':
        this.#message(item, path)
        return
      case 'function_call':
        this.#call(item, path)
        return
      case 'function_call_output':
        this.#output(item, path)
        return
      case 'reasoning':
        noteUnknown(item, ['type', 'id', 'status', 'summary', 'content', 'encrypted_content'], path, this.#extras)
        this.#turn('assistant', path).push(readReasoning(item, path))
        return
      case 'item_reference':
        this.#reference(path)
        return
      case undefined:
        if (item['role'] !== undefined) this.#message(item, path)
        else if (typeof item['id'] === 'string') this.#reference(path)
        else throw missing(`${path}.type`)
        return
      default:
        this.#extras.push({ path, what: `an input item of type ${type}` })
    }
  }

  /** OpenAI's own rule: every output answers a call, every call is answered. Unknown where a part is stored there. */
  checkCalls(): void {
    if (this.#stored) return
    for (const [id, path] of this.#calls) {
      if (!this.#answered.has(id)) {
        throw invalid(path, undefined, `No tool output found for function call ${id}.`)
      }
    }
  }

  get #extras(): Extra[] {
    return this.#prompt.extras
  }

  #reference(path: string): void {
    this.#stored = true
    this.#extras.push({ path, what: 'a reference to a stored item' })
  }

  /** The parts of the turn that is going on, if its role is the same, else of a new one. */
  #turn(role: 'assistant' | 'user', path: string): Part[] {
    const last = this.#prompt.turns.at(-1)
    const goesOn = role === 'assistant' || last?.parts.every(({ type }) => type === 'tool-result') === true
    if (last !== undefined && last.role === role && goesOn) return last.parts
    const turn: Turn = { role, parts: [], path }
    this.#prompt.turns.push(turn)
    return turn.parts
  }

  #message(item: JsonObject, path: string): void {
    const role = wordField(item, 'role', roles, path)
    if (role === undefined) throw missing(`${path}.role`)
    // `phase` tells a preamble from a final answer; `id` and `status` are the vendor's bookkeeping.
    noteUnknown(item, ['type', 'role', 'content', 'id', 'status', 'phase'], path, this.#extras)
    const parts = this.#content(item['content'], `${path}.content`)
    if (role === 'assistant') {
      this.#turn('assistant', path).push(...parts)
    } else if (role === 'user') {
      this.#prompt.turns.push({ role, parts, path })
    } else {
      const texts = parts.filter((part) => part.type === 'text')
      for (const part of parts) {
        if (part.type !== 'text')
          this.#extras.push({ path: part.path, what: `${part.type} input in a ${role} message` })
      }
      if (this.#prompt.turns.length === 0) this.#prompt.system.push(...texts)
      else this.#prompt.turns.push({ role: 'system', parts: texts, path })
    }
  }

  #call(item: JsonObject, path: string): void {
    noteUnknown(item, ['type', 'id', 'call_id', 'name', 'arguments', 'status', 'caller'], path, this.#extras)
    const id = textNeeded(item, 'call_id', path)
    const name = textNeeded(item, 'name', path)
    const text = textNeeded(item, 'arguments', path)
    const parts = this.#turn('assistant', path)
    const before = parts.at(-1)
    this.#calls.set(id, path)
    const call = { type: 'tool-call' as const, id, name, arguments: text === '' ? '{}' : text, path }
    // Gemini's proof of a call has no place on the call here: it came in an empty reasoning item before it.
    if (before?.type === 'thinking' && before.text === '' && before.state?.vendor === 'google') {
      parts[parts.length - 1] = { ...call, state: before.state }
    } else {
      parts.push(call)
    }
  }

  #output(item: JsonObject, path: string): void {
    noteUnknown(item, ['type', 'id', 'call_id', 'output', 'status', 'name', 'caller'], path, this.#extras)
    const callId = textNeeded(item, 'call_id', path)
    if (!this.#calls.has(callId) && !this.#stored) {
      throw invalid(path, undefined, `No tool call found for function call output with call_id ${callId}.`)
    }
    this.#answered.add(callId)
    const parts = this.#content(item['output'], `${path}.output`)
    this.#turn('user', path).push({ type: 'tool-result', callId, parts, failed: false, path })
  }

  #content(content: Json | undefined, path: string): (TextPart | ImagePart | DocumentPart)[] {
    if (content === undefined || content === null) throw missing(path)
    if (typeof content === 'string') return [{ type: 'text', text: content, path }]
    if (!Array.isArray(content)) throw wrongType(path, 'a string or an array of objects', content)
    const parts: (TextPart | ImagePart | DocumentPart)[] = []
    content.forEach((json, index) => {
      const partPath = `${path}[${index}]`
      if (!isObject(json)) throw wrongType(partPath, 'an object', json)
      const part = readPart(json, partPath, this.#extras)
      if (part !== undefined) parts.push(part)
    })
    return parts
  }
}

function readPart(json: JsonObject, path: string, extras: Extra[]): TextPart | ImagePart | DocumentPart | undefined {
  const type = textNeeded(json, 'type', path)
  switch (type) {
    case 'input_text':
    case 'output_text':
      noteUnknown(json, ['type', 'text', 'prompt_cache_breakpoint', 'annotations', 'logprobs'], path, extras)
      return { type: 'text', text: textNeeded(json, 'text', path), path }
    case 'refusal':
      noteUnknown(json, ['type', 'refusal'], path, extras)
      return { type: 'text', text: textNeeded(json, 'refusal', path), refusal: true, path }
    case 'input_image':
      return readImage(json, path, extras)
    case 'input_file':
      return readFile(json, path, extras)
    default:
      extras.push({ path, what: `a content part of type ${type}` })
      return undefined
  }
}

function readImage(json: JsonObject, path: string, extras: Extra[]): ImagePart | undefined {
  noteUnknown(json, ['type', 'image_url', 'file_id', 'detail', 'prompt_cache_breakpoint'], path, extras)
  const url = textField(json, 'image_url', path)
  const detail = wordField(json, 'detail', details, path)
  if (url === undefined) return uploaded(json, path, 'image_url', extras)
  const source = sourceOf(url)
  if (source === undefined) throw noUrl(`${path}.image_url`)
  return { type: 'image', source, path, ...(detail !== undefined && { detail }) }
}

function readFile(json: JsonObject, path: string, extras: Extra[]): DocumentPart | undefined {
  const known = ['type', 'filename', 'file_data', 'file_url', 'file_id', 'detail', 'prompt_cache_breakpoint']
  noteUnknown(json, known, path, extras)
  const title = textField(json, 'filename', path)
  const data = textField(json, 'file_data', path)
  const url = data ?? textField(json, 'file_url', path)
  if (url === undefined) return uploaded(json, path, 'file_data', extras)
  const source = sourceOf(url)
  if (source === undefined) throw noUrl(below(path, data === undefined ? 'file_url' : 'file_data'))
  return { type: 'document', source, path, ...(title !== undefined && { title }) }
}

/** A file that lies at the vendor crosses to no other. */
function uploaded(json: JsonObject, path: string, instead: string, extras: Extra[]): undefined {
  if (textField(json, 'file_id', path) === undefined) throw missing(below(path, instead))
  extras.push({ path: `${path}.file_id`, what: 'a file uploaded to OpenAI' })
}

function noUrl(path: string): Error {
  return wrongValue(path, ['https://…', 'data:MEDIA_TYPE;base64,…'])
}

function sourceOf(url: string): Source | undefined {
  if (/^https?:\/\//i.test(url)) return { type: 'url', url }
  const comma = url.indexOf(',')
  const head = url.slice(0, Math.max(0, comma))
  if (!head.startsWith('data:') || !head.endsWith(';base64')) return undefined
  const mediaType = head.slice('data:'.length).split(';')[0] ?? ''
  return mediaType === '' ? undefined : { type: 'base64', mediaType, data: url.slice(comma + 1) }
}

function readReasoning(item: JsonObject, path: string): ThinkingPart {
  const part: ThinkingPart = { type: 'thinking', text: thoughts(item['summary']) || thoughts(item['content']), path }
  const content = textField(item, 'encrypted_content', path)
  const id = textField(item, 'id', path)
  if (content === undefined || content === '') return part
  const state: OpaqueState = open(content, native)
  if (state.id === redactedId) {
    part.redacted = true
    delete state.id
  } else if (state.vendor === native && state.id === undefined && id !== undefined) {
    state.id = id
  }
  part.state = state
  return part
}

/** The text of a summary's (or content's) parts, a blank line between them. */
function thoughts(parts: Json | undefined): string {
  return listOf(parts)
    .map((part) => textOf(objectOf(part)['text']) ?? '')
    .filter((text) => text !== '')
    .join('\n\n')
}
