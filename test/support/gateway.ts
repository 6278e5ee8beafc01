import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../../src/control/config.ts'
import { start, type Started } from '../../src/cli/start.ts'
import type { Settings } from '../../src/cli/settings.ts'
import { vendors } from '../../src/vendors/index.ts'

/** A gateway for a test: real sockets, a data folder of its own, the sandbox behind it unless told otherwise. */
export interface TestGateway extends Started {
  key: string
  /** Bugs of the gateway that it met; a test that did not mean to provoke one asserts that there are none. */
  faults: unknown[]
}

interface Options {
  /** Text of a keyrung.yaml. */
  config?: string
  /** Vendor to secret: these vendors are live. */
  secrets?: Record<string, string>
  /** Vendor to origin, for live ones. */
  origins?: Record<string, string>
  declaredKeys?: { name: string; key: string }[]
}

/** Starts a gateway on a free port; `close` ends it and removes its data. */
export async function startTestGateway(options: Options = {}): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'keyrung-test-'))
  const names = vendors.map((vendor) => vendor.name)
  const config = parseConfig(options.config ?? '', 'test.yaml', names)
  config.data = folder
  config.server.port = 0
  config.server.drainMs = 2000
  if (options.config?.includes('paceMs') !== true) config.sandbox.paceMs = 0
  const secrets = new Map(Object.entries(options.secrets ?? {}))
  const settings: Settings = {
    config,
    secrets,
    foundIn: new Map([...secrets.keys()].map((name) => [name, 'test'])),
    origins: new Map(Object.entries(options.origins ?? {})),
    declaredKeys: options.declaredKeys ?? [],
  }
  const faults: unknown[] = []
  const started = await start(settings, { fault: (_id, cause) => faults.push(cause), vendor: () => {} })
  return {
    ...started,
    key: started.newKey ?? options.declaredKeys?.[0]?.key ?? '',
    faults,
    async close() {
      await started.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
