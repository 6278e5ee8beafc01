import type { Part, Prompt, Source } from '../core/prompt.ts'

/** A piece of the prompt in the order that prompt caching goes by: tools, system, turns. */
export interface Segment {
  tokens: number
  /** What makes the piece itself: equal keys, equal pieces. */
  key: string
  mark?: '5m' | '1h'
}

const turnTokens = 3
const imageTokens = 258
const bytesPerToken = 4

/** Tokens of a text: four bytes each, the last one rounded up. */
export function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken)
}

/** The longest beginning of a text that has no more than so many tokens; no character is cut in two. */
export function cutToTokens(text: string, tokensMax: number): string {
  const bytes = Buffer.from(text)
  let end = tokensMax * bytesPerToken
  if (bytes.length <= end) return text
  // Bytes 10xxxxxx continue a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}

/** The prompt cut into its cacheable pieces. Their sum is what the prompt costs. */
export function segmentsOf(prompt: Prompt): Segment[] {
  const segments: Segment[] = []
  for (const tool of prompt.tools) {
    segments.push(segment(JSON.stringify([tool.name, tool.description, tool.schema]), tool.cacheMark))
  }
  for (const part of prompt.system) segments.push(segment(part.text, part.cacheMark))
  for (const turn of prompt.turns) {
    segments.push({ tokens: turnTokens, key: turn.role })
    for (const part of turn.parts) segments.push(partSegment(part))
  }
  return segments
}

/** All tokens of a prompt. */
export function countPrompt(prompt: Prompt): number {
  return segmentsOf(prompt).reduce((sum, piece) => sum + piece.tokens, 0)
}

/** Bytes of what a source holds inline; undefined for one that is a URL. */
export function bytesOf(source: Source): number | undefined {
  switch (source.type) {
    case 'base64':
      return Buffer.byteLength(source.data, 'base64')
    case 'text':
      return Buffer.byteLength(source.text)
    case 'url':
      return undefined
    default:
      return source satisfies never
  }
}

function partSegment(part: Part): Segment {
  switch (part.type) {
    case 'text':
    case 'thinking':
      return segment(part.text, part.cacheMark)
    case 'image':
      return { ...segment(JSON.stringify(part.source), part.cacheMark), tokens: imageTokens }
    case 'document':
    case 'audio':
      return { ...segment(JSON.stringify(part.source), part.cacheMark), tokens: sourceTokens(part.source) }
    case 'tool-call':
      return segment(`${part.name}${part.arguments}`, part.cacheMark)
    case 'tool-result': {
      const inner = part.parts.map(partSegment)
      const tokens = inner.reduce((sum, piece) => sum + piece.tokens, 0)
      return { ...segment(inner.map((piece) => piece.key).join('\n'), part.cacheMark), tokens }
    }
    default:
      return part satisfies never
  }
}

function sourceTokens(source: Source): number {
  return Math.max(imageTokens, Math.ceil((bytesOf(source) ?? 0) / bytesPerToken))
}

function segment(text: string, mark: '5m' | '1h' | undefined): Segment {
  const piece: Segment = { tokens: tokensOf(text), key: text }
  if (mark !== undefined) piece.mark = mark
  return piece
}
