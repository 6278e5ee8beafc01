const countsMax = 1024

/** Counts the calls that met a fault which goes away again. Only the most recent counts are kept. */
export class CallMemory {
  readonly #counts = new Map<string, number>()

  /** True for the first `times` calls of a key; false for the next one, after which the counting begins anew. */
  faulty(key: string, times: number): boolean {
    const count = this.#counts.get(key) ?? 0
    // Deleted and set again: the map's order is that of the last use.
    this.#counts.delete(key)
    if (count >= times) return false
    this.#counts.set(key, count + 1)
    const [oldest] = this.#counts.keys()
    if (this.#counts.size > countsMax && oldest !== undefined) this.#counts.delete(oldest)
    return true
  }
}
