/** Most worker threads that one memory serves. */
export const workersMax = 64

/** The most calls that one worker can have under way: as many as `server.callsMax` has by default. */
const callsMaxDefault = 10_000

/** What a slot keeps of a key or an owner: times in whole microseconds of the monotonic clock, counts, and numbers of periods. */
export const cell = {
  /** When each bucket will be full again (GCRA's theoretical arrival time); what has passed says that it is full. */
  requestsFullUs: 0,
  inputFullUs: 1,
  outputFullUs: 2,
  /** Calls under way, and what they have set aside of tokens and money. */
  calls: 3,
  tokensHeld: 4,
  nanoHeld: 5,
  /** The day and the month that are counted, and what they have used, with what is set aside. */
  day: 6,
  dayTokens: 7,
  dayNano: 8,
  month: 9,
  monthTokens: 10,
  monthNano: 11,
} as const

export const slotCells = 12

/** The slot's lock, then its cells; two whole lines of the processor's cache, so that two slots share none. */
const slotStride = 16

/** What is known of a call under way, so that others can end it for a worker that is gone. */
export const call = {
  /** 0 while the place is free. */
  open: 0,
  keySlot: 1,
  /** -1 for none. */
  ownerSlot: 2,
  inputTokens: 3,
  outputTokens: 4,
  nanoDollars: 5,
  day: 6,
  month: 7,
} as const

export const callCells = 8

/** A worker's draft (see draft.ts): is it to be applied, which slots and call it is for, and their cells. */
export const draft = {
  decided: 0,
  keySlot: 1,
  ownerSlot: 2,
  /** Where the call's cells are; 0 for none. */
  callAt: 3,
  call: 4,
  key: 4 + callCells,
  owner: 4 + callCells + slotCells,
} as const

const draftStride = 40
const headerCells = 8
const cellBytes = Float64Array.BYTES_PER_ELEMENT

/** How many bytes a key or an owner takes. */
export const slotBytes = slotStride * cellBytes

/**
 * The memory for the limits of so many keys and owners: made once, and handed to all threads. What is not used of it costs
 * nothing. `callsMax`: the most calls that one worker has under way.
 */
export function limitMemory(slots: number, callsMax = callsMaxDefault): SharedArrayBuffer {
  const cells = headerCells + workersMax * (draftStride + callsMax * callCells) + slots * slotStride
  const memory = new SharedArrayBuffer(cells * cellBytes)
  new Int32Array(memory).set([slots, callsMax])
  return memory
}

/** Where everything stands in the memory. */
export class Layout {
  readonly slots: number
  readonly callsMax: number
  readonly cells: Float64Array
  /** The same memory, for what is changed by exchange: a cell has two of these, of which the first is used. */
  readonly flags: Int32Array
  readonly #calls: number
  readonly #slots: number

  constructor(memory: SharedArrayBuffer) {
    this.cells = new Float64Array(memory)
    this.flags = new Int32Array(memory)
    const [slots = 0, callsMax = 0] = this.flags
    this.slots = slots
    this.callsMax = callsMax
    this.#calls = headerCells + workersMax * draftStride
    this.#slots = this.#calls + workersMax * callsMax * callCells
  }

  draft(worker: number): number {
    return headerCells + worker * draftStride
  }

  call(worker: number, place: number): number {
    return this.#calls + (worker * this.callsMax + place) * callCells
  }

  /** Where a slot's cells begin. */
  slot(slot: number): number {
    return this.lock(slot) + 1
  }

  lock(slot: number): number {
    return this.#slots + slot * slotStride
  }
}
