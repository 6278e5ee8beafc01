import type { Config } from '../../../src/control/config.ts'
import type { Timeline } from './vendors.ts'

/** All that a simulation begins with, as plain values: what is printed of one that fails. */
export interface Scene {
  /** What the chance of the simulation begins with. */
  readonly seed: number
  /** The clock's first moment. */
  readonly startMs: number
  /** Threads of the gateway that share one memory. */
  readonly workers: number
  /** As in keyrung.yaml. */
  readonly config: Partial<Pick<Config, 'retries' | 'cooldown' | 'breaker' | 'budget' | 'deadlines'>> & {
    readonly [name: string]: unknown
  }
  /** Rungs of the one ladder there is, each `vendor/model` or more. */
  readonly rungs: readonly (string | Readonly<Record<string, unknown>>)[]
  readonly hedgeAfterMs?: number
  readonly vendors: readonly VendorSpec[]
  /** How servers behave, by their origin, and places at them, by `vendor/model#credential`. Those that are not named are healthy. */
  readonly servers: Readonly<Record<string, Timeline>>
  readonly places: Readonly<Record<string, Timeline>>
  readonly calls: readonly CallSpec[]
}

export interface VendorSpec {
  readonly name: string
  readonly models: readonly ModelSpec[]
  readonly keys: readonly KeySpec[]
}

export interface ModelSpec {
  readonly id: string
  /** The window is too small for a long prompt. */
  readonly narrow?: boolean
  /** It has no tools. */
  readonly plain?: boolean
  /** Its API refuses a seed. */
  readonly strict?: boolean
}

export interface KeySpec {
  readonly name: string
  readonly weight?: number
  readonly callsMax?: number
  /** A server of its own. */
  readonly origin?: string
}

/** One call of a caller. Times but the first from its start. */
export interface CallSpec {
  readonly atMs: number
  /** `ladder/test`, or a model. */
  readonly model: string
  readonly stream: boolean
  readonly retried: boolean
  readonly long?: boolean
  readonly tools?: boolean
  readonly seed?: boolean
  /** How long the caller waits for the beginning of an answer. */
  readonly patienceMs?: number
  /** When the caller leaves, if the call is not over. */
  readonly leavesAfterMs?: number
  /** How long the request takes to come in. */
  readonly readMs?: number
  readonly worker: number
}

/** Where a vendor is that has no other origin. */
export function originOf(vendor: string): string {
  return `https://${vendor}.test`
}

/** A scene in which all is as it is by default, but for what is said: one healthy vendor `alpha`, whose calls are not streamed. */
export function sceneWith(over: Partial<Scene>): Scene {
  const vendors = over.vendors ?? [vendorWith('alpha')]
  return {
    seed: 1,
    startMs: 0,
    workers: 1,
    config: {},
    rungs: vendors.map(({ name }) => `${name}/${name}-1`),
    vendors,
    servers: {},
    places: {},
    calls: [callAt(0)],
    ...over,
  }
}

/** A vendor with one model, `NAME-1`, and one key, `key-1`, or more of them. */
export function vendorWith(
  name: string,
  keys: readonly Partial<KeySpec>[] = [{}],
  model: Partial<ModelSpec> = {},
): VendorSpec {
  return {
    name,
    models: [{ id: `${name}-1`, ...model }],
    keys: keys.map((key, index) => ({ name: `key-${index + 1}`, ...key })),
  }
}

export function callAt(atMs: number, over: Partial<CallSpec> = {}): CallSpec {
  return { atMs, model: 'ladder/test', stream: false, retried: false, worker: 0, ...over }
}

/** So many calls, one after the other at the same distance. */
export function callsEvery(everyMs: number, count: number, over: Partial<CallSpec> = {}): CallSpec[] {
  return Array.from({ length: count }, (_, index) => callAt(index * everyMs, over))
}
