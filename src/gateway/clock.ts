/** Time and chance, as arguments: tests bring their own. */
export interface Clock {
  /** Milliseconds that only grow. */
  nowMs(): number
  /** From 0 to 1, below 1. */
  readonly random: () => number
  sleep(ms: number): Sleep
}

export interface Sleep {
  /** Resolves when the time has passed or the sleep was cancelled. */
  readonly done: Promise<undefined>
  cancel(): void
}

/** The machine's own. */
export const realClock: Clock = {
  nowMs: () => performance.now(),
  random: Math.random,
  sleep(ms) {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => resolve(undefined), ms)
    return {
      done: promise,
      cancel() {
        clearTimeout(timer)
        resolve(undefined)
      },
    }
  },
}
