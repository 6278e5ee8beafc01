import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isObject, textOf } from '../../src/core/json.ts'
import { models } from '../../src/vendors/index.ts'
import { runPython, setUpPython } from '../python/support.ts'
import { startTestGateway } from '../support/gateway.ts'
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
    const matrix = { lines, png: png.base64, reportSchema, text, weatherSchema, modelCount: models.length }
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
    assert.deepEqual(gateway.faults, [])
  } finally {
    await gateway.close()
  }
})
