import assert from 'node:assert/strict'
import * as nodeFs from 'node:fs'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { setImmediate as turn, setTimeout as passing } from 'node:timers/promises'
import type { FileSystem } from './file-system.ts'
import { type JournalEntry, payloadBytesMax } from './record.ts'
import { entriesOf, readAll } from './support/entries.ts'
import { type Fault, FaultPoint, systemError } from './support/faults.ts'
import { JournalWriter, type JournalWriterOptions } from './writer.ts'

const entries = entriesOf(6)

/** What a writer calls to change what is on the disk. `fdatasync` is apart: it tells its error later. */
const writerCalls = [
  'mkdirSync',
  'openSync',
  'writeSync',
  'ftruncateSync',
  'fdatasyncSync',
  'closeSync',
] as const satisfies (keyof FileSystem)[]

let folder: string
let errors: string[]
let mended: PromiseWithResolvers<void>
let writers: JournalWriter[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyrung-journal-'))
  errors = []
  mended = Promise.withResolvers()
  writers = []
})
afterEach(() => {
  for (const writer of writers) writer.close()
  rmSync(folder, { recursive: true, force: true })
})

function start(options: Partial<JournalWriterOptions> = {}): JournalWriter {
  const writer = new JournalWriter({
    folder,
    name: 'worker-0',
    startedMs: 5,
    retryMs: 1,
    onError: ({ message }) => errors.push(message),
    onMended: () => mended.resolve(),
    ...options,
  })
  writers.push(writer)
  return writer
}

function appendAll(writer: JournalWriter, all: readonly JournalEntry[]): void {
  for (const entry of all) writer.append(entry)
}

/** What is in the files, which must all be sound. */
function inFiles(): { entries: JournalEntry[]; states: string[] } {
  const readings = readdirSync(folder)
    .toSorted((one, other) => Number(one.split('.')[2]) - Number(other.split('.')[2]))
    .map((file) => readAll(join(folder, file)))
  return { entries: readings.flatMap((reading) => reading.entries), states: readings.map(({ state }) => state) }
}

function filled(): JournalEntry[] {
  const { entries: found, states } = inFiles()
  for (const state of states) assert.equal(state, 'end')
  return found
}

suite('writer', () => {
  test('what is appended in one turn of the event loop is written at its end, at once', async () => {
    let writes = 0
    const writer = start({ fs: { ...nodeFs, writeSync: (...given) => ((writes += 1), nodeFs.writeSync(...given)) } })
    appendAll(writer, entries)
    assert.equal(writes, 0)
    await turn()
    assert.equal(writes, 2, 'the header, then all entries')
    assert.deepEqual(filled(), entries)
    appendAll(writer, entries)
    await turn()
    assert.equal(writes, 3)
  })

  test('what was appended is in the file when flush returns, and is not written again', async () => {
    const writer = start()
    appendAll(writer, entries)
    assert.equal(writer.flush(), true)
    assert.deepEqual(filled(), entries)
    assert.equal(writer.flush(), true)
    await turn()
    assert.deepEqual(filled(), entries)
  })

  test('an entry is written as it was when it was appended', () => {
    const writer = start()
    const tries = [1]
    writer.append({ type: 'receipt', id: 'a', tries })
    tries.push(2)
    writer.flush()
    assert.deepEqual(filled(), [{ type: 'receipt', id: 'a', tries: [1] }])
  })

  test('an entry that is too large is refused with its name and size, and harms no other', () => {
    const writer = start()
    writer.append({ type: 'intent', id: 'a' })
    assert.throws(
      () => writer.append({ type: 'receipt', id: 'b', text: 'é'.repeat(payloadBytesMax / 2) }),
      /receipt b has 65\d\d\d bytes; an entry of a journal may have 65536/,
    )
    writer.append({ type: 'intent', id: 'c' })
    writer.flush()
    assert.deepEqual(
      filled().map(({ id }) => id),
      ['a', 'c'],
    )
  })

  test('a writer that is started again writes to a file of its own', () => {
    for (const startedMs of [5, 6]) {
      const writer = start({ startedMs })
      writer.append({ type: 'intent', id: String(startedMs) })
      writer.close()
    }
    assert.deepEqual(readdirSync(folder).toSorted(), ['worker-0.5.0.journal', 'worker-0.6.0.journal'])
  })

  test('a file that is there already is passed over, whatever is in it', () => {
    writeFileSync(join(folder, 'worker-0.5.0.journal'), 'old')
    const writer = start()
    writer.append({ type: 'intent', id: 'a' })
    writer.close()
    assert.equal(readFileSync(join(folder, 'worker-0.5.0.journal'), 'utf8'), 'old')
    assert.equal(readAll(join(folder, 'worker-0.5.1.journal')).entries.length, 1)
    assert.deepEqual(errors, [])
  })

  test('a file that has reached its size is followed by another', () => {
    const writer = start({ rotateBytes: 200 })
    for (const entry of entries) {
      writer.append(entry)
      writer.flush()
    }
    writer.close()
    const sizes = readdirSync(folder).map((file) => statSync(join(folder, file)).size)
    assert.ok(sizes.length > 2)
    for (const size of sizes) assert.ok(size < 350, `${size} bytes`)
    assert.deepEqual(filled(), entries)
  })

  test('only its owner can read a journal', () => {
    const deep = join(folder, 'a', 'b')
    const writer = start({ folder: deep })
    writer.append({ type: 'intent', id: 'a' })
    writer.close()
    assert.equal(statSync(deep).mode & 0o777, 0o700)
    assert.equal(statSync(join(deep, 'worker-0.5.0.journal')).mode & 0o777, 0o600)
  })

  for (const name of ['', 'worker 0', 'worker/0', 'worker.0', '..']) {
    test(`a writer cannot be named ${JSON.stringify(name)}`, () => {
      assert.throws(() => start({ name }), /A journal cannot be named/)
    })
  }

  test('every descriptor is closed once, after its file was brought to the disk', () => {
    const open = new Map<number, string>()
    const fs: FileSystem = {
      ...nodeFs,
      openSync: (...given) => {
        const fd = nodeFs.openSync(...given)
        open.set(fd, 'open')
        return fd
      },
      fdatasyncSync: (fd) => void open.set(fd, 'synced'),
      closeSync: (fd) => {
        assert.equal(open.get(fd), 'synced')
        open.delete(fd)
        nodeFs.closeSync(fd)
      },
    }
    const writer = start({ fs, rotateBytes: 200 })
    for (const entry of entries) {
      writer.append(entry)
      writer.flush()
    }
    writer.close()
    assert.equal(open.size, 0)
  })

  test('an entry that comes after the end is told as lost, once', () => {
    const writer = start()
    writer.close()
    appendAll(writer, entries)
    assert.equal(writer.flush(), true)
    assert.equal(writer.lost, entries.length)
    assert.deepEqual(errors, ['An entry came after worker-0.5 was closed: lost.'])
    assert.deepEqual(readdirSync(folder), [])
  })
})

/** A disk with room for so many bytes of journals. */
class SmallDisk {
  room: number
  readonly fs: FileSystem

  constructor(room: number) {
    this.room = room
    this.fs = {
      ...nodeFs,
      writeSync: (fd, bytes, offset, length, position) => {
        const part = Math.min(length, this.room)
        if (part === 0) throw systemError('ENOSPC', 'write')
        this.room -= part
        return nodeFs.writeSync(fd, bytes, offset, part, position)
      },
      ftruncateSync: (fd, length) => {
        this.room += nodeFs.fstatSync(fd).size - length
        nodeFs.ftruncateSync(fd, length)
      },
      fdatasyncSync: () => undefined,
    }
  }
}

suite('writer: a disk that fails', () => {
  test('wherever the disk is full, the file holds whole entries only, and nothing is lost or twice once there is room', async () => {
    const few = entries.slice(0, 6)
    const size = 12 + few.reduce((sum, entry) => sum + 8 + Buffer.byteLength(JSON.stringify(entry)), 0)
    for (let room = 0; room < size; room += 1) {
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
      errors = []
      mended = Promise.withResolvers()
      const disk = new SmallDisk(room)
      const writer = start({ fs: disk.fs })
      appendAll(writer, few)
      assert.equal(writer.flush(), false, `room for ${room}`)
      assert.equal(writer.healthy, false)
      const { entries: found, states } = inFiles()
      assert.deepEqual(found, few.slice(0, found.length))
      assert.deepEqual(states, [room < 12 ? 'torn' : 'end'], `room for ${room}`)
      disk.room = Infinity
      await mended.promise
      assert.equal(writer.healthy, true)
      assert.equal(writer.flush(), true)
      assert.deepEqual(filled(), few, `room for ${room}`)
      assert.equal(errors.length, 1)
      writer.close()
    }
  })

  test('a disk that takes a few bytes at a time takes all of them', () => {
    const fs: FileSystem = {
      ...nodeFs,
      writeSync: (fd, bytes, offset, length, position) =>
        nodeFs.writeSync(fd, bytes, offset, position === 0 ? length : Math.min(length, 3), position),
    }
    const writer = start({ fs })
    appendAll(writer, entries)
    assert.equal(writer.flush(), true)
    assert.deepEqual(filled(), entries)
    assert.deepEqual(errors, [])
  })

  test('while it is full, it is told once and asked by the timer only, whatever is appended', () => {
    let writes = 0
    const full = (): number => {
      writes += 1
      throw systemError('ENOSPC', 'write')
    }
    const writer = start({ fs: { ...nodeFs, writeSync: full }, retryMs: 60_000 })
    for (const entry of entries) {
      writer.append(entry)
      assert.equal(writer.flush(), false)
    }
    assert.equal(writes, 1)
    assert.equal(errors.length, 1)
    writer.close()
    assert.equal(writer.flush(), false)
    assert.equal(writes, 2)
    assert.equal(writer.lost, entries.length)
    assert.equal(errors.at(-1), `${entries.length} entries of worker-0.5 could not be written before the end: lost.`)
  })

  test('no more than 100,000 entries wait; the first ones are kept, and those that are lost are counted', async () => {
    const disk = new SmallDisk(0)
    const writer = start({ fs: disk.fs })
    for (let index = 0; index < 100_003; index += 1) writer.append({ type: 'intent', id: String(index) })
    assert.equal(writer.flush(), false)
    assert.equal(writer.lost, 3)
    assert.equal(errors.length, 2)
    disk.room = Infinity
    await mended.promise
    const found = filled()
    assert.deepEqual([found.length, found.at(-1)?.id], [100_000, '99999'])
    writer.append({ type: 'intent', id: 'later' })
    assert.equal(writer.flush(), true)
    assert.equal(filled().at(-1)?.id, 'later')
  })

  for (const code of ['EIO', 'EBADF']) {
    test(`${code}, also when half a record is to be cut off: it goes on in another file, and half a record is skipped`, async () => {
      let broken = true
      let closed = 0
      const fs: FileSystem = {
        ...nodeFs,
        writeSync: (fd, bytes, offset, length, position) => {
          if (position === 0 || !broken) return nodeFs.writeSync(fd, bytes, offset, length, position)
          if (position > 12) throw systemError(code, 'write')
          return nodeFs.writeSync(fd, bytes, offset, 200, position)
        },
        ftruncateSync: () => {
          throw systemError(code, 'ftruncate')
        },
        closeSync: (fd) => {
          if (!nodeFs.fstatSync(fd).isDirectory()) closed += 1
          nodeFs.closeSync(fd)
        },
      }
      const writer = start({ fs, retryMs: 20 })
      appendAll(writer, entries)
      assert.equal(writer.flush(), false)
      broken = false
      await mended.promise
      writer.close()
      assert.deepEqual(inFiles(), { entries, states: ['torn', 'end'] })
      // One that is not ours any more may be somebody else's.
      assert.equal(closed, code === 'EIO' ? 2 : 1)
    })
  }

  const faults: [fault: Fault, sentence: string][] = [
    ['error', 'whichever call of the file system fails, every entry is written once in the end'],
    ['crash', 'whichever call is the last before a crash, what was flushed is there, once'],
  ]
  for (const [fault, sentence] of faults) {
    for (const sync of ['interval', 'always'] as const) {
      test(`${sentence}; sync ${sync}`, async () => {
        for (let at = 1; ; at += 1) {
          rmSync(folder, { recursive: true })
          mkdirSync(folder)
          mended = Promise.withResolvers()
          const point = new FaultPoint(at, fault)
          const writer = start({ fs: point.wrap<FileSystem>({ ...nodeFs }, writerCalls), sync, rotateBytes: 200 })
          const flushed: JournalEntry[] = []
          for (const entry of entries) {
            writer.append(entry)
            if (writer.flush()) flushed.push(entry)
            else if (fault === 'crash') break
            else {
              await mended.promise
              assert.equal(writer.flush(), true)
              flushed.push(entry)
            }
          }
          writer.close()
          const { entries: found, states } = inFiles()
          assert.deepEqual(found.slice(0, flushed.length), flushed, `call ${at}`)
          assert.ok(found.length <= flushed.length + 1)
          for (const state of states.slice(0, -1)) assert.equal(state, 'end')
          if (fault === 'error') assert.deepEqual(found, entries, `call ${at}`)
          if (!point.fired) return
        }
      })
    }
  }
})

suite('writer: on the disk', () => {
  /** A disk whose syncs end when the test says so. */
  function slowSyncs(): { fs: FileSystem; running: ((error: Error | null) => void)[]; started: () => Promise<void> } {
    const running: ((error: Error | null) => void)[] = []
    let next = Promise.withResolvers<void>()
    const fs: FileSystem = {
      ...nodeFs,
      fdatasync: (_, done) => {
        running.push(done)
        next.resolve()
      },
    }
    const started = async (): Promise<void> => {
      await next.promise
      next = Promise.withResolvers()
    }
    return { fs, running, started }
  }

  test('with sync always, everything is on the disk when flush returns true', () => {
    let synced = 0
    const fs: FileSystem = {
      ...nodeFs,
      fdatasyncSync: (fd) => {
        const { size } = nodeFs.fstatSync(fd)
        if (!nodeFs.fstatSync(fd).isDirectory()) synced = size
        nodeFs.fdatasyncSync(fd)
      },
    }
    const writer = start({ fs, sync: 'always' })
    for (const entry of entries) {
      writer.append(entry)
      assert.equal(writer.flush(), true)
      assert.equal(synced, statSync(join(folder, 'worker-0.5.0.journal')).size)
    }
  })

  test('with sync always, flush does not say that what cannot be brought to the disk is there', async () => {
    let broken = true
    const fs: FileSystem = {
      ...nodeFs,
      fdatasyncSync: () => {
        if (broken) throw systemError('EIO', 'fdatasync')
      },
    }
    const writer = start({ fs, sync: 'always' })
    appendAll(writer, entries)
    assert.equal(writer.flush(), false)
    assert.equal(writer.healthy, false)
    assert.equal(errors.length, 1)
    broken = false
    await mended.promise
    assert.equal(writer.flush(), true)
    assert.deepEqual(filled(), entries)
  })

  test('otherwise flush waits for no sync, and one sync never begins before the last has ended', async () => {
    const { fs, running, started } = slowSyncs()
    const writer = start({ fs, syncMs: 1, rotateBytes: 200 })
    for (const entry of entries) {
      writer.append(entry)
      assert.equal(writer.flush(), true)
    }
    // The folder and several files have to be brought to the disk.
    for (let syncs = 1; syncs <= 4; syncs += 1) {
      await started()
      assert.equal(running.length, syncs)
      writer.append({ type: 'intent', id: String(syncs) })
      assert.equal(writer.flush(), true)
      await passing(5)
      assert.equal(running.length, syncs, 'one runs already')
      running.at(-1)?.(null)
    }
    writer.close()
    assert.deepEqual(errors, [])
  })

  test('a file is not closed under a sync that still runs', async () => {
    const { fs, running, started } = slowSyncs()
    const closed: number[] = []
    const writer = start({ fs: { ...fs, closeSync: (fd) => (closed.push(fd), nodeFs.closeSync(fd)) }, syncMs: 1 })
    writer.append({ type: 'intent', id: 'a' })
    writer.flush()
    await started()
    running[0]?.(null)
    assert.equal(closed.length, 1, 'the folder')
    await started()
    writer.close()
    assert.equal(closed.length, 1)
    running[1]?.(null)
    assert.equal(closed.length, 2)
  })

  test('a sync that fails is told once, and tried again until it succeeds', async () => {
    const { fs, running, started } = slowSyncs()
    const writer = start({ fs, syncMs: 1 })
    appendAll(writer, entries)
    assert.equal(writer.flush(), true)
    for (let syncs = 1; syncs <= 3; syncs += 1) {
      await started()
      running.at(-1)?.(systemError('EIO', 'fdatasync'))
      assert.equal(writer.healthy, false)
    }
    assert.equal(errors.length, 1)
    for (const _ of ['the folder', 'the file']) {
      await started()
      running.at(-1)?.(null)
    }
    await mended.promise
    assert.equal(writer.healthy, true)
    assert.deepEqual(filled(), entries)
  })

  test('a descriptor that somebody else has closed is told, and another file is begun', async () => {
    const { fs, running, started } = slowSyncs()
    const writer = start({ fs, syncMs: 1 })
    writer.append({ type: 'intent', id: 'a' })
    writer.flush()
    await started()
    running.at(-1)?.(null)
    await started()
    running.at(-1)?.(systemError('EBADF', 'fdatasync'))
    assert.equal(errors.length, 1)
    await mended.promise
    writer.append({ type: 'intent', id: 'b' })
    assert.equal(writer.flush(), true)
    assert.equal(readdirSync(folder).length, 2)
    assert.deepEqual(
      filled().map(({ id }) => id),
      ['a', 'b'],
    )
  })
})
