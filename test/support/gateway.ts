import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseConfig } from '../../src/control/config.ts'
import { start, type Started } from '../../src/cli/start.ts'
import { found, type DeclaredKey, type Settings } from '../../src/cli/settings.ts'
import type { Hook } from '../../src/control/webhooks.ts'
import { vendors } from '../../src/vendors/index.ts'

/** A gateway for a test: real sockets, a data folder of its own, the sandbox behind it unless told otherwise. */
export interface TestGateway extends Omit<Started, 'store'> {
  key: string
  /** The rows of the newest receipts, as they stand in the database. */
  store: { receipts(limit: number): Record<string, unknown>[] }
  /** Bugs of the gateway that it met; a test that did not mean to provoke one asserts that there are none. */
  faults: unknown[]
}

interface Options {
  /** Text of a keyrung.yaml. */
  config?: string
  /** Vendor to secret or secrets (`key-1`, `key-2`, …): these vendors are live. */
  secrets?: Record<string, string | string[]>
  /** Vendor to origin, for live ones. */
  origins?: Record<string, string>
  declaredKeys?: DeclaredKey[]
  hooks?: Hook[]
  environment?: NodeJS.ProcessEnv
  /** Worker threads; without any this one serves the calls. */
  workers?: number
  /** A folder of an earlier gateway; it is left where it is. */
  folder?: string
  /** All of it, as it was read from a file; nothing else counts then. */
  settings?: Settings
}

/** One call is one try, and nothing is remembered of a vendor: for tests of what one failure looks like. */
export const oneTry = 'retries: { enabled: false }\ncooldown: { enabled: false }\nbreaker: { enabled: false }\n'

/** All deadlines of an answer, in milliseconds. */
export function deadlinesOf(ms: number): string {
  const names = ['firstByteMs', 'firstByteLastMs', 'thinkingMs', 'thinkingLastMs', 'idleMs', 'wholeCallMs']
  return `deadlines: { ${names.map((name) => `${name}: ${ms}`).join(', ')} }\n`
}

/** Starts a gateway on a free port; `close` ends it and removes its data. */
export async function startTestGateway(options: Options = {}): Promise<TestGateway> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'keyrung-test-'))
  const names = vendors.map((vendor) => vendor.name)
  const config = options.settings?.config ?? parseConfig(options.config ?? '', 'test.yaml', names)
  config.data = folder
  config.server.workers = options.workers ?? 0
  config.server.port = 0
  config.server.drainMs = 2000
  if (options.config?.includes('paceMs') !== true) config.sandbox.paceMs = 0
  const secrets = Object.entries(options.secrets ?? {})
  const settings: Settings = options.settings ?? {
    config,
    file: 'test.yaml',
    credentials: new Map(
      secrets.map(([name, secret]) => [
        name,
        [secret].flat().map((one, index) => ({ ...found(one, 'test'), name: `key-${index + 1}` })),
      ]),
    ),
    origins: new Map(Object.entries(options.origins ?? {})),
    declaredKeys: options.declaredKeys ?? [],
    hooks: options.hooks ?? [],
  }
  const faults: unknown[] = []
  const started = await start(
    settings,
    { fault: (_id, cause) => faults.push(cause), vendor: () => {} },
    { environment: options.environment ?? {} },
  )
  const reader = new DatabaseSync(join(folder, 'keyrung.db'), { readOnly: true })
  return Object.defineProperties(
    {
      ...started,
      key: started.newKey ?? options.declaredKeys?.[0]?.key ?? '',
      faults,
      store: {
        receipts: (limit: number) =>
          reader.prepare('SELECT * FROM receipts ORDER BY started_ms DESC, rowid DESC LIMIT ?').all(limit),
      },
      async close() {
        reader.close()
        await started.close()
        if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
      },
    },
    // It changes while the gateway runs.
    { snapshot: { get: () => started.snapshot } },
  )
}
