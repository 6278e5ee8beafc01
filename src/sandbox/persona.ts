import { noUsage, type EndReason, type ReplyEvent, type Usage } from '../core/event.ts'
import type { DocumentPart, ImagePart, OpaqueState, Part, Prompt, Tool, ToolResultPart, Turn } from '../core/prompt.ts'
import type { InputUsage } from './prefix-cache.ts'
import { sampleOf } from './schema-sample.ts'
import { bytesOf, cutToTokens, tokensOf } from './tokens.ts'

/** What a vendor and its wire format add to the one persona that all simulated models share. */
export interface Voice {
  /** Begins the ids of tool calls; the call's number follows. */
  callId: string
  /**
   * `shown`: the thought and its state; `sealed`: the state alone; `counted`: only its tokens; `none`: the model does
   * not think about this prompt.
   */
  thinking: 'shown' | 'sealed' | 'counted' | 'none'
  /** The vendor's opaque state of a thought, where it has such a thing. */
  sign?: (thought: string) => OpaqueState
  /** Gemini: the state stands on the first tool call, or after the text, instead of on the thought. */
  signsCalls?: boolean
  input: InputUsage
}

/** What the answer holds, before limits. */
interface Answer {
  thought: string
  text: string
  calls: { name: string; json: string }[]
}

const quotedMax = 400
const wordsMax = 100_000
const wordsPerPiece = 4
const argumentsPiece = 16

/**
 * The answer of every simulated model: deterministic, in plain words, and telling what arrived. It calls the tools it
 * is given, quotes their results, keeps to schemas, limits and stops, and counts its tokens.
 */
export function persona(prompt: Prompt, voice: Voice): ReplyEvent[] {
  const answer = answerOf(prompt)
  const tokensMax = prompt.tokensMax ?? Infinity
  const thought = voice.thinking === 'none' ? '' : cutToTokens(answer.thought, tokensMax)
  const thinking = tokensOf(thought)
  const { text, reason, stop } = limited(answer.text, prompt.stops, tokensMax - thinking)
  const calls = callsThatFit(answer.calls, tokensMax - thinking)
  const used = thinking + tokensOf(text) + calls.reduce((sum, call) => sum + callTokens(call), 0)
  const cut = reason === 'length' || calls.length < answer.calls.length
  const usage: Usage = { ...noUsage, ...voice.input, output: cut ? tokensMax : used, thinking }

  const events: ReplyEvent[] = [
    { type: 'start', model: prompt.model },
    { type: 'usage', usage: { ...usage, output: Math.min(1, usage.output), thinking: 0 } },
    ...thinkingEvents(thought, voice),
    ...pieces(text).map((piece): ReplyEvent => ({ type: 'text', text: piece })),
    ...textState(text, thought, voice),
    ...calls.flatMap((call, index) => callEvents(call, index, voice)),
    { type: 'usage', usage },
  ]
  if (cut) events.push({ type: 'end', reason: 'length' })
  else if (stop !== undefined) events.push({ type: 'end', reason, stop })
  else events.push({ type: 'end', reason: calls.length > 0 ? 'tool' : reason })
  return events
}

function answerOf(prompt: Prompt): Answer {
  const turns = turnsSinceReply(prompt)
  const parts = turns.flatMap((turn) => turn.parts)
  const said = textsOf(parts)
  const results = parts.filter((part) => part.type === 'tool-result')
  if (results.length > 0) {
    const text = withNotes(results.map((result) => resultText(prompt, result)).join('\n'), mediaNotes(parts))
    return { thought: 'The tools have answered. I will report what they say.', text, calls: [] }
  }
  const tools = toolsToCall(prompt, said)
  if (tools.length > 0) {
    const calls = tools.map((tool) => ({ name: tool.name, json: JSON.stringify(argumentsOf(tool)) }))
    const names = tools.map((tool) => tool.name).join(' and ')
    return { thought: `This needs a tool. I will call ${names}.`, text: '', calls }
  }
  const words = said.split(/\s+/).filter((word) => word !== '').length
  const thought = `The last message has ${words} ${words === 1 ? 'word' : 'words'}. I will say what arrived.`
  return { thought, text: formatted(prompt, said, parts), calls: [] }
}

/** The turns after the model's last answer: what there is to answer now. */
function turnsSinceReply(prompt: Prompt): Turn[] {
  const last = prompt.turns.findLastIndex((turn) => turn.role === 'assistant')
  return prompt.turns.slice(last + 1).filter((turn) => turn.role === 'user')
}

function toolsToCall(prompt: Prompt, said: string): Tool[] {
  const choice = prompt.toolChoice ?? { type: 'auto' }
  const [first, ...others] = prompt.tools
  if (first === undefined || choice.type === 'none') return []
  const chosen = choice.type === 'tool' ? prompt.tools.find((tool) => tool.name === choice.name) : first
  if (chosen === undefined) return []
  const several = prompt.toolsParallel !== false && /both tools|parallel/i.test(said)
  if (!several) return [chosen]
  if (choice.type === 'tool' || others.length === 0) return [chosen, chosen]
  return prompt.tools
}

function argumentsOf(tool: Tool): unknown {
  const sampled = sampleOf(tool.schema)
  return typeof sampled === 'object' && sampled !== null && !Array.isArray(sampled) ? sampled : {}
}

function resultText(prompt: Prompt, result: ToolResultPart): string {
  const calls = prompt.turns.flatMap((turn) => turn.parts).filter((part) => part.type === 'tool-call')
  const name = calls.findLast((call) => call.id === result.callId)?.name ?? result.callId
  const text = `The tool ${name} ${result.failed ? 'reported an error' : 'says'}: ${quoted(textsOf(result.parts))}`
  return withNotes(text, mediaNotes(result.parts))
}

function formatted(prompt: Prompt, said: string, parts: readonly Part[]): string {
  const { format } = prompt
  if (format?.type === 'json-schema') return JSON.stringify(sampleOf(format.schema))
  if (format?.type === 'json') return JSON.stringify({ echo: quoted(said) })
  const wanted = /\[sandbox: (\d{1,6}) words\]/.exec(said)?.[1]
  if (wanted !== undefined) return manyWords(Math.min(Number(wanted), wordsMax))
  return echo(prompt, said, parts)
}

function echo(prompt: Prompt, said: string, parts: readonly Part[]): string {
  const opening = said === '' ? 'You sent no text.' : `You said: "${quoted(said)}"`
  const notes = mediaNotes(parts)
  const turns = prompt.turns.filter((turn) => turn.role !== 'system').length
  if (turns > 1) notes.push(`${turns} turns`)
  const system = prompt.system.reduce((sum, part) => sum + part.text.length, 0)
  if (system > 0) notes.push(`a system prompt of ${system} characters`)
  return `${withNotes(opening, notes)}\nThis is the sandbox's ${prompt.model}.`
}

function withNotes(text: string, notes: readonly string[]): string {
  return notes.length === 0 ? text : `${text} (with ${notes.join(', ')})`
}

function mediaNotes(parts: readonly Part[]): string[] {
  const notes: string[] = []
  for (const part of parts) {
    if (part.type === 'image' || part.type === 'document') notes.push(mediaNote(part))
    if (part.type === 'audio') notes.push(`audio of ${bytesOf(part.source) ?? 0} bytes`)
  }
  return notes
}

function mediaNote(part: ImagePart | DocumentPart): string {
  const what = part.type === 'image' ? 'an image' : 'a document'
  const { source } = part
  if (source.type === 'url') return `${what} at ${source.url}`
  const mediaType = source.type === 'text' ? 'text/plain' : source.mediaType
  return `${what} of type ${mediaType} and ${bytesOf(source) ?? 0} bytes`
}

function textsOf(parts: readonly Part[]): string {
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  return texts.join('\n').trim()
}

function quoted(text: string): string {
  if (text.length <= quotedMax) return text
  // Characters, not UTF-16 units: half of one would be no text.
  return `${Array.from(text.slice(0, quotedMax * 2))
    .slice(0, quotedMax)
    .join('')}… (${text.length} characters)`
}

function manyWords(count: number): string {
  const words = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
  return Array.from({ length: count }, (_, index) => words[index % words.length]).join(' ')
}

interface Limited {
  text: string
  reason: EndReason
  stop?: string
}

/** The text up to its first stop or to its limit, whichever comes first. */
function limited(text: string, stops: readonly string[], tokensMax: number): Limited {
  let kept: Limited = { text, reason: 'end' }
  for (const stop of stops) {
    const at = kept.text.indexOf(stop)
    if (at !== -1) kept = { text: kept.text.slice(0, at), reason: 'stop', stop }
  }
  if (tokensOf(kept.text) > tokensMax) return { text: cutToTokens(kept.text, tokensMax), reason: 'length' }
  return kept
}

function callsThatFit(calls: Answer['calls'], tokensMax: number): Answer['calls'] {
  let left = tokensMax
  return calls.filter((call) => (left -= callTokens(call)) >= 0)
}

function callTokens(call: { name: string; json: string }): number {
  return tokensOf(call.name) + tokensOf(call.json)
}

function thinkingEvents(thought: string, voice: Voice): ReplyEvent[] {
  if (thought === '' || voice.thinking === 'counted') return []
  const events: ReplyEvent[] = []
  if (voice.thinking === 'shown') {
    events.push(...pieces(thought).map((piece): ReplyEvent => ({ type: 'thinking', text: piece })))
  }
  const state = voice.signsCalls === true ? undefined : voice.sign?.(thought)
  if (state !== undefined) events.push({ type: 'thinking-end', state })
  else if (events.length > 0) events.push({ type: 'thinking-end' })
  return events
}

function textState(text: string, thought: string, voice: Voice): ReplyEvent[] {
  if (voice.signsCalls !== true || text === '' || thought === '') return []
  const state = voice.sign?.(thought)
  return state === undefined ? [] : [{ type: 'thinking-end', state }]
}

function callEvents(call: { name: string; json: string }, index: number, voice: Voice): ReplyEvent[] {
  const start: ReplyEvent = { type: 'tool-start', id: `${voice.callId}${index + 1}`, name: call.name }
  if (index === 0 && voice.signsCalls === true && voice.sign !== undefined) start.state = voice.sign(call.name)
  const events: ReplyEvent[] = [start]
  const characters = Array.from(call.json)
  for (let at = 0; at < characters.length; at += argumentsPiece) {
    events.push({ type: 'tool-delta', json: characters.slice(at, at + argumentsPiece).join('') })
  }
  events.push({ type: 'tool-end' })
  return events
}

/** A text in pieces of a few words; together they are the text again. */
function pieces(text: string): string[] {
  const words = text.match(/\s*\S+\s*/g) ?? (text === '' ? [] : [text])
  const whole: string[] = []
  for (let at = 0; at < words.length; at += wordsPerPiece) whole.push(words.slice(at, at + wordsPerPiece).join(''))
  return whole
}
