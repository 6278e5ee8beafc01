import type { NanoDollars } from './price.ts'

/** How much may be used: by each key, or by all keys of an owner together. What is left out has no limit. */
export interface Limits {
  readonly requestsPerMinute?: number
  /** How many requests may come at once after a pause; without it a sixth of a minute's, and at least one. */
  readonly requestsBurst?: number
  readonly inputTokensPerMinute?: number
  readonly outputTokensPerMinute?: number
  readonly callsAtOnce?: number
  /** Input and output together, by the day and month of UTC. */
  readonly tokensPerDay?: number
  readonly tokensPerMonth?: number
  readonly nanoDollarsPerDay?: NanoDollars
  readonly nanoDollarsPerMonth?: NanoDollars
}

/** What a call can be refused for. The burst is a part of `requestsPerMinute`. */
export type LimitName = Exclude<keyof Limits, 'requestsBurst'>

/** What the keys of an owner may do. */
export interface Plan {
  readonly name: string
  /** Of each key. */
  readonly limits: Limits
  /** Of all keys of one owner together. */
  readonly ownerLimits: Limits
  /** Which models may be asked, as patterns with `*`; left out for all. */
  readonly models?: readonly string[]
  /** What calls may use; left out for all of it. */
  readonly features?: readonly PlanFeature[]
  readonly bodyBytesMax?: number
  /** The most output tokens that a call may ask for. */
  readonly tokensMax?: number
  /** The ladder for calls that name none. */
  readonly ladder?: string
  /** Where a larger plan is to be had. */
  readonly upgradeUrl?: string
}

/** What a plan may leave out. `media`: images, files and sound. */
export type PlanFeature = 'streaming' | 'tools' | 'thinking' | 'media'
