import * as nodeFs from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { type FileSystem, systemCode } from './file-system.ts'
import { parseName } from './name.ts'
import { type Reading, readFrom } from './reader.ts'
import type { JournalEntry } from './record.ts'
import { type Listeners, Troubles } from './troubles.ts'

/** Entries of one file, in the order in which they were written. */
export interface Batch {
  readonly file: string
  /** The writer's name, with its start: `worker-0.1767225600000`. */
  readonly writer: string
  /** The file's offset before these entries, which is what `offset` said. */
  readonly from: number
  /** Its offset after them. */
  readonly offset: number
  readonly entries: readonly JournalEntry[]
}

/** Where entries go: the database. Whatever it throws is told, and what it did not take is offered again. */
export interface Sink {
  /** How far the file has been imported; 0 for one that it does not know. */
  offset(file: string): number
  /**
   * Stores the entries and the file's offset in one transaction: both or neither. Throws for what waiting can mend only:
   * nothing behind an entry is imported until that entry is taken.
   */
  import(batch: Batch): void
  /** The writer runs no more and all that it wrote is imported: what it began and did not end was interrupted. Perhaps told twice. */
  ended(writer: string): void
  /** When this returns, all that was stored outlives a loss of power. */
  sync(): void
  /** The files whose offsets it keeps. */
  files(): readonly string[]
  /** The file is gone, and its offset of no more use. Told at least once. */
  finished(file: string): void
}

export interface ImporterOptions extends Listeners {
  readonly folder: string
  readonly sink: Sink
  /**
   * Does this writer still run? Those of an earlier start of the gateway do not. Must be true before it writes for the first
   * time, and turn false in a later turn of the event loop than its last writing.
   */
  readonly isLive: (writer: string) => boolean
  readonly everyMs?: number
  /** How many entries are imported without letting other work come in between. */
  readonly entriesMax?: number
  /** After an error: when it is tried again. */
  readonly retryMs?: number
  readonly fs?: FileSystem
}

interface WriterFiles {
  readonly writer: string
  /** In the order in which they were written. */
  readonly files: readonly string[]
}

/**
 * Brings what the writers have written into the database, each entry once, and deletes a file when nothing will be written
 * to it any more and all of it is in the database and on the disk. One importer to a folder.
 */
export class Importer {
  readonly #folder: string
  readonly #sink: Sink
  readonly #isLive: (writer: string) => boolean
  readonly #everyMs: number
  readonly #entriesMax: number
  readonly #retryMs: number
  readonly #fs: FileSystem
  readonly #listeners: Listeners
  readonly #troubles: Troubles
  /** Files about whose state something has been said. */
  readonly #told = new Set<string>()
  /** No file can have gone without the sink knowing of it. */
  #inOrder = false
  /** Whose files used up the last turn: the others come first in the next. */
  #servedLast = ''
  #timer: NodeJS.Timeout | undefined

  constructor(options: ImporterOptions) {
    const { folder, sink, isLive, everyMs = 100, entriesMax = 1000, retryMs = 1000, fs = nodeFs } = options
    this.#folder = folder
    this.#sink = sink
    this.#isLive = isLive
    this.#everyMs = everyMs
    this.#entriesMax = entriesMax
    this.#retryMs = retryMs
    this.#fs = fs
    this.#listeners = options
    this.#troubles = new Troubles(options)
  }

  /** Imports some; says whether there is more to do at once. An error is told, and ends it until the next time. */
  runOnce(): boolean {
    return this.#guarded(() => this.#pass()) ?? false
  }

  /** Imports from now on. */
  start(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#loop(), 0)
  }

  /**
   * All that a writer has left behind which runs no more, now, up to telling the sink that it `ended`. False where an
   * error came between: then the usual round goes on with it.
   */
  drain(writer: string): boolean {
    for (;;) {
      const own = this.#guarded(() => this.#writers().filter((one) => one.writer === writer))
      const [files] = own ?? []
      if (files === undefined) return own !== undefined
      const imported = this.#guarded(() => this.#importWriter(files, this.#entriesMax))
      if (imported === undefined || imported < this.#entriesMax) return imported !== undefined
    }
  }

  /** Imports everything there is, then stops. What an error keeps from being imported stays in its file for the next start. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.runOnce()) await turn()
  }

  /** Whether everything that can be imported is. */
  get healthy(): boolean {
    return this.#troubles.none
  }

  #loop(): void {
    const more = this.runOnce()
    this.#timer = setTimeout(() => this.#loop(), more ? 0 : this.healthy ? this.#everyMs : this.#retryMs)
  }

  #pass(): boolean {
    const writers = this.#writers()
    this.#forgetGone(writers)
    let left = this.#entriesMax
    for (const files of inTurn(writers, this.#servedLast)) {
      left -= this.#importIfReadable(files, left)
      if (left > 0) continue
      this.#servedLast = files.writer
      return true
    }
    return false
  }

  /** One file that cannot be read or deleted does not hold up the other writers'. */
  #importIfReadable(files: WriterFiles, entriesMax: number): number {
    try {
      const imported = this.#importWriter(files, entriesMax)
      this.#troubles.clear(files.writer)
      return imported
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      this.#inOrder = false
      this.#troubles.raise(files.writer, error)
      return 0
    }
  }

  /** Imports the next entries of a writer, deletes the files that are done with, and says how many entries there were. */
  #importWriter({ writer, files }: WriterFiles, entriesMax: number): number {
    // Asked before reading: what is written after this answer is seen the next time.
    const live = this.#isLive(writer)
    const done: { file: string; reading: Reading }[] = []
    let imported = 0
    for (const [index, file] of files.entries()) {
      if (imported >= entriesMax) break
      const { count, reading } = this.#importFile(writer, file, entriesMax - imported)
      imported += count
      // A writer goes on in its last file only.
      const sealed = !live || index < files.length - 1
      this.#tell(file, reading, sealed)
      if (!sealed || reading.state === 'more' || reading.state === 'newer') break
      done.push({ file, reading })
    }
    if (!live && done.length === files.length) this.#sink.ended(writer)
    if (done.length > 0) this.#sink.sync()
    for (const { file, reading } of done) this.#remove(file, reading)
    return imported
  }

  #importFile(writer: string, file: string, entriesMax: number): { count: number; reading: Reading } {
    let from = this.#sink.offset(file)
    let count = 0
    for (;;) {
      const reading = readFrom(join(this.#folder, file), from, { entriesMax: entriesMax - count, fs: this.#fs })
      const { entries, nextOffset: offset, state } = reading
      if (entries.length > 0) this.#sink.import({ file, writer, from, offset, entries })
      count += entries.length
      from = offset
      if (state !== 'more' || count >= entriesMax) return { count, reading }
    }
  }

  #remove(file: string, { state }: Reading): void {
    const path = join(this.#folder, file)
    if (state === 'damaged') this.#fs.renameSync(path, `${path}.damaged`)
    else this.#fs.unlinkSync(path)
    this.#told.delete(file)
    this.#sink.finished(file)
  }

  #tell(file: string, { state, nextOffset, unreadableBytes }: Reading, sealed: boolean): void {
    const text = {
      more: undefined,
      end: undefined,
      // What is written at this moment is torn too, and so is an empty file, which misses nothing.
      torn:
        sealed && unreadableBytes > 0
          ? `its last ${unreadableBytes} bytes are not a whole entry and are left out: its writer was stopped while writing`
          : undefined,
      damaged: `${unreadableBytes} bytes from ${nextOffset} on cannot be read; all before them is imported, and the file will be kept as ${file}.damaged`,
      newer: 'was written by a newer Keyrung and is left for that one',
    }[state]
    if (text === undefined || this.#told.has(file)) return
    this.#told.add(file)
    this.#listeners.onError(new Error(`${join(this.#folder, file)}: ${text}.`))
  }

  /** Files that somebody else has deleted, and those between whose deletion and `finished` a crash or an error came. */
  #forgetGone(writers: readonly WriterFiles[]): void {
    for (const name of this.#troubles.names) {
      if (name !== 'import' && !writers.some(({ writer }) => writer === name)) this.#troubles.clear(name)
    }
    if (this.#inOrder) return
    const present = new Set(writers.flatMap(({ files }) => files))
    for (const file of this.#sink.files()) if (!present.has(file)) this.#sink.finished(file)
    this.#inOrder = true
  }

  #writers(): WriterFiles[] {
    const names = this.#list().flatMap((file) => {
      const name = parseName(file)
      return name === undefined ? [] : [{ file, ...name }]
    })
    const writers = Map.groupBy(
      names.toSorted((one, other) => one.sequence - other.sequence),
      ({ writer }) => writer,
    )
    return [...writers].map(([writer, own]) => ({ writer, files: own.map(({ file }) => file) }))
  }

  #list(): string[] {
    try {
      return this.#fs.readdirSync(this.#folder)
    } catch (error) {
      // No writer has written anything yet.
      if (systemCode(error) === 'ENOENT') return []
      throw error
    }
  }

  /** Undefined where the database or the folder failed: nothing is lost by that, since a file stays until it is imported. */
  #guarded<T>(work: () => T): T | undefined {
    try {
      const result = work()
      this.#troubles.clear('import')
      return result
    } catch (error) {
      this.#inOrder = false
      this.#troubles.raise('import', error)
      return undefined
    }
  }
}

/** In a fixed order, from the one after the last that was served. */
function inTurn(writers: readonly WriterFiles[], servedLast: string): WriterFiles[] {
  const sorted = writers.toSorted((one, other) => (one.writer < other.writer ? -1 : 1))
  const next = sorted.findIndex(({ writer }) => writer > servedLast)
  return next === -1 ? sorted : [...sorted.slice(next), ...sorted.slice(0, next)]
}
