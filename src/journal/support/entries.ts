import * as nodeFs from 'node:fs'
import type { FileSystem } from '../file-system.ts'
import { type Reading, readFrom } from '../reader.ts'
import type { JournalEntry } from '../record.ts'

/** Intents and receipts of calls, with texts that take one, two, three and four bytes a character. */
export function entriesOf(calls: number, prefix = 'req'): JournalEntry[] {
  return Array.from({ length: calls }, (_, index) => `${prefix}_${index}`).flatMap((id, index) => [
    { type: 'intent', id, model: 'm'.repeat(index % 7) },
    { type: 'receipt', id, text: ['', 'é', '語', '😀', '"\\\n'][index % 5], tries: [{ status: 200 + index }] },
  ])
}

/** A whole file, read in as many readings as it takes. */
export function readAll(path: string, entriesMax = 1000, fs: FileSystem = nodeFs): Reading {
  const entries: JournalEntry[] = []
  let offset = 0
  for (;;) {
    const reading = readFrom(path, offset, { entriesMax, fs })
    entries.push(...reading.entries)
    offset = reading.nextOffset
    if (reading.state !== 'more') return { ...reading, entries }
  }
}

/** The same for what a file holds, where a file for each case would take long. */
export function readBytes(file: Buffer): Reading {
  const fs: FileSystem = {
    ...nodeFs,
    openSync: () => 0,
    closeSync: () => undefined,
    fstatSync: () => ({ size: file.length }),
    readSync: (_, bytes, offset, length, position) =>
      file.copy(bytes, offset, position, Math.min(position + length, file.length)),
  }
  return readAll('', 1000, fs)
}
