import { isMainThread, workerData } from 'node:worker_threads'
import { Failure, type FailureKind } from '../../core/failure.ts'
import { Health, type HealthRules } from './health.ts'
import { rulesWith } from './testing.ts'

/** For tests: what a thread does in each of its rounds. */
export type Job = keyof typeof jobs

export interface Work {
  job: Job
  memory: SharedArrayBuffer
  /** What the threads share besides: the clock first. */
  cells: Int32Array
  rounds: number
  /** Of the thread, from 0. */
  number: number
}

/** What the threads have seen, all together. */
export interface Told {
  /** What they asked for and got. */
  granted: number
  /** How often one saw what must not be. */
  tooMany: number
}

const cell = { clockMs: 0, threads: 1, inside: 2, granted: 3, tooMany: 4, arrived: 5 } as const

/** Places that can be claimed at once in `floor`: of more, few threads would seldom want one too many. */
export const floor = 1

/** The clock moves where a job moves it. */
const firstMs = 1_000_000
const leaseMs = 30_000

export function sharedCells(threads: number): Int32Array {
  const cells = new Int32Array(new SharedArrayBuffer(4 * 16))
  cells[cell.clockMs] = firstMs
  cells[cell.threads] = threads
  return cells
}

export function clockOf(cells: Int32Array): () => number {
  return () => Atomics.load(cells, cell.clockMs)
}

export function toldIn(cells: Int32Array): Told {
  return { granted: Atomics.load(cells, cell.granted), tooMany: Atomics.load(cells, cell.tooMany) }
}

const kinds: (FailureKind | undefined)[] = [
  undefined,
  'vendor-limit',
  'vendor-overloaded',
  'vendor-slow',
  undefined,
  'vendor-refuses',
  'model-unknown',
  'request-invalid',
]

const jobs = {
  /** Calls that end in all ways, while time passes. */
  count({ cells, rounds }: Work, health: Health): Told {
    const rung = health.of('busy')
    const rules = rulesWith({})
    for (let round = 0; round < rounds; round += 1) {
      Atomics.add(cells, cell.clockMs, 7)
      rung.begun()
      rung.ended({ failure: failed(kinds[round % kinds.length]), contentMs: round, probe: false }, rules)
    }
    return { granted: 0, tooMany: 0 }
  },

  /** Many keys, by each thread in an order of its own. */
  meet({ rounds, number }: Work, health: Health): Told {
    for (let round = 0; round < rounds; round += 1) {
      const key = number % 2 === 0 ? round : rounds - 1 - round
      health.of(`key ${key}`).ended({ failure: undefined, contentMs: undefined, probe: false }, rulesWith({}))
    }
    return { granted: 0, tooMany: 0 }
  },

  /** Probes of which every fourth fails, and as soon as it may be probed again all are there. */
  probe({ cells, rounds }: Work, health: Health): Told {
    const rung = health.of('failing')
    const rules = rulesWith({ breaker: { failuresInRow: 1, openMs: 1, openMsMax: 1 } })
    const told = { granted: 0, tooMany: 0 }
    rung.ended({ failure: failed('vendor-slow'), contentMs: undefined, probe: false }, rules)
    Atomics.add(cells, cell.clockMs, 30)
    for (let round = 0; round < rounds; round += 1) {
      if (!rung.claimProbe(rules, leaseMs)) continue
      told.granted += 1
      if (Atomics.add(cells, cell.inside, 1) !== 0) told.tooMany += 1
      // That it rests while this probe is under way, rather than because it is open.
      if (rung.standing(rules).forMs <= 30) told.tooMany += 1
      Atomics.sub(cells, cell.inside, 1)
      const kind = told.granted % 4 === 0 ? 'vendor-slow' : 'caller-gone'
      rung.ended({ failure: failed(kind), contentMs: undefined, probe: true }, rules)
      if (kind === 'vendor-slow') Atomics.add(cells, cell.clockMs, 30)
    }
    return told
  },

  /** Retries, as many as the floor has room for. */
  floor({ cells, rounds }: Work, health: Health): Told {
    const rung = health.of('floor')
    const rules = floorRules
    const told = { granted: 0, tooMany: 0 }
    for (let round = 0; round < rounds; round += 1) {
      if (!rung.claimRetry(rules, leaseMs)) continue
      told.granted += 1
      if (Atomics.add(cells, cell.inside, 1) >= floor) told.tooMany += 1
      Atomics.sub(cells, cell.inside, 1)
      rung.releaseRetry()
    }
    return told
  },

  /** As many retries as a share of the tries allows, asked for once all tries have begun. */
  share({ cells, rounds }: Work, health: Health): Told {
    const rung = health.of('share')
    const rules = rulesWith({ budget: { share: 0.1, floor: 0 } })
    const told = { granted: 0, tooMany: 0 }
    for (let round = 0; round < rounds; round += 1) rung.begun()
    allArrive(cells, 2)
    while (rung.claimRetry(rules, leaseMs)) told.granted += 1
    return told
  },

  /** Place after place, all threads are limited by one and fail at another at once. */
  wave({ rounds }: Work, health: Health): Told {
    const rules = rulesWith({})
    const told = { granted: 0, tooMany: 0 }
    for (let round = 0; round < rounds; round += 1) {
      const limited = health.of(`limited ${round}`)
      const failing = health.of(`failing ${round}`)
      limited.ended({ failure: failed('vendor-limit'), contentMs: undefined, probe: false }, rules)
      if (limited.standing(rules).forMs !== rules.cooldown.limitedMs) told.tooMany += 1
      for (let time = 0; time < rules.breaker.failuresInRow; time += 1) {
        failing.ended({ failure: failed('vendor-slow'), contentMs: undefined, probe: false }, rules)
      }
      if (failing.standing(rules).forMs !== rules.breaker.openMs) told.tooMany += 1
    }
    return told
  },
}

export const floorRules: HealthRules = rulesWith({ budget: { share: 0, floor } })

function failed(kind: FailureKind | undefined): Failure | undefined {
  return kind && new Failure(kind, 'x')
}

/** Waits until all threads have come here for the first time, or the second. */
function allArrive(cells: Int32Array, times: number): void {
  const all = Atomics.load(cells, cell.threads) * times
  Atomics.add(cells, cell.arrived, 1)
  Atomics.notify(cells, cell.arrived)
  for (;;) {
    const arrived = Atomics.load(cells, cell.arrived)
    if (arrived >= all) return
    Atomics.wait(cells, cell.arrived, arrived)
  }
}

if (!isMainThread) {
  const work = workerData as Work
  const health = new Health(work.memory, clockOf(work.cells))
  allArrive(work.cells, 1)
  const { granted, tooMany } = jobs[work.job](work, health)
  Atomics.add(work.cells, cell.granted, granted)
  Atomics.add(work.cells, cell.tooMany, tooMany)
}
