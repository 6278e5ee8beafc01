import type { Script } from './child.ts'
import { Callers } from './load.ts'
import { piece } from './replies.ts'
import type { Scenario } from './scenarios.ts'
import { spread, type Spread } from './statistics.ts'
import type { Kind, Target, Vendor } from './targets.ts'

/** How much is measured: enough for a table to trust, or for a quick look. */
export interface Effort {
  /** The part of a full run's rounds. */
  share: number
  /** No round begins after this time (of `Date.now()`), once there are the fewest that say anything. */
  untilMs: number
}

/** What became of a scenario: each target's own cost, and its ratio to the relay's in the same round. */
export interface Row {
  name: string
  unit: 'µs' | 'KB'
  per: 'call' | 'event' | 'stream' | 'key'
  bar?: number
  /** The most that the gateway may cost, in the row's own unit: for what has no yardstick. */
  most?: number
  rounds: number
  cost: Partial<Record<Kind, number>>
  ratio: Partial<Record<Kind, Spread>>
  /** Anything that makes the figures doubtful. */
  note?: string
}

const roundsMin = 3
/** Below this the vendor's writes ran into one another on their way, and the figure flatters. */
const chunksPerWriteMin = 0.8

/** Measures one scenario: rounds in which every target has its turn, in alternating order. */
export async function measure(scenario: Scenario, targets: Target[], vendor: Vendor, effort: Effort): Promise<Row> {
  const asked = targets.map((target) => new Asked(scenario, target, vendor))
  const rounds = Math.max(roundsMin, Math.round(scenario.rounds * effort.share))
  try {
    for (const one of asked) await one.probe()
    for (let round = -scenario.warming; round < rounds; round += 1) {
      if (round >= roundsMin && Date.now() >= effort.untilMs) break
      for (const one of round % 2 === 0 ? asked : asked.toReversed()) await one.turn(round >= 0)
    }
  } finally {
    for (const one of asked) await one.close()
  }
  const figures = new Map(asked.map((one) => [one.target.kind, one.costs()]))
  const row = rowOf({ name: scenario.name, unit: 'µs', per: scenario.per }, figures)
  if (scenario.bar !== undefined) row.bar = scenario.bar
  const merged = asked.filter((one) => one.chunksPerWrite < chunksPerWriteMin).map((one) => one.target.kind)
  if (merged.length > 0) row.note = `${merged.join(', ')}: writes ran together, the machine is too busy for this figure`
  return row
}

/** The row of these figures, one of each target a round. */
export function rowOf(about: Pick<Row, 'name' | 'unit' | 'per'>, figures: ReadonlyMap<Kind, readonly number[]>): Row {
  const yardstick = figures.get('relay') ?? []
  const row: Row = { ...about, rounds: yardstick.length, cost: {}, ratio: {} }
  for (const [kind, own] of figures) {
    row.cost[kind] = spread(own).median
    const ratios = own.map((figure, round) => figure / (yardstick[round] ?? Number.NaN))
    if (kind !== 'relay') row.ratio[kind] = spread(ratios)
  }
  return row
}

/** Writes of the vendor in a stream. The difference of two lengths is the cost of events without that of the call. */
const writes = { short: 4, long: 44 } as const
type Length = keyof typeof writes

/** A scenario as one target meets it. */
class Asked {
  readonly target: Target
  readonly #scenario: Scenario
  readonly #vendor: Vendor
  readonly #callers: Callers
  readonly #bytes: Record<Length, number> = { short: 0, long: 0 }
  readonly #spent: Record<Length, number[]> = { short: [], long: [] }
  #chunks = 0
  #writes = 0

  constructor(scenario: Scenario, target: Target, vendor: Vendor) {
    this.#scenario = scenario
    this.target = target
    this.#vendor = vendor
    this.#callers = new Callers(target.origin, target.key)
  }

  /** Asks once of each length and looks at the answer. Throws where the target does not answer as it must. */
  async probe(): Promise<void> {
    for (const length of ['short', 'long'] as const) {
      const script = this.#script(length)
      await this.#vendor.play(script)
      const text = await this.#callers.once(this.#call)
      this.#bytes[length] = Buffer.byteLength(text)
      // A dialect may say the whole text once more at its end; none may say less.
      const events = text.split(piece).length - 1
      if (this.#scenario.per === 'event' && events < script.events) {
        throw new Error(`${this.#scenario.name}: ${this.target.kind} lost ${script.events - events} events`)
      }
    }
  }

  /** This target's part of a round. */
  async turn(counts: boolean): Promise<void> {
    const long = await this.#drive('long')
    const short = this.#scenario.per === 'event' ? await this.#drive('short') : 0
    if (!counts) return
    this.#spent.long.push(long)
    this.#spent.short.push(short)
  }

  /** Microseconds of the target's CPU per call or per event, of each round. */
  costs(): number[] {
    const { per, calls, eventsPerWrite } = this.#scenario
    const parts = per === 'call' ? calls : calls * eventsPerWrite * (writes.long - writes.short)
    // What the calls themselves cost is small beside their events: its median, so that each round has one noise, not two.
    const base = spread(this.#spent.short).median
    return this.#spent.long.map((long) => (long - base) / parts)
  }

  /** How well the vendor's writes kept apart on their way through the target. */
  get chunksPerWrite(): number {
    return this.#scenario.per === 'event' ? this.#chunks / this.#writes : 1
  }

  close(): Promise<void> {
    return this.#callers.close()
  }

  get #call() {
    return this.target.kind === 'gateway' ? this.#scenario.asked : this.#scenario.plain
  }

  #script(length: Length): Script {
    const { eventsPerWrite } = this.#scenario
    return { events: writes[length] * eventsPerWrite, eventsPerWrite, hold: false }
  }

  async #drive(length: Length): Promise<number> {
    const { calls } = this.#scenario
    await this.#vendor.play(this.#script(length))
    const before = await this.target.usage()
    this.#chunks += await this.#callers.drive(this.#call, calls, this.#bytes[length])
    this.#writes += calls * writes[length]
    const after = await this.target.usage()
    return after.cpuMicroseconds - before.cpuMicroseconds
  }
}
