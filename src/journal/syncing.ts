import { type FileSystem, systemCode } from './file-system.ts'

/** A file that is, or was, written to. */
export interface OpenFile {
  readonly fd: number
  /** Where its last whole record ends. */
  end: number
  /** `retired`: nothing more will be written to it. `gone`: its number is not ours any more. */
  state: 'open' | 'retired' | 'gone'
}

interface SyncingOptions {
  readonly fs: FileSystem
  /** How long what was written may wait to be brought to the disk with others; undefined to do it only when told `now`. */
  readonly everyMs: number | undefined
  /** After an error: when it is tried again. */
  readonly retryMs: number
  readonly onError: (error: Error, file: OpenFile) => void
  /** Something has been brought to the disk, and nothing that failed before still does. */
  readonly onSynced: () => void
}

/** Brings what was written to the disk: one fdatasync at a time, in a thread of the system's, while calls go on. */
export class Syncing {
  readonly #options: SyncingOptions
  /** Written to since they were last on the disk. */
  readonly #dirty = new Set<OpenFile>()
  readonly #failed = new Set<OpenFile>()
  #running: OpenFile | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: SyncingOptions) {
    this.#options = options
  }

  written(file: OpenFile): void {
    this.#dirty.add(file)
    this.#later(this.#options.everyMs)
  }

  /** Closes the file once it is on the disk. */
  retire(file: OpenFile): void {
    file.state = 'retired'
    this.written(file)
  }

  /** Nothing of this file can be brought to the disk, or closed, any more. */
  forget(file: OpenFile): void {
    file.state = 'gone'
    this.#dirty.delete(file)
    this.#failed.delete(file)
  }

  /** Brings all that was written to the disk before it returns. False where something cannot be brought there: that is told. */
  now(): boolean {
    let good = true
    for (const file of this.#dirty) {
      const error = this.#syncNow(file)
      if (error === null) this.#dirty.delete(file)
      else good = false
      this.#settle(file, error)
    }
    if (good) this.#options.onSynced()
    return good
  }

  /** For the last time, and closes every file whether or not it could be brought to the disk. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.now()
    for (const file of this.#dirty) this.#leave(file)
  }

  #syncNow(file: OpenFile): Error | null {
    try {
      this.#options.fs.fdatasyncSync(file.fd)
      return null
    } catch (error) {
      // The system's; told by whoever asked.
      return error as Error
    }
  }

  #later(waitMs: number | undefined): void {
    if (waitMs === undefined || this.#timer !== undefined || this.#running !== undefined || this.#closed) return
    // Holds up no end of the process: what was written outlives it.
    this.#timer = setTimeout(() => this.#next(), waitMs).unref()
  }

  #next(): void {
    this.#timer = undefined
    const [file] = this.#dirty
    if (file === undefined) {
      this.#options.onSynced()
      return
    }
    // Before it begins: what is written meanwhile makes the file dirty again.
    this.#dirty.delete(file)
    this.#running = file
    this.#options.fs.fdatasync(file.fd, (error) => {
      this.#running = undefined
      this.#settle(file, error)
      if (error !== null) this.#later(this.#options.retryMs)
      else if (this.#dirty.size > 0) this.#later(this.#options.everyMs)
    })
  }

  #settle(file: OpenFile, error: Error | null): void {
    if (error === null) {
      this.#failed.delete(file)
      if (this.#failed.size === 0) this.#options.onSynced()
    } else if (file.state !== 'gone') {
      this.#failed.add(file)
      this.#dirty.add(file)
      this.#options.onError(error, file)
    }
    this.#leave(file)
  }

  /** Closes a file that is of no more use; not under a sync that still runs, which would then be another file's. */
  #leave(file: OpenFile): void {
    if (file.state !== 'retired' || file === this.#running) return
    if (this.#dirty.has(file) && !this.#closed) return
    file.state = 'gone'
    try {
      this.#options.fs.closeSync(file.fd)
    } catch (error) {
      // All of it is on the disk, or was told not to be: nothing hangs on this.
      if (systemCode(error) === undefined) throw error
    }
  }
}
