import { crc32 } from 'node:zlib'

/** What a journal holds: something that happened (`type`) to a call (`id`), and whatever else is to be known of it. */
export interface JournalEntry {
  readonly type: string
  readonly id: string
  readonly [field: string]: unknown
}

/**
 * A record is the CRC-32 of all that follows in it (4 bytes), the length of the payload (4 bytes) and the payload, an entry as
 * JSON in UTF-8. Numbers are little-endian. The length is under the checksum too: zeros are no record.
 */
export const prefixBytes = 8
export const payloadBytesMax = 65_536
export const recordBytesMax = prefixBytes + payloadBytesMax

/** Writes the record of an entry at a place that has room for it, and says where it ends. */
export function writeRecord(bytes: Buffer, at: number, json: string): number {
  const length = bytes.write(json, at + prefixBytes)
  const end = at + prefixBytes + length
  bytes.writeUInt32LE(length, at + 4)
  bytes.writeUInt32LE(crc32(bytes.subarray(at + 4, end)), at)
  return end
}

/** Where the record ends that stands here whole and sound; undefined where there is none. */
export function recordEnd(bytes: Buffer, at: number): number | undefined {
  const end = claimedEnd(bytes, at)
  if (end === undefined || end > bytes.length) return undefined
  return crc32(bytes.subarray(at + 4, end)) === bytes.readUInt32LE(at) ? end : undefined
}

/** Where a record would end by what its prefix says, sound or not; undefined where that can be no record. */
export function claimedEnd(bytes: Buffer, at: number): number | undefined {
  if (at + prefixBytes > bytes.length) return undefined
  const length = bytes.readUInt32LE(at + 4)
  return length === 0 || length > payloadBytesMax ? undefined : at + prefixBytes + length
}

/** The entry of a sound record; undefined where it holds something else, which no writer of ours has written. */
export function readEntry(bytes: Buffer, at: number, end: number): JournalEntry | undefined {
  const json = parsed(bytes.toString('utf8', at + prefixBytes, end))
  if (typeof json !== 'object' || json === null) return undefined
  return 'type' in json && typeof json.type === 'string' && 'id' in json && typeof json.id === 'string'
    ? (json as JournalEntry)
    : undefined
}

/** What each file begins with, in this and every later version: four letters, the version, and the CRC-32 of both. */
export const header = headerOf(1)
export const headerBytes = header.length

/** The header of a version; other than our own for tests only. */
export function headerOf(version: number): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.write('KRJL')
  bytes.writeUInt32LE(version, 4)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8)
  return bytes
}

/** `newer`: a later Keyrung wrote the file, and only that can read it. `short`: the header is not whole. */
export function readHeader(bytes: Buffer): 'good' | 'short' | 'newer' | 'bad' {
  if (bytes.length < headerBytes) return header.subarray(0, bytes.length).equals(bytes) ? 'short' : 'bad'
  if (bytes.equals(header)) return 'good'
  const version = bytes.readUInt32LE(4)
  return version > 1 && bytes.equals(headerOf(version)) ? 'newer' : 'bad'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Told as a record that cannot be read, like every other one.
    return undefined
  }
}
