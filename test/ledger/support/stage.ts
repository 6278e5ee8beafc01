import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyInput } from '../../../src/control/service.ts'
import { readFrom } from '../../../src/journal/reader.ts'
import type { JournalEntry } from '../../../src/journal/record.ts'
import { startTestGateway, type TestGateway } from '../../support/gateway.ts'
import { startVendor, type Vendor } from '../../ladder/support/vendor.ts'
import { well } from '../../ladder/support/ways.ts'

/** A gateway before a vendor of our own, which is Anthropic and OpenAI and answers well until a test says otherwise. */
export interface Stage {
  gateway: TestGateway
  url: string
  vendor: Vendor
  /** Its data. */
  folder: string
  /** A new key; its secret and its id. */
  key(input?: Partial<KeyInput>): { secret: string; id: string }
  /** Ends all of it. The gateway must have met no bug of its own. */
  close(): Promise<void>
}

type Setting = NonNullable<Parameters<typeof startTestGateway>[0]>

const actor = { type: 'program', id: 'test' } as const

/** Sets it up; with worker threads, unless told otherwise. */
export async function stage({ workers = 2, ...setting }: Setting = {}): Promise<Stage> {
  const folder = setting.folder ?? mkdtempSync(join(tmpdir(), 'keyrung-ledger-'))
  const vendor = await startVendor(well)
  const gateway = await startTestGateway({
    secrets: { anthropic: 'sk-of-the-vendor', openai: 'sk-of-the-vendor' },
    origins: { anthropic: vendor.origin, openai: vendor.origin },
    ...setting,
    workers,
    folder,
  })
  return {
    gateway,
    url: gateway.url,
    vendor,
    folder,
    key(input = {}) {
      const { key, secret } = gateway.control.keys.create({ name: 'test', ...input }, actor)
      return { secret, id: key.id }
    },
    async close() {
      await gateway.close()
      await vendor.close()
      if (setting.folder === undefined) rmSync(folder, { recursive: true, force: true })
      assert.deepEqual(gateway.faults, [])
    },
  }
}

/** Who changes things here. */
export const by = actor

/** What stands in the journals at this moment, and which writer wrote it; those of writers that still run are never deleted. */
export function journals(folder: string): { writer: string; entry: JournalEntry }[] {
  return readdirSync(join(folder, 'journal'))
    .filter((file) => file.endsWith('.journal'))
    .flatMap((file) => {
      const [writer = ''] = file.split('.', 1)
      return entriesOf(join(folder, 'journal', file)).map((entry) => ({ writer, entry }))
    })
}

function entriesOf(path: string): JournalEntry[] {
  const entries: JournalEntry[] = []
  let offset = 0
  for (;;) {
    const reading = readFrom(path, offset)
    entries.push(...reading.entries)
    offset = reading.nextOffset
    if (reading.state !== 'more') return entries
  }
}

/** The workers that have had calls of this key. */
export function workersOf(folder: string, keyId: string): Set<string> {
  const own = journals(folder).filter(({ entry }) => entry.key === keyId || entry.keyId === keyId)
  return new Set(own.map(({ writer }) => writer))
}

const dayMs = 86_400_000
/** How long the tests of days take at most. */
const neededMs = 60_000

/** Waits for the next day where this one is nearly over: what is counted by days would begin anew in the midst of a test. */
export async function awayFromMidnight(): Promise<void> {
  const leftMs = dayMs - (Date.now() % dayMs)
  if (leftMs < neededMs) await new Promise((resolve) => setTimeout(resolve, leftMs + 1))
}
