import { systemCode } from './file-system.ts'

/** Whom to tell. */
export interface Listeners {
  /** Once when something begins to fail, and again when it fails otherwise. */
  readonly onError: (error: Error) => void
  /** Once when nothing fails any more. */
  readonly onMended?: (() => void) | undefined
}

/** What fails at present, by name: a disk that is full for an hour is told once, not each second. */
export class Troubles {
  readonly #listeners: Listeners
  readonly #present = new Map<string, string>()

  constructor(listeners: Listeners) {
    this.#listeners = listeners
  }

  raise(name: string, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    // By its code: a message may name another file each time.
    const kind = systemCode(error) ?? error.message
    if (this.#present.get(name) === kind) return
    this.#present.set(name, kind)
    this.#listeners.onError(error)
  }

  clear(name: string): void {
    if (this.#present.delete(name) && this.none) this.#listeners.onMended?.()
  }

  has(name: string): boolean {
    return this.#present.has(name)
  }

  get names(): readonly string[] {
    return [...this.#present.keys()]
  }

  get none(): boolean {
    return this.#present.size === 0
  }
}
