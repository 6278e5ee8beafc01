import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fetchRaw } from '../support/client.ts'
import { startTestGateway } from '../support/gateway.ts'
import { ownTables } from './own-words.ts'

const gateway = await startTestGateway()
const { sandbox } = gateway
assert.ok(sandbox !== undefined)
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})

const doors = {
  anthropic: { path: '/v1/messages', model: 'claude-sonnet-5' },
  openai: { path: '/v1/chat/completions', model: 'gpt-4.1' },
}

for (const vendor of ['anthropic', 'openai'] as const) {
  const { path, model } = doors[vendor]
  for (const fault of Object.keys(ownTables[vendor])) {
    test(`${vendor}'s ${fault} comes to the byte as the vendor said it, but for the id`, async () => {
      const body = JSON.stringify({ model, max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] })
      const direct = await fetchRaw(sandbox.origin(vendor) + path, {
        headers: { authorization: 'Bearer any', 'anthropic-version': '2023-06-01', 'x-sandbox-fault': fault },
        body,
      })
      const passed = await fetchRaw(gateway.url + path, {
        headers: { 'x-api-key': gateway.key, 'x-keyrung-fault': fault },
        body,
      })
      assert.equal(passed.status, direct.status)
      const vendorsId = String(direct.headers['request-id'])
      const ownId = String(passed.headers['request-id'])
      assert.equal(passed.body.toString(), direct.body.toString().replace(vendorsId, ownId))
    })
  }
}
