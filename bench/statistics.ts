/** A figure of which many were taken: the middle one, and between which two it would lie if all were taken again. */
export interface Spread {
  median: number
  low: number
  high: number
}

/**
 * The median, which stays calm where a busy machine spoils some of the figures, and the range that holds the true one
 * nineteen times of twenty. The range comes from ranks alone, so it is right for figures of any shape.
 */
export function spread(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b)
  const count = sorted.length
  const reach = 0.98 * Math.sqrt(count)
  const low = Math.max(0, Math.floor(count / 2 - reach))
  const high = count - 1 - low
  const middle =
    ((sorted[Math.floor((count - 1) / 2)] ?? Number.NaN) + (sorted[Math.floor(count / 2)] ?? Number.NaN)) / 2
  return { median: middle, low: sorted[low] ?? Number.NaN, high: sorted[high] ?? Number.NaN }
}
