import type { Caller } from '../../core/caller.ts'
import { ControlError, type Actor } from '../service.ts'
import type { Store } from '../store/index.ts'
import { checked } from './check.ts'
import { version } from './fields.ts'

/** What workers have to know of: a caller as it is now; or that plans or vendors' credentials are to be read anew. */
export type ChangeEvent =
  | { readonly type: 'caller'; readonly caller: Caller }
  | { readonly type: 'plans' }
  | { readonly type: 'credentials' }

export type ChangeListener = (event: ChangeEvent) => void

/** Every change goes through here: with its line in the audit log or not at all, and told when it is stored. */
export class Changes {
  readonly #store: Pick<Store, 'transaction' | 'audit'>
  readonly #nowMs: () => number
  readonly #onError: (error: unknown) => void
  readonly #listeners = new Set<ChangeListener>()
  #kept: (() => void)[] = []
  #events: ChangeEvent[] = []

  constructor(store: Pick<Store, 'transaction' | 'audit'>, nowMs: () => number, onError: (error: unknown) => void) {
    this.#store = store
    this.#nowMs = nowMs
    this.#onError = onError
  }

  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Does all of the work or nothing of it. Throws what it throws, and ControlError 503 where the database cannot take it now. */
  make<T>(work: () => T): T {
    this.#kept = []
    this.#events = []
    let result: T
    try {
      result = this.#store.transaction(work)
    } catch (error) {
      throw unavailable(error) ?? error
    }
    for (const remember of this.#kept) remember()
    for (const event of this.#events) for (const listener of this.#listeners) this.#tell(listener, event)
    return result
  }

  /** `before` and `after` are what everybody who may read the log may see. */
  note(by: Actor, action: string, target: string, before: unknown, after: unknown): void {
    this.#store.audit.add({ at: this.#nowMs(), actor: { type: by.type, id: by.id }, action, target, before, after })
  }

  /** What is to be remembered once the change is stored, before anybody is told. */
  kept(remember: () => void): void {
    this.#kept.push(remember)
  }

  /** To be told once the change is stored. */
  tell(event: ChangeEvent): void {
    this.#events.push(event)
  }

  /** The change stands, whatever a listener makes of it. */
  #tell(listener: ChangeListener, event: ChangeEvent): void {
    try {
      listener(event)
    } catch (error) {
      this.#onError(error)
    }
  }
}

/** Of SQLite: what passes (busy, locked) and what the operator has to mend (read-only, broken disk, full disk). */
const passing = [5, 6]
const broken = [8, 10, 11, 13, 14]

function unavailable(error: unknown): ControlError | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  // Its first byte; the others say where in SQLite.
  const code = Number(error.errcode) & 0xff
  if (passing.includes(code)) {
    return new ControlError(503, 'database-busy', 'Another process is writing to the database.', {
      fix: 'Ask again in a moment.',
      cause: error,
    })
  }
  if (!broken.includes(code)) return undefined
  return new ControlError(503, 'database-failed', 'The database cannot be written now; nothing was changed.', {
    fix: 'The operator should look whether the disk is full, broken or read-only.',
    cause: error,
  })
}

/** Throws ControlError 412 where the change was made for another version than the one that is there; 0 stands for none. */
export function fits(wanted: number | undefined, current: number): void {
  if (checked(version, wanted, 'version') === undefined || wanted === current) return
  const now = current === 0 ? 'There is nothing there now' : `Its version is ${current} now`
  throw new ControlError(412, 'version-stale', `The change was made for another version. ${now}.`, {
    fix: 'Read it again, look whether the change still fits, and send it with the new version.',
  })
}

export function notFound(what: string, fix: string): ControlError {
  return new ControlError(404, 'not-found', `There is no such ${what}.`, { fix })
}

export function conflict(code: string, message: string, fix: string): ControlError {
  return new ControlError(409, code, message, { fix })
}

/** Whether a change changes anything. */
export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
