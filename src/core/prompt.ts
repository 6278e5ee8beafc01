import type { JsonObject } from './json.ts'

/**
 * What is asked, in no vendor's spelling. Each dialect reads its own JSON into a Prompt and writes a Prompt as its own
 * JSON. A request that stays in its dialect never becomes one: its bytes are passed on.
 */
export interface Prompt {
  /** The model's name as the target knows it (after routing). */
  model: string
  stream: boolean
  /** Instructions before the first turn, in order. */
  system: TextPart[]
  turns: Turn[]
  tools: Tool[]
  toolChoice?: ToolChoice
  /** false: at most one call a turn. */
  toolsParallel?: boolean
  /** Most tokens of the answer, thinking included. */
  tokensMax?: number
  /** Texts that end the answer. */
  stops: string[]
  sampling: Sampling
  thinking?: Thinking
  effort?: Effort
  format?: Format
  verbosity?: 'low' | 'medium' | 'high'
  /** The end user behind the caller, an opaque id. */
  user?: string
  /** What vendors with automatic prompt caching route equal prefixes by. */
  cacheKey?: string
  /** OpenAI chat only: the caller asked for a usage chunk at the end of the stream. */
  streamUsage?: boolean
  /** Fields of the caller's dialect that the core has no word for and that change the answer: refused when translated. */
  extras: Extra[]
}

/** Fields that share their meaning across vendors; each may be refused by a model (`Model.refuses`). */
export interface Sampling {
  temperature?: number
  topP?: number
  topK?: number
  seed?: number
  presencePenalty?: number
  frequencyPenalty?: number
}

/** A field that only the caller's own dialect can carry, by its path there (`messages.0.content.1`, `logit_bias`). */
export interface Extra {
  path: string
  /** What it is, for the message: `a container`, `log probabilities`. */
  what?: string
}

/** One turn. `system` here is an instruction in mid-conversation; the leading ones are in `Prompt.system`. */
export interface Turn {
  role: 'user' | 'assistant' | 'system'
  parts: Part[]
  /** Where it stands in the caller's request, in the caller's own spelling. */
  path: string
}

export type Part = TextPart | ImagePart | DocumentPart | AudioPart | ThinkingPart | ToolCallPart | ToolResultPart

interface PartBase {
  /** Where it stands in the caller's request, in the caller's own spelling: `messages.2.content.0`. */
  path: string
  /** Anthropic's prompt-caching breakpoint; the other vendors cache on their own. */
  cacheMark?: '5m' | '1h'
}

export interface TextPart extends PartBase {
  type: 'text'
  text: string
  /** The text is the model's refusal (OpenAI keeps it apart). */
  refusal?: true
}

/** Bytes inline (base64), a URL that the vendor fetches, or (documents) plain text. Keyrung itself fetches nothing. */
export type Source =
  | { type: 'base64'; mediaType: string; data: string }
  | { type: 'url'; url: string }
  | { type: 'text'; text: string }

export interface ImagePart extends PartBase {
  type: 'image'
  source: Source
  detail?: 'low' | 'high' | 'auto' | 'original'
}

export interface DocumentPart extends PartBase {
  type: 'document'
  source: Source
  title?: string
}

export interface AudioPart extends PartBase {
  type: 'audio'
  source: Source
}

/**
 * What the model thought. `state` is the vendor's opaque proof of it, which only that vendor can read: a writer sends
 * it back to its own vendor and leaves the part out for another.
 */
export interface ThinkingPart extends PartBase {
  type: 'thinking'
  text: string
  state?: OpaqueState
  /** Anthropic's redacted_thinking: all of it is in `state`. */
  redacted?: true
}

/** A vendor's opaque reasoning state: `data` is a signature, encrypted content or a thought signature. */
export interface OpaqueState {
  vendor: string
  data: string
  /** OpenAI Responses and xAI: the reasoning item's id. */
  id?: string
}

export interface ToolCallPart extends PartBase {
  type: 'tool-call'
  id: string
  name: string
  /** JSON text of an object, as the model wrote it; `{}` for none. */
  arguments: string
  /** Gemini's thoughtSignature of this very call. */
  state?: OpaqueState
}

export interface ToolResultPart extends PartBase {
  type: 'tool-result'
  callId: string
  parts: (TextPart | ImagePart | DocumentPart)[]
  failed: boolean
}

export interface Tool {
  name: string
  description?: string
  /** JSON Schema of the arguments, an object type. */
  schema: JsonObject
  strict?: boolean
  cacheMark?: '5m' | '1h'
  path: string
}

export type ToolChoice = { type: 'auto' } | { type: 'any' } | { type: 'none' } | { type: 'tool'; name: string }

/** `on` with a budget is the older way; `auto` leaves it to the model. `show` asks for (a summary of) the thoughts. */
export interface Thinking {
  type: 'off' | 'on' | 'auto'
  budgetTokens?: number
  show?: boolean
}

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** Structured output: any JSON object, or one that fits a schema. */
export type Format =
  | { type: 'json' }
  | { type: 'json-schema'; name: string; schema: JsonObject; strict?: boolean; description?: string }
