/** Chance that comes out the same for the same seed. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
    // Seeds that stand next to each other begin alike.
    for (let turn = 0; turn < 8; turn += 1) this.random()
  }

  /** From 0 to 1, below 1 (mulberry32). */
  readonly random = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  yes(share: number): boolean {
    return this.random() < share
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least)
  }

  whole(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1))
  }

  /** Each order of magnitude as likely as the next, in whole numbers. */
  spread(least: number, most: number): number {
    return Math.round(Math.exp(this.between(Math.log(least), Math.log(most))))
  }

  one<T>(list: readonly [T, ...T[]]): T {
    return list[Math.floor(this.random() * list.length)] as T
  }
}
