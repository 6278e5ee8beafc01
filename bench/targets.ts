import type { Script, Usage } from './child.ts'
import { startNginx } from './nginx.ts'
import { Child, endOf } from './processes.ts'

/** What can be measured. The relay is the yardstick; nginx is a second one, where it is installed. */
export type Kind = 'relay' | 'gateway' | 'nginx'

/** A process under measurement. */
export interface Target {
  kind: Kind
  origin: string
  key: string
  usage(collected?: 'collected'): Promise<Usage>
  stop(): Promise<void>
}

/** The scripted vendor behind all of them. */
export interface Vendor {
  origin: string
  play(script: Script): Promise<void>
}

/** Starts what is to be measured, in a process of its own in front of the vendor; undefined where it is not installed. */
export async function startTarget(kind: Kind, vendorOrigin: string, directory: string): Promise<Target | undefined> {
  if (kind === 'nginx') return startNginx(vendorOrigin, directory)
  const child = await Child.start(`./${kind}.ts`, [vendorOrigin, directory])
  return {
    kind,
    origin: child.origin,
    key: child.started.key ?? 'none',
    usage: (collected) => child.ask({ ask: collected === undefined ? 'usage' : 'usage-collected' }),
    stop: () => endOf(child.process),
  }
}

/** Starts the scripted vendor. */
export async function startVendor(): Promise<Vendor> {
  const child = await Child.start('./vendor.ts', [])
  return {
    origin: child.origin,
    async play(script) {
      await child.ask({ ask: 'script', script })
    },
  }
}
