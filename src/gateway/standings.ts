import type { Rung, Standing } from '../core/ladder.ts'
import type { Level, PlaceRules, Snapshot, VendorSetup } from '../core/snapshot.ts'
import { merge, type ModelStatus, type Status, type VendorPage } from '../core/status.ts'
import type { Model } from '../core/vendor.ts'
import type { Health } from './health/health.ts'
import type { Seats } from './health/seats.ts'
import { placeOf } from './route.ts'

const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const dayMs = 24 * 60 * minuteMs

interface Sources {
  snapshot: Snapshot
  health: Health
  seats: Seats
  /** When counting began, Unix milliseconds. */
  sinceMs: number
  pages: readonly VendorPage[] | undefined
}

/** How each model stands that a call has been to, its credentials taken together. */
export function statusOf({ snapshot, health, seats, sinceMs, pages }: Sources): Status {
  const nowMs = Date.now()
  const models = modelsOf(snapshot, health).flatMap(({ setup, model, rules }) => {
    const rungs = setup.credentials
      .map((credential) => placeOf({ setup, model, rules, credentials: [credential] }, 0, credential))
      .filter(isKept)
      .filter((rung) => health.has(rung.healthKey))
    return rungs.length === 0 ? [] : [modelStatus(rungs, health, seats, nowMs)]
  })
  return { nowMs, sinceMs, models, pages }
}

/** All models that have a name here, and those of other names that calls of this worker went to. */
function modelsOf(snapshot: Snapshot, health: Health): Level[] {
  const levels = new Map<string, Level>()
  const add = (setup: VendorSetup | undefined, model: Model, rules: PlaceRules): void => {
    const key = `${setup?.vendor.name}/${model.id}`
    if (setup !== undefined && !levels.has(key))
      levels.set(key, { setup, model, rules, credentials: setup.credentials })
  }
  for (const model of snapshot.models.values()) add(snapshot.vendors.get(model.vendor), model, snapshot.rules)
  for (const plan of snapshot.ladders.values())
    for (const level of plan.levels) add(level.setup, level.model, level.rules)
  for (const key of health.keys()) {
    const [, vendor = '', id = ''] = /^([^/]+)\/(.*)#[^#]*$/s.exec(key) ?? []
    add(snapshot.vendors.get(vendor), { id, vendor }, snapshot.rules)
  }
  return [...levels.values()]
}

function modelStatus(rungs: readonly Kept[], health: Health, seats: Seats, nowMs: number): ModelStatus {
  const [first] = rungs as [Rung]
  const windows = (spanMs: number): ReturnType<typeof merge> =>
    merge(rungs.map((rung) => health.of(rung.healthKey).window(spanMs)))
  const { type, reason, forMs } = best(rungs.map((rung) => seats.standing(rung)))
  return {
    vendor: first.vendor.name,
    model: first.model.id,
    simulated: first.simulated,
    standing: type,
    ...(reason !== undefined && { reason }),
    ...(forMs > 0 && { untilMs: nowMs + forMs }),
    windows: { minute: windows(minuteMs), quarter: windows(quarterMs), day: windows(dayMs) },
  }
}

/** A rung whose health is kept. */
type Kept = Rung & { healthKey: string }

function isKept(rung: Rung): rung is Kept {
  return rung.healthKey !== undefined
}

/** A model stands as its best credential does. */
function best(standings: readonly Standing[]): Standing {
  const order = ['well', 'probe', 'full', 'resting', 'barred']
  return standings.toSorted(
    (one, other) => order.indexOf(one.type) - order.indexOf(other.type) || one.forMs - other.forMs,
  )[0] as Standing
}
