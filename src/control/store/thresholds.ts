import type { Database } from './database.ts'

/** That somebody has used so much of a limit, which is told once in each of its periods. */
export interface Threshold {
  /** `key:ab12cd34`, `owner:…` */
  readonly subject: string
  readonly limit: string
  readonly percent: number
  /** The day or month, as a number that grows. */
  readonly period: number
}

/** Which thresholds were told, so that a restart does not tell them again. */
export class ThresholdTable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Notes that it is told now; false where it was in this period or a later one. */
  tell({ subject, limit, percent, period }: Threshold, nowMs: number): boolean {
    const { changes } = this.#database
      .statement(
        `INSERT INTO thresholds (subject, limit_name, percent, period, told_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (subject, limit_name, percent)
         DO UPDATE SET period = excluded.period, told_ms = excluded.told_ms WHERE excluded.period > period`,
      )
      .run(subject, limit, percent, period, nowMs)
    return changes === 1
  }
}
