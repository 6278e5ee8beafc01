import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, manners, outcomes, receipts } from './support/ask.ts'
import { firstModel, secondModel, stage, thirdModel } from './support/stage.ts'
import { turns } from './support/waiting.ts'
import { begin, content, ending, fails, ping, resets, silent, textFrom, well } from './support/ways.ts'

const ladder = 'hedgeAfterMs: 30'

describe('a first rung that has given no content after hedgeAfterMs', () => {
  for (const { name, ...manner } of manners) {
    test(`is left for the next that answers first, and its request ends: ${name}`, async (context) => {
      const { gateway, first, second } = await stage(context, { ladder })
      first.answers((asked) => {
        // A head and pings are no content.
        if (manner.stream) begin(asked)
        if (manner.stream) asked.response.write(ping(asked))
      })
      const answer = await ask(gateway, manner)
      assert.deepEqual(
        [answer.status, answer.model, answer.text, answer.complete],
        [200, secondModel, textFrom(secondModel), true],
      )
      assert.equal(answer.headers['x-keyrung-model'], secondModel)
      await (
        await first.ask(0)
      ).closed
      assert.deepEqual(
        answer.items.map(({ parameters }) => [parameters['outcome'], parameters['hedge']]),
        [
          ['cancelled', undefined],
          ['ok', true],
        ],
      )
      const [receipt] = await receipts(gateway, 1)
      assert.deepEqual(
        receipt?.tries.map(({ outcome, hedge }) => [outcome, hedge]),
        [
          ['cancelled', undefined],
          ['ok', true],
        ],
      )
      assert.deepEqual(
        [receipt?.status, receipt?.model, first.asked.length, second.asked.length],
        [200, secondModel, 1, 1],
      )
    })

    test(`still answers where it does so before the next, whose request ends: ${name}`, async (context) => {
      const { gateway, first, second } = await stage(context, { ladder })
      first.answers(silent)
      second.answers(silent)
      const asking = ask(gateway, manner)
      const beside = await second.ask(0)
      well(await first.ask(0))
      const answer = await asking
      assert.deepEqual([answer.status, answer.model, answer.complete], [200, firstModel, true])
      await beside.closed
      assert.deepEqual(
        answer.items.map(({ parameters }) => [parameters['outcome'], parameters['hedge']]),
        [
          ['ok', undefined],
          ['cancelled', true],
        ],
      )
    })
  }

  test('streams on alone once it has content', async (context) => {
    const { gateway, first, second } = await stage(context, { ladder: 'hedgeAfterMs: 800' })
    first.answers((asked) => {
      begin(asked)
      asked.response.write(content(asked).join(''))
      setTimeout(() => asked.response.end(ending(asked)), 1000)
    })
    const answer = await ask(gateway, { stream: true })
    assert.deepEqual([answer.status, answer.model, answer.complete], [200, firstModel, true])
    assert.equal(second.asked.length, 0)
  })

  test('and then fails leaves the other to answer', async (context) => {
    const { gateway, first, second, third } = await stage(context, { ladder })
    first.answers(silent)
    second.answers(silent)
    const asking = ask(gateway, { model: 'ladder/three' })
    const beside = await second.ask(0)
    resets(await first.ask(0))
    await turns(20)
    well(beside)
    const answer = await asking
    assert.deepEqual(answer.trail, [`anthropic/${firstModel} 0 vendor-unreachable`, `openai/${secondModel} 200 ok`])
    assert.equal(third.asked.length, 0)
  })

  test('and fails as the other does leaves the third to answer', async (context) => {
    const { gateway, first, second } = await stage(context, { ladder })
    first.answers(silent)
    second.answers(fails(529))
    const asking = ask(gateway, { model: 'ladder/three' })
    await second.ask(0)
    await turns(20)
    fails(500)(await first.ask(0))
    const answer = await asking
    assert.deepEqual(answer.trail, [
      `anthropic/${firstModel} 500 vendor-broken`,
      `openai/${secondModel} 529 vendor-overloaded`,
      `deepseek/${thirdModel} 200 ok`,
    ])
  })

  test('is waited for where the next rung rests', async (context) => {
    const { gateway, first, second } = await stage(context, { ladder })
    second.answers(fails(429, { headers: { 'retry-after': '60' } }))
    await ask(gateway, { model: secondModel })
    first.answers((asked) => void setTimeout(() => well(asked), 100))
    const answer = await ask(gateway)
    assert.deepEqual([answer.status, answer.model], [200, firstModel])
    assert.equal(second.asked.length, 1)
  })

  test('is waited for where the next rung has no place', async (context) => {
    const { gateway, first, second } = await stage(context, { ladder, secondKeys: [{ callsMax: 1 }] })
    second.answers(silent)
    const holding = ask(gateway, { model: secondModel })
    const held = await second.ask(0)
    first.answers((asked) => void setTimeout(() => well(asked), 100))
    assert.equal((await ask(gateway)).model, firstModel)
    assert.equal(second.asked.length, 1)
    well(held)
    await holding
  })

  test('is the only one asked where one try is all there is', async (context) => {
    const { gateway, first, second } = await stage(context, { ladder, config: 'retries: { triesMax: 1 }' })
    first.answers((asked) => void setTimeout(() => well(asked), 100))
    assert.equal((await ask(gateway)).model, firstModel)
    assert.equal(second.asked.length, 0)
  })

  test('leaves a place at both when it is over', async (context) => {
    const { gateway, first, second } = await stage(context, {
      ladder,
      keys: [{ callsMax: 1 }],
      secondKeys: [{ callsMax: 1 }],
    })
    first.answers(silent)
    for (let call = 0; call < 3; call += 1) {
      // eslint-disable-next-line no-await-in-loop -- one after the other
      const answer = await ask(gateway)
      assert.deepEqual(
        answer.items.map(({ parameters }) => parameters['outcome']),
        ['cancelled', 'ok'],
      )
    }
    assert.deepEqual([first.asked.length, second.asked.length], [3, 3])
    const [receipt] = await receipts(gateway, 3)
    assert.deepEqual(outcomes(receipt), ['anthropic 0 cancelled', 'openai 200 ok'])
  })
})

test('a rung that fails before hedgeAfterMs is left as ever', async (context) => {
  const { gateway, first } = await stage(context, { ladder: 'hedgeAfterMs: 60000' })
  first.answers(fails(529))
  const answer = await ask(gateway)
  assert.deepEqual(answer.trail, [`anthropic/${firstModel} 529 vendor-overloaded`, `openai/${secondModel} 200 ok`])
  assert.ok(answer.items.every(({ parameters }) => parameters['hedge'] === undefined))
})

test('nothing is hedged where nobody said so', async (context) => {
  const { gateway, first, second } = await stage(context)
  first.answers((asked) => void setTimeout(() => well(asked), 300))
  assert.equal((await ask(gateway)).model, firstModel)
  assert.equal(second.asked.length, 0)
})
