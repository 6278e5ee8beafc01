import { Failure, unsupported } from '../../core/failure.ts'
import { compact, isObject, type JsonObject, textOf } from '../../core/json.ts'
import type { OpaqueState, Prompt, ToolCallPart, ToolResultPart, Turn } from '../../core/prompt.ts'
import { type Model, refuses } from '../../core/vendor.ts'
import { exactJson } from '../exact-json.ts'
import { writeMedia } from './media.ts'
import { waysOfThinking } from './thinking.ts'

/**
 * What Google takes in the place of a signature for calls that its models did not make; without one Gemini 3 answers
 * 400. https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export const skipSignature = 'skip_thought_signature_validator'

/** The turns as contents: user and model by turns, the results of calls first, in the order of the calls. */
export function writeContents(prompt: Prompt, model: Model): JsonObject[] {
  const last = prompt.turns.at(-1)
  if (last?.role === 'assistant' && refuses(model, 'prefill')) {
    throw unsupported(last.path, 'beginning the answer for the model', model.id)
  }
  const callNames = new Map<string, string>()
  const contents: Content[] = []
  for (const turn of prompt.turns) {
    for (const part of turn.parts) if (part.type === 'tool-call') callNames.set(part.id, part.name)
    addTurn(contents, turn, { model, callNames })
  }
  const written = contents.map((content, index) => ({
    role: content.role,
    parts: [...orderedResults(content, contents[index - 1]?.calls ?? []), ...content.parts],
  }))
  if (waysOfThinking(model) === 'level') for (const content of written) signFirstCall(content.parts)
  if (written.length === 0) throw unsupported('messages', 'a conversation without a user message', model.id)
  return written
}

interface Content {
  role: 'user' | 'model'
  parts: JsonObject[]
  /** The ids of its calls. */
  calls: string[]
  results: Result[]
}

interface Result {
  callId: string
  part: JsonObject
  /** What has no place inside the result. */
  media: JsonObject[]
}

interface Target {
  model: Model
  callNames: ReadonlyMap<string, string>
}

function addTurn(contents: Content[], turn: Turn, target: Target): void {
  const content: Content = { role: turn.role === 'assistant' ? 'model' : 'user', parts: [], calls: [], results: [] }
  addParts(content, turn, target)
  if (content.parts.length === 0 && content.results.length === 0) return
  const before = contents.at(-1)
  if (before?.role !== content.role) {
    contents.push(content)
    return
  }
  before.parts.push(...content.parts)
  before.calls.push(...content.calls)
  before.results.push(...content.results)
}

function addParts(content: Content, turn: Turn, target: Target): void {
  const { model } = target
  // A state that stood on a text goes back onto the text that follows it; one that came last has an empty text.
  let state: string | undefined
  const flush = (): void => {
    if (state !== undefined) content.parts.push({ text: '', thoughtSignature: state })
    state = undefined
  }
  for (const part of turn.parts) {
    switch (part.type) {
      case 'text':
        if (part.text === '') break
        content.parts.push(compact({ text: instruction(part.text, turn), thoughtSignature: state }))
        state = undefined
        break
      case 'thinking': {
        const own = ownState(part.state, model)
        if (own === undefined) break
        flush()
        state = own
        break
      }
      case 'tool-call': {
        const own = ownState(part.state, model)
        if (own !== undefined) flush()
        content.parts.push(compact({ functionCall: callOf(part), thoughtSignature: own ?? state }))
        content.calls.push(part.id)
        state = undefined
        break
      }
      case 'tool-result':
        content.results.push(resultOf(part, target))
        break
      default:
        content.parts.push(writeMedia(part, model))
    }
  }
  flush()
}

/** Gemini knows instructions before the first turn only. */
function instruction(text: string, turn: Turn): string {
  return turn.role === 'system' ? `<system>\n${text}\n</system>` : text
}

function ownState(state: OpaqueState | undefined, model: Model): string | undefined {
  return state?.vendor === model.vendor ? state.data : undefined
}

function callOf(part: ToolCallPart): JsonObject {
  const args = part.arguments === '' ? {} : exactJson(part.arguments)
  if (!isObject(args)) {
    throw new Failure('request-invalid', `${part.path}: the arguments of a tool call must be a JSON object.`, {
      path: part.path,
    })
  }
  return { id: part.id, name: part.name, args }
}

function resultOf(result: ToolResultPart, target: Target): Result {
  const { model, callNames } = target
  const name = callNames.get(result.callId)
  if (name === undefined) {
    throw new Failure('request-invalid', `${result.path}: no tool call before it has the id that this result names.`, {
      path: result.path,
    })
  }
  const texts: string[] = []
  const inside: JsonObject[] = []
  const media: JsonObject[] = []
  // Media inside a result are new with Gemini 3, and only as bytes.
  const takesInside = waysOfThinking(model) === 'level'
  for (const part of result.parts) {
    const written: JsonObject = part.type === 'text' ? { text: part.text } : writeMedia(part, model)
    const words = textOf(written['text'])
    if (words !== undefined) texts.push(words)
    else if (takesInside && written['inlineData'] !== undefined) inside.push(written)
    else media.push(written)
  }
  const response = { [result.failed ? 'error' : 'output']: texts.join('\n') }
  const functionResponse: JsonObject = { id: result.callId, name, response }
  if (inside.length > 0) functionResponse['parts'] = inside
  return { callId: result.callId, part: { functionResponse }, media }
}

/** Google pairs results with calls by their order. */
function orderedResults(content: Content, calls: readonly string[]): JsonObject[] {
  const place = (result: Result): number => {
    const index = calls.indexOf(result.callId)
    return index === -1 ? calls.length : index
  }
  const results = content.results.toSorted((one, other) => place(one) - place(other))
  return [...results.map((result) => result.part), ...results.flatMap((result) => result.media)]
}

/** Of parallel calls only the first carries a signature. */
function signFirstCall(parts: JsonObject[]): void {
  const first = parts.find((part) => part['functionCall'] !== undefined)
  if (first !== undefined) first['thoughtSignature'] ??= skipSignature
}
