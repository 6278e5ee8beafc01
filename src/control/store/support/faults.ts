import type { Database, Statement } from '../database.ts'

/** What happens at the chosen step: `crash` ends everything from then on, `error` is this step's only. */
export type Fault = 'crash' | 'error'

/** Counts the steps of whatever uses a database, and lets the one of a chosen number fail, from 1 on. */
export class FaultyDatabase implements Database {
  fired = false
  readonly #database: Database
  readonly #at: number
  readonly #fault: Fault
  #steps = 0

  constructor(database: Database, at: number, fault: Fault = 'crash') {
    this.#database = database
    this.#at = at
    this.#fault = fault
  }

  statement(sql: string): Statement {
    const statement = this.#database.statement(sql)
    return {
      run: (...values) => (this.#step(), statement.run(...values)),
      get: (...values) => (this.#step(), statement.get(...values)),
      all: (...values) => (this.#step(), statement.all(...values)),
    }
  }

  transaction<T>(work: () => T): T {
    this.#step()
    const result = this.#database.transaction(() => {
      const done = work()
      this.#step()
      return done
    })
    this.#step()
    return result
  }

  sync(): void {
    this.#step()
    this.#database.sync()
  }

  close(): void {
    this.#database.close()
  }

  #step(): void {
    this.#steps += 1
    if (this.#steps === this.#at) this.fired = true
    if (this.#steps === this.#at || (this.fired && this.#fault === 'crash')) throw new Error('made up for a test')
  }
}
