import { createHash } from 'node:crypto'
import type { Segment } from './tokens.ts'

/** How the tokens of a prompt are billed. */
export interface InputUsage {
  input: number
  cacheRead: number
  cacheWrite5m: number
  cacheWrite1h: number
}

const prefixesMax = 512

/** Prompt caching as Anthropic does it: the first time a marked prefix is seen it is written, afterwards it is read. */
export class PrefixCache {
  /** Hashes of prefixes, the least used first. */
  readonly #prefixes = new Set<string>()

  /** Splits the tokens of a prompt and remembers its marked prefixes. */
  bill(segments: readonly Segment[]): InputUsage {
    const usage: InputUsage = { input: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }
    const hash = createHash('sha256')
    let unmarked = 0
    for (const segment of segments) {
      unmarked += segment.tokens
      hash.update(segment.key).update('\0')
      if (segment.mark === undefined) continue
      const prefix = hash.copy().digest('base64')
      if (this.#touch(prefix)) {
        // The longest cached prefix is read as a whole, whatever shorter ones were.
        usage.cacheRead += unmarked + usage.cacheWrite5m + usage.cacheWrite1h
        usage.cacheWrite5m = 0
        usage.cacheWrite1h = 0
      } else if (segment.mark === '1h') usage.cacheWrite1h += unmarked
      else usage.cacheWrite5m += unmarked
      unmarked = 0
    }
    usage.input = unmarked
    return usage
  }

  /** True where the prefix was known; it is the most used one now. */
  #touch(prefix: string): boolean {
    const known = this.#prefixes.delete(prefix)
    this.#prefixes.add(prefix)
    if (this.#prefixes.size > prefixesMax) {
      const oldest = this.#prefixes.values().next().value
      if (oldest !== undefined) this.#prefixes.delete(oldest)
    }
    return known
  }
}
