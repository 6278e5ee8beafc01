/**
 * Milliseconds by a clock that only grows and is the same in all threads of the process: Node counts from the start of the
 * process in worker threads too, unlike browsers. It stands still while the machine sleeps.
 */
export function monotonicMs(): number {
  return performance.now()
}
