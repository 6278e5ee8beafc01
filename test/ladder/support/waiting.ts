import assert from 'node:assert/strict'

/** The longest that something may take that surely comes, on the slowest machine. */
const surelyMs = 20_000
const lookEveryMs = 2

/** Resolves once this holds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const untilMs = performance.now() + surelyMs
  // eslint-disable-next-line no-await-in-loop -- looked at again and again
  while (!(await holds())) {
    assert.ok(performance.now() < untilMs, `it never came: ${what}`)
    // eslint-disable-next-line no-await-in-loop -- in between
    await sleep(lookEveryMs)
  }
}

/** What must come within a time, however slow the machine: once it is over, all that has come by then is still looked at. */
export async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let over = false
  const late = (async (): Promise<never> => {
    await sleep(ms)
    await turns(100)
    assert.ok(over, `not within ${ms} ms: ${what}`)
    return undefined as never
  })()
  try {
    return await Promise.race([promise, late])
  } finally {
    over = true
    late.catch(() => {})
  }
}

/** Turns of the event loop: all that is under way on sockets of this process moves on. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    // eslint-disable-next-line no-await-in-loop -- a turn after the other
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
