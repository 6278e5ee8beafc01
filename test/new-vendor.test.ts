import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { configSchema } from '../src/control/config.ts'
import { found } from '../src/cli/settings.ts'
import { publish } from '../src/control/publish.ts'
import type { Billed } from '../src/core/receipt.ts'
import type { Vendor } from '../src/core/vendor.ts'
import { dialects } from '../src/dialects/index.ts'
import { models, vendors } from '../src/vendors/index.ts'
import { bareGateway, byDigest, callerOf, unlimited } from './support/bare.ts'
import { fetchRaw } from './support/client.ts'
import { startScriptedVendor } from './support/vendor.ts'

/** The one file that a vendor of a known dialect costs. */
const newcomer: Vendor = {
  name: 'newcomer',
  title: 'Newcomer',
  origin: 'https://api.newcomer.example',
  keyNames: ['NEWCOMER_API_KEY'],
  models: /^newcomer-/,
  speaks: { 'openai-chat': '/v2' },
  choose: () => 'openai-chat',
  authorize: (secret) => ({ authorization: `Bearer ${secret}` }),
}

test('a vendor that speaks a known dialect is one file and one line', async () => {
  const server = await startScriptedVendor((response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model: 'newcomer-large',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'Hello from afar', refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
      }),
    ),
  )
  const receipts: Billed[] = []
  const list = [...vendors, newcomer] // the one line
  const digest = (key: string): Buffer => Buffer.from(key.padEnd(32))
  const snapshot = publish({
    config: configSchema(list.map((vendor) => vendor.name)).parse({}),
    callers: new Map(),
    declared: byDigest(callerOf('me', digest('my-key'))),
    plans: [unlimited],
    digest,
    vendors: list,
    models,
    dialects,
    shippedLadders: [],
    file: 'keyrung.yaml',
    credentials: new Map([['newcomer', [found('their-secret', 'test')]]]),
    origins: new Map([['newcomer', server.origin]]),
    sandboxOrigin: undefined,
  })
  const gateway = bareGateway({
    snapshot: () => snapshot,
    receipts,
    log: { fault: (_id, cause) => assert.fail(String(cause)), vendor: () => {} },
  })
  gateway.server.listen(0, '127.0.0.1')
  await once(gateway.server, 'listening')
  const url = `http://127.0.0.1:${(gateway.server.address() as AddressInfo).port}`

  const answer = await fetchRaw(`${url}/v1/messages`, {
    headers: { 'x-api-key': 'my-key' },
    body: JSON.stringify({ model: 'newcomer-large', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.json().content, [{ type: 'text', text: 'Hello from afar', citations: null }])
  assert.equal(server.requests[0]?.path, '/v2/chat/completions')
  assert.equal(server.requests[0]?.headers.authorization, 'Bearer their-secret')
  assert.deepEqual([receipts[0]?.vendor, receipts[0]?.usage.input, receipts[0]?.usage.output], ['newcomer', 5, 3])
  await gateway.close(0)
  await server.close()
})
