import type { Limits } from '../../core/plan.ts'
import { cell, Layout } from './memory.ts'
import {
  limitMemory,
  LimitTable,
  type Account,
  type Amounts,
  type Refusal,
  type Reservation,
  type Used,
} from './table.ts'

/** For tests: memory for a few slots and calls. */
export function smallMemory(): SharedArrayBuffer {
  return limitMemory(8, 64)
}

export const keySlot = 2
export const ownerSlot = 5

export function accountOf(keyLimits: Limits, ownerLimits?: Limits): Account {
  return { keySlot, ownerSlot: ownerLimits && ownerSlot, keyLimits, ownerLimits: ownerLimits ?? {} }
}

const nothing: Amounts = { inputTokens: 0, outputTokens: 0, nanoDollars: 0 }

/** For tests: one key and its owner, and clocks that move when told to. */
export class Trial {
  nowMs = 1_000_000
  dateMs = Date.UTC(2026, 10, 25, 12)
  account: Account
  readonly table: LimitTable
  readonly memory: SharedArrayBuffer

  constructor(keyLimits: Limits, ownerLimits?: Limits, memory = smallMemory()) {
    this.memory = memory
    this.account = accountOf(keyLimits, ownerLimits)
    this.table = new LimitTable(memory, 0)
  }

  get at(): { nowMs: number; dateMs: number } {
    return { nowMs: this.nowMs, dateMs: this.dateMs }
  }

  pass(ms: number): void {
    this.nowMs += ms
    this.dateMs += ms
  }

  /** Both clocks: the calendar to this date, the other as far ahead. */
  passTo(date: string): void {
    this.pass(Date.parse(date) - this.dateMs)
  }

  ask(ask: Partial<Amounts> = {}): Reservation | Refusal {
    return this.table.reserve(this.account, { ...nothing, ...ask }, this.at)
  }

  /** What must be let in. */
  take(ask: Partial<Amounts> = {}): Reservation {
    const answer = this.ask(ask)
    if (answer.type === 'refused') throw new Error(`refused for ${inWords(answer)}`)
    return answer
  }

  /** What must be refused. */
  refused(ask: Partial<Amounts> = {}): Refusal {
    const answer = this.ask(ask)
    if (answer.type !== 'refused') throw new Error('it was let in')
    return answer
  }

  settle(reservation: Reservation, used: Partial<Used> = {}): void {
    this.table.settle(reservation, { ...reservation.asked, ...used }, this.at)
  }

  /** A whole call. */
  use(used: Partial<Amounts> = {}): void {
    this.settle(this.take(used))
  }

  /** How many calls of a kind are let in one after the other, at once; they all stay under way. */
  count(ask: Partial<Amounts> = {}, most = 1000): number {
    let count = 0
    while (count < most && this.ask(ask).type === 'reserved') count += 1
    return count
  }

  /** The cells of a slot as they are. */
  cells(slot = keySlot): Record<keyof typeof cell, number> {
    return slotCellsOf(this.memory, slot)
  }
}

export function slotCellsOf(memory: SharedArrayBuffer, slot: number): Record<keyof typeof cell, number> {
  const layout = new Layout(memory)
  const names = Object.keys(cell) as (keyof typeof cell)[]
  return Object.fromEntries(names.map((name) => [name, layout.cells[layout.slot(slot) + cell[name]]])) as Record<
    keyof typeof cell,
    number
  >
}

/** A refusal in a few words: `key requestsPerMinute 8000`. */
export function inWords({ scope, limit, never, retryAfterMs }: Refusal): string {
  return `${scope} ${limit} ${never ? 'never' : (retryAfterMs ?? 'unknown')}`
}

/** The same memory over again, to try two things from one state. */
export function copyOf(memory: SharedArrayBuffer): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(memory.byteLength)
  new Uint8Array(copy).set(new Uint8Array(memory))
  return copy
}
