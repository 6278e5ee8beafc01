import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { promisify } from 'node:util'
import { startSandbox, type SeenRequest } from '../index.ts'
import { call, doors, type Door } from './testing.ts'

const [door] = doors as [Door]
const silent = ['silent', 'stall-after-2', 'stall-before', 'slow-600000']

suite('nothing is left behind', () => {
  for (const fault of silent) {
    test(`${fault}: a client that leaves is noticed at once`, async () => {
      const sandbox = await startSandbox()
      const aborted = once(sandbox.events, 'aborted')
      await call(sandbox, door, { streamed: true, fault })
      const [seen] = (await aborted) as [SeenRequest]
      assert.ok(seen.aborted && !seen.cut)
      await sandbox.close()
    })
  }

  test('a sandbox that closes ends what is silent, and its process with it: no timer is held', async () => {
    const program = `
      import { once } from 'node:events'
      import { request } from 'node:http'
      import { startSandbox } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}
      const sandbox = await startSandbox()
      for (const fault of ${JSON.stringify(silent)}) {
        const taken = once(sandbox.events, 'request')
        const headers = { 'x-api-key': 'sandbox', 'anthropic-version': '2023-06-01', 'x-sandbox-fault': fault }
        const url = sandbox.origin('anthropic') + ${JSON.stringify(door.path(true))}
        const outgoing = request(url, { method: 'POST', headers, agent: false })
        outgoing.on('response', (incoming) => incoming.on('error', () => {}).resume()).on('error', () => {})
        outgoing.end(${JSON.stringify(JSON.stringify(door.body(true)))})
        await taken
      }
      await sandbox.close()
      process.stdout.write('closed')`
    const options = { timeout: 20_000 }
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], options)
    assert.equal(stdout, 'closed')
  })

  for (const fault of ['reset', 'close', 'cut-after-2', 'reset-after-2']) {
    test(`${fault}: a cut is not taken for a client that left`, async () => {
      const sandbox = await startSandbox()
      const ended = once(sandbox.events, 'ended')
      await call(sandbox, door, { streamed: true, fault })
      const [seen] = (await ended) as [SeenRequest]
      assert.ok(seen.cut && !seen.aborted)
      await sandbox.close()
    })
  }

  test('a call that a fault refuses is billed nothing: its prefix is not cached', async () => {
    const sandbox = await startSandbox()
    const system = [{ type: 'text', text: 'Be kind. '.repeat(40), cache_control: { type: 'ephemeral' } }]
    const marked = { ...door, body: () => ({ ...door.body(false), system }) }
    await call(sandbox, marked, { fault: '529' })
    const { text } = await call(sandbox, marked, {})
    assert.match(text, /"cache_read_input_tokens":0/)
    await sandbox.close()
  })
})
