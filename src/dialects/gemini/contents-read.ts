import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Extra, OpaqueState, Part, TextPart, ToolCallPart, ToolResultPart, Turn } from '../../core/prompt.ts'
import { fields, invalid, many, spare, text } from './fields.ts'
import { readMedia } from './media.ts'
import { redactedId } from './parts.ts'
import { openState } from './state.ts'

/** The turns of a conversation. Calls without ids get stable ones, and results are matched to them. */
export function readContents(value: Json | undefined, at: string, extras: Extra[]): Turn[] {
  const contents = many(value, at)
  if (contents.length === 0) throw invalid(at, 'must hold at least one content')
  let calls: ToolCallPart[] = []
  return contents.map((given, index) => {
    const path = `${at}[${index}]`
    const { role, parts, ...rest } = fields(given, path)
    spare(rest, path, extras)
    const turn: Turn = { role: readRole(role, `${path}.role`), parts: [], path }
    const place: Place = { turn, index, extras, calls, answered: calls.map(() => false) }
    // Results may come in several contents in a row: only a model's content begins anew.
    if (turn.role === 'assistant') calls = []
    many(parts, `${path}.parts`).forEach((part, at) => readPart(part, `${path}.parts[${at}]`, place))
    if (turn.role === 'assistant') calls = turn.parts.filter((part) => part.type === 'tool-call')
    else calls = calls.filter((_call, at) => !place.answered[at])
    return turn
  })
}

/** The texts of a `systemInstruction`. */
export function readSystem(value: Json | undefined, path: string, extras: Extra[]): TextPart[] {
  if (value === undefined) return []
  if (typeof value === 'string') return value === '' ? [] : [{ type: 'text', text: value, path }]
  const { role: _role, parts, ...rest } = fields(value, path)
  spare(rest, path, extras)
  return many(parts, `${path}.parts`).flatMap((part, index) => {
    const at = `${path}.parts[${index}]`
    const { text: given, ...others } = fields(part, at)
    spare(others, at, extras)
    const words = text(given, `${at}.text`) ?? ''
    return words === '' ? [] : [{ type: 'text', text: words, path: at } as const]
  })
}

interface Place {
  turn: Turn
  index: number
  extras: Extra[]
  /** The calls that wait for results, and which of them this content has answered. */
  calls: readonly ToolCallPart[]
  answered: boolean[]
}

function readRole(role: Json | undefined, path: string): 'user' | 'assistant' {
  if (role === 'model') return 'assistant'
  if (role === undefined || role === '' || role === 'user' || role === 'function') return 'user'
  throw invalid(path, 'must be user or model')
}

function readPart(given: Json, path: string, place: Place): void {
  const { thought, thoughtSignature, mediaResolution: _resolution, ...part } = fields(given, path)
  const { turn, extras } = place
  const { functionCall, functionResponse, inlineData, fileData, text: words, ...rest } = part
  spare(rest, path, extras)
  const signature = text(thoughtSignature, `${path}.thoughtSignature`)
  const state = signature === undefined || signature === '' ? undefined : openState(signature)
  if (thought === true) {
    addThought(turn, { text: text(words, `${path}.text`) ?? '', state, path })
    return
  }
  if (functionCall !== undefined) {
    if (turn.role !== 'assistant') throw invalid(`${path}.functionCall`, 'belongs into a content of role model')
    turn.parts.push(readCall(functionCall, { path, state, place }))
    return
  }
  if (state !== undefined) turn.parts.push({ type: 'thinking', text: '', path, state })
  if (functionResponse !== undefined) {
    if (turn.role !== 'user') throw invalid(`${path}.functionResponse`, 'belongs into a content of role user')
    turn.parts.push(readResult(functionResponse, path, place))
  } else if (inlineData !== undefined || fileData !== undefined) {
    turn.parts.push(...readMedia(part, path, extras))
  } else if (words !== undefined && words !== '') {
    turn.parts.push({ type: 'text', text: text(words, `${path}.text`) ?? '', path })
  }
}

/** A run of thoughts is one: a streamed one comes back in pieces, its signature in the last. */
function addThought(turn: Turn, thought: { text: string; state: OpaqueState | undefined; path: string }): void {
  const last = turn.parts.at(-1)
  const joined = last?.type === 'thinking' && last.state === undefined ? last : undefined
  const part: Part & { type: 'thinking' } = joined ?? { type: 'thinking', text: '', path: thought.path }
  if (joined === undefined) turn.parts.push(part)
  part.text += thought.text
  if (thought.state === undefined) return
  const { id, ...state } = thought.state
  if (id === redactedId) part.redacted = true
  part.state = id === redactedId ? state : thought.state
}

function readCall(given: Json, about: { path: string; state: OpaqueState | undefined; place: Place }): ToolCallPart {
  const { path, state, place } = about
  const { id, name, args, ...rest } = fields(given, `${path}.functionCall`)
  spare(rest, `${path}.functionCall`, place.extras)
  const called = text(name, `${path}.functionCall.name`)
  if (called === undefined) throw invalid(`${path}.functionCall`, 'needs a name')
  if (args !== undefined && !isObject(args)) throw invalid(`${path}.functionCall.args`, 'must be an object')
  const before = place.turn.parts.filter((part) => part.type === 'tool-call').length
  return {
    type: 'tool-call',
    path,
    id: text(id, `${path}.functionCall.id`) || `call_${place.index}_${before}`,
    name: called,
    arguments: JSON.stringify(args ?? {}),
    ...(state === undefined ? {} : { state }),
  }
}

function readResult(given: Json, path: string, place: Place): ToolResultPart {
  const at = `${path}.functionResponse`
  const { id, name, response, parts, willContinue, ...rest } = fields(given, at)
  spare(rest, at, place.extras)
  if (willContinue === true) place.extras.push({ path: `${at}.willContinue` })
  const answer = readAnswer(response, `${at}.response`)
  const media = many(parts, `${at}.parts`).flatMap((part, index) =>
    readMedia(fields(part, `${at}.parts[${index}]`), `${at}.parts[${index}]`, place.extras),
  )
  const words: TextPart[] = answer.text === '' ? [] : [{ type: 'text', text: answer.text, path: at }]
  return {
    type: 'tool-result',
    path,
    callId: match(text(id, `${at}.id`), text(name, `${at}.name`), place) ?? throwOrphan(at),
    failed: answer.failed,
    parts: [...words, ...media.filter((part) => part.type === 'image' || part.type === 'document')],
  }
}

/** The call that a result answers: by its id, else the first one of its name that still waits. */
function match(id: string | undefined, name: string | undefined, place: Place): string | undefined {
  const { calls, answered } = place
  const waits = (index: number): boolean => !answered[index]
  let at = calls.findIndex((call) => call.id === id)
  if (at === -1) at = calls.findIndex((call, index) => call.name === name && waits(index))
  if (at === -1) return id === '' ? undefined : id
  answered[at] = true
  return calls[at]?.id
}

function throwOrphan(path: string): never {
  throw invalid(path, 'must follow the content with the functionCall that it answers')
}

/** `output` is what the function gave, `error` how it failed; any other object is all of it output. */
function readAnswer(response: Json | undefined, path: string): { text: string; failed: boolean } {
  if (response === undefined) return { text: '', failed: false }
  if (!isObject(response)) throw invalid(path, 'must be an object')
  const [name, ...others] = Object.keys(response)
  const failed = name === 'error' && others.length === 0
  if (!failed && (name !== 'output' || others.length > 0)) return { text: jsonText(response), failed: false }
  const value = response[name]
  return { text: typeof value === 'string' ? value : JSON.stringify(value), failed }
}

function jsonText(response: JsonObject): string {
  return Object.keys(response).length === 0 ? '' : JSON.stringify(response)
}
