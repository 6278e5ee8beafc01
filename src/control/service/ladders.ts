import { unfit } from './check.ts'

/** How many names a message lists. */
const namedMax = 50

/** The ladders that there are, by name. */
export class Ladders {
  readonly #names: () => Iterable<string>

  constructor(names: () => Iterable<string>) {
    this.#names = names
  }

  /** Throws ControlError 422 for a name that no ladder has. */
  check(path: string, name: string): void {
    const names = [...this.#names()]
    if (names.includes(name)) return
    throw unfit(path, 'there is no ladder of this name', `Known: ${names.slice(0, namedMax).join(', ') || 'none'}.`)
  }
}
