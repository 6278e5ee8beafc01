import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { request } from 'undici'
import { adminHandler, type AdminHandler } from '../control/admin/handler.ts'
import { network } from '../control/admin/strikes.ts'
import { ConfigError } from '../control/config.ts'
import { plansOf } from '../control/config-plans.ts'
import { Control } from '../control/control.ts'
import { lockData } from '../control/data-lock.ts'
import { createDesk } from '../control/desk.ts'
import type { CredentialSetting } from '../control/publish.ts'
import { digestUnder, pepperIn } from '../control/secrets.ts'
import { masterSeal } from '../control/secrets-seal.ts'
import { fetchPage, StatusPages } from '../control/status-pages/index.ts'
import { openStore, type Store } from '../control/store/index.ts'
import { Webhooks } from '../control/webhooks.ts'
import type { Caller } from '../core/caller.ts'
import { noUsage } from '../core/event.ts'
import { randomId } from '../core/id.ts'
import type { Plan } from '../core/plan.ts'
import { costOf } from '../core/price.ts'
import type { Snapshot } from '../core/snapshot.ts'
import { addressHeader, keyHeader, wordHeader, type ControlAddress } from '../gateway/forward.ts'
import { addressOf } from '../gateway/identify.ts'
import { newMemories, type Log, type Memories } from '../gateway/gateway.ts'
import { Health, monotonicMs } from '../gateway/health/health.ts'
import { Places } from '../gateway/health/places.ts'
import { Seats } from '../gateway/health/seats.ts'
import { LimitTable } from '../gateway/limits/table.ts'
import { statusOf } from '../gateway/standings.ts'
import { statusHtml, statusJson } from '../gateway/status.ts'
import { Importer } from '../journal/importer.ts'
import type { Sandbox } from '../sandbox/index.ts'
import { models, vendors } from '../vendors/index.ts'
import { budgetsOf } from './budgets.ts'
import { leftOf } from './left.ts'
import { errorPages } from './pages.ts'
import { snapshotOf, type PlaneSettings, type PlaneUpdate } from './plane.ts'
import type { Settings } from './settings.ts'

/** The place of the control plane among those that share the limits: behind all workers. */
const controlWorker = 63
const budgetsEveryMs = 5000
const pruneEveryMs = 3_600_000
const dayMs = 86_400_000
/** Keys and owners whose limits can be counted. */
const limitSlots = 200_000
const hookTimeoutMs = 10_000

interface Options {
  settings: Settings
  sandbox: Sandbox | undefined
  environment: NodeJS.ProcessEnv
  version: string
  log: Log
  /** Does the writer of this journal still run? */
  isLive: (writer: string) => boolean
  /** Tells the workers. */
  tell: (update: PlaneUpdate) => void
}

/** Keys, plans, settings and the ledger: everything but the calls. Its making throws ConfigError for what cannot work together. */
export class ControlPlane {
  readonly store: Store
  readonly control: Control
  readonly pepper: Uint8Array
  readonly memories: Memories
  readonly importer: Importer
  readonly pages = errorPages()
  settings: PlaneSettings
  snapshot: Snapshot
  readonly #options: Options
  readonly #unlock: () => void
  readonly #digest: (key: string) => Buffer
  readonly #limits: LimitTable
  readonly #health: Health
  readonly #seats: Seats
  #webhooks: Webhooks
  readonly #callers = new Map<string, Caller>()
  readonly #declared = new Map<string, Caller>()
  /** Vendors' keys of file and environment; the control service reads it as it is. */
  readonly #credentials: Map<string, readonly CredentialSetting[]>
  readonly #servers: Server[] = []
  readonly #timers: NodeJS.Timeout[] = []
  readonly #sinceMs = Date.now()
  readonly #word = randomId(32)
  #statusPages: StatusPages

  constructor(options: Options) {
    const { settings, environment, log } = options
    const { config } = settings
    this.#options = options
    this.#credentials = new Map(settings.credentials)
    this.#unlock = lockData(config.data)
    try {
      this.store = openStore(config.data)
      this.pepper = pepperIn(config.data, this.store.keys.any())
      this.#digest = digestUnder(this.pepper)
      this.control = new Control({
        store: this.store,
        digest: this.#digest,
        keyPrefix: config.keyPrefix,
        nowMs: Date.now,
        vendors: vendors.map((vendor) => vendor.name),
        ladders: () => this.snapshot.ladders.keys(),
        seal: masterSeal(environment),
        credentials: this.#credentials,
        plans: plansOf(config.plans),
        defaultPlan: config.defaultPlan,
        slotsMax: limitSlots,
        onError: (error) => log.fault('control', error),
      })
      for (const caller of this.control.callers()) this.#callers.set(caller.id, caller)
      this.settings = this.#planeSettings(settings)
      this.#declare(settings)
      this.snapshot = this.#snapshotOf(this.settings)
    } catch (error) {
      this.#unlock()
      throw error
    }
    this.memories = newMemories(limitSlots)
    this.#limits = new LimitTable(this.memories.limits, controlWorker)
    this.#health = new Health(this.memories.health, monotonicMs)
    const places = new Places({ memory: this.memories.places, worker: controlWorker, nowMs: monotonicMs })
    this.#seats = new Seats(this.#health, places, () => this.snapshot.adaptive)
    this.#statusPages = this.#newStatusPages()
    this.#webhooks = this.#newWebhooks()
    this.importer = new Importer({
      folder: join(config.data, 'journal'),
      sink: this.store.sink({ nowMs: Date.now, inputCost }),
      isLive: options.isLive,
      onError: (error) => log.fault('ledger', error),
    })
  }

  /** Imports what an earlier run has left behind, counts limits on from there, and begins to listen for the workers. */
  async open(): Promise<ControlAddress> {
    while (this.importer.runOnce());
    this.#restore()
    this.importer.start()
    this.control.onChange((event) => {
      if (event.type === 'caller') {
        this.#callers.set(event.caller.id, event.caller)
        this.#options.tell(event)
      } else this.#republish(this.#options.settings)
    })
    this.#every(budgetsEveryMs, () => this.checkBudgets())
    this.#every(pruneEveryMs, () => this.#prune())
    const { config } = this.#options.settings
    const admin = this.#admin()
    if (config.admin.enabled && config.admin.port !== undefined) {
      await this.#listen(
        createServer((...[asked, response]) => {
          // Here nobody has said it but whoever asks.
          asked.headers[addressHeader] = addressOf(asked, this.snapshot.trustedProxies)
          void admin(asked, response, (asked.url ?? '/').split('?', 1)[0] as string)
        }),
        config.admin.host ?? config.server.host,
        config.admin.port,
      )
    }
    const desk = createDesk({
      service: this.control,
      admin,
      declared: (keyId) => this.#declaredOf(keyId),
      left: (keyId) => this.#left(keyId),
      nowMs: Date.now,
      status: (form) => this.#status(form),
      word: this.#word,
      headers: { word: wordHeader, key: keyHeader },
      fault: (id, cause) => this.#options.log.fault(id, cause),
    })
    const port = await this.#listen(desk, '127.0.0.1', 0)
    return { origin: `http://127.0.0.1:${port}`, word: this.#word }
  }

  /** All callers as they are now, for a worker to begin with. */
  callers(): Caller[] {
    return [...this.#callers.values(), ...this.#declared.values()]
  }

  /** A worker is gone: its calls are over, and charged with what they had held back. */
  lost(worker: number): void {
    new Places({ memory: this.memories.places, worker, nowMs: monotonicMs }).forget(worker)
    this.#limits.forget(worker, { nowMs: monotonicMs(), dateMs: Date.now() }, ({ inputTokens, nanoDollars }) => ({
      inputTokens,
      outputTokens: 0,
      nanoDollars,
    }))
  }

  /** Takes new settings as a whole. Throws ConfigError and changes nothing where they cannot work. */
  reload(settings: Settings): void {
    const before = this.#options.settings
    try {
      this.#take(settings)
    } catch (error) {
      this.#take(before)
      throw error
    }
    this.#options.settings = settings
    this.#declareAnew(settings)
    this.#statusPages = this.#newStatusPages()
    this.#webhooks = this.#newWebhooks()
  }

  #take(settings: Settings): void {
    this.#credentials.clear()
    for (const [vendor, list] of settings.credentials) this.#credentials.set(vendor, list)
    this.control.redeclare(plansOf(settings.config.plans), settings.config.defaultPlan)
    checkPlans(settings, this.control.allPlans())
    this.#republish(settings)
  }

  /** Keys that the file has no more are told as revoked; those that it has now are known. */
  #declareAnew(settings: Settings): void {
    const before = [...this.#declared]
    this.#declared.clear()
    this.#declare(settings)
    for (const [digest, caller] of before) {
      if (this.#declared.has(digest)) continue
      const revoked: Caller = { ...caller, state: 'revoked' }
      this.#declared.set(digest, revoked)
    }
    for (const caller of this.#declared.values()) this.#options.tell({ type: 'caller', caller })
  }

  /** Looks how far budgets are used, and tells what is to be told. */
  checkBudgets(): void {
    if (this.#options.settings.hooks.length === 0) return
    const uses = budgetsOf({
      spent: this.control.spent(),
      callers: this.callers(),
      plans: this.snapshot.plans,
      ownerName: (id) => this.control.owners.get(id).name,
      dateMs: Date.now(),
    })
    for (const use of uses) this.#webhooks.check(use)
  }

  /** The admin API on a port of its own, if it has one. */
  get adminPort(): number | undefined {
    const [first] = this.#servers
    return first === undefined || this.#servers.length < 2 ? undefined : (first.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    for (const server of this.#servers) {
      server.closeAllConnections()
      server.close()
    }
    await this.#statusPages.idle()
    await this.importer.close()
    await this.#webhooks.close()
    this.store.close()
    this.#unlock()
  }

  #admin(): AdminHandler {
    return adminHandler({
      service: this.control,
      version: this.#options.version,
      nowMs: Date.now,
      log: this.#options.log,
      addressOf: ({ headers }) => network(String(headers[addressHeader] ?? '')),
    })
  }

  async #listen(server: Server, host: string, port: number): Promise<number> {
    this.#servers.push(server)
    server.listen(port, host)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  #every(ms: number, work: () => void): void {
    this.#timers.push(setInterval(work, ms).unref())
  }

  #planeSettings(settings: Settings): PlaneSettings {
    const { config, file, origins } = settings
    const { sandbox } = this.#options
    // Those of the file and the environment with those that were put by the API.
    const credentials = this.control.openedCredentials().settings
    return {
      config,
      file,
      credentials,
      origins,
      plans: this.control.allPlans(),
      sandboxOrigins:
        sandbox === undefined ? undefined : new Map(vendors.map(({ name }) => [name, sandbox.origin(name)])),
    }
  }

  /** Keys of the file, by their digests. */
  #declare({ declaredKeys, config }: Settings): void {
    for (const { name, key, ladder, plan = config.defaultPlan } of declaredKeys) {
      const digest = Uint8Array.from(this.#digest(key))
      const caller: Caller = {
        id: name,
        name,
        declared: true,
        digest,
        state: 'active',
        plan,
        sandbox: true,
        keySlot: this.control.slotOf('key', name),
        ...(ladder !== undefined && { ladder }),
      }
      this.#declared.set(Buffer.from(digest).toString('hex'), caller)
    }
  }

  #snapshotOf(settings: PlaneSettings): Snapshot {
    const { pages } = this
    return snapshotOf(settings, { callers: this.#callers, declared: this.#declared, digest: this.#digest, pages })
  }

  #republish(settings: Settings): void {
    const next = this.#planeSettings(settings)
    this.snapshot = this.#snapshotOf(next)
    this.settings = next
    this.#options.tell({ type: 'settings', settings: next })
  }

  #restore(): void {
    const at = { nowMs: monotonicMs(), dateMs: Date.now() }
    for (const { type, id, ...known } of this.control.spent()) {
      this.#limits.restore(this.control.slotOf(type, id), known, at)
    }
  }

  #declaredOf(keyId: string): Caller | undefined {
    return this.#declared.values().find((one) => one.id === keyId)
  }

  #left(keyId: string): ReturnType<typeof leftOf> {
    const caller = this.#declaredOf(keyId) ?? this.#callers.get(keyId)
    const at = { nowMs: monotonicMs(), dateMs: Date.now() }
    return leftOf({ caller, snapshot: this.snapshot, limits: this.#limits, ...at })
  }

  #status(form: 'html' | 'json'): string {
    const { snapshot } = this
    const status = statusOf({
      snapshot,
      health: this.#health,
      seats: this.#seats,
      sinceMs: this.#sinceMs,
      pages: snapshot.status.vendorPages ? this.#statusPages.current() : undefined,
    })
    return form === 'html' ? statusHtml(status) : JSON.stringify(statusJson(status))
  }

  /** The status pages of the vendors that are live: of a simulated one nobody can say how it does. */
  #newStatusPages(): StatusPages {
    const sources = [...this.snapshot.vendors.values()].flatMap(({ vendor, simulated, credentials }) =>
      vendor.statusPage === undefined || simulated || credentials.length === 0
        ? []
        : [{ vendor: vendor.name, ...vendor.statusPage }],
    )
    const { everyMs } = this.snapshot.status
    return new StatusPages({ sources, request: fetchPage, everyMs, nowMs: Date.now })
  }

  #newWebhooks(): Webhooks {
    return new Webhooks({
      hooks: this.#options.settings.hooks,
      send: sendHook,
      tell: (told) => this.store.thresholds.tell(told, Date.now()),
      nowMs: Date.now,
      sleep: (ms) => wait(ms, undefined, { ref: false }),
      onError: (error) => this.#options.log.fault('webhook', error),
    })
  }

  #prune(): void {
    const nowMs = Date.now()
    const receiptsBeforeMs = nowMs - this.#options.settings.config.ledger.receiptDays * dayMs
    this.control
      .prune({ receiptsBeforeMs, capturesBeforeMs: nowMs })
      .catch((error: unknown) => this.#options.log.fault('prune', error))
  }
}

/** Keys of the file must be on plans that there are. Throws ConfigError. */
function checkPlans({ declaredKeys, file }: Settings, plans: readonly Plan[]): void {
  for (const { name, plan } of declaredKeys) {
    if (plan === undefined || plans.some((one) => one.name === plan)) continue
    const known = plans.map((one) => one.name).join(', ')
    throw new ConfigError([`${file}: keys: ${name}: there is no plan '${plan}'. Known: ${known}.`])
  }
}

async function sendHook(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const answer = await request(url, {
    method: 'POST',
    body,
    headers: { ...headers, 'user-agent': 'keyrung' },
    headersTimeout: hookTimeoutMs,
    bodyTimeout: hookTimeoutMs,
  })
  await answer.body.dump()
  return answer.statusCode
}

/** What the prompt of an interrupted call cost, where the price is known. */
function inputCost({ vendor, model, inputTokens }: { vendor: string; model: string; inputTokens: number }) {
  const known = models.find((one) => one.vendor === vendor && one.id === model)
  if (known === undefined) return undefined
  const cost = costOf({ ...noUsage, input: inputTokens }, known)
  return cost.type === 'known' ? cost.nano : undefined
}
