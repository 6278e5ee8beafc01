import { Chance } from './chance.ts'
import { originOf, type CallSpec, type KeySpec, type ModelSpec, type Scene, type VendorSpec } from './scene.ts'
import { ladderModel } from './stage.ts'
import type { State, Timeline } from './vendors.ts'

/** A scene of chance: everything that an operator may set, that vendors do, and that callers do. */
export function sceneOf(seed: number): Scene {
  const chance = new Chance(seed)
  const spanMs = chance.spread(20_000, 1_200_000)
  const vendors = vendorsOf(chance)
  const rungs = rungsOf(vendors, chance)
  const mood: Mood = {
    healthyShare: chance.one([0.95, 0.8, 0.5, 0.2]),
    spanMs,
    retrySpreadMs: chance.one([300, 1500, 1500, 30_000]),
  }
  const hedgeAfterMs = chance.yes(0.25) ? chance.spread(20, 2000) : undefined
  const workers = chance.whole(1, 3)
  return {
    seed,
    startMs: chance.one([0, chance.between(0, 1e7), tickWrapMs - chance.between(0, spanMs)]),
    workers,
    config: configOf(chance),
    rungs,
    ...(hedgeAfterMs !== undefined && { hedgeAfterMs }),
    vendors,
    servers: serversOf(vendors, mood, chance),
    places: placesOf(vendors, mood, chance),
    calls: callsOf({ vendors, spanMs, workers }, chance),
  }
}

/** When the count of ticks in shared memory comes round (src/gateway/health/ticks.ts). */
const tickWrapMs = 2 ** 31 * 10

function vendorsOf(chance: Chance): VendorSpec[] {
  const names = ['alpha', 'beta', 'gamma'].slice(0, chance.whole(1, 3))
  return names.map((name) => ({
    name,
    models: Array.from({ length: chance.whole(1, 2) }, (_, index) => modelOf(`${name}-${index + 1}`, chance)),
    keys: Array.from({ length: chance.whole(1, 3) }, (_, index) => keyOf(name, index + 1, chance)),
  }))
}

function modelOf(id: string, chance: Chance): ModelSpec {
  return {
    id,
    ...(chance.yes(0.2) && { narrow: true }),
    ...(chance.yes(0.2) && { plain: true }),
    ...(chance.yes(0.1) && { strict: true }),
  }
}

function keyOf(vendor: string, number: number, chance: Chance): KeySpec {
  return {
    name: `key-${number}`,
    weight: chance.one([1, 1, 3, 0]),
    ...(chance.yes(0.2) && { callsMax: chance.spread(1, 20) }),
    ...(number > 1 && chance.yes(0.25) && { origin: `https://${vendor}-${number}.test` }),
  }
}

/** Up to four of the models there are, each once: the same place has the same rules wherever it stands. */
function rungsOf(vendors: readonly VendorSpec[], chance: Chance): Scene['rungs'] {
  const all = vendors.flatMap(({ name, models }) => models.map(({ id }) => `${name}/${id}`))
  const wanted = Math.min(all.length, chance.whole(1, 4))
  const chosen = all
    .map((model) => ({ model, key: chance.random() }))
    .toSorted((one, other) => one.key - other.key)
    .slice(0, wanted)
  return chosen.map(({ model }) => model)
}

function configOf(chance: Chance): Scene['config'] {
  const enabled = (): boolean => chance.yes(0.88)
  const firstByteMs = chance.spread(400, 5000)
  const firstByteLastMs = Math.round(firstByteMs * chance.between(1, 4))
  const doubled = (leastMs: number, mostMs: number): [number, number] => {
    const ms = chance.spread(leastMs, mostMs)
    return [ms, Math.round(ms * chance.one([1, 3, 30]))]
  }
  const [limitedMs, limitedMsMax] = doubled(50, 3000)
  const [refusedMs, refusedMsMax] = doubled(500, 60_000)
  const [openMs, openMsMax] = doubled(100, 10_000)
  const [backoffMs, backoffMsMax] = doubled(1, 1000)
  return {
    retries: {
      enabled: enabled(),
      triesMax: chance.whole(1, 5),
      triesMaxRetried: chance.whole(1, 5),
      triesLastRung: chance.whole(1, 5),
      waitMsMax: chance.one([0, 200, 2000, 2000, 20_000]),
      backoffMs: chance.one([0, backoffMs]),
      backoffLimitedMs: chance.one([0, backoffMs, 500]),
      backoffMsMax,
    },
    cooldown: {
      enabled: enabled(),
      statedMsMax: chance.one([3_600_000, 3_600_000, 5000]),
      limitedMs,
      limitedMsMax,
      refusedMs,
      refusedMsMax,
      missingMs: chance.spread(500, 300_000),
    },
    breaker: {
      enabled: enabled(),
      failuresInRow: chance.spread(1, 30),
      failureShare: chance.one([0, 0.1, 0.5, 1]),
      callsMin: chance.spread(1, 50),
      windowMs: chance.spread(1000, 60_000),
      openMs,
      openMsMax,
      probesGood: chance.spread(1, 10),
    },
    budget: {
      enabled: enabled(),
      share: chance.one([0, 0.1, 0.5, 1]),
      windowMs: chance.spread(1000, 60_000),
      floor: chance.one([0, 1, 3, 16]),
    },
    adaptiveConcurrency: {
      enabled: chance.yes(0.15),
      start: chance.spread(1, 64),
      least: chance.spread(1, 8),
      most: chance.spread(8, 100),
      factor: chance.one([0.5, 0.75, 0.95]),
    },
    deadlines: {
      connectMs: chance.spread(50, 3000),
      firstByteMs,
      firstByteLastMs,
      thinkingMs: firstByteLastMs,
      thinkingLastMs: firstByteLastMs * 2,
      idleMs: chance.spread(500, 20_000),
      wholeCallMs: chance.spread(1000, 60_000),
      streamedCallMs: chance.spread(5000, 300_000),
    },
  }
}

/** How bad it is, and for how long. */
interface Mood {
  readonly healthyShare: number
  readonly spanMs: number
  readonly retrySpreadMs: number
}

function serversOf(vendors: readonly VendorSpec[], mood: Mood, chance: Chance): Record<string, Timeline> {
  const origins = vendors.flatMap(({ name, keys }) => [originOf(name), ...keys.flatMap(({ origin }) => origin ?? [])])
  return Object.fromEntries(origins.map((origin) => [origin, timelineOf(serverState, mood, chance)]))
}

function placesOf(vendors: readonly VendorSpec[], mood: Mood, chance: Chance): Record<string, Timeline> {
  const places = vendors.flatMap(({ name, models, keys }) =>
    models.flatMap(({ id }) => keys.map((key) => `${name}/${id}#${key.name}`)),
  )
  return Object.fromEntries(places.map((place) => [place, timelineOf(placeState, mood, chance)]))
}

function timelineOf(stateOf: (mood: Mood, chance: Chance) => State, mood: Mood, chance: Chance): Timeline {
  const { healthyShare, spanMs } = mood
  if (chance.yes(0.2)) return []
  if (chance.yes(0.15)) return flapping(stateOf(mood, chance), mood, chance)
  const timeline: { untilMs: number; state: State }[] = []
  let atMs = 0
  while (atMs < spanMs && timeline.length < 200) {
    atMs += chance.spread(200, spanMs)
    const healthy = chance.yes(healthyShare)
    timeline.push({ untilMs: atMs, state: healthy ? { type: 'healthy' } : stateOf(mood, chance) })
  }
  // Some never recover.
  if (!chance.yes(0.1)) timeline.push({ untilMs: Infinity, state: { type: 'healthy' } })
  return timeline
}

function flapping(state: State, { spanMs }: Mood, chance: Chance): Timeline {
  const periodMs = chance.spread(300, 10_000)
  const times = Math.min(200, Math.ceil(spanMs / periodMs))
  return Array.from({ length: times }, (_, index) => ({
    untilMs: (index + 1) * periodMs,
    state: index % 2 === 0 ? { type: 'healthy' } : state,
  }))
}

/** What befalls a server, and with it all keys that are used there. */
function serverState(mood: Mood, chance: Chance): State {
  const state = chance.one<State>([
    { type: 'failing', kind: 'vendor-broken' },
    { type: 'failing', kind: chance.one(['vendor-unreadable', 'vendor-cut', 'vendor-unreachable']) },
    { type: 'overloaded', ...stated(mood, chance) },
    { type: 'unreachable' },
    // The connection after it is a new one, and often works.
    { type: 'stale', share: chance.between(0.1, 0.7) },
    { type: 'stalling' },
    { type: 'halting' },
    { type: 'breaking' },
    { type: 'slow', ms: chance.spread(500, 100_000) },
  ])
  return partly(state, chance)
}

/** What befalls one key or one model. */
function placeState(mood: Mood, chance: Chance): State {
  const state = chance.one<State>([
    { type: 'limited', ...stated(mood, chance) },
    { type: 'limited', ...stated(mood, chance) },
    { type: 'failing', kind: 'vendor-refuses' },
    { type: 'failing', kind: 'model-unknown' },
    { type: 'failing', kind: chance.one(['content-refused', 'unsupported', 'prompt-too-long', 'conflict']) },
    { type: 'failing', kind: 'request-invalid', share: 0.3 },
    { type: 'failing', kind: 'vendor-broken' },
  ])
  return partly(state, chance)
}

function partly(state: State, chance: Chance): State {
  return state.share === undefined && chance.yes(0.3) ? { ...state, share: chance.between(0.05, 0.95) } : state
}

function stated({ retrySpreadMs }: Mood, chance: Chance): { retryAfterMs?: number | 'end' } {
  if (chance.yes(0.35)) return {}
  if (chance.yes(0.3)) return { retryAfterMs: 'end' }
  return { retryAfterMs: chance.yes(0.7) ? chance.spread(1, retrySpreadMs) : chance.one([0, 7_200_000]) }
}

function callsOf(
  { vendors, spanMs, workers }: { vendors: readonly VendorSpec[]; spanMs: number; workers: number },
  chance: Chance,
): CallSpec[] {
  const models = vendors.flatMap((vendor) => vendor.models.map(({ id }) => id)) as [string, ...string[]]
  const count = chance.spread(300, 2000)
  const meanMs = spanMs / count
  const habits: Habits = {
    alone: chance.one([0, 0.2]),
    stream: chance.one([0, 0.5, 1]),
    retried: chance.one([0, 0.1, 0.3]),
    leaving: chance.one([0, 0.05, 0.2]),
    hasty: chance.one([0, 0.1, 0.5]),
    demanding: chance.one([0, 0.1, 0.3]),
  }
  const calls: CallSpec[] = []
  let atMs = 0
  for (let number = 0; number < count; number += 1) {
    // Some come in crowds.
    atMs += chance.yes(0.2) ? chance.between(0, 2) : -Math.log(1 - chance.random()) * meanMs
    calls.push(callAt(atMs, { models, habits, workers }, chance))
  }
  return calls
}

/** Which share of the callers does what. */
interface Habits {
  readonly alone: number
  readonly stream: number
  readonly retried: number
  readonly leaving: number
  readonly hasty: number
  readonly demanding: number
}

function callAt(
  atMs: number,
  { models, habits, workers }: { models: readonly [string, ...string[]]; habits: Habits; workers: number },
  chance: Chance,
): CallSpec {
  return {
    atMs,
    model: chance.yes(habits.alone) ? chance.one(models) : ladderModel,
    stream: chance.yes(habits.stream),
    retried: chance.yes(habits.retried),
    ...(chance.yes(habits.demanding) && { long: true }),
    ...(chance.yes(habits.demanding) && { tools: true }),
    ...(chance.yes(habits.demanding / 3) && { seed: true }),
    ...(chance.yes(habits.hasty) && { patienceMs: chance.spread(20, 30_000) }),
    ...(chance.yes(habits.leaving) && { leavesAfterMs: chance.spread(1, 10_000) }),
    ...(chance.yes(0.1) && { readMs: chance.between(0, 15) }),
    worker: chance.whole(0, workers - 1),
  }
}
