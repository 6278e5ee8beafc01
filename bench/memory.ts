import { Callers } from './load.ts'
import { rowOf, type Effort, type Row } from './measure.ts'
import { heldCall } from './scenarios.ts'
import { startTarget, type Kind, type Target, type Vendor } from './targets.ts'

/** Streams open at once while memory is measured. */
const streams = 500
const rounds = 3
const callsWarming = 200

/** The name of the row. */
export const memoryName = `open silent stream, of ${streams}`

/** What open, silent streams hold in memory: fresh processes each time, since a process gives little back. */
export async function measureMemory(kinds: Kind[], vendor: Vendor, directory: string, effort: Effort): Promise<Row> {
  const figures = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]))
  for (let round = 0; round < Math.ceil(rounds * effort.share); round += 1) {
    if (round > 0 && Date.now() >= effort.untilMs) break
    for (const kind of kinds) {
      const target = await startTarget(kind, vendor.origin, directory)
      if (target === undefined) continue
      try {
        figures.get(kind)?.push(await kilobytesPerStream(target, vendor))
      } finally {
        await target.stop()
      }
    }
  }
  return rowOf({ name: memoryName, unit: 'KB', per: 'stream' }, figures)
}

/** Resident memory that each open stream adds, once the process has seen a few calls. */
async function kilobytesPerStream(target: Target, vendor: Vendor): Promise<number> {
  await vendor.play({ events: 4, eventsPerWrite: 1, hold: false })
  const warming = new Callers(target.origin, target.key)
  await warming.drive(heldCall, callsWarming, 1)
  await warming.close()
  await vendor.play({ events: 4, eventsPerWrite: 1, hold: true })
  const before = await target.usage('collected')
  const callers = new Callers(target.origin, target.key, streams)
  try {
    await callers.hold(heldCall, streams)
    const after = await target.usage('collected')
    return (after.rssBytes - before.rssBytes) / 1024 / streams
  } finally {
    await callers.close()
  }
}
