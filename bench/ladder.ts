import { join } from 'node:path'
import { configSchema } from '../src/control/config.ts'
import { found } from '../src/cli/settings.ts'
import { publish } from '../src/control/publish.ts'
import { nextStep, type Ladder, type Moment, type Rung } from '../src/core/ladder.ts'
import type { Caller } from '../src/core/caller.ts'
import type { Plan } from '../src/core/plan.ts'
import type { Snapshot } from '../src/core/snapshot.ts'
import { dialects } from '../src/dialects/index.ts'
import { Health, healthMemory, monotonicMs } from '../src/gateway/health/health.ts'
import { Places, placesMemory } from '../src/gateway/health/places.ts'
import { Seats } from '../src/gateway/health/seats.ts'
import { route } from '../src/gateway/route.ts'
import { models, shippedLadders, vendors } from '../src/vendors/index.ts'
import type { Effort, Row } from './measure.ts'
import { spread } from './statistics.ts'

/** The name of the row. */
export const ladderName = 'ladder of four, first rung answers'

/** The most that the ladder may cost such a call. */
const mostUs = 3
const rounds = 60
const warming = 5
const calls = 20_000

/**
 * What the ladder adds to a call that succeeds at once, in this process and without a socket: choosing the ladder and its rungs, the first
 * step of the policy, the health of the rung before and after.
 */
export function measureLadder(directory: string, effort: Effort): Row {
  const snapshot = fourRungs(directory)
  const seats = new Seats(
    new Health(healthMemory(), monotonicMs),
    new Places({ memory: placesMemory(), worker: 0, nowMs: monotonicMs }),
    () => snapshot.adaptive,
  )
  const costs: number[] = []
  for (let round = -warming; round < rounds * effort.share; round += 1) {
    const before = process.cpuUsage()
    for (let call = 0; call < calls; call += 1) climbAtOnce(snapshot, seats)
    const { user, system } = process.cpuUsage(before)
    if (round >= 0) costs.push((user + system) / calls)
  }
  const { median } = spread(costs)
  return {
    name: ladderName,
    unit: 'µs',
    per: 'call',
    rounds: costs.length,
    most: mostUs,
    cost: { gateway: median },
    ratio: {},
  }
}

function climbAtOnce(snapshot: Snapshot, seats: Seats): void {
  const ladder = route(snapshot, 'claude-opus-5-5', {
    dialect: dialects.anthropic,
    caller,
    plan,
    fault: undefined,
    ladder: 'opus',
    counting: false,
    random: Math.random,
  })
  const step = nextStep(ladder, [], momentOf(ladder, seats))
  const rung = step.type === 'try' ? ladder.rungs[step.rung] : undefined
  const seat = rung === undefined ? undefined : seats.take(rung, undefined)
  if (seat === undefined) throw new Error('the first rung is not well')
  seat.begin()
  seat.end(undefined, 800)
}

const plan: Plan = { name: 'unlimited', limits: {}, ownerLimits: {} }
const digest = Buffer.alloc(32)
const caller: Caller = {
  id: 'bench',
  name: 'bench',
  digest,
  state: 'active',
  plan: plan.name,
  sandbox: true,
  keySlot: 0,
}

function momentOf(ladder: Ladder, seats: Seats): Moment {
  return {
    elapsedMs: 0,
    waitedMs: 0,
    untilMs: 595_000,
    retried: false,
    standing: (rung) => seats.standing(ladder.rungs[rung] as Rung),
    random: Math.random,
  }
}

function fourRungs(directory: string): Snapshot {
  return publish({
    config: configSchema(vendors.map((vendor) => vendor.name)).parse({}),
    file: join(directory, 'keyrung.yaml'),
    callers: new Map(),
    declared: new Map(),
    plans: [plan],
    digest: () => digest,
    vendors,
    models,
    shippedLadders,
    dialects,
    credentials: new Map(vendors.map((vendor) => [vendor.name, [found('key', 'bench')]])),
    origins: new Map(),
    sandboxOrigin: undefined,
  })
}
