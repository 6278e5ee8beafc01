import type { Plan } from '../../core/plan.ts'
import type { Database } from './database.ts'
import { numberOf, textOf } from './values.ts'

export interface PlanRecord {
  readonly plan: Plan
  readonly version: number
}

/** Plans that were made by the API. */
export class PlanTable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  all(): PlanRecord[] {
    const rows = this.#database.statement('SELECT plan, version FROM plans ORDER BY name').all()
    return rows.map((row) => ({ plan: JSON.parse(textOf(row, 'plan')) as Plan, version: numberOf(row, 'version') }))
  }

  put({ plan, version }: PlanRecord, nowMs: number): void {
    this.#database
      .statement(
        `INSERT INTO plans (name, plan, changed_ms, version) VALUES (?, ?, ?, ?) ON CONFLICT (name)
         DO UPDATE SET plan = excluded.plan, changed_ms = excluded.changed_ms, version = excluded.version`,
      )
      .run(plan.name, JSON.stringify(plan), nowMs, version)
  }

  remove(name: string): void {
    this.#database.statement('DELETE FROM plans WHERE name = ?').run(name)
  }
}
