import { join } from 'node:path'
import { configSchema } from '../src/control/config.ts'
import { publish } from '../src/control/publish.ts'
import { shippedPlans } from '../src/control/service/plans.ts'
import { openStore, type Store } from '../src/control/store/index.ts'
import { Body } from '../src/core/body.ts'
import type { Call } from '../src/core/call.ts'
import type { Caller } from '../src/core/caller.ts'
import { noUsage } from '../src/core/event.ts'
import { isObject, parseJson } from '../src/core/json.ts'
import type { Ladder, Rung } from '../src/core/ladder.ts'
import type { Plan } from '../src/core/plan.ts'
import type { Snapshot } from '../src/core/snapshot.ts'
import { found } from '../src/cli/settings.ts'
import { dialects } from '../src/dialects/index.ts'
import { admit } from '../src/gateway/admit.ts'
import { createGateway, newMemories, type RunningGateway } from '../src/gateway/gateway.ts'
import { slotBytes } from '../src/gateway/limits/table.ts'
import { route } from '../src/gateway/route.ts'
import { Tab } from '../src/gateway/tab.ts'
import { Importer } from '../src/journal/importer.ts'
import { JournalWriter } from '../src/journal/writer.ts'
import { models, shippedLadders, vendors } from '../src/vendors/index.ts'
import { anthropicCall } from './bodies.ts'
import { collect } from './collect.ts'
import type { Effort, Row } from './measure.ts'
import { spread } from './statistics.ts'

/** How the names of its rows begin. */
export const ledgerName = 'limits and receipt'

/** The most that limits and a receipt may cost a call in its worker, and with the ledger in the whole process. */
const mostUs = { worker: 10, process: 25 } as const
/** The most that a key may take of a worker's memory. */
const mostKb = 1

const rounds = 30
const warming = 5
const calls = 2000
/** Calls that end in one turn of the event loop, and are written at once: a busy worker has more. */
const callsATurn = 4
const fewKeys = 10
const manyKeys = 100_000
/** Keys that have calls in one hour, at most: spread over all of them. */
const activeMax = 10_000
/** Keys of one owner, whose limits are taken from too. */
const keysAnOwner = 5

/** What limits and the ledger cost, in this process and without a socket; and what a key takes of a worker's memory. */
export async function measureLedger(directory: string, effort: Effort): Promise<Row[]> {
  const rows: Row[] = []
  for (const keys of [fewKeys, manyKeys]) {
    const of = keys.toLocaleString('en-US')
    const figures = await costsOf(join(directory, `ledger-${keys}`), keys, effort)
    rows.push(
      rowOf(`${ledgerName}, ${of} keys`, 'µs', 'call', figures.worker, mostUs.worker),
      rowOf(`${ledgerName} and ledger, ${of} keys`, 'µs', 'call', figures.process, mostUs.process),
    )
  }
  rows.push(rowOf(`${ledgerName}: memory of a key`, 'KB', 'key', [kilobytesPerKey()], mostKb))
  return rows
}

function rowOf(name: string, unit: Row['unit'], per: Row['per'], figures: number[], most: number): Row {
  return { name, unit, per, rounds: figures.length, most, cost: { gateway: spread(figures).median }, ratio: {} }
}

/** Microseconds a call of each round: of the worker's part, and of that and the import together. */
async function costsOf(
  directory: string,
  keys: number,
  { share }: Effort,
): Promise<{ worker: number[]; process: number[] }> {
  const trial = new Trial(directory, keys)
  const figures = { worker: [] as number[], process: [] as number[] }
  try {
    trial.callAll()
    for (let round = -warming; round < rounds * share; round += 1) {
      const start = process.cpuUsage()
      for (let call = 0; call < calls; call += 1) trial.call()
      const own = process.cpuUsage(start)
      trial.import()
      const all = process.cpuUsage(start)
      if (round < 0) continue
      figures.worker.push((own.user + own.system) / calls)
      figures.process.push((all.user + all.system) / calls)
    }
    return figures
  } finally {
    await trial.close()
  }
}

/** A worker's part of the gateway, and the ledger behind it. */
class Trial {
  readonly #snapshot: Snapshot
  readonly #gateway: RunningGateway
  readonly #journal: JournalWriter
  readonly #store: Store
  readonly #importer: Importer
  readonly #callers: readonly Caller[]
  readonly #active: readonly Caller[]
  readonly #call: Call
  readonly #ladder: Ladder
  readonly #rung: Rung
  #ended = 0

  constructor(directory: string, keys: number) {
    const log = { fault: fail, vendor: fail }
    const folder = join(directory, 'journal')
    this.#snapshot = snapshotIn(directory)
    this.#callers = Array.from({ length: keys }, (_, index) => callerOf(index, keys))
    this.#active = this.#callers.filter((_, index) => index % Math.ceil(keys / activeMax) === 0)
    this.#store = openStore(directory)
    this.#journal = new JournalWriter({ folder, name: 'worker-0', startedMs: 1, onError: fail, onMended: () => {} })
    const sink = this.#store.sink({ nowMs: Date.now })
    this.#importer = new Importer({ folder, sink, isLive: () => true, onError: fail, onMended: () => {} })
    this.#gateway = createGateway({
      snapshot: () => this.#snapshot,
      journal: this.#journal,
      log,
      memories: newMemories(2 * keys),
      worker: 0,
    })
    this.#call = callOf()
    this.#ladder = route(this.#snapshot, this.#call.head.model, {
      dialect: this.#call.dialect,
      caller: this.#callers[0] as Caller,
      plan,
      fault: undefined,
      ladder: undefined,
      counting: false,
      random: Math.random,
    })
    this.#rung = this.#ladder.rungs[0] as Rung
  }

  /** The first call of each key makes rows of its own in the ledger. */
  callAll(): void {
    for (const caller of this.#active) this.call(caller)
    this.import()
  }

  /** What each call has to do with limits and ledger, from its admission to its receipt. */
  call(caller = this.#active[Math.floor(Math.random() * this.#active.length)] as Caller): void {
    const tab = new Tab('anthropic', Date.now())
    tab.by(caller, plan)
    const admission = admit(this.#gateway, this.#snapshot, {
      caller,
      plan,
      call: this.#call,
      ladder: this.#ladder,
      tab,
      end: () => {},
    })
    tab.on(this.#rung)
    tab.status = 200
    tab.tries.push({
      vendor: 'anthropic',
      model: tab.model,
      credential: 1,
      status: 200,
      outcome: 'ok',
      durationMs: 900,
    })
    tab.usage = { ...noUsage, input: 60, output: 40 }
    tab.spend(tab.usage, this.#rung.model, false)
    admission.leave()
    this.#gateway.recorder.ended(tab.receipt(Date.now()), undefined, () => {})
    this.#ended += 1
    if (this.#ended % callsATurn === 0) this.#gateway.recorder.flush()
  }

  import(): void {
    while (this.#importer.runOnce());
  }

  async close(): Promise<void> {
    this.#journal.close()
    await this.#importer.close()
    this.#store.close()
  }
}

/** Every limit there is, none of which is ever reached. */
const plan: Plan = {
  name: 'all',
  limits: {
    requestsPerMinute: 1e9,
    inputTokensPerMinute: 1e12,
    outputTokensPerMinute: 1e12,
    callsAtOnce: 1e6,
    tokensPerDay: 1e14,
    nanoDollarsPerMonth: 1e15,
  },
  ownerLimits: { requestsPerMinute: 1e9, nanoDollarsPerMonth: 1e15 },
}

function callerOf(index: number, keys: number): Caller {
  const owner = Math.floor(index / keysAnOwner)
  return {
    id: index.toString(36).padStart(8, '0'),
    name: `laptop number ${index}`,
    digest: new Uint8Array(32).fill(index),
    state: 'active',
    owner: `owner-${owner}`,
    plan: plan.name,
    sandbox: false,
    keySlot: index,
    ownerSlot: keys + owner,
  }
}

function callOf(): Call {
  const { body } = anthropicCall('claude-sonnet-5', false)
  const json = parseJson(body.toString())
  if (!isObject(json)) throw new Error('the call is no object')
  const dialect = dialects.anthropic
  const head = dialect.request.head(json, '/v1/messages')
  return { dialect, purpose: 'generate', head, json, body: new Body([body]), headers: {} }
}

function snapshotIn(directory: string): Snapshot {
  return publish({
    config: configSchema(vendors.map((vendor) => vendor.name)).parse({ shippedLadders: false }),
    file: join(directory, 'keyrung.yaml'),
    callers: new Map(),
    declared: new Map(),
    plans: [...shippedPlans, plan],
    digest: () => Buffer.alloc(32),
    vendors,
    models,
    shippedLadders,
    dialects,
    credentials: new Map([['anthropic', [found('key', 'bench')]]]),
    origins: new Map(),
    sandboxOrigin: undefined,
  })
}

/** What a worker holds of each key: its row, as it comes out of a message, the entry that finds it, and its place among the limits. */
function kilobytesPerKey(): number {
  const before = collect()
  const callers = new Map<string, Caller>()
  for (let index = 0; index < manyKeys; index += 1) {
    const caller = structuredClone(callerOf(index, manyKeys))
    callers.set(caller.id, caller)
  }
  const held = collect() - before
  if (callers.size !== manyKeys) throw new Error('some keys have one id')
  return (held / manyKeys + slotBytes) / 1024
}

function fail(...what: unknown[]): never {
  throw new Error(`the bench has failed: ${what.map(String).join(' ')}`)
}
