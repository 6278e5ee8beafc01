import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runPython, setUpPython } from '../python/support.ts'
import { deadlinesOf, startTestGateway } from '../support/gateway.ts'
import { cheatSheet } from '../support/pages.ts'
import { answerText } from './check.ts'
import { places, rows, wordsOf, type Place } from './matrix.ts'

const sheet = new Map(cheatSheet().map((line) => [line.status, line]))

test('every fault with the official Python SDKs', async (context) => {
  const setup = await setUpPython()
  if (setup.type === 'missing') {
    assert.ok(process.env['CI'] !== 'true', `the Python SDKs cannot be tested: ${setup.reason}`)
    console.error(`\n!! SKIPPED: the faults with the official Python SDKs, because ${setup.reason}.\n`)
    context.skip(setup.reason)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'keyrung-faults-'))
  const gateway = await startTestGateway({
    config: `${deadlinesOf(700)}sandbox: { paceMs: 3 }`,
  })
  try {
    const cells = places().flatMap(cellsOf)
    const file = join(folder, 'cells.json')
    writeFileSync(file, JSON.stringify(cells))
    const results = (await runPython(setup.python, '../faults/matrix.py', {
      KEYRUNG_URL: gateway.url,
      KEYRUNG_KEY: gateway.key,
      KEYRUNG_CELLS: file,
    })) as { name: string; problems: string[] }[]
    assert.equal(results.length, cells.length)
    const failed = results.filter(({ problems }) => problems.length > 0)
    console.log(
      `faults, Python: ${results.length - failed.length} passed, ${failed.length} failed of ${results.length} cells`,
    )
    for (const { fault } of rows) {
      await context.test(fault, () => {
        const wrong = failed.filter(({ name }) => name.startsWith(`${fault} · `))
        assert.equal(
          wrong.length,
          0,
          `\n${wrong.map(({ name, problems }) => `${name}\n  ${problems.join('\n  ')}`).join('\n')}`,
        )
      })
    }
    assert.deepEqual(gateway.faults, [])
  } finally {
    await gateway.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

/** The cells of a place as the script takes them: one for each way of asking. */
function cellsOf(place: Place): object[] {
  const { fault, model, dialect, streamed } = place
  return (streamed ? ['raw', 'helper'] : ['whole']).map((way) => ({
    name: `${fault} · ${model} · ${dialect} SDK · ${way}`,
    fault,
    model,
    dialect,
    way,
    content: '[sandbox: 40 words]',
    expected: expectedOf(place),
  }))
}

function expectedOf({ expected, dialect }: Place): object {
  const anthropic = dialect === 'anthropic'
  if (expected.kind === 'ok') {
    const reasons = anthropic ? ['end_turn', 'refusal'] : ['stop', 'content_filter']
    return {
      ok: true,
      reason: reasons[expected.refusal === true ? 1 : 0],
      text: expected.refusal === true ? null : answerText,
    }
  }
  const { own: _, ...kindAlone } = expected
  const failed = { ...expected, kind: expected.kind }
  const { type, code } = wordsOf(failed, dialect)
  const status = wordsOf(expected.late ? { ...kindAlone, kind: expected.kind } : failed, dialect)
  const line = sheet.get(status.status)
  return {
    ok: false,
    late: expected.late,
    wholeText: answerText,
    status: { ...told(status, anthropic), class: anthropic ? line?.anthropicPython : line?.openaiPython },
    event: {
      ...told({ type, code }, anthropic),
      class: anthropic ? 'APIStatusError' : 'APIError',
      status: anthropic ? 200 : null,
    },
  }
}

/** Python's SDK of OpenAI makes a text of every code. */
function told<Words extends { code: string | number | null }>(words: Words, anthropic: boolean): object {
  return anthropic || words.code === null ? words : { ...words, code: String(words.code) }
}
