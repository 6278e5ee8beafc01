import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ask } from './support/ask.ts'
import { firstModel, secondModel, stage } from './support/stage.ts'
import type { Way } from './support/vendor.ts'
import { fails, well } from './support/ways.ts'

/** An error whose text never ends. */
const endless =
  (status: number, headers: Record<string, string> = {}): Way =>
  ({ response }) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.write('{"type":"error","error":{"type":"rate_limit_error","message":"slow')
  }

suite('a vendor that answers oddly', () => {
  test('with an error whose text never ends has said what its status says, and when to come back', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(endless(429, { 'retry-after': '30' }))
    const answer = await ask(gateway, { model: 'ladder/one' })
    assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '30'])
    assert.equal(first.asked.length, 1)
  })

  test('with one such that is its own fault is left for the next rung', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(endless(500))
    assert.equal((await ask(gateway)).model, secondModel)
  })

  test('with an endless text is not listened to for ever', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(({ response }) => {
      response.writeHead(500, { 'content-type': 'text/plain' })
      response.on('error', () => {})
      const more = (): void => {
        if (!response.destroyed && response.write('x'.repeat(16_384))) setImmediate(more)
        else response.once('drain', more)
      }
      more()
    })
    assert.equal((await ask(gateway)).model, secondModel)
  })

  test('with early hints has not answered yet', async (context) => {
    const { gateway, first } = await stage(context, { config: 'deadlines: { firstByteMs: 200 }' })
    first.answers(({ response }) => response.writeEarlyHints({ link: '</x>; rel=preload' }))
    const answer = await ask(gateway, { body: { stream: true } })
    assert.equal(answer.model, secondModel)
  })

  test('with a time beyond all reason is told with one that can be read', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(fails(429, { headers: { 'retry-after': '99999999999999999999999999' } }))
    const answer = await ask(gateway, { model: 'ladder/one' })
    assert.deepEqual([answer.headers['retry-after'], answer.headers['x-should-retry']], ['2592000', 'false'])
  })
})

test('a count of tokens that is limited keeps no call from the model', async (context) => {
  const { gateway, first } = await stage(context)
  first.answers(fails(429, { headers: { 'retry-after': '30' } }), well)
  const count = await ask(gateway, { model: firstModel, path: '/v1/messages/count_tokens' })
  assert.equal(count.status, 429)
  assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 200)
})
