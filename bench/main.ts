import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ladderName, measureLadder } from './ladder.ts'
import { ledgerName, measureLedger } from './ledger.ts'
import { measure, type Row } from './measure.ts'
import { measureMemory, memoryName } from './memory.ts'
import { endAll } from './processes.ts'
import { scenarios } from './scenarios.ts'
import { met, table } from './table.ts'
import { startTarget, startVendor, type Kind, type Target, type Vendor } from './targets.ts'

const usage = `Usage: npm run bench -- [--quick] [--json] [--only TEXT]

What the gateway costs, as multiples of a bare relay measured in the same run.
  --quick      a look of half a minute instead of a table to trust
  --json       JSON instead of a table
  --only TEXT  only the rows whose names hold TEXT
`

/** A full run and a quick look: the longest they may take but for their last rounds, and a look's part of the rounds. */
const fullMs = 150_000
const quickMs = 32_000
const quickShare = 0.3

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
})
if (options.help) process.stdout.write(usage)
else await run()

async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'keyrung-bench-'))
  let told = false
  const clear = async (): Promise<void> => {
    await endAll()
    rmSync(directory, { recursive: true, force: true })
  }
  const stop = (): void => {
    told = true
    void clear().then(() => process.exit(130))
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    const vendor = await startVendor()
    const targets: Target[] = []
    // The floor is worth its time in a full run only.
    for (const kind of options.quick ? (['relay', 'gateway'] as const) : (['relay', 'gateway', 'nginx'] as const)) {
      const target = await startTarget(kind, vendor.origin, directory)
      if (target === undefined) progress(`${kind} is not installed here: measured without it`)
      else targets.push(target)
    }
    print(await measureAll(targets, vendor, directory))
  } catch (error) {
    // Once told to stop, the children go, and what was waiting for them fails: that is no news.
    if (!told) throw error
  } finally {
    await clear()
  }
}

/** Every row that was asked for, each with an even part of the time that is left. */
async function measureAll(targets: Target[], vendor: Vendor, directory: string): Promise<Row[]> {
  const rows: Row[] = []
  const wanted = scenarios.filter((one) => one.name.includes(options.only))
  const share = options.quick ? quickShare : 1
  const endMs = Date.now() + (options.quick ? quickMs : fullMs)
  for (const [index, scenario] of wanted.entries()) {
    progress(scenario.name)
    const untilMs = Date.now() + (endMs - Date.now()) / (wanted.length + 1 - index)
    rows.push(await measure(scenario, targets, vendor, { share, untilMs }))
  }
  if (memoryName.includes(options.only)) {
    progress(memoryName)
    const kinds = targets.map((target): Kind => target.kind)
    rows.push(await measureMemory(kinds, vendor, directory, { share, untilMs: endMs }))
  }
  if (ladderName.includes(options.only)) {
    progress(ladderName)
    rows.push(measureLadder(directory, { share, untilMs: endMs }))
  }
  if (ledgerName.includes(options.only)) {
    progress(ledgerName)
    rows.push(...(await measureLedger(directory, { share, untilMs: endMs })))
  }
  return rows
}

function print(rows: readonly Row[]): void {
  const where = { node: process.version, platform: process.platform, cpu: cpus()[0]?.model, cores: cpus().length }
  if (options.json) {
    const all = rows.map((row) => ({ ...row, met: met(row) }))
    process.stdout.write(`${JSON.stringify({ ...where, quick: options.quick, rows: all }, undefined, 2)}\n`)
    return
  }
  process.stdout.write(
    `\nCPU of the process itself, per call or per event; ratio = gateway / relay, median of rounds.\n`,
  )
  process.stdout.write(`Node ${where.node}, ${where.cores} x ${where.cpu}\n\n${table(rows)}\n`)
}

function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`)
}
