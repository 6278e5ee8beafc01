import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Config } from '../control/config.ts'
import { publish, type CredentialSetting } from '../control/publish.ts'
import { digestUnder } from '../control/secrets.ts'
import type { Caller } from '../core/caller.ts'
import { Failure } from '../core/failure.ts'
import type { Plan } from '../core/plan.ts'
import type { SandboxOffer, Snapshot } from '../core/snapshot.ts'
import { dialects } from '../dialects/index.ts'
import { createGateway, type Log, type Memories, type RunningGateway } from '../gateway/gateway.ts'
import { JournalWriter } from '../journal/writer.ts'
import { callerHeader, faultHeader, faultList, findFault, unknownFault } from '../sandbox/index.ts'
import { models, shippedLadders, vendors } from '../vendors/index.ts'

/** All that one worker needs to serve calls, as data that can be sent to a thread. */
export interface PlaneSetup {
  /** From 0. */
  readonly worker: number
  readonly startedMs: number
  readonly settings: PlaneSettings
  readonly callers: readonly Caller[]
  /** The pepper of the keys. */
  readonly pepper: Uint8Array
  readonly memories: Memories
  readonly journal: { readonly folder: string; readonly syncMs: number; readonly sync: 'interval' | 'always' }
  /** Where what the control plane answers is asked for, and the word that lets in. */
  readonly control: { readonly origin: string; readonly word: string }
  readonly pages: ReadonlyMap<string, string>
}

/** What may change while a worker runs, all at once. */
export interface PlaneSettings {
  readonly config: Config
  readonly file: string
  readonly credentials: ReadonlyMap<string, readonly CredentialSetting[]>
  readonly origins: ReadonlyMap<string, string>
  readonly plans: readonly Plan[]
  /** Where each vendor is simulated; undefined while the sandbox is off. */
  readonly sandboxOrigins: ReadonlyMap<string, string> | undefined
}

/** What the control plane tells a worker. */
export type PlaneUpdate =
  | { readonly type: 'settings'; readonly settings: PlaneSettings }
  | { readonly type: 'caller'; readonly caller: Caller }

/** The data plane in one thread: a gateway, its journal, and the snapshot that its calls see. */
export class Plane {
  readonly gateway: RunningGateway
  readonly #setup: PlaneSetup
  readonly #journal: JournalWriter
  readonly #digest: (key: string) => Buffer
  readonly #callers: Map<string, Caller>
  readonly #declared: Map<string, Caller>
  #snapshot: Snapshot

  /** Throws ConfigError for settings that cannot work. */
  constructor(setup: PlaneSetup, log: Log) {
    this.#setup = setup
    this.#digest = digestUnder(setup.pepper)
    this.#callers = new Map()
    this.#declared = new Map()
    for (const caller of setup.callers) this.#keep(caller)
    this.#snapshot = this.#publish(setup.settings)
    this.#journal = new JournalWriter({
      folder: setup.journal.folder,
      name: `worker-${setup.worker}`,
      startedMs: setup.startedMs,
      sync: setup.journal.sync,
      syncMs: setup.journal.syncMs,
      onError: (error) => log.fault('journal', error),
      onMended: () => {},
    })
    this.gateway = createGateway({
      snapshot: () => this.#snapshot,
      journal: this.#journal,
      log,
      memories: setup.memories,
      worker: setup.worker,
      control: setup.control,
    })
  }

  /** Listens, and tells the port. With `reusePort` several workers share one. */
  async listen(host: string, port: number, reusePort: boolean): Promise<number> {
    const { server } = this.gateway
    server.listen({ host, port, reusePort })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /** Takes effect at once: calls that begin after this see it. Throws ConfigError for settings that cannot work, which change nothing. */
  update(update: PlaneUpdate): void {
    switch (update.type) {
      case 'settings':
        this.#snapshot = this.#publish(update.settings)
        return
      case 'caller':
        this.#keep(update.caller)
        if (update.caller.state === 'revoked') {
          this.gateway.concurrency.endAll(new Failure('key-wrong', 'The key was revoked.'), update.caller.id)
        }
    }
  }

  /** Writes what waits to the journal. */
  flush(): void {
    this.gateway.recorder.flush()
  }

  async close(waitMs: number): Promise<void> {
    await this.gateway.close(waitMs)
    this.#journal.close()
  }

  /** Keys that the operator declared have no id inside and are found by their digest. */
  #keep(caller: Caller): void {
    if (caller.declared === true) this.#declared.set(Buffer.from(caller.digest).toString('hex'), caller)
    else this.#callers.set(caller.id, caller)
  }

  #publish(settings: PlaneSettings): Snapshot {
    const { pages } = this.#setup
    return snapshotOf(settings, { callers: this.#callers, declared: this.#declared, digest: this.#digest, pages })
  }
}

interface Known {
  callers: ReadonlyMap<string, Caller>
  declared: ReadonlyMap<string, Caller>
  digest: (key: string) => Buffer
  pages: ReadonlyMap<string, string>
}

/** The snapshot of these settings. Throws ConfigError for settings that cannot work. */
export function snapshotOf(settings: PlaneSettings, known: Known): Snapshot {
  const { sandboxOrigins } = settings
  return publish({
    ...settings,
    ...known,
    vendors,
    models,
    shippedLadders,
    dialects,
    sandboxOrigin: sandboxOrigins === undefined ? undefined : (vendor) => sandboxOrigins.get(vendor) as string,
    sandbox: sandboxOrigins === undefined ? undefined : sandboxOffer,
  })
}

const sandboxOffer: SandboxOffer = {
  faultHeader,
  callerHeader,
  faults: faultList().map(({ name, about, moment, example }) => ({ model: `sandbox/${example}`, name, moment, about })),
  refusal: (name) => (findFault(name) === undefined ? unknownFault(name) : undefined),
}
