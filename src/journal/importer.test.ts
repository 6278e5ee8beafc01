import assert from 'node:assert/strict'
import * as nodeFs from 'node:fs'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import type { FileSystem } from './file-system.ts'
import { Importer, type ImporterOptions, type Sink } from './importer.ts'
import { headerOf, type JournalEntry } from './record.ts'
import { entriesOf } from './support/entries.ts'
import { type Fault, FaultPoint, systemError } from './support/faults.ts'
import { TableSink } from './support/table-sink.ts'
import { JournalWriter } from './writer.ts'

/** What an importer calls that changes something, or that it goes by. */
const fileCalls = [
  'openSync',
  'readSync',
  'readdirSync',
  'renameSync',
  'unlinkSync',
] as const satisfies (keyof FileSystem)[]
const sinkCalls = ['offset', 'import', 'ended', 'sync', 'files', 'finished'] as const satisfies (keyof Sink)[]

let root: string
let folder: string
let sink: TableSink
let live: Set<string>
let errors: string[]
let mended: number
let writers: JournalWriter[]
let importers: Importer[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keyrung-journal-'))
  folder = join(root, 'journal')
  sink = new TableSink(join(root, 'sink.db'))
  live = new Set()
  errors = []
  mended = 0
  writers = []
  importers = []
})
afterEach(async () => {
  for (const writer of writers) writer.close()
  // One that goes on by itself would keep a test that fails from ending.
  for (const one of importers) await one.close()
  sink.close()
  rmSync(root, { recursive: true, force: true })
})

function importer(options: Partial<ImporterOptions> = {}): Importer {
  const one = new Importer({
    folder,
    sink,
    isLive: (writer) => live.has(writer),
    onError: ({ message }) => errors.push(message),
    onMended: () => (mended += 1),
    ...options,
  })
  importers.push(one)
  return one
}

/** A writer that runs, until it is ended. */
function run(name: string, rotateBytes = 1_000_000): JournalWriter {
  const fs: FileSystem = { ...nodeFs, fdatasyncSync: () => undefined }
  const writer = new JournalWriter({ folder, name, startedMs: 5, rotateBytes, onError: assert.fail, fs })
  writers.push(writer)
  live.add(writer.writer)
  return writer
}

function end(writer: JournalWriter): void {
  writer.close()
  live.delete(writer.writer)
}

function write(writer: JournalWriter, entries: readonly JournalEntry[]): void {
  for (const entry of entries) {
    writer.append(entry)
    writer.flush()
  }
}

function named(entries: readonly JournalEntry[]): string[] {
  return entries.map(({ type, id }) => `${type} ${id}`)
}

function files(): string[] {
  return existsSync(folder) ? readdirSync(folder).toSorted() : []
}

function runAll(one: Importer): void {
  for (let turns = 0; one.runOnce(); turns += 1) assert.ok(turns < 10_000)
}

suite('importer', () => {
  test('before anything is written there is nothing to do', () => {
    assert.equal(importer().runOnce(), false)
    assert.deepEqual(errors, [])
  })

  test('what a running writer has written is imported as it comes, once, and its file is kept', () => {
    const writer = run('a')
    const one = importer()
    const entries = entriesOf(6)
    for (const entry of entries) {
      write(writer, [entry])
      one.runOnce()
    }
    assert.deepEqual(sink.entries(), named(entries))
    assert.deepEqual(files(), ['a.5.0.journal'])
    assert.deepEqual(errors, [])
  })

  test('the file of a writer that runs no more is deleted when it is imported, and its offset forgotten', () => {
    const writer = run('a')
    write(writer, entriesOf(6))
    end(writer)
    assert.equal(importer().runOnce(), false)
    assert.deepEqual(sink.entries(), named(entriesOf(6)))
    assert.deepEqual(files(), [])
    assert.deepEqual(sink.files(), [])
  })

  test('of a running writer all files but the last are deleted', () => {
    const writer = run('a', 200)
    write(writer, entriesOf(6))
    const before = files()
    assert.ok(before.length > 2)
    runAll(importer())
    assert.deepEqual(sink.entries(), named(entriesOf(6)))
    assert.deepEqual(files(), before.slice(-1))
  })

  test('more than ten files are imported in the order in which they were written', () => {
    const writer = run('a', 1)
    write(writer, entriesOf(8))
    end(writer)
    assert.equal(files().length, 16)
    runAll(importer())
    assert.deepEqual(sink.entries(), named(entriesOf(8)))
  })

  test('a writer that was started again is another one: its earlier files are done with', () => {
    write(run('a'), entriesOf(2))
    live.clear()
    live.add('a.6')
    importer().runOnce()
    assert.deepEqual(files(), [])
  })

  test('what a writer began and did not end is interrupted when it runs no more, and not before', () => {
    const writer = run('a', 200)
    const one = importer()
    write(writer, [...entriesOf(3), { type: 'intent', id: 'open' }])
    runAll(one)
    assert.deepEqual(sink.entries(), [...named(entriesOf(3)), 'intent open'])
    end(writer)
    runAll(one)
    assert.deepEqual(sink.entries(), [...named(entriesOf(3)), 'intent open', 'interrupted open'])
  })

  test('an intent in one file and its receipt in the next are one call', () => {
    const writer = run('a', 1)
    write(writer, entriesOf(1))
    end(writer)
    runAll(importer({ entriesMax: 1 }))
    assert.deepEqual(sink.entries(), named(entriesOf(1)))
  })

  test('a turn takes no more entries than it may, and then serves the other writers first', () => {
    for (const name of ['a', 'b', 'c']) write(run(name), entriesOf(5, name))
    const one = importer({ entriesMax: 4 })
    const turns = [1, 2, 3].map(() => {
      assert.equal(one.runOnce(), true)
      return sink.entries().length
    })
    assert.deepEqual(turns, [4, 8, 12])
    assert.deepEqual(
      sink.entries().map((entry) => entry.split(' ')[1]?.charAt(0)),
      'aaaabbbbcccc'.split(''),
    )
    runAll(one)
    assert.equal(sink.entries().length, 30)
  })

  test('files of other kinds are left alone', () => {
    write(run('a'), entriesOf(1))
    live.clear()
    const others = ['a.5.0.journal.damaged', 'notes.txt', 'a.journal', 'a.5.0.journal~']
    for (const file of others) writeFileSync(join(folder, file), 'x')
    importer().runOnce()
    assert.deepEqual(files(), others.toSorted())
    assert.deepEqual(errors, [])
  })

  test('a file without a header is deleted without a word: its writer was stopped before it wrote anything', () => {
    write(run('a'), entriesOf(1))
    writeFileSync(join(folder, 'b.5.0.journal'), '')
    live.clear()
    importer().runOnce()
    assert.deepEqual(files(), [])
    assert.deepEqual(errors, [])
  })

  test('close imports everything, and start does so by itself', async () => {
    const writer = run('a')
    const done = Promise.withResolvers<void>()
    const told: Sink = {
      offset: (file) => sink.offset(file),
      import: (batch) => {
        sink.import(batch)
        done.resolve()
      },
      ended: (name) => sink.ended(name),
      sync: () => sink.sync(),
      files: () => sink.files(),
      finished: (file) => sink.finished(file),
    }
    const one = importer({ sink: told, entriesMax: 3 })
    one.start()
    write(writer, entriesOf(2))
    await done.promise
    write(writer, entriesOf(20, 'later'))
    end(writer)
    await one.close()
    assert.deepEqual(sink.entries(), named([...entriesOf(2), ...entriesOf(20, 'later')]))
    assert.deepEqual(files(), [])
  })

  test('drain settles one writer that has died, and leaves the others for their turn', () => {
    const [dead, other] = [run('a', 200), run('b')]
    write(dead, [...entriesOf(4, 'a'), { type: 'intent', id: 'open' }])
    write(other, entriesOf(2, 'b'))
    end(dead)
    assert.equal(importer({ entriesMax: 2 }).drain('a.5'), true)
    assert.deepEqual(sink.entries(), [...named(entriesOf(4, 'a')), 'intent open', 'interrupted open'])
    assert.deepEqual(files(), ['b.5.0.journal'])
    assert.equal(importer().drain('never.1'), true)
  })
})

suite('importer: files that cannot be read', () => {
  const file = 'a.5.0.journal'

  /** Three calls, of whose file the end is spoiled. */
  function spoiled(spoil: (path: string) => void, stillRuns = false): Importer {
    write(run('a'), entriesOf(3))
    if (!stillRuns) live.clear()
    spoil(join(folder, file))
    const one = importer()
    one.runOnce()
    one.runOnce()
    return one
  }

  test('half an entry at the end is told once and left out', () => {
    spoiled((path) => truncateSync(path, nodeFs.statSync(path).size - 1))
    assert.deepEqual(sink.entries(), [...named(entriesOf(3)).slice(0, -1), 'interrupted req_2'])
    assert.deepEqual(files(), [])
    assert.equal(errors.length, 1)
    assert.match(errors[0] ?? '', /a\.5\.0\.journal: its last \d+ bytes are not a whole entry and are left out/)
  })

  test('half an entry of a running writer may be one that it is writing: nothing is said', () => {
    spoiled((path) => truncateSync(path, nodeFs.statSync(path).size - 1), true)
    assert.deepEqual(errors, [])
    assert.deepEqual(files(), [file])
  })

  function damage(path: string): void {
    const bytes = nodeFs.readFileSync(path)
    bytes[bytes.lastIndexOf('intent') + 1] = 0
    writeFileSync(path, bytes)
  }

  test('damage is told once with its place and size, and the file is put aside', () => {
    spoiled(damage)
    assert.deepEqual(sink.entries(), named(entriesOf(2)))
    assert.deepEqual(files(), [`${file}.damaged`])
    assert.deepEqual(sink.files(), [])
    assert.equal(errors.length, 1)
    assert.match(
      errors[0] ?? '',
      /a\.5\.0\.journal: 1\d\d bytes from 2\d\d on cannot be read.* kept as a\.5\.0\.journal\.damaged\./,
    )
  })

  test('damage in the file of a running writer is told at once, and the file put aside when it ends', () => {
    const one = spoiled(damage, true)
    assert.equal(errors.length, 1)
    assert.deepEqual(files(), [file])
    live.clear()
    one.runOnce()
    assert.deepEqual(files(), [`${file}.damaged`])
    assert.equal(errors.length, 1)
  })

  test('a file of a newer version is told once and stays', () => {
    spoiled((path) => writeFileSync(path, headerOf(2)))
    assert.deepEqual(files(), [file])
    assert.equal(errors.length, 1)
    assert.match(errors[0] ?? '', /written by a newer Keyrung/)
  })

  test('one that the system does not let be read holds up no other writer, and is told once and taken later', () => {
    write(run('a'), entriesOf(2, 'a'))
    write(run('b'), entriesOf(2, 'b'))
    live.clear()
    let denied = true
    const fs: FileSystem = {
      ...nodeFs,
      openSync: (path, ...rest) => {
        if (denied && path.endsWith(file)) throw systemError('EACCES', 'open')
        return nodeFs.openSync(path, ...rest)
      },
    }
    const one = importer({ fs })
    one.runOnce()
    one.runOnce()
    assert.deepEqual(sink.entries(), named(entriesOf(2, 'b')))
    assert.deepEqual([errors.length, one.healthy, mended], [1, false, 0])
    denied = false
    one.runOnce()
    assert.deepEqual(sink.entries(), named([...entriesOf(2, 'b'), ...entriesOf(2, 'a')]))
    assert.deepEqual([errors.length, one.healthy, mended], [1, true, 1])
  })

  test('one that somebody deletes meanwhile is forgotten', () => {
    write(run('a'), entriesOf(2))
    const fs: FileSystem = {
      ...nodeFs,
      openSync: () => {
        throw systemError('EACCES', 'open')
      },
    }
    const one = importer({ fs })
    one.runOnce()
    assert.equal(one.healthy, false)
    rmSync(join(folder, file))
    one.runOnce()
    assert.equal(one.healthy, true)
  })
})

suite('importer: faults', () => {
  /** As `sink`, but these calls fail. */
  function failing(names: readonly (keyof Sink)[]): { broken: boolean; sink: Sink } {
    const state = { broken: true, sink: sink as Sink }
    state.sink = new Proxy<Sink>(sink, {
      get: (_, name) => {
        const value = Reflect.get(sink, name, sink) as (given: unknown) => unknown
        return (given: unknown) => {
          if (state.broken && names.includes(name as keyof Sink)) throw new Error('database is locked')
          return value.call(sink, given)
        }
      },
    })
    return state
  }

  test('a database that cannot be written to is told once, and everything is imported when it can be', () => {
    write(run('a'), entriesOf(4))
    live.clear()
    const state = failing(['import'])
    const one = importer({ sink: state.sink })
    for (let turns = 0; turns < 3; turns += 1) assert.equal(one.runOnce(), false)
    assert.deepEqual(errors, ['database is locked'])
    assert.deepEqual([one.healthy, files().length], [false, 1])
    state.broken = false
    runAll(one)
    assert.deepEqual(sink.entries(), named(entriesOf(4)))
    assert.deepEqual([one.healthy, mended, files().length], [true, 1, 0])
  })

  test('close ends while the database cannot be written to, and the next start imports everything', async () => {
    write(run('a'), entriesOf(4))
    live.clear()
    await importer({ sink: failing(['import']).sink }).close()
    assert.equal(files().length, 1)
    await importer().close()
    assert.deepEqual(sink.entries(), named(entriesOf(4)))
  })

  test('a file stays until what was imported of it is on the disk', () => {
    write(run('a'), entriesOf(4))
    live.clear()
    const state = failing(['sync'])
    const one = importer({ sink: state.sink })
    assert.equal(one.drain('a.5'), false)
    one.runOnce()
    assert.deepEqual([sink.entries(), files().length], [named(entriesOf(4)), 1])
    state.broken = false
    one.runOnce()
    assert.deepEqual([sink.entries(), files().length], [named(entriesOf(4)), 0])
  })

  test('an offset whose file is gone is forgotten at the start', () => {
    write(run('a'), entriesOf(1))
    importer().runOnce()
    assert.equal(sink.files().length, 1)
    rmSync(folder, { recursive: true })
    importer().runOnce()
    assert.deepEqual(sink.files(), [])
  })

  /** What is on the disk before each fault: rotated files, an open call, half an entry, damage, and a writer that still runs. */
  function everything(): string[] {
    write(run('a', 150), [...entriesOf(2, 'a'), { type: 'intent', id: 'open' }])
    for (const name of ['b', 'c', 'd']) write(run(name), entriesOf(2, name))
    appendFileSync(join(folder, 'b.5.0.journal'), 'half')
    appendFileSync(join(folder, 'c.5.0.journal'), Buffer.alloc(100_000, 1))
    for (const name of ['a.5', 'b.5', 'c.5']) live.delete(name)
    const all = ['a', 'b', 'c', 'd'].flatMap((name) => named(entriesOf(2, name)))
    return [...all, 'intent open', 'interrupted open'].toSorted()
  }

  const faults: [fault: Fault, sentence: string][] = [
    ['crash', 'a crash between any two steps: after the next start every entry is in the database once'],
    ['error', 'an error at any step: the same importer brings every entry into the database once'],
  ]
  for (const [fault, sentence] of faults) {
    test(sentence, () => {
      for (let at = 1; ; at += 1) {
        rmSync(root, { recursive: true, force: true })
        nodeFs.mkdirSync(root)
        sink.close()
        sink = new TableSink(join(root, 'sink.db'))
        live.clear()
        const expected = everything()
        const point = new FaultPoint(at, fault)
        const first = importer({
          sink: point.wrap<Sink>(sink, sinkCalls),
          fs: point.wrap<FileSystem>({ ...nodeFs }, fileCalls),
          entriesMax: 3,
        })
        for (let turns = 0; turns < 30; turns += 1) first.runOnce()
        const whole = !point.fired
        if (fault === 'crash') {
          sink.close()
          sink = new TableSink(join(root, 'sink.db'))
          runAll(importer({ entriesMax: 3 }))
        }
        assert.deepEqual(sink.entries().toSorted(), expected, `step ${at}`)
        assert.deepEqual(files(), ['c.5.0.journal.damaged', 'd.5.0.journal'], `step ${at}`)
        assert.deepEqual(sink.files(), ['d.5.0.journal'], `step ${at}`)
        for (const writer of writers.splice(0)) writer.close()
        if (whole) return
      }
    })
  }
})
