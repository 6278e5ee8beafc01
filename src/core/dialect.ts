import type { ReplyEvent, Usage } from './event.ts'
import type { Failure, Wire } from './failure.ts'
import type { Json, JsonObject } from './json.ts'
import type { Prompt } from './prompt.ts'
import type { Model } from './vendor.ts'

export type DialectName = 'anthropic' | 'openai-chat' | 'openai-responses' | 'gemini'

/** The little that routing needs to know of a request. */
export interface Head {
  model: string
  stream: boolean
}

/** What the writers of a reply know of the call that it answers. */
export interface ReplyContext {
  /** A fresh id of the reply, letters and digits only: a dialect puts its own prefix before it. */
  id: string
  /** The model's name to show where the vendor named none. */
  model: string
  createdMs: number
  /** The caller's request, in the writer's own dialect. */
  request: JsonObject
  /** The caller asked an OpenAI chat stream for its usage chunk. */
  streamUsage: boolean
}

/** Takes events as they are read. */
export type Emit = (event: ReplyEvent) => void

/** Reads one streamed reply. Keeps the order that `ReplyEvent` promises. */
export interface EventReader {
  /** One event of the wire. Throws Failure `vendor-unreadable` for data that is not what the dialect says. */
  read(name: string, data: string, emit: Emit): void
  /**
   * The vendor's stream is over; `rest` is text after the last whole event. Emits what was held back and, where the
   * dialect's own last event came, `end`; emits nothing more for a cut stream.
   */
  end(rest: string, emit: Emit): void
}

/** Writes one streamed reply: the text to send for each event, '' for none. Never called with `failure`. */
export interface EventWriter {
  write(event: ReplyEvent): string
}

/**
 * Watches a stream that passes unchanged in its own dialect. It looks only for what the gateway must know and skips
 * the rest, since it runs for every event.
 */
export interface Meter {
  /** `data` holds the event's bytes as Latin-1: good enough to find fields; `utf8(data)` gives its text. */
  event(name: string, data: string): void
  /** Content has been seen: the answer is safe to commit to. */
  readonly begun: boolean
  /** The dialect's last event has been seen. */
  readonly complete: boolean
  /** The vendor's error event, once seen. */
  readonly failure: Failure | undefined
  readonly usage: Usage
  /** The model's name as the vendor gave it. */
  readonly model: string | undefined
  /** True for an event that the caller did not ask for and must not get: the usage chunk that Keyrung asked for. */
  readonly drop: boolean
}

/** Top-level fields of a request to set (or, with undefined, to remove) while all its other bytes stay. */
export type Patch = Record<string, Json | undefined>

/** A vendor's error answer, as far as a dialect could read it. */
export interface VendorError {
  status: number
  message: string
  type?: string
  code?: string
  /** google.rpc reasons, Anthropic's error_code, and other names that tell kinds apart. */
  reasons?: string[]
  path?: string
  retryAfterMs?: number
  /** The body has no shape that this API gives its errors: a proxy on the way or another server answered. */
  foreign?: true
}

/**
 * A wire format: pure functions between its JSON and the core's words. Knows no vendor and does no input or output.
 * `vendor` arguments are the name of who is asked or answers, since one dialect may be spoken by several.
 */
export interface Dialect {
  readonly name: DialectName
  /** The vendor whose opaque states travel in this dialect as they are. */
  readonly native: string
  /** The name of the request id's header in answers. */
  readonly requestIdHeader: string
  readonly request: {
    /** Reads model and stream. Throws Failure `request-invalid`. `path` is the URL's path (Gemini keeps both there). */
    head(json: JsonObject, path: string): Head
    /** Does the request ask for thinking? It may then take minutes before the first word. */
    thinks(json: JsonObject): boolean
    /** The most tokens of the answer that the request asks for, and the field that says so; undefined where it says nothing. */
    tokensMax(json: JsonObject): { tokens: number; path: string } | undefined
    /**
     * Finds what this API would surely refuse, in its own words, before anybody is called; what it may have learnt since is
     * let pass. Throws Failure `request-invalid`.
     */
    check?(json: JsonObject, model: Model, counting: boolean): void
    /** Throws Failure `request-invalid` with the field's path where the dialect's own rules are broken. */
    read(json: JsonObject, head: Head): Prompt
    /** The request for this model. Throws Failure `unsupported` with the part's own path for what the model or dialect cannot do. */
    write(prompt: Prompt, model: Model): JsonObject
    /** The URL's path at the vendor, below the base of its API. */
    path(head: Head): string
    /** Bytes that tell a request may carry another vendor's state or ids: only then `purge` is called. */
    readonly marks: readonly string[]
    /** For passing on in the same dialect: what must change for this vendor (foreign states left out). */
    purge(json: JsonObject, vendor: string): Patch
    /** For passing on: what Keyrung itself must ask for (OpenAI chat: the usage chunk). */
    ask?(json: JsonObject, head: Head): Patch
  }
  readonly reply: {
    /** A whole reply as events. Throws Failure `vendor-unreadable` for what is no reply; an error body in a 200 is a thrown Failure too. */
    unfold(json: JsonObject, vendor: string): ReplyEvent[]
    fold(events: readonly ReplyEvent[], context: ReplyContext): JsonObject
  }
  readonly stream: {
    reader(vendor: string): EventReader
    writer(context: ReplyContext): EventWriter
    /** `context.streamUsage` tells whether the caller gets the usage chunk. */
    meter(context: ReplyContext): Meter
    /** Sent while the vendor is silent. */
    readonly ping: string
  }
  /** Token counting, where the dialect has a call for it. */
  readonly count?: {
    path(head: Head): string
    /** The count request for a prompt (no output limit, no stream). */
    write(prompt: Prompt, model: Model): JsonObject
    /** The number in the vendor's answer. Throws Failure `vendor-unreadable`. */
    read(json: JsonObject): number
    fold(tokens: number): JsonObject
  }
  readonly failure: {
    /** The top-level field of an error body that holds the request id, if it has one. */
    readonly idField?: string
    /** Reads a vendor's error answer of any shape its vendors are known to send, HTML and nothing included. */
    read(wire: Wire, headers: Readonly<Record<string, string | string[] | undefined>>): VendorError
    /** The error body for a caller. */
    write(failure: Failure, requestId: string): JsonObject
    /** The error event in a stream, its blank line included. */
    writeEvent(failure: Failure, requestId: string): string
  }
}
