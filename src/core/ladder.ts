import type { Failure } from './failure.ts'
import type { Model, Vendor } from './vendor.ts'

/** The models to try for a call, best first, and how far to go. */
export interface Ladder {
  readonly rungs: readonly Rung[]
  /** Most tries of a call over all rungs; a try whose request was surely never sent is not counted. */
  readonly triesMax: number
  readonly deadlines: Deadlines
}

/** One place that can answer. */
export interface Rung {
  readonly vendor: Vendor
  readonly model: Model
  readonly origin: string
  readonly base: string
  readonly secret: Secret
  /** A simulated vendor answers in its place. */
  readonly simulated: boolean
  /** Headers for the simulated vendor: the fault that the caller asked for. */
  readonly headers?: Readonly<Record<string, string>>
}

/** How long to wait for what, in milliseconds. */
export interface Deadlines {
  readonly connectMs: number
  readonly firstByteMs: number
  /** Between bytes of a stream; a vendor's pings count. */
  readonly idleMs: number
  readonly wholeCallMs: number
  readonly streamedCallMs: number
}

/** What is left to say about one try. */
export interface Try {
  readonly rung: number
  readonly failure: Failure
}

export type Step = { type: 'try'; rung: number } | { type: 'stop' }

/** What to do after these tries: the whole policy of retry and fallback, a pure function of the history. */
export function nextStep(ladder: Ladder, tries: readonly Try[]): Step {
  const last = tries.at(-1)
  if (last === undefined) return { type: 'try', rung: 0 }
  if (last.failure.next === 'stop') return { type: 'stop' }
  const unsent = tries.filter((one) => one.failure.unsent).length
  // Once, and at no cost to anybody: a reused connection may have been closed while it was idle.
  if (last.failure.unsent && unsent === 1) return { type: 'try', rung: last.rung }
  if (tries.length - unsent >= ladder.triesMax) return { type: 'stop' }
  const rung = last.rung + 1
  return rung < ladder.rungs.length ? { type: 'try', rung } : { type: 'stop' }
}

/** A secret that prints as its beginning only, wherever it ends up. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The secret itself: for the header of a request, and for nothing else. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return this.#value === '' ? '(none)' : `${this.#value.slice(0, 4)}…(${this.#value.length})`
  }

  toJSON(): string {
    return this.toString()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/** What the simulated vendors take for a key. */
export const sandboxSecret = new Secret('sandbox')
