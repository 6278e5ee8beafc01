import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { readFrom, type ReadState } from './reader.ts'
import {
  header,
  headerBytes,
  headerOf,
  type JournalEntry,
  payloadBytesMax,
  recordBytesMax,
  writeRecord,
} from './record.ts'
import { entriesOf, readAll, readBytes } from './support/entries.ts'
import { JournalWriter } from './writer.ts'

const entries = entriesOf(8)

/** A journal of these payloads. */
function journal(payloads: readonly string[]): Buffer {
  const bytes = Buffer.alloc(headerBytes + payloads.length * (recordBytesMax + 1))
  header.copy(bytes)
  return bytes.subarray(
    0,
    payloads.reduce((at, json) => writeRecord(bytes, at, json), headerBytes),
  )
}

const written = journal(entries.map((entry) => JSON.stringify(entry)))

/** Where each record of `written` ends, the header first. */
const ends = entries.reduce(
  (known, entry) => [...known, (known.at(-1) ?? 0) + 8 + Buffer.byteLength(JSON.stringify(entry))],
  [headerBytes],
)

const large = JSON.stringify({ type: 'receipt', id: 'large', text: 'x' }).padEnd(payloadBytesMax)
const small = JSON.stringify({ type: 'intent', id: 'small' })
const half = journal([large]).subarray(0, headerBytes + 5000)
const [bad, good] = [flipped(journal([small]), headerBytes + 9, 0), journal([small]).subarray(headerBytes)]

const cases: [sentence: string, bytes: Buffer, state: ReadState, whole: number, unreadable: number][] = [
  ['an empty file ends before its header', Buffer.alloc(0), 'torn', 0, 0],
  ['a header alone is a journal without entries', header, 'end', 0, 0],
  ['the file of another program is no journal', Buffer.from('SQLite format 3\0'), 'damaged', 0, 16],
  ['a file of zeros is no journal', Buffer.alloc(4096), 'damaged', 0, 4096],
  ['the journal of a newer version is left to that one', headerOf(2), 'newer', 0, headerBytes],
  ['an entry of the greatest size is read', journal([large, small]), 'end', 2, 0],
  [
    'a larger one is damage, whatever its checksum says',
    journal([small, `${large} `]),
    'damaged',
    1,
    recordBytesMax + 1,
  ],
  ['half a record at the end is torn', half, 'torn', 0, 5000],
  ['half a record and zeros after it, as after a loss of power, are torn', pad(half, 3_000_000), 'torn', 0, 3_005_000],
  ['zeros where records should be are torn', pad(journal([small]), 100), 'torn', 1, 100],
  ['a last record with a wrong checksum is torn', bad, 'torn', 0, bad.length - headerBytes],
  ['a wrong checksum before a sound record is damage', concat(bad, good), 'damaged', 0, good.length * 2],
  ['zeros before a sound record are damage', concat(pad(header, 70), good), 'damaged', 0, 70 + good.length],
  [
    'more rubbish than half a record can be is damage',
    concat(journal([small]), Buffer.alloc(recordBytesMax + 1, 255)),
    'damaged',
    1,
    recordBytesMax + 1,
  ],
  ['a sound record that holds no JSON is damage', concat(journal([small, 'x']), good), 'damaged', 1, 9 + good.length],
  ['a sound record that holds no object is damage', journal([small, 'null']), 'damaged', 1, 12],
  ['a sound record without an id is damage', journal(['{"type":"intent"}']), 'damaged', 0, 25],
  ['a sound record whose type is no text is damage', journal(['{"type":1,"id":"x"}']), 'damaged', 0, 27],
]

suite('reader', () => {
  let folder: string
  let path: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyrung-journal-'))
    path = join(folder, 'journal')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const [sentence, bytes, state, whole, unreadable] of cases) {
    test(sentence, () => {
      writeFileSync(path, bytes)
      const reading = readAll(path)
      const { entries: read, unreadableBytes } = reading
      assert.deepEqual([reading.state, read.length, unreadableBytes], [state, whole, unreadable])
    })
  }

  test('cut at any byte, a journal is read up to its last whole entry, and says whether one is missing', () => {
    for (let length = written.length; length >= 0; length -= 1) {
      const whole = ends.findLastIndex((end) => end <= length)
      const reading = readBytes(written.subarray(0, length))
      assert.deepEqual(reading.entries, entries.slice(0, Math.max(whole, 0)), `cut at ${length}`)
      assert.equal(reading.state, ends[whole] === length ? 'end' : 'torn', `cut at ${length}`)
      assert.equal(reading.nextOffset, ends[whole] ?? 0)
      assert.equal(reading.unreadableBytes, length - (ends[whole] ?? 0))
    }
  })

  test('cut at any byte and filled up with zeros, it is read up to its last whole entry', () => {
    for (let length = headerBytes; length < written.length; length += 1) {
      // Where the bytes that were cut off were zeros, nothing is missing.
      const whole = ends.findLastIndex((end) => written.subarray(length, end).every((byte) => byte === 0))
      const reading = readBytes(pad(written.subarray(0, length), written.length - length))
      assert.deepEqual(reading.entries, entries.slice(0, whole), `cut at ${length}`)
      assert.equal(reading.state, 'torn', `cut at ${length}`)
    }
  })

  test('one flipped bit, wherever it is, ends the reading before the entry that it is in', () => {
    const last = ends.at(-2) ?? 0
    for (let at = 0; at < written.length; at += 1) {
      const whole = Math.max(
        ends.findLastIndex((end) => end <= at),
        0,
      )
      for (let bit = 0; bit < 8; bit += 1) {
        const reading = readBytes(flipped(written, at, bit))
        assert.deepEqual(reading.entries, entries.slice(0, whole), `bit ${bit} of byte ${at}`)
        assert.equal(reading.state, at < last ? 'damaged' : 'torn', `bit ${bit} of byte ${at}`)
        assert.ok(reading.unreadableBytes > 0)
      }
    }
  })

  test('however few entries are taken at a time, all are read once and in order', () => {
    writeFileSync(path, written)
    for (let entriesMax = 1; entriesMax <= entries.length + 1; entriesMax += 1) {
      assert.ok(readFrom(path, 0, { entriesMax }).entries.length <= entriesMax)
      assert.deepEqual(readAll(path, entriesMax).entries, entries)
    }
  })

  test('a journal larger than what is read at a time is read whole', () => {
    const payloads = Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? small : large))
    writeFileSync(path, journal(payloads))
    const reading = readAll(path)
    assert.equal(reading.state, 'end')
    assert.deepEqual(
      reading.entries,
      payloads.map((json) => JSON.parse(json) as JournalEntry),
    )
  })

  test('what is appended after a reading is found from its offset on', () => {
    writeFileSync(path, journal([small]).subarray(0, -5))
    const torn = readFrom(path, 0)
    assert.equal(torn.state, 'torn')
    appendFileSync(path, journal([small]).subarray(-5))
    const whole = readFrom(path, torn.nextOffset)
    assert.deepEqual([whole.entries.length, whole.state], [1, 'end'])
    appendFileSync(path, good)
    const next = readFrom(path, whole.nextOffset)
    assert.deepEqual([next.entries.length, next.state], [1, 'end'])
  })

  test('a journal that a loss of power has made shorter than what was read has nothing more to read', () => {
    writeFileSync(path, written)
    const { nextOffset } = readAll(path)
    truncateSync(path, headerBytes + 3)
    const { entries: read, state, unreadableBytes } = readFrom(path, nextOffset)
    assert.deepEqual([read, state, unreadableBytes], [[], 'end', 0])
  })

  test('a writer writes what these tests read', () => {
    const writer = new JournalWriter({ folder, name: 'w', startedMs: 1, onError: assert.fail })
    for (const entry of entries) writer.append(entry)
    writer.close()
    const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.journal'))
    assert.deepEqual(readFileSync(join(folder, file)), written)
  })
})

function flipped(bytes: Buffer, at: number, bit: number): Buffer {
  const other = Buffer.from(bytes)
  other[at] = (other[at] as number) ^ (1 << bit)
  return other
}

function pad(bytes: Buffer, zeros: number): Buffer {
  return concat(bytes, Buffer.alloc(zeros))
}

function concat(...parts: Buffer[]): Buffer {
  return Buffer.concat(parts)
}
