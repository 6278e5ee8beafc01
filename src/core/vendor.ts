import type { DialectName, Patch, VendorError } from './dialect.ts'
import type { FailureKind } from './failure.ts'
import type { JsonObject } from './json.ts'
import type { StatusPage } from './status.ts'

/** Who answers: where its API is, how it is spoken to, and in what it differs from its dialect. One file each. */
export interface Vendor {
  readonly name: string
  readonly title: string
  /** Scheme and host of the API; can be set otherwise by the operator. */
  readonly origin: string
  /** Environment variables that hold its key, in the order of its own SDKs. */
  readonly keyNames: readonly string[]
  /** Where it tells the public how it does; left out where it has no page that can be read. */
  readonly statusPage?: StatusPage
  /** Which model names are its own, when the catalogue does not know them. */
  readonly models: RegExp
  /** The dialects it speaks, and the path before each dialect's own. */
  readonly speaks: Readonly<Partial<Record<DialectName, string>>>
  /** The dialect to speak to it for this call. */
  choose(caller: DialectName, model: Model, request: JsonObject): DialectName
  /**
   * Dialects that it speaks as a guest: requests and replies are rewritten even for callers who speak them too, so that
   * its opaque states are never taken for the native vendor's.
   */
  readonly rewrites?: readonly DialectName[]
  /** Where tokens are counted without a paid call: the dialect to ask in, if it has such a call. */
  readonly counts?: DialectName
  authorize(secret: string): Record<string, string>
  /** Headers of its own family: which of the caller's pass on in the same dialect, and what is sent where there is none. */
  readonly headers?: { readonly pass: RegExp; readonly defaults: Readonly<Record<string, string>> }
  /** Its last word on a request in `dialect`: top-level fields to set or remove. Throws Failure `unsupported`. */
  adjust?(request: JsonObject, model: Model, dialect: DialectName): Patch
  /** What its errors mean where the general reading (core/classify.ts) would be wrong. */
  classify?(error: VendorError): FailureKind | undefined
}

/** One line of the catalogue: what is known of a model. Tokens; prices in US dollars a million tokens. */
export interface Model {
  readonly id: string
  readonly vendor: string
  readonly name?: string
  /** YYYY-MM-DD */
  readonly created?: string
  readonly window?: number
  readonly outputMax?: number
  readonly price?: Price
  /** What it takes besides text. Unknown models have no list: they are taken to take everything. */
  readonly takes?: readonly Feature[]
  readonly thinking?: 'none' | 'budget' | 'adaptive' | 'effort' | 'level' | 'switch' | 'always'
  /** The values of effort or level that it accepts, least first. */
  readonly efforts?: readonly string[]
  readonly refuses?: readonly Refusal[]
}

export type Feature = 'image' | 'pdf' | 'audio' | 'video' | 'tools' | 'schema'

/** Fields that a model answers with a 400: see docs/models.md. */
export type Refusal =
  | 'sampling'
  | 'top_k'
  | 'stop'
  | 'penalties'
  | 'prefill'
  | 'chat'
  | 'tools-on-chat'
  | 'forced-tool'
  | 'thinking-off'
  | 'budget'

/** US dollars a million tokens, to a millionth at the finest. A missing one is not known: see core/price.ts. */
export interface Rates {
  readonly input: number
  readonly output: number
  readonly cacheRead?: number
  /** Of a cache that lives for minutes. */
  readonly cacheWrite?: number
  readonly cacheWrite1h?: number
}

/** What a model's tokens cost. */
export interface Price extends Rates {
  /** What a call in a batch costs, in percent of the same call outside one. */
  readonly batchPercent?: number
  /** The rates of a call with more than `above` input tokens, cached ones included. */
  readonly long?: Rates & { readonly above: number }
}

/** Can the model take it? A model that the catalogue does not know is given the benefit of the doubt. */
export function takes(model: Model, feature: Feature): boolean {
  return model.takes === undefined || model.takes.includes(feature)
}

/** Does the model answer this field with a 400? */
export function refuses(model: Model, what: Refusal): boolean {
  return model.refuses?.includes(what) ?? false
}
