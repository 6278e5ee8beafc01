import type { Limits } from '../../core/plan.ts'
import { microseconds } from './bucket.ts'
import { charge, correctCounts, correctRates, wholeAmounts } from './charge.ts'
import { Draft, finish } from './draft.ts'
import { Locks } from './locks.ts'
import { call, cell, Layout, workersMax } from './memory.ts'
import { OpenCalls } from './open-calls.ts'
import { Months, turn } from './periods.ts'
import { later, refusalOf, type Amounts, type Moment, type Refusal } from './refusal.ts'
import { stateOf, tighter, type LimitState } from './state.ts'

export { limitMemory, slotBytes } from './memory.ts'
export type { Amounts, Moment, Refusal, Scope } from './refusal.ts'
export type { LimitLeft, LimitState } from './state.ts'

/** Whose call it is: the slots of the key and its owner, as the main thread gave them out, and what each may use. */
export interface Account {
  readonly keySlot: number
  /** Undefined where a key has no owner whose keys share limits. */
  readonly ownerSlot: number | undefined
  readonly keyLimits: Limits
  readonly ownerLimits: Limits
}

/** The right to make one call. It ends with `settle`. */
export interface Reservation {
  readonly type: 'reserved'
  readonly account: Account
  readonly asked: Amounts
  readonly place: number
  readonly day: number
  readonly month: number
  settled: boolean
}

/** What a call has used in the end. */
export interface Used extends Amounts {
  /** False for a call that no vendor has charged, where the failure was the gateway's. */
  readonly countsAsRequest?: boolean
}

/** What is known of a slot from before, by the ledger: tokens and money in the current day and month. */
export interface Known {
  readonly dayTokens: number
  readonly monthTokens: number
  readonly dayNano: number
  readonly monthNano: number
  /** How long until a bucket is full again; left out for one that is. */
  readonly requestsFullMs?: number
  readonly inputFullMs?: number
  readonly outputFullMs?: number
}

/**
 * The plan limits of all keys and their owners, exact across worker threads. A call reserves what it may use of every limit at once, or of
 * none, and settles with what it has used. To be settled for more is no reason to end a call: its bucket goes into debt, its day or month
 * over the limit, and the next call waits.
 *
 * Days and months are counted for all, also for those without a limit, who may get one. A call belongs to the day and month in which it was
 * let in. Buckets are kept for rates that have a limit, as times: under another plan, what is in use takes as long to come back as before.
 */
export class LimitTable {
  readonly #layout: Layout
  readonly #locks: Locks
  readonly #draft: Draft
  readonly #calls: OpenCalls
  readonly #months = new Months()

  /** `worker`: the thread's own number, from 0. Nobody else uses it at the same time. */
  constructor(memory: SharedArrayBuffer, worker: number) {
    if (!Number.isInteger(worker) || worker < 0 || worker >= workersMax) {
      throw new RangeError(`There is no worker ${worker} for limits: they go from 0 to ${workersMax - 1}.`)
    }
    this.#layout = new Layout(memory)
    this.#locks = new Locks(this.#layout, worker)
    this.#draft = new Draft(this.#layout, this.#locks, worker)
    this.#calls = new OpenCalls(this.#layout, worker)
  }

  /** May a call be made that uses so much? Throws Failure `gateway-full` where this worker has no room for one more. */
  reserve(account: Account, ask: Amounts, at: Moment): Reservation | Refusal {
    const asked = wholeAmounts(ask)
    const { keySlot, ownerSlot, keyLimits, ownerLimits } = account
    return this.#change(keySlot, ownerSlot, at, (key, owner) => {
      const nowUs = microseconds(at.nowMs)
      const ownerRefusal = owner && refusalOf('owner', owner, ownerLimits, asked, at, nowUs)
      const refusal = later(refusalOf('key', key, keyLimits, asked, at, nowUs), ownerRefusal)
      if (refusal !== undefined) return refusal
      const place = this.#calls.take()
      charge(key, keyLimits, asked, nowUs)
      if (owner !== undefined) charge(owner, ownerLimits, asked, nowUs)
      const [day, month] = [key[cell.day] as number, key[cell.month] as number]
      writeCall(this.#draft.call, account, asked, day, month)
      this.#draft.commit(this.#calls.at(place))
      return { type: 'reserved', account, asked, place, day, month, settled: false }
    })
  }

  /** Puts what a call has used in the place of what it had reserved. Once for each reservation, whatever became of the call. */
  settle(reservation: Reservation, used: Used, at: Moment): void {
    if (reservation.settled) throw new Error('A reservation was settled twice.')
    const { account, place } = reservation
    const { keySlot, ownerSlot, keyLimits, ownerLimits } = account
    const { asked, day, month } = reservation
    const countsAsRequest = used.countsAsRequest !== false
    const end = { asked, used: wholeAmounts(used), day, month, countsAsRequest }
    const nowUs = microseconds(at.nowMs)
    this.#change(keySlot, ownerSlot, at, (key, owner) => {
      correctRates(key, keyLimits, end, nowUs)
      correctCounts(key, end)
      if (owner !== undefined) {
        correctRates(owner, ownerLimits, end, nowUs)
        correctCounts(owner, end)
      }
      this.#draft.call[call.open] = 0
      this.#draft.commit(this.#calls.at(place))
    })
    reservation.settled = true
    this.#calls.release(place)
  }

  /** What is left of each limit, for headers and for those who ask. */
  state({ keySlot, ownerSlot, keyLimits, ownerLimits }: Account, at: Moment): LimitState {
    const nowUs = microseconds(at.nowMs)
    return this.#change(keySlot, ownerSlot, at, (key, owner) => {
      const ofKey = stateOf('key', key, keyLimits, at, nowUs)
      return owner === undefined ? ofKey : tighter(ofKey, stateOf('owner', owner, ownerLimits, at, nowUs))
    })
  }

  /** Sets a slot to what is known from before a restart, or from the key that had it before. What calls under way hold stays. */
  restore(slot: number, known: Known, at: Moment): void {
    const nowUs = microseconds(at.nowMs)
    this.#change(slot, undefined, at, (key) => {
      key[cell.dayTokens] = known.dayTokens + (key[cell.tokensHeld] as number)
      key[cell.monthTokens] = known.monthTokens + (key[cell.tokensHeld] as number)
      key[cell.dayNano] = known.dayNano + (key[cell.nanoHeld] as number)
      key[cell.monthNano] = known.monthNano + (key[cell.nanoHeld] as number)
      key[cell.requestsFullUs] = nowUs + microseconds(known.requestsFullMs ?? 0)
      key[cell.inputFullUs] = nowUs + microseconds(known.inputFullMs ?? 0)
      key[cell.outputFullUs] = nowUs + microseconds(known.outputFullMs ?? 0)
      this.#draft.commit()
    })
  }

  /** Opens what a worker has locked that has ended. What it had decided on is done, all else is as if it had not begun. */
  breakLocks(worker: number): void {
    finish(this.#layout, worker)
    this.#locks.break(worker)
  }

  /**
   * Ends the calls of a worker that has ended, before its number goes to another, and says how many there were. Nobody knows what they
   * have used: they are charged what `charged` says, as much as they had set aside if it is left out. Their rates stay as they are; they
   * fill by themselves.
   */
  forget(worker: number, at: Moment, charged: (asked: Amounts) => Amounts = (asked) => asked): number {
    this.breakLocks(worker)
    const { cells, callsMax } = this.#layout
    let ended = 0
    for (let place = 0; place < callsMax; place += 1) {
      const start = this.#layout.call(worker, place)
      if (cells[start + call.open] === 0) continue
      this.#forgetCall(start, at, charged)
      ended += 1
    }
    return ended
  }

  #forgetCall(start: number, at: Moment, charged: (asked: Amounts) => Amounts): void {
    const of = (name: keyof typeof call): number => this.#layout.cells[start + call[name]] as number
    const asked = { inputTokens: of('inputTokens'), outputTokens: of('outputTokens'), nanoDollars: of('nanoDollars') }
    const end = { asked, used: wholeAmounts(charged(asked)), day: of('day'), month: of('month') }
    this.#change(of('keySlot'), of('ownerSlot') < 0 ? undefined : of('ownerSlot'), at, (key, owner) => {
      correctCounts(key, end)
      if (owner !== undefined) correctCounts(owner, end)
      this.#draft.call[call.open] = 0
      this.#draft.commit(start)
    })
  }

  /** Works on a draft of the slots in the current day and month. Nothing of it stays where `work` does not commit it. */
  #change<T>(
    keySlot: number,
    ownerSlot: number | undefined,
    { dateMs }: Moment,
    work: (key: Float64Array, owner: Float64Array | undefined) => T,
  ): T {
    const { key, owner } = this.#draft
    const month = this.#months.of(dateMs)
    this.#draft.begin(keySlot, ownerSlot)
    try {
      const keyBack = turn(key, dateMs, month)
      const ownerBack = ownerSlot !== undefined && turn(owner, dateMs, month)
      if (keyBack || ownerBack) this.#draft.commit()
      return work(key, ownerSlot === undefined ? undefined : owner)
    } finally {
      this.#draft.end()
    }
  }
}

function writeCall(cells: Float64Array, account: Account, asked: Amounts, day: number, month: number): void {
  cells[call.open] = 1
  cells[call.keySlot] = account.keySlot
  cells[call.ownerSlot] = account.ownerSlot ?? -1
  cells[call.inputTokens] = asked.inputTokens
  cells[call.outputTokens] = asked.outputTokens
  cells[call.nanoDollars] = asked.nanoDollars
  cells[call.day] = day
  cells[call.month] = month
}
