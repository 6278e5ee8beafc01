import type { Dialect } from '../../core/dialect.ts'
import type { SimulatedVendor } from '../vendor.ts'

/**
 * One thing that can go wrong with a vendor. A fault is a function of the reply that would have been given to what goes
 * out in its place: it does nothing itself, so it holds no timer and no socket.
 */
export interface Fault {
  /** What it is asked for by. `N` or `MS` at the end stands for a number: `cut-after-N`. */
  readonly name: string
  /** What the vendor then does, in a sentence for people. */
  readonly about: string
  /** Where a call meets it: an error status, before any answer, in the body of an answer, in a stream. */
  readonly moment: 'status' | 'connection' | 'body' | 'stream'
  /** The largest number that it takes; 0 where its name holds none. */
  readonly max: number
  readonly answer: (reply: Reply, count: number) => Answer
}

/** The reply that the vendor would give. Made only when asked for: a refused call costs no tokens. */
export interface Reply {
  readonly vendor: SimulatedVendor
  /** Undefined for the list of models, which is in no dialect. */
  readonly dialect: Dialect | undefined
  readonly model: string
  readonly requestId: string
  readonly nowMs: number
  /** The client asked for a stream. */
  readonly streamed: boolean
  /** All of it, as JSON. */
  readonly whole: () => string
  /** All of it, as the events of a stream. */
  readonly pieces: () => Iterable<Piece>
}

/** What is written at once of a stream: whole events. */
export interface Piece {
  readonly text: string
  /** `content`: a part of the answer; `end`: the first of its last events, or a later one. */
  readonly kind: 'content' | 'end' | 'other'
}

/** What goes out. */
export interface Answer {
  /** Before anything else happens. */
  readonly waitMs?: number
  /** None: not even a status is sent. */
  readonly head?: {
    readonly status: number
    readonly contentType: string
    /** In place of the vendor's usual ones, or beside them. */
    readonly headers?: Readonly<Record<string, string>>
  }
  readonly pieces?: Iterable<string>
  /** How it stops: as HTTP wants it, by FIN in the middle, by RST in the middle, or not at all. */
  readonly ending: 'end' | 'close' | 'reset' | 'silence'
}
