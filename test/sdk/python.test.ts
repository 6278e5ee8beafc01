import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isObject, textOf } from '../../src/core/json.ts'
import { models, shippedLadders } from '../../src/vendors/index.ts'
import { runPython, setUpPython } from '../python/support.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { blocksIn, cheatSheet } from '../support/pages.ts'
import { lines, png, reportSchema, text, weatherSchema } from './matrix.ts'

test('the official Python SDKs', async (context) => {
  const setup = await setUpPython()
  if (setup.type === 'missing') {
    assert.ok(process.env['CI'] !== 'true', `the Python SDKs cannot be tested: ${setup.reason}`)
    console.error(`\n!! SKIPPED: the tests with the official Python SDKs, because ${setup.reason}.\n`)
    context.skip(setup.reason)
    return
  }
  const gateway = await startTestGateway()
  try {
    const matrix = {
      lines,
      png: png.base64,
      reportSchema,
      text,
      weatherSchema,
      modelCount: models.length + shippedLadders.length,
    }
    const results = await runPython(setup.python, 'matrix.py', {
      KEYRUNG_URL: gateway.url,
      KEYRUNG_KEY: gateway.key,
      KEYRUNG_MATRIX: JSON.stringify(matrix),
    })
    assert.ok(results.length > 300, `only ${results.length} cases were run`)
    for (const result of results) {
      assert.ok(isObject(result) && typeof result['name'] === 'string')
      const { name, ok, error, trace } = result
      await context.test(name, () => assert.ok(ok === true, `${textOf(error)}\n${textOf(trace)}`))
    }
    await context.test('the pages', (pages) => checkPages(pages, setup.python, gateway))
    assert.deepEqual(gateway.faults, [])
  } finally {
    await gateway.close()
  }
})

/** The README's Python and that of the pages on errors, run as it stands, and the classes that the cheat sheet names. */
async function checkPages(context: TestContext, python: string, gateway: TestGateway): Promise<void> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const files = ['README.md', ...globSync('docs/errors/*.md', { cwd: root })]
  const blocks = files.flatMap((file) => blocksIn(file, 'python'))
  const classes = cheatSheet()
  const results = await runPython(python, 'pages.py', {
    KEYRUNG_URL: gateway.url,
    KEYRUNG_KEY: gateway.key,
    KEYRUNG_BLOCKS: JSON.stringify(blocks),
    KEYRUNG_CLASSES: JSON.stringify(classes),
  })
  assert.equal(results.length, blocks.length + classes.length)
  for (const [index, result] of results.entries()) {
    assert.ok(isObject(result) && typeof result['name'] === 'string' && typeof result['output'] === 'string')
    const { name, ok, error, trace, output } = result
    await context.test(name, () => {
      assert.ok(ok === true, `${textOf(error)}\n${textOf(trace)}`)
      assert.ok(!output.includes(gateway.key), 'the key is never shown')
      if (name.startsWith('runs README.md')) assert.match(output, /You said: /)
      if (blocks[index]?.code.includes('no-such-model') === true) {
        assert.match(output, /^404 (not_found_error|invalid_request_error model_not_found model) req_\w+$/m)
        assert.match(output, /^x-keyrung-failure: model-unknown$/m)
      }
    })
  }
}
