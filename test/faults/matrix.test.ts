import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { faultList, findFault } from '../../src/sandbox/index.ts'
import { deadlinesOf, startTestGateway } from '../support/gateway.ts'
import { ask, type Way } from './ask.ts'
import { problemsOf, type Cell, type Receipt } from './check.ts'
import { places, rows, type Place } from './matrix.ts'
import { eachOf } from './each-of.ts'

const gateway = await startTestGateway({
  config: `${deadlinesOf(700)}sandbox: { paceMs: 3 }`,
})
const { sandbox } = gateway
assert.ok(sandbox !== undefined)

/** Every request that a vendor saw, by the mark in its prompt. */
const triesByMark = new Map<string, number>()
sandbox.events.on('request', ({ json }) => {
  const [mark = ''] = /mark-\d+/.exec(JSON.stringify(json)) ?? []
  triesByMark.set(mark, (triesByMark.get(mark) ?? 0) + 1)
})

const callsAtOnce = 16
const wanted = places().flatMap((place) => waysOf(place).map((way) => ({ place, way })))
const cells = await eachOf(wanted, callsAtOnce, async ({ place, way }, index): Promise<Cell> => {
  const mark = `mark-${100_000 + index}`
  const content = `[sandbox: 40 words] ${mark}`
  const headers = { 'x-keyrung-fault': place.fault }
  const seen = await ask(gateway, { ...place, way, content, headers })
  return { ...place, way, seen, tries: triesByMark.get(mark) ?? 0 }
})

const receipts = receiptsById()
const secrets = [gateway.key, new URL(sandbox.origin('x')).host]
const judged = cells.map((cell) => {
  const problems = problemsOf(cell, receipts.get(cell.seen.headers.get('request-id') ?? '') ?? [], secrets)
  return { cell, problems }
})
const failed = judged.filter(({ problems }) => problems.length > 0)
console.log(
  `faults, TypeScript: ${cells.length - failed.length} passed, ${failed.length} failed of ${cells.length} cells`,
)

after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})

test('every fault of the sandbox is in the matrix', () => {
  const covered = new Set(rows.map(({ fault }) => findFault(fault)?.fault.name))
  assert.deepEqual(
    faultList().filter(({ name }) => !covered.has(name)),
    [],
  )
})

test('streams that break after content have mostly begun by then', () => {
  const late = cells.filter(({ expected, way }) => expected.late && way === 'raw')
  const begun = late.filter(({ seen }) => seen.status === 200)
  assert.ok(begun.length > late.length * 0.75, `${begun.length} of ${late.length}`)
})

for (const { fault } of rows) {
  test(`${fault}: told truthfully by every vendor, in both dialects, whole and streamed`, () => {
    const wrong = failed.filter(({ cell }) => cell.fault === fault)
    assert.equal(
      wrong.length,
      0,
      `\n${wrong.map(({ cell, problems }) => `${nameOf(cell)}\n  ${problems.join('\n  ')}`).join('\n')}`,
    )
  })
}

function waysOf({ streamed }: Place): Way[] {
  return streamed ? ['raw', 'helper'] : ['whole']
}

function nameOf({ fault, model, dialect, way }: Cell): string {
  return `${fault} · ${model} · ${dialect} SDK · ${way}`
}

function receiptsById(): Map<string, Receipt[]> {
  gateway.flush()
  const found = new Map<string, Receipt[]>()
  for (const row of gateway.store.receipts(wanted.length * 2)) {
    const id = String(row['id'])
    const receipt = { ...row, tries: JSON.parse(String(row['tries'])) as Receipt['tries'] } as unknown as Receipt
    found.set(id, [...(found.get(id) ?? []), receipt])
  }
  return found
}
