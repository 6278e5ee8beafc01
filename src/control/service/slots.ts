import { ControlError } from '../service.ts'

/**
 * Numbers for those whose limits are counted, keys and owners alike, from 0 without gaps: places in the memory that all
 * workers share. A place is not given to anybody else before the next start, since calls may still be counted in it.
 */
export class Slots {
  readonly #max: number
  readonly #given = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  /** Always the same one for the same. Throws ControlError where all are given. */
  of(type: 'key' | 'owner', id: string): number {
    const name = `${type}:${id}`
    const known = this.#given.get(name)
    if (known !== undefined) return known
    const slot = this.#given.size
    if (slot >= this.#max) {
      throw new ControlError(409, 'slots-full', `There is room for the limits of ${this.#max} keys and owners only.`, {
        fix: 'Start the gateway again: places of those that are gone are free then.',
      })
    }
    this.#given.set(name, slot)
    return slot
  }

  /** Of one that has one. */
  known(type: 'key' | 'owner', id: string): number | undefined {
    return this.#given.get(`${type}:${id}`)
  }
}
