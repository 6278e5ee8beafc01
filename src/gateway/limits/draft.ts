import type { Locks } from './locks.ts'
import { callCells, draft, slotCells, type Layout } from './memory.ts'

/**
 * A change to the slots of a key and its owner, made on a copy and applied at once or not at all.
 *
 * The copy stands in shared memory. A worker can be ended at any instruction: where that is before its draft was decided on,
 * nothing has changed; where it is after, whoever breaks its locks applies the draft again, which is the same whether
 * none of it, some or all had been applied.
 */
export class Draft {
  /** The cells of the key and of the owner, as they will be. */
  readonly key: Float64Array
  readonly owner: Float64Array
  /** The call that begins or ends with it. */
  readonly call: Float64Array
  readonly #layout: Layout
  readonly #locks: Locks
  readonly #start: number

  constructor(layout: Layout, locks: Locks, worker: number) {
    this.#layout = layout
    this.#locks = locks
    this.#start = layout.draft(worker)
    const cells = (start: number, count: number): Float64Array =>
      layout.cells.subarray(this.#start + start, this.#start + start + count)
    this.key = cells(draft.key, slotCells)
    this.owner = cells(draft.owner, slotCells)
    this.call = cells(draft.call, callCells)
  }

  /** Locks the slots and copies them. Every `begin` has its `end`. */
  begin(keySlot: number, ownerSlot: number | undefined): void {
    this.#check(keySlot)
    if (ownerSlot !== undefined) this.#check(ownerSlot)
    if (keySlot === ownerSlot) throw new Error(`Slot ${keySlot} cannot be that of a key and of its owner.`)
    const { cells } = this.#layout
    this.#locks.take(keySlot, ownerSlot ?? none)
    cells[this.#start + draft.keySlot] = keySlot
    cells[this.#start + draft.ownerSlot] = ownerSlot ?? none
    cells[this.#start + draft.callAt] = 0
    copy(cells, this.#layout.slot(keySlot), this.#start + draft.key, slotCells)
    if (ownerSlot !== undefined) copy(cells, this.#layout.slot(ownerSlot), this.#start + draft.owner, slotCells)
  }

  /** The change is to be, with `call` as it stands for the call at this place. */
  commit(callAt = 0): void {
    this.#layout.cells[this.#start + draft.callAt] = callAt
    const decided = (this.#start + draft.decided) * 2
    Atomics.store(this.#layout.flags, decided, 1)
    apply(this.#layout, this.#start)
    Atomics.store(this.#layout.flags, decided, 0)
  }

  end(): void {
    const { cells } = this.#layout
    this.#locks.release(cells[this.#start + draft.keySlot] as number, cells[this.#start + draft.ownerSlot] as number)
  }

  #check(slot: number): void {
    if (!Number.isInteger(slot) || slot < 0 || slot >= this.#layout.slots) {
      throw new RangeError(`There is no slot ${slot} for limits: they go from 0 to ${this.#layout.slots - 1}.`)
    }
  }
}

/** Finishes what a worker had decided on that is gone. Its locks are still held. */
export function finish(layout: Layout, worker: number): void {
  const start = layout.draft(worker)
  const decided = (start + draft.decided) * 2
  if (Atomics.load(layout.flags, decided) === 0) return
  apply(layout, start)
  Atomics.store(layout.flags, decided, 0)
}

function apply(layout: Layout, start: number): void {
  const { cells } = layout
  const ownerSlot = cells[start + draft.ownerSlot] as number
  const callAt = cells[start + draft.callAt] as number
  if (callAt !== 0) copy(cells, start + draft.call, callAt, callCells)
  copy(cells, start + draft.key, layout.slot(cells[start + draft.keySlot] as number), slotCells)
  if (ownerSlot !== none) copy(cells, start + draft.owner, layout.slot(ownerSlot), slotCells)
}

/** In place of a slot. */
const none = -1

/** A loop: for so few cells it is faster than what the language brings. */
function copy(cells: Float64Array, from: number, to: number, count: number): void {
  for (let at = 0; at < count; at += 1) cells[to + at] = cells[from + at] as number
}
