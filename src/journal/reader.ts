import * as nodeFs from 'node:fs'
import type { FileSystem } from './file-system.ts'
import { headerBytes, type JournalEntry, readEntry, readHeader, recordBytesMax, recordEnd } from './record.ts'

/**
 * How a journal goes on after what was read. `more`: read again from there. `end`: it ends there. `torn`: it ends in a
 * record that is not whole: its writer is writing it, or was stopped while doing so. `damaged`: what stands there cannot be
 * read, and it is not half a record. `newer`: another version of Keyrung wrote it.
 */
export type ReadState = 'more' | 'end' | 'torn' | 'damaged' | 'newer'

export interface Reading {
  readonly entries: readonly JournalEntry[]
  readonly nextOffset: number
  readonly state: ReadState
  /** How many bytes stand after `nextOffset` in a file that is torn or damaged, else 0. */
  readonly unreadableBytes: number
}

/** How much is read at a time: at least two records, so that the next one is seen whole behind one that is broken. */
const chunkBytes = 1024 * 1024

/** The next entries from an offset on: 0, or the `nextOffset` of an earlier reading. Throws what the file system throws. */
export function readFrom(
  path: string,
  offset: number,
  { entriesMax = 1000, fs = nodeFs }: { entriesMax?: number; fs?: FileSystem } = {},
): Reading {
  const fd = fs.openSync(path, 'r')
  try {
    return readOpen({ fs, fd, size: fs.fstatSync(fd).size }, offset, entriesMax)
  } finally {
    fs.closeSync(fd)
  }
}

interface Source {
  readonly fs: FileSystem
  readonly fd: number
  readonly size: number
}

function readOpen(source: Source, offset: number, entriesMax: number): Reading {
  if (offset === 0) {
    const head = readHeader(read(source, 0, headerBytes))
    if (head !== 'good') return { entries: [], nextOffset: 0, ...headState(head), unreadableBytes: source.size }
  }
  const start = Math.max(offset, headerBytes)
  const bytes = read(source, start, chunkBytes)
  const { entries, end } = readRecords(bytes, entriesMax)
  const nextOffset = start + end
  const found = { entries, nextOffset, unreadableBytes: 0 }
  // A file that has lost its end, which had been read before, ends all the same.
  if (nextOffset >= source.size) return { ...found, state: 'end' }
  if (entries.length > 0) return { ...found, state: 'more' }
  return { ...found, state: tail(source, bytes, start), unreadableBytes: source.size - start }
}

function headState(head: 'short' | 'newer' | 'bad'): { state: ReadState } {
  return { state: head === 'short' ? 'torn' : head === 'newer' ? 'newer' : 'damaged' }
}

/** The entries at the beginning of these bytes, up to the first that is not whole and sound, and where they end. */
function readRecords(bytes: Buffer, entriesMax: number): { entries: JournalEntry[]; end: number } {
  const entries: JournalEntry[] = []
  let at = 0
  while (entries.length < entriesMax) {
    const end = recordEnd(bytes, at)
    const entry = end === undefined ? undefined : readEntry(bytes, at, end)
    if (end === undefined || entry === undefined) break
    entries.push(entry)
    at = end
  }
  return { entries, end: at }
}

/**
 * What the rest of a file is that begins with no sound record. Half a record is no longer than one, nothing sound stands
 * behind it, and at most zeros, which a loss of power leaves.
 */
function tail(source: Source, bytes: Buffer, start: number): 'torn' | 'damaged' {
  const end = Math.min(bytes.length, recordBytesMax)
  for (let at = 0; at < end; at += 1) if (recordEnd(bytes, at) !== undefined) return 'damaged'
  for (let at = start + end; at < source.size; at += chunkBytes) {
    const more = read(source, at, chunkBytes)
    if (!more.equals(Buffer.alloc(more.length))) return 'damaged'
  }
  return 'torn'
}

/** As many of the bytes as there are. */
function read({ fs, fd, size }: Source, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(Math.min(length, size - offset), 0))
  let filled = 0
  while (filled < bytes.length) {
    const got = fs.readSync(fd, bytes, filled, bytes.length - filled, offset + filled)
    // The writer has just cut off half a record.
    if (got === 0) break
    filled += got
  }
  return bytes.subarray(0, filled)
}
