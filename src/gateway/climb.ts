import type { Dispatcher } from 'undici'
import type { Call } from '../core/call.ts'
import { Failure } from '../core/failure.ts'
import { nextStep, type Ladder, type Rung, type Try } from '../core/ladder.ts'
import type { ReplyContext } from '../core/dialect.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { TryRecord } from '../core/receipt.ts'
import { attempt, type Answer } from './attempt.ts'
import { prepare } from './prepare.ts'
import type { Tab } from './tab.ts'

/** What a climb needs besides the call and its ladder. */
export interface Climb {
  snapshot: Snapshot
  dispatcher: Dispatcher
  context: ReplyContext
  tab: Tab
  /** Set once the call has to end: the caller has left, or the gateway stops. `cancel` is called then. */
  gone: { failure: Failure | undefined; cancel: ((reason: Failure) => void) | undefined }
}

/** Step 5: tries the rungs, as `nextStep` says, until one answers. Throws the last Failure when none does. */
export async function climb(
  call: Call,
  ladder: Ladder,
  { snapshot, dispatcher, context, tab, gone }: Climb,
): Promise<Answer> {
  const tries: Try[] = []
  for (;;) {
    if (gone.failure !== undefined) throw gone.failure
    const step = nextStep(ladder, tries)
    if (step.type === 'stop') throw lastFailure(tries)
    const rung = ladder.rungs[step.rung] as Rung
    tab.vendor = rung.vendor.name
    tab.model = rung.model.id
    tab.simulated = rung.simulated
    // What cannot be written for this vendor was not tried.
    const sending = prepare(call, rung, snapshot.dialects)
    const record = openRecord(tab, rung)
    const startedMs = performance.now()
    const running = attempt({
      call,
      rung,
      sending,
      context,
      deadlines: ladder.deadlines,
      dispatcher,
      record,
    })
    gone.cancel = running.cancel
    const outcome = await running.outcome
    record.durationMs = Math.round(performance.now() - startedMs)
    if (!(outcome instanceof Failure)) return outcome
    record.outcome = outcome.kind
    tries.push({ rung: step.rung, failure: outcome })
  }
}

function openRecord(tab: Tab, rung: Rung): TryRecord {
  const record: TryRecord = { vendor: rung.vendor.name, model: rung.model.id, status: 0, outcome: 'ok', durationMs: 0 }
  tab.tries.push(record)
  return record
}

function lastFailure(tries: readonly Try[]): Failure {
  const last = tries.at(-1)
  if (last === undefined) throw new Error('a ladder without rungs')
  return last.failure
}
