import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { fetchRaw } from './support/client.ts'
import { startTestGateway } from './support/gateway.ts'

const gateway = await startTestGateway()
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})
const program = { type: 'program', id: 'test' } as const
const keeping = gateway.control.keys.create({ name: 'keeps', sandbox: true, captureMs: 3_600_000 }, program)

async function call(key: string, stream: boolean, words = 'Hello!'): Promise<string> {
  const body = JSON.stringify({
    model: 'claude-sonnet-5',
    max_tokens: 100,
    stream,
    messages: [{ role: 'user', content: words }],
  })
  const answer = await fetchRaw(`${gateway.url}/v1/messages`, { body, headers: { 'x-api-key': key } })
  assert.equal(answer.status, 200)
  gateway.flush()
  return String(answer.headers['request-id'])
}

suite('what is said in a call', () => {
  test('is not kept', async () => {
    assert.equal(gateway.control.usage.content(await call(gateway.key, false)), undefined)
  })

  test('is kept of both sides where its key says so', async () => {
    const content = gateway.control.usage.content(await call(keeping.secret, false))
    assert.match(content?.request ?? '', /"content":"Hello!"/)
    assert.match(content?.reply ?? '', /"text":"You said: /)
    assert.ok((content?.expiresAt ?? 0) > Date.now() + 3_500_000)
  })

  test('is kept of a stream too', async () => {
    const content = gateway.control.usage.content(await call(keeping.secret, true))
    assert.match(content?.reply ?? '', /event: message_start[\s\S]*event: message_stop/)
  })

  test('is kept as far as 16 KB of each side', async () => {
    const content = gateway.control.usage.content(await call(keeping.secret, false, 'word '.repeat(20_000)))
    assert.equal(content?.request.length, 16 * 1024)
  })

  test('is shown to a token that may all, and to no other', async () => {
    const id = await call(keeping.secret, false)
    const { secret } = gateway.control.tokens.create({ name: 'reader', scopes: ['read'] }, program)
    const asked = (token: string): ReturnType<typeof fetchRaw> =>
      fetchRaw(`${gateway.url}/admin/v1/receipts/${id}/content`, {
        method: 'GET',
        headers: { authorization: `Bearer ${token}` },
      })
    assert.equal((await asked(secret)).status, 403)
    const shown = await asked(gateway.newToken ?? '')
    assert.equal(shown.status, 200)
    assert.match(shown.body.toString(), /Hello!/)
  })
})
