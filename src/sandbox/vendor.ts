import type { IncomingHttpHeaders } from 'node:http'
import type { Dialect, DialectName } from '../core/dialect.ts'
import { listOf, type Json, type JsonObject } from '../core/json.ts'
import type { OpaqueState, Prompt } from '../core/prompt.ts'
import type { Voice } from './persona.ts'
import type { Refusal, Rules } from './refusal.ts'
import { sign } from './signature.ts'

/** A request as the rules of a vendor see it. */
export interface Asked {
  readonly json: JsonObject
  readonly headers: IncomingHttpHeaders
  readonly model: string
  /** Tokens are to be counted: no answer, so no limit of one. */
  readonly counting: boolean
}

/** What stands at a path of a vendor. */
export type Route =
  | {
      readonly does: 'reply' | 'count'
      readonly path: RegExp
      readonly dialect: Dialect
      readonly rules: (asked: Asked) => Rules
      /** Where the body wraps the request in another object. */
      readonly unwrap?: (json: JsonObject) => JsonObject
    }
  | { readonly does: 'models'; readonly path: RegExp }

/** One simulated vendor: what it takes, how it says no, and what its answers look like from outside. */
export interface SimulatedVendor {
  readonly name: string
  /** Paths without the query. `reply` and `count` are POST, `models` is GET. */
  readonly routes: readonly Route[]
  /** The names that it knows as its own. */
  readonly knows: (model: string, dialect: DialectName) => boolean
  /** The answer to GET models. */
  readonly models: () => Json
  readonly authorize: (headers: IncomingHttpHeaders, query: URLSearchParams) => Refusal | undefined
  readonly refuse: {
    path(method: string, path: string): Refusal
    method(method: string, path: string): Refusal
    body(cause: string): Refusal
    size(): Refusal
    model(model: string): Refusal
    /** A rule of the dialect that the dialect's own reader found broken. */
    request(message: string): Refusal
    /** More input than the model takes; undefined where it fits. */
    tokens(model: string, tokens: number): Refusal | undefined
  }
  /** The refusal in the vendor's own shape. */
  readonly write: (refusal: Refusal, requestId: string) => Json
  readonly requestId: (count: number) => string
  /** Headers of its answers: its own ids, quotas and network, none of which may reach the gateway's callers. */
  readonly headers: (requestId: string, status: number) => Record<string, string>
  readonly thinking: (prompt: Prompt, dialect: DialectName) => Voice['thinking']
  readonly signsCalls?: boolean
  /** Begins the ids of tool calls. */
  readonly callIds: string
  /** Prompt caching is billed. */
  readonly caches?: boolean
  /** What it sends while it is silent: before anything else, or once the answer has begun. */
  readonly keepAlive?: { readonly text: string; readonly after: 'headers' | 'first-event' }
  /** Where its JSON differs from its dialect's: for a whole reply and for each event of a stream. */
  readonly accent?: (reply: JsonObject, dialect: DialectName) => JsonObject
}

/** How the vendor signs the thoughts of this answer, if it does. */
export function signerOf(
  vendor: string,
  dialect: Dialect,
  request: JsonObject,
): ((thought: string) => OpaqueState) | undefined {
  // OpenAI's chat format has no place for a signature, and its other one gives it only when asked.
  if (dialect.name === 'openai-chat') return undefined
  const asked = listOf(request['include']).includes('reasoning.encrypted_content')
  if (dialect.name === 'openai-responses' && !asked) return undefined
  return (thought) => ({ vendor: dialect.native, data: sign(vendor, thought) })
}

/** Does the caller want the model to think? `usual` is what the model does when nothing is said. */
export function thinks(prompt: Prompt, usual: boolean): boolean {
  if (prompt.thinking?.type === 'off' || prompt.effort === 'none') return false
  return usual || prompt.thinking !== undefined || prompt.effort !== undefined
}

/** The key of an `authorization` header, '' where it is of another form. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers
  if (authorization === undefined) return undefined
  return /^Bearer\s+(\S+)$/i.exec(authorization)?.[1] ?? ''
}

/** The only key that no simulated vendor accepts. */
export const wrongKey = 'wrong'
