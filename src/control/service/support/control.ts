import assert from 'node:assert/strict'
import { afterEach, beforeEach } from 'node:test'
import { Control, type ChangeEvent, type ControlOptions } from '../../control.ts'
import { sealWith } from '../../secrets-seal.ts'
import { digestUnder, pepperIn } from '../../secrets.ts'
import { ControlError, type Actor } from '../../service.ts'
import { openDatabase, type Database } from '../../store/database.ts'
import { storeOn, type Store } from '../../store/index.ts'
import { freshFolder } from '../../store/support/folder.ts'

export const by: Actor = { type: 'token', id: 'tok00001' }
export const hourMs = 3_600_000
export const startMs = Date.UTC(2026, 10, 25, 12)

/** A control plane on a folder of its own for each test, whose clock the test sets. */
export interface Stage {
  readonly control: Control
  readonly store: Store
  readonly folder: string
  /** What was told. */
  readonly events: ChangeEvent[]
  nowMs: number
  /** A statement on the same database, past everything. */
  run(sql: string, ...values: string[]): void
  /** What the database says of itself. */
  check(): unknown[]
  /** Another one on the same folder: after a restart, or beside the first. */
  another(options?: Partial<ControlOptions>): Control
}

/** Set anew before each test of a suite. */
export function stageEach(options: Partial<ControlOptions> = {}): Stage {
  const folder = freshFolder()
  const stage = { nowMs: startMs } as { -readonly [Name in keyof Stage]: Stage[Name] }
  const databases: Database[] = []
  const make = (change: Partial<ControlOptions>): [Control, Store] => {
    const database = openDatabase(stage.folder)
    databases.push(database)
    const store = storeOn(database)
    const control = new Control({
      store,
      digest: digestUnder(pepperIn(stage.folder)),
      keyPrefix: 'sk-aic-',
      nowMs: () => stage.nowMs,
      vendors: ['anthropic', 'openai'],
      ladders: () => ['best', 'cheapest'],
      seal: sealWith(Buffer.alloc(32, 5)),
      onError: (error) => assert.fail(String(error)),
      ...options,
      ...change,
    })
    return [control, store]
  }
  beforeEach(() => {
    stage.folder = folder()
    stage.nowMs = startMs
    stage.events = []
    const [control, store] = make({})
    control.onChange((event) => stage.events.push(event))
    Object.assign(stage, { control, store })
    stage.another = (change = {}) => make(change)[0]
    stage.check = () =>
      databases[0]
        ?.statement('PRAGMA integrity_check')
        .all()
        .map((row) => row.integrity_check) ?? []
    stage.run = (sql, ...values) => void databases[0]?.statement(sql).run(...values)
  })
  afterEach(() => {
    for (const database of databases.splice(0)) database.close()
  })
  return stage
}

/** That the work is refused with this status, and a message or field that fits. */
export function refused(work: () => unknown, status: ControlError['status'], says: RegExp): void {
  assert.throws(work, (thrown) => {
    assert.ok(thrown instanceof ControlError, String(thrown))
    assert.equal(thrown.status, status, thrown.message)
    assert.match(thrown.message, says)
    return true
  })
}
