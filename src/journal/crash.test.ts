import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, afterEach, before, beforeEach, suite, test } from 'node:test'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { systemCode } from './file-system.ts'
import { Importer } from './importer.ts'
import { entriesOf, readAll } from './support/entries.ts'
import { TableSink } from './support/table-sink.ts'
import { JournalWriter, type JournalWriterOptions } from './writer.ts'

/** This file is also the process that is killed, and the worker that writes beside others. */
const [, , role, folderGiven = '', startedMsGiven = '', callsGiven = '0'] = process.argv
if (role === 'writes-until-killed') writeUntilKilled()
else if (!isMainThread) writeAsWorker(workerData as { folder: string; name: string; calls: number })
else tests()

/** Says the id of an entry only when it is flushed, several to a flush, as calls that end in the same turn. */
function writeUntilKilled(): void {
  const writer = new JournalWriter({
    folder: folderGiven,
    name: 'worker',
    startedMs: Number(startedMsGiven),
    rotateBytes: 20_000,
    onError: (error) => {
      throw error
    },
  })
  for (let calls = 0; calls < Number(callsGiven); calls += 1) {
    const id = `req_${startedMsGiven}_${calls}`
    writer.append({ type: 'intent', id })
    if (calls % 3 !== 0) writer.append({ type: 'receipt', id, text: 'x'.repeat(calls % 997) })
    if (calls % 2 !== 0) continue
    writer.flush()
    say(`${id};\n`)
  }
}

/** To the parent, which reads more slowly than this writes: waits while the pipe is full. */
function say(text: string): void {
  const bytes = Buffer.from(text)
  let said = 0
  while (said < bytes.length) {
    try {
      said += writeSync(1, bytes, said)
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

/** Some entries a turn, flushed by the end of the turn. */
function writeAsWorker({ folder, name, calls }: { folder: string; name: string; calls: number }): void {
  const options = { folder, name, startedMs: 1, rotateBytes: 20_000, syncMs: 1 }
  const writer = new JournalWriter({
    ...options,
    onError: (error) => {
      throw error
    },
  })
  const entries = entriesOf(calls, name)
  const some = (): void => {
    for (const entry of entries.splice(0, 7)) writer.append(entry)
    if (entries.length > 0) setImmediate(some)
    else writer.close()
  }
  some()
}

function tests(): void {
  suite('a crash', () => {
    let root: string
    let folder: string
    let sink: TableSink
    const live = new Set<string>()
    let importer: Importer
    let errors: string[]
    beforeEach(() => {
      errors = []
      root = mkdtempSync(join(tmpdir(), 'keyrung-journal-'))
      folder = join(root, 'journal')
      sink = new TableSink(join(root, 'sink.db'))
      live.clear()
      importer = new Importer({
        folder,
        sink,
        isLive: (writer) => live.has(writer),
        onError: ({ message }) => errors.push(message),
      })
    })
    afterEach(async () => {
      await importer.close()
      sink.close()
      rmSync(root, { recursive: true, force: true })
    })

    test('kill -9 at any moment: what was flushed is imported once, and what was open is interrupted', async () => {
      const acknowledged = new Set<string>()
      for (let kills = 1; kills <= 20; kills += 1) {
        live.add(`worker.${kills}`)
        await killAfter(randomInt(1500), kills, (id) => {
          acknowledged.add(id)
          if (acknowledged.size % 100 === 0) importer.runOnce()
        })
        live.delete(`worker.${kills}`)
        if (kills % 5 === 0) assert.equal(importer.drain(`worker.${kills}`), true)
      }
      await importer.close()
      // A kill can cut the last entry, and nothing else.
      for (const message of errors) assert.match(message, /not a whole entry/)
      const entries = sink.entries()
      assert.equal(new Set(entries).size, entries.length, 'nothing twice')
      const found = new Set(entries)
      for (const id of acknowledged) assert.ok(found.has(`intent ${id}`), `${id} is missing`)
      for (const entry of entries.filter((one) => one.startsWith('intent'))) {
        const id = entry.slice('intent '.length)
        assert.notEqual(found.has(`receipt ${id}`), found.has(`interrupted ${id}`), `${id} has one end`)
      }
      assert.deepEqual(readdirSync(folder), [])
      assert.deepEqual(sink.files(), [])
    })

    /** Starts the process, hears what it acknowledges, and kills it after so many. */
    async function killAfter(count: number, startedMs: number, heard: (id: string) => void): Promise<void> {
      const given = [import.meta.filename, 'writes-until-killed', folder, String(startedMs), '100000']
      const child = spawn(process.execPath, given, { stdio: ['ignore', 'pipe', 'inherit'] })
      const exited = once(child, 'exit')
      let lines = 0
      try {
        for await (const line of createInterface({ input: child.stdout })) {
          lines += 1
          if (lines > count) child.kill('SIGKILL')
          // A line that the kill has cut short acknowledges nothing.
          if (line.endsWith(';')) heard(line.slice(0, -1))
        }
      } finally {
        child.kill('SIGKILL')
      }
      const [, signal] = (await exited) as [number | null, string | null]
      assert.equal(signal, 'SIGKILL', 'it was killed while it wrote')
    }

    test('many writers beside one importer: every entry is imported once', async () => {
      const names = ['worker-0', 'worker-1', 'worker-2', 'worker-3']
      const calls = 1000
      const ended = names.map(async (name) => {
        live.add(`${name}.1`)
        await once(new Worker(new URL(import.meta.url), { workerData: { folder, name, calls } }), 'exit')
        live.delete(`${name}.1`)
      })
      importer.start()
      await Promise.all(ended)
      await importer.close()
      assert.deepEqual(errors, [])
      const expected = names.flatMap((name) => entriesOf(calls, name)).map(({ type, id }) => `${type} ${id}`)
      assert.deepEqual(sink.entries().toSorted(), expected.toSorted())
      assert.deepEqual(readdirSync(folder), [])
    })
  })

  const disk = mkdtempSync(join(tmpdir(), 'keyrung-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]).status === 0
  suite('a disk that is really full', { skip: mounted ? false : 'a small disk cannot be mounted here' }, () => {
    let writer: JournalWriter | undefined
    before(() => mkdirSync(join(disk, 'journal')))
    after(() => {
      writer?.close()
      spawnSync('umount', ['-l', disk])
      rmSync(disk, { recursive: true, force: true })
    })

    test('entries wait for space, and are written once there is some', async () => {
      const mended = Promise.withResolvers<void>()
      const errors: string[] = []
      const options: JournalWriterOptions = {
        folder: join(disk, 'journal'),
        name: 'worker',
        startedMs: 1,
        retryMs: 1,
        onError: ({ message }) => errors.push(message),
        onMended: () => mended.resolve(),
      }
      writer = new JournalWriter(options)
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(100_000))
      // They need 200 KB; 156 are free at first, then all 256.
      const entries = Array.from({ length: 2000 }, (_, id) => ({ type: 'intent', id: String(id).padStart(63) }))
      for (const entry of entries) writer.append(entry)
      assert.equal(writer.flush(), false)
      assert.match(errors.join(), /^ENOSPC/)
      const file = join(disk, 'journal', 'worker.1.0.journal')
      assert.equal(readAll(file).state, 'end')
      rmSync(join(disk, 'ballast'))
      await mended.promise
      writer.close()
      const { state, entries: found } = readAll(file)
      assert.deepEqual([state, found, errors.length], ['end', entries, 1])
    })
  })
  if (!mounted) rmSync(disk, { recursive: true })
}
