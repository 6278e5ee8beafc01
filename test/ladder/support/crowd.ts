/** So many calls, so many of them at once; their answers in the order in which they were asked. */
export async function crowd<T>(calls: number, atOnce: number, call: (index: number) => Promise<T>): Promise<T[]> {
  const answers: T[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < calls) {
      const index = next
      next += 1
      // eslint-disable-next-line no-await-in-loop -- one after the other, beside the other workers
      answers[index] = await call(index)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return answers
}

/** Numbers from 0 to 1 that are the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
