import { cell } from './memory.ts'

/** The days and months of UTC, by number. */
const dayMs = 86_400_000

export function dayOf(dateMs: number): number {
  return Math.floor(dateMs / dayMs)
}

export function monthOf(dateMs: number): number {
  const date = new Date(dateMs)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

export function dayStartMs(day: number): number {
  return day * dayMs
}

export function monthStartMs(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12)
}

/** Clocks are set right by so much without a word, and two threads may look at one in the other order. */
const slackMs = 60_000

/**
 * Begins the day and the month anew where another has come. One that is over does not come back for a clock that was set back a
 * little; where it was far ahead, the day that really is goes on with what was counted. True for that: it has to be kept, or each day
 * after it would go on with the same.
 */
export function turn(cells: Float64Array, dateMs: number, month: number): boolean {
  let back = false
  const day = dayOf(dateMs)
  if (day > (cells[cell.day] as number)) {
    cells[cell.day] = day
    cells[cell.dayTokens] = 0
    cells[cell.dayNano] = 0
  } else if (dateMs + slackMs < dayStartMs(cells[cell.day] as number)) {
    cells[cell.day] = day
    back = true
  }
  if (month > (cells[cell.month] as number)) {
    cells[cell.month] = month
    cells[cell.monthTokens] = 0
    cells[cell.monthNano] = 0
  } else if (month < (cells[cell.month] as number) && dateMs + slackMs < monthStartMs(cells[cell.month] as number)) {
    cells[cell.month] = month
    back = true
  }
  return back
}

/** The month of a date that is mostly the same: to reckon it takes as long as all the rest of a reservation. */
export class Months {
  #month = 0
  #startMs = 0
  #endMs = 0

  of(dateMs: number): number {
    if (dateMs < this.#startMs || dateMs >= this.#endMs) {
      this.#month = monthOf(dateMs)
      this.#startMs = monthStartMs(this.#month)
      this.#endMs = monthStartMs(this.#month + 1)
    }
    return this.#month
  }
}
