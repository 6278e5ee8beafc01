import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { ask, dialects, outcomes, receipts, send } from './support/ask.ts'
import { firstModel, secondModel, stage } from './support/stage.ts'
import { turns, within } from './support/waiting.ts'
import type { Way } from './support/vendor.ts'
import { begin, content, fails, ping, silent, well } from './support/ways.ts'

/** How soon a vendor must be let go. */
const soonMs = 1000

describe('a caller who leaves', () => {
  for (const dialect of dialects) {
    const before: [says: string, stream: boolean, way: Way][] = [
      ['while a whole answer is awaited', false, silent],
      ['before a stream has begun', true, silent],
      [
        'after the head of a stream and a ping',
        true,
        (asked) => (begin(asked), void asked.response.write(ping(asked))),
      ],
    ]
    for (const [says, stream, way] of before) {
      test(`ends the vendor's request, and nobody else is asked: ${says}, ${dialect}`, async (context) => {
        const { gateway, first, second } = await stage(context)
        first.answers(way)
        const request = send(gateway, { dialect, stream })
        request.on('error', () => {})
        const asked = await first.ask(0)
        // What the vendor has said is with the gateway.
        await turns(10)
        request.destroy()
        await within(soonMs, asked.closed, 'the end of the request at the vendor')
        const [receipt] = await receipts(gateway, 1)
        assert.deepEqual([receipt?.status, receipt?.failure], [499, 'caller-gone'])
        assert.deepEqual(
          receipt?.tries.map(({ outcome }) => outcome),
          ['caller-gone'],
        )
        assert.deepEqual([first.asked.length, second.asked.length, first.open], [1, 0, 0])
      })
    }

    test(`in the middle of a stream ends it at the vendor, and nobody else is asked: ${dialect}`, async (context) => {
      const { gateway, first, second } = await stage(context)
      first.answers((asked) => (begin(asked), void asked.response.write(content(asked).join(''))))
      const request = send(gateway, { dialect, stream: true })
      const [response] = await once(request, 'response')
      response.on('error', () => {})
      const asked = await first.ask(0)
      request.destroy()
      await within(soonMs, asked.closed, 'the end of the request at the vendor')
      const [receipt] = await receipts(gateway, 1)
      assert.equal(receipt?.failure, 'caller-gone')
      assert.deepEqual(
        receipt?.tries.map(({ outcome }) => outcome),
        ['caller-gone'],
      )
      assert.deepEqual([first.asked.length, second.asked.length], [1, 0])
    })
  }

  test('during a wait between tries is waited for no longer, and the vendor is not asked again', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(fails(429, { headers: { 'retry-after-ms': '1800' } }))
    const request = send(gateway, { model: 'ladder/one' })
    request.on('error', () => {})
    await (
      await first.ask(0)
    ).closed
    await turns(20)
    request.destroy()
    // Written when all is over: nothing can be asked after it.
    const [receipt] = await within(soonMs, receipts(gateway, 1), 'the receipt')
    assert.deepEqual([receipt?.status, receipt?.failure], [499, 'caller-gone'])
    assert.deepEqual(outcomes(receipt), ['anthropic 429 vendor-limit'])
    assert.equal(first.asked.length, 1)
  })

  test('during a wait before the first try is waited for no longer either', async (context) => {
    const { gateway, first } = await stage(context, { config: 'retries: { triesLastRung: 1 }' })
    first.answers(fails(429, { headers: { 'retry-after-ms': '1800' } }))
    assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 429)
    const request = send(gateway, { model: 'ladder/one' })
    request.on('error', () => {})
    await once(request, 'finish')
    await turns(20)
    request.destroy()
    const [receipt] = await within(soonMs, receipts(gateway, 2), 'the receipt')
    assert.deepEqual([receipt?.status, receipt?.failure], [499, 'caller-gone'])
    assert.equal(first.asked.length, 1)
  })

  test('at the second rung ends its request, and the third is not asked', async (context) => {
    const { gateway, first, second, third } = await stage(context)
    first.answers(fails(529))
    second.answers(silent)
    const request = send(gateway, { model: 'ladder/three' })
    request.on('error', () => {})
    const asked = await second.ask(0)
    request.destroy()
    await within(soonMs, asked.closed, 'the end of the request at the vendor')
    const [receipt] = await receipts(gateway, 1)
    assert.deepEqual([receipt?.status, receipt?.failure], [499, 'caller-gone'])
    assert.deepEqual(outcomes(receipt), ['anthropic 529 vendor-overloaded', 'openai 0 caller-gone'])
    assert.equal(third.asked.length, 0)
  })

  test('while two rungs are asked at once ends both', async (context) => {
    const { gateway, first, second, third } = await stage(context, { ladder: 'hedgeAfterMs: 20' })
    for (const vendor of [first, second]) vendor.answers(silent)
    const request = send(gateway, { model: 'ladder/three' })
    request.on('error', () => {})
    const both = await Promise.all([first.ask(0), second.ask(0)])
    request.destroy()
    await within(soonMs, Promise.all(both.map(({ closed }) => closed)), 'the end of both requests')
    const [receipt] = await receipts(gateway, 1)
    assert.deepEqual([receipt?.status, receipt?.failure], [499, 'caller-gone'])
    assert.equal(third.asked.length, 0)
  })

  test('while two rungs are asked at once leaves a place free at both', async (context) => {
    const { gateway, first, second } = await stage(context, {
      ladder: 'hedgeAfterMs: 20',
      keys: [{ callsMax: 1 }],
      secondKeys: [{ callsMax: 1 }],
    })
    for (const vendor of [first, second]) vendor.answers(silent)
    const request = send(gateway, {})
    request.on('error', () => {})
    await Promise.all([first.ask(0), second.ask(0)])
    request.destroy()
    await receipts(gateway, 1)
    first.answers(fails(529))
    second.answers(well)
    const answer = await ask(gateway)
    assert.deepEqual(answer.trail, [`anthropic/${firstModel} 529 vendor-overloaded`, `openai/${secondModel} 200 ok`])
  })

  test('says nothing of the vendor', async (context) => {
    const { gateway, first } = await stage(context, { config: 'breaker: { failuresInRow: 1, openMs: 60000 }' })
    first.answers(silent)
    const request = send(gateway, {})
    request.on('error', () => {})
    const asked = await first.ask(0)
    request.destroy()
    await asked.closed
    first.answers(well)
    const answer = await ask(gateway)
    assert.deepEqual([answer.status, answer.model], [200, firstModel])
  })
})
