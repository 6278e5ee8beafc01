import { Failure, type FailureKind } from '../../core/failure.ts'
import type { BreakerRules, BudgetRules, CooldownRules, Standing } from '../../core/ladder.ts'
import { Health, healthMemory, type HealthRules, type RungHealth } from './health.ts'

/** For tests: rules with round numbers. */
export const usual = {
  cooldown: {
    enabled: true,
    statedMsMax: 3_600_000,
    limitedMs: 1000,
    limitedMsMax: 30_000,
    refusedMs: 60_000,
    refusedMsMax: 1_800_000,
    missingMs: 300_000,
  },
  breaker: {
    enabled: true,
    failuresInRow: 5,
    failureShare: 0.5,
    callsMin: 10,
    windowMs: 10_000,
    openMs: 5000,
    openMsMax: 60_000,
    probesGood: 3,
  },
  budget: { enabled: true, share: 0.1, windowMs: 10_000, floor: 3 },
} as const satisfies HealthRules

/** Some of the rules otherwise. */
export interface Otherwise {
  cooldown?: Partial<CooldownRules>
  breaker?: Partial<BreakerRules>
  budget?: Partial<BudgetRules>
}

export function rulesWith(otherwise: Otherwise): HealthRules {
  return {
    cooldown: { ...usual.cooldown, ...otherwise.cooldown },
    breaker: { ...usual.breaker, ...otherwise.breaker },
    budget: { ...usual.budget, ...otherwise.budget },
  }
}

/** For tests: one place, its rules, and a clock that moves when told to. */
export class Trial {
  nowMs: number
  readonly rules: HealthRules
  readonly rung: RungHealth
  readonly #memory = healthMemory()

  constructor(otherwise: Otherwise = {}, nowMs = 1_000_000) {
    this.nowMs = nowMs
    this.rules = rulesWith(otherwise)
    this.rung = this.elsewhere()
  }

  /** The same place, as another thread has it. */
  elsewhere(): RungHealth {
    return new Health(this.#memory, () => this.nowMs).of('anthropic/claude#default')
  }

  pass(ms: number): void {
    this.nowMs += ms
  }

  good(times = 1, contentMs?: number): void {
    for (let time = 0; time < times; time += 1)
      this.rung.ended({ failure: undefined, contentMs, probe: false }, this.rules)
  }

  bad(kind: FailureKind, times = 1, retryAfterMs?: number): void {
    for (let time = 0; time < times; time += 1) {
      this.rung.ended({ failure: failed(kind, retryAfterMs), contentMs: undefined, probe: false }, this.rules)
    }
  }

  /** A stream that broke off after its first content. */
  cut(contentMs: number): void {
    this.rung.ended({ failure: failed('vendor-cut'), contentMs, probe: false }, this.rules)
  }

  begun(times = 1): void {
    for (let time = 0; time < times; time += 1) this.rung.begun()
  }

  /** A probe that ends at once: `undefined` for a good one. False where there was no place for it. */
  probe(kind?: FailureKind): boolean {
    if (!this.rung.claimProbe(this.rules, 30_000)) return false
    const failure = kind === undefined ? undefined : failed(kind)
    this.rung.ended({ failure, contentMs: undefined, probe: true }, this.rules)
    return true
  }

  retry(leaseMs = 30_000): boolean {
    return this.rung.claimRetry(this.rules, leaseMs)
  }

  standing(): Standing {
    return this.rung.standing(this.rules)
  }
}

function failed(kind: FailureKind, retryAfterMs?: number): Failure {
  return new Failure(kind, 'x', retryAfterMs === undefined ? {} : { retryAfterMs })
}

/** A standing in a few words: `resting failing 5000`. */
export function inWords({ type, reason, forMs }: Standing): string {
  return [type, reason, forMs === 0 ? undefined : forMs].filter((word) => word !== undefined).join(' ')
}
