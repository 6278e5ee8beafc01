import type { Failure } from '../../core/failure.ts'
import type { AdaptiveRules, Rung, Standing } from '../../core/ladder.ts'
import type { Health } from './health.ts'
import type { Place, Places } from './places.ts'
import type { RungHealth } from './rung-health.ts'

/** A probe or a retry that is never given back, because its worker is gone, counts as over after this. */
const leaseMs = 120_000

const well: Standing = { type: 'well', forMs: 0, failuresInRow: 0, retries: true }
const full: Standing = { type: 'full', forMs: 0, failuresInRow: 0, retries: false }

/** How the rungs stand, and the right to try one: what all calls of all workers have learnt and hold. */
export class Seats {
  readonly #health: Health
  readonly #places: Places
  readonly #adaptive: () => AdaptiveRules

  constructor(health: Health, places: Places, adaptive: () => AdaptiveRules) {
    this.#health = health
    this.#places = places
    this.#adaptive = adaptive
  }

  standing(rung: Rung): Standing {
    const limited = this.#limited(rung)
    if (limited !== undefined && limited.place.taken >= limited.max) return full
    return rung.healthKey === undefined ? well : this.#health.of(rung.healthKey, rung.unheard !== true).standing(rung)
  }

  /** The right to one try, undefined where another call has taken it meanwhile. It ends with `end`, or with `leave` where nothing was tried. */
  take(rung: Rung, claim: 'probe' | 'retry' | undefined): Seat | undefined {
    const health = rung.healthKey === undefined ? undefined : this.#health.of(rung.healthKey, rung.unheard !== true)
    if (claim === 'probe' && health?.claimProbe(rung, leaseMs) === false) return undefined
    if (claim === 'retry' && health?.claimRetry(rung, leaseMs) === false) return undefined
    const seat = new Seat({ health, rung, claim, place: undefined, adaptive: undefined })
    const limited = this.#limited(rung)
    if (limited === undefined) return seat
    if (!limited.place.take(limited.max)) {
      seat.leave()
      return undefined
    }
    return new Seat({ health, rung, claim, ...limited })
  }

  #limited(rung: Rung): { place: Place; max: number; adaptive: AdaptiveRules | undefined } | undefined {
    const { callsMax, name } = rung.credential
    const adaptive = this.#adaptive()
    if (callsMax === undefined && !adaptive.enabled) return undefined
    const place = this.#places.of(`${rung.vendor.name}#${name}`)
    if (place === undefined) return undefined
    if (callsMax !== undefined) return { place, max: callsMax, adaptive: undefined }
    return { place, max: place.limit(adaptive), adaptive }
  }
}

interface Held {
  health: RungHealth | undefined
  rung: Rung
  claim: 'probe' | 'retry' | undefined
  place: Place | undefined
  /** Undefined where the number of places is the operator's. */
  adaptive: AdaptiveRules | undefined
}

/** The right to one try at a rung. */
export class Seat {
  readonly #held: Held

  constructor(held: Held) {
    this.#held = held
  }

  /** Has the vendor asked to be left alone for longer? Whether its places are full does not matter here: one of them is this one. */
  get isBarred(): boolean {
    const { health, rung } = this.#held
    return health?.standing(rung).type === 'barred'
  }

  /** The try begins. */
  begin(): void {
    this.#held.health?.begun()
  }

  /** The try is over: with this failure, or well, its first content after so long. */
  end(failure: Failure | undefined, contentMs: number | undefined): void {
    const { health, rung, place, adaptive } = this.#held
    health?.ended({ failure, contentMs, probe: this.#held.claim === 'probe' }, rung)
    if (this.#held.claim === 'retry') health?.releaseRetry()
    if (place === undefined) return
    place.leave()
    if (adaptive === undefined) return
    if (failure === undefined) place.wentWell(adaptive)
    else if (failure.sign === 'limited' || failure.kind === 'vendor-overloaded') place.tooMuch(adaptive)
  }

  /** Nothing was tried after all. */
  leave(): void {
    const { health, claim, place } = this.#held
    if (claim === 'probe') health?.releaseProbe()
    if (claim === 'retry') health?.releaseRetry()
    place?.leave()
  }
}
