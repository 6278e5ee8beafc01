import * as nodeFs from 'node:fs'
import { join } from 'node:path'
import { type FileSystem, systemCode } from './file-system.ts'
import { fileName, writerName } from './name.ts'
import { header, type JournalEntry } from './record.ts'
import { type OpenFile, Syncing } from './syncing.ts'
import { type Listeners, Troubles } from './troubles.ts'
import { Waiting } from './waiting.ts'

export interface JournalWriterOptions extends Listeners {
  /** Made where it is missing. */
  readonly folder: string
  /** Whose journal it is, `worker-0`: letters, digits and hyphens. */
  readonly name: string
  /** When this writer was started; its files are told by it from those of earlier ones of the same name. */
  readonly startedMs: number
  /** A file of this size is followed by another. */
  readonly rotateBytes?: number
  /** `always`: what `flush` has written is on the disk when it returns. `interval`: within about `syncMs`. */
  readonly sync?: 'always' | 'interval'
  readonly syncMs?: number
  /** After an error of the disk: when it is tried again. */
  readonly retryMs?: number
  readonly fs?: FileSystem
}

/**
 * Writes down what happens in a worker, in files that only it writes to and that never change but by growing. What is
 * appended is in the file at the end of this turn of the event loop, or when `flush` returns: then it outlives the
 * process. It outlives a loss of power once it is on the disk (`sync`).
 */
export class JournalWriter {
  /** The name under which the importer knows it. */
  readonly writer: string
  readonly #folder: string
  readonly #rotateBytes: number
  readonly #strict: boolean
  readonly #retryMs: number
  readonly #fs: FileSystem
  readonly #listeners: Listeners
  readonly #troubles: Troubles
  readonly #syncing: Syncing
  readonly #waiting = new Waiting()
  #file: OpenFile | undefined
  #sequence = 0
  #turn: NodeJS.Immediate | undefined
  #retry: NodeJS.Timeout | undefined
  #lost = 0
  /** As far as `sync` demands it of what was written. */
  #durable = true
  #closed = false

  constructor(options: JournalWriterOptions) {
    const { folder, name, startedMs, rotateBytes = 64 * 1024 * 1024, sync = 'interval' } = options
    const { syncMs = 100, retryMs = 1000, fs = nodeFs } = options
    this.writer = writerName(name, startedMs)
    this.#folder = folder
    this.#rotateBytes = rotateBytes
    this.#strict = sync === 'always'
    this.#retryMs = retryMs
    this.#fs = fs
    this.#listeners = options
    this.#troubles = new Troubles(options)
    this.#syncing = new Syncing({
      fs,
      everyMs: this.#strict ? undefined : syncMs,
      retryMs,
      onError: (error, file) => this.#unsynced(error, file),
      onSynced: () => this.#troubles.clear('sync'),
    })
  }

  /** Takes an entry as it is now. Throws RangeError for one over 64 KB. */
  append(entry: JournalEntry): void {
    if (this.#closed || !this.#waiting.add(entry)) this.#lose()
    else this.#turn ??= setImmediate(() => this.#endTurn())
  }

  /**
   * Writes all that waits, now: what is sent to a caller after this, is sent after its entry was written. False where the
   * disk would not take it: it is kept, and tried again each second.
   */
  flush(): boolean {
    // A disk that fails can take long to say so: not each call waits for that.
    if (this.#retry === undefined && !this.#closed) this.#attempt()
    return this.#waiting.none && this.#durable
  }

  /** Whether entries reach the disk. While false, new calls had better be refused. */
  get healthy(): boolean {
    return this.#troubles.none
  }

  /** How many entries there was no room for while the disk took nothing. */
  get lost(): number {
    return this.#lost
  }

  /** Writes for the last time and brings all to the disk. Whatever is appended afterwards is lost, and told. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearImmediate(this.#turn)
    clearTimeout(this.#retry)
    this.#attempt()
    this.#retire()
    this.#syncing.close()
    const { count } = this.#waiting
    if (count === 0) return
    this.#lost += count
    this.#listeners.onError(new Error(`${count} entries of ${this.writer} could not be written before the end: lost.`))
  }

  #endTurn(): void {
    this.#turn = undefined
    this.flush()
  }

  #attempt(): void {
    this.#retry = undefined
    try {
      if (!this.#waiting.none) this.#write()
      this.#troubles.clear('room')
      this.#troubles.clear('write')
    } catch (error) {
      // The system's: no space, no folder, no permission, a broken disk.
      this.#troubles.raise('write', error)
      this.#tryAgain()
    }
    if (!this.#strict) return
    this.#durable = this.#syncing.now()
    if (!this.#durable) this.#tryAgain()
  }

  #write(): void {
    const file = (this.#file ??= this.#open())
    const { bytes, start, end } = this.#waiting
    let at = start
    try {
      if (file.end === 0) file.end = this.#put(file, header, 0, header.length, 0)
      while (at < end) at += this.#put(file, bytes, at, end, file.end + at - start)
    } catch (error) {
      file.end += this.#waiting.taken(at)
      this.#cut(file)
      throw error
    }
    file.end += this.#waiting.taken(at)
    this.#syncing.written(file)
    if (file.end >= this.#rotateBytes) this.#retire()
  }

  /** Once: a disk that is nearly full takes a part. Part of a header counts as none. */
  #put(file: OpenFile, bytes: Buffer, at: number, end: number, position: number): number {
    const written = this.#fs.writeSync(file.fd, bytes, at, end - at, position)
    if (written === 0 || (bytes === header && written < end)) throw new Error('The disk took only a part.')
    return written
  }

  /** Leaves whole records only. Where that fails the file is left alone: its half record is skipped when it is read. */
  #cut(file: OpenFile): void {
    try {
      this.#fs.ftruncateSync(file.fd, file.end)
      this.#syncing.written(file)
    } catch (error) {
      this.#abandon(file, error)
    }
  }

  #abandon(file: OpenFile, error: unknown): void {
    if (file === this.#file) this.#file = undefined
    // The number is no more ours: it may be another file's by now.
    if (systemCode(error) === 'EBADF') this.#syncing.forget(file)
    else this.#syncing.retire(file)
  }

  #retire(): void {
    if (this.#file !== undefined) this.#syncing.retire(this.#file)
    this.#file = undefined
  }

  #open(): OpenFile {
    this.#fs.mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    // A new file is on the disk only when its folder is.
    this.#syncing.retire(opened(this.#fs.openSync(this.#folder, 'r')))
    // Taken names are passed over, for one that a clock set back has made twice.
    for (let tries = 0; ; tries += 1) {
      const file = join(this.#folder, fileName(this.writer, this.#sequence))
      this.#sequence += 1
      try {
        return opened(this.#fs.openSync(file, 'wx', 0o600))
      } catch (error) {
        if (systemCode(error) !== 'EEXIST' || tries === namesTriedMax) throw error
      }
    }
  }

  #tryAgain(): void {
    if (!this.#closed) this.#retry ??= setTimeout(() => this.#attempt(), this.#retryMs)
  }

  /** A file could not be brought to the disk. What was written to it outlives the process, but perhaps no loss of power. */
  #unsynced(error: Error, file: OpenFile): void {
    this.#troubles.raise('sync', error)
    if (systemCode(error) === 'EBADF') this.#abandon(file, error)
  }

  #lose(): void {
    this.#lost += 1
    this.#troubles.raise(
      'room',
      new Error(
        this.#closed
          ? `An entry came after ${this.writer} was closed: lost.`
          : `No more entries of ${this.writer} can wait until the disk takes some: new ones are lost.`,
      ),
    )
  }
}

/** How many names of files are tried that are taken. */
const namesTriedMax = 100

function opened(fd: number): OpenFile {
  return { fd, end: 0, state: 'open' }
}
