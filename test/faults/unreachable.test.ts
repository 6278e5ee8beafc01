import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { receiptOf } from '../sdk/calls.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { ask, type Way } from './ask.ts'
import { kinds } from './kinds.ts'
import { models } from './matrix.ts'

const vendors = [...new Set(models.map(({ vendor }) => vendor))]
const secret = 'vendor-secret-0123456789'
const ways: readonly Way[] = ['whole', 'raw', 'helper']

/** All vendors live, at an origin where nobody is. */
async function gatewayTo(origin: string): Promise<TestGateway> {
  return startTestGateway({
    config:
      'sandbox: { enabled: false }\ndeadlines: { connectMs: 700 }\ncooldown: { enabled: false }\nbreaker: { enabled: false }',
    secrets: Object.fromEntries(vendors.map((vendor) => [vendor, secret])),
    origins: Object.fromEntries(vendors.map((vendor) => [vendor, origin])),
  })
}

/** A port that was free a moment ago. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const port = await deadPort()
const cases = [
  { name: 'a refused connection', gateway: await gatewayTo(`http://127.0.0.1:${port}`), says: /ECONNREFUSED/ },
  {
    name: 'a name that DNS does not know',
    gateway: await gatewayTo('http://no-such-host.invalid'),
    // Without a network DNS says nothing at all.
    says: /ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT/,
  },
]
after(async () => {
  for (const { gateway } of cases) {
    // eslint-disable-next-line no-await-in-loop -- two of them
    await gateway.close()
    assert.deepEqual(gateway.faults, [])
  }
})

for (const { name, gateway, says } of cases) {
  describe(`${name} is a 502 that was tried twice`, { concurrency: 8 }, () => {
    for (const { vendor, model } of models) {
      for (const dialect of ['anthropic', 'openai'] as const) {
        for (const way of ways) {
          test(`${model} by the ${dialect} SDK, ${way}`, async () => {
            const { raised, status, headers, body } = await ask(gateway, {
              dialect,
              model,
              way,
              content: 'Hello',
              headers: {},
            })
            assert.ok(raised instanceof Anthropic.APIError || raised instanceof OpenAI.APIError, String(raised))
            assert.equal(raised.constructor.name, 'InternalServerError')
            const kind = kinds['vendor-unreachable']
            assert.deepEqual([status, raised.status], [kind.status, kind.status])
            assert.equal(raised.type, dialect === 'anthropic' ? kind.anthropic : kind.openai[0])
            if (raised instanceof OpenAI.APIError) assert.equal(raised.code, kind.openai[1])
            assert.match(raised.message, says)
            assert.equal(raised.requestID, headers.get('request-id'))
            assert.deepEqual(
              ['x-keyrung-failure', 'x-keyrung-blame', 'x-should-retry', 'retry-after', 'link'].map((header) =>
                headers.get(header),
              ),
              ['vendor-unreachable', 'vendor', 'true', null, '</errors/502>; rel="help"'],
            )
            const trail = headers.get('x-keyrung-attempts') ?? ''
            const one = `"${vendor}/[^"]+";status=0;outcome=vendor-unreachable;ms=\\d+`
            assert.match(trail, new RegExp(`^${one}, ${one}(;wait=\\d+)?$`))
            const receipt = receiptOf(gateway, headers.get('request-id') ?? '')
            assert.deepEqual([receipt.status, receipt.failure], [502, 'vendor-unreachable'])
            const told = `${[...headers].join('\n')}\n${body}\n${raised.message}`
            for (const hidden of [secret, `${port}`, '127.0.0.1', 'no-such-host'])
              assert.ok(!told.includes(hidden), `leaks ${hidden}`)
          })
        }
      }
    }
  })
}
