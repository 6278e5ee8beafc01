import { claimedEnd, type JournalEntry, payloadBytesMax, prefixBytes, writeRecord } from './record.ts'

/** How much waits at most while the disk takes nothing; what comes then is lost. */
const entriesMax = 100_000
const bytesMax = 128 * 1024 * 1024

/** What the buffer holds at first, and again after a bad time: a turn's entries of a busy worker fit in. */
const usualBytes = 256 * 1024

/** The entries that are not in the file yet, as the bytes that they will be there. */
export class Waiting {
  bytes: Buffer = Buffer.allocUnsafe(usualBytes)
  /** What waits stands from `start` to `end`, whole records only. */
  start = 0
  end = 0
  count = 0

  /** False where no more may wait. Throws RangeError for an entry that is too large for a record. */
  add(entry: JournalEntry): boolean {
    const json = JSON.stringify(entry)
    const length = Buffer.byteLength(json)
    if (length > payloadBytesMax) {
      throw new RangeError(
        `The ${entry.type} ${entry.id} has ${length} bytes; an entry of a journal may have ${payloadBytesMax}. Shorten its texts.`,
      )
    }
    if (this.count >= entriesMax || !this.#makeRoom(prefixBytes + length)) return false
    this.end = writeRecord(this.bytes, this.end, json)
    this.count += 1
    return true
  }

  /** Lets go of the whole records before `at`, which are in the file now, and says how many bytes they are. */
  taken(at: number): number {
    if (at === this.end) return this.#allTaken()
    const before = this.start
    for (;;) {
      const end = claimedEnd(this.bytes, this.start)
      if (end === undefined || end > at) return this.start - before
      this.start = end
      this.count -= 1
    }
  }

  get none(): boolean {
    return this.count === 0
  }

  #allTaken(): number {
    const taken = this.end - this.start
    this.start = 0
    this.end = 0
    this.count = 0
    if (this.bytes.length > usualBytes) this.bytes = Buffer.allocUnsafe(usualBytes)
    return taken
  }

  #makeRoom(length: number): boolean {
    if (this.end + length <= this.bytes.length) return true
    const used = this.end - this.start
    if (used + length > bytesMax) return false
    let size = this.bytes.length
    while (size < used + length) size *= 2
    const bytes = size === this.bytes.length ? this.bytes : Buffer.allocUnsafe(size)
    this.bytes.copy(bytes, 0, this.start, this.end)
    this.bytes = bytes
    this.start = 0
    this.end = used
    return true
  }
}
