/** What happens at the chosen call: `crash` ends everything from then on, `error` is this call's only. */
export type Fault = 'crash' | 'error'

/** An error as the system makes it. */
export function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: made up for a test, ${syscall}`), { code, syscall })
}

/** Counts the calls of what it wraps, and lets the one of a chosen number fail before it has done anything. */
export class FaultPoint {
  fired = false
  readonly #at: number
  readonly #fault: Fault
  #calls = 0

  /** `at` counts from 1. */
  constructor(at: number, fault: Fault) {
    this.#at = at
    this.#fault = fault
  }

  wrap<T extends object>(target: T, names: readonly (keyof T & string)[]): T {
    return new Proxy(target, {
      get: (_, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        const called = value.bind(target) as (...given: unknown[]) => unknown
        if (!names.includes(name as keyof T & string)) return called
        return (...given: unknown[]) => {
          this.#pass(String(name))
          return called(...given)
        }
      },
    })
  }

  #pass(name: string): void {
    this.#calls += 1
    if (this.#calls === this.#at) this.fired = true
    if (this.#calls === this.#at || (this.fired && this.#fault === 'crash')) throw systemError('EIO', name)
  }
}
