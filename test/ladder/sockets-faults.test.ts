import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { faultList } from '../../src/sandbox/index.ts'
import { ask, dialects, manners, receipts } from './support/ask.ts'
import { startLadderGateway, type LadderGateway } from './support/gateway.ts'
import { firstModel, secondModel, stage } from './support/stage.ts'
import { fails, textFrom } from './support/ways.ts'

const sandboxOn = 'sandbox: { enabled: true }'

describe('a fault on demand with a ladder', () => {
  for (const { name, ...manner } of manners) {
    test(`is met at the first rung, and the next, which is real, answers: ${name}`, async (context) => {
      const { gateway, first } = await stage(context, { config: sandboxOn })
      const answer = await ask(gateway, { ...manner, headers: { 'x-keyrung-fault': '529' } })
      assert.deepEqual([answer.status, answer.model, answer.text], [200, secondModel, textFrom(secondModel)])
      assert.deepEqual(answer.trail, [`anthropic/${firstModel} 529 vendor-overloaded`, `openai/${secondModel} 200 ok`])
      assert.equal(answer.headers['x-keyrung-simulated'], undefined, 'a real vendor has answered')
      assert.equal(first.asked.length, 0, 'the fault is the simulated vendor’s')
    })
  }

  /** What ends a call rather than lets it climb, and what is no fault. */
  const stops = new Set(['400', '413', '422'])
  const good = new Set(['slow-MS', 'noise-after-N'])
  /** In a whole reply or in a stream, whichever is broken before there is content. */
  const faults = faultList().filter(({ name, moment }) => moment !== 'stream' && !stops.has(name) && !good.has(name))
  for (const { name, example } of faults) {
    test(`of whatever kind is climbed over: ${name}`, async (context) => {
      const { gateway } = await stage(context, {
        config: `${sandboxOn}\ndeadlines: { idleMs: 200, firstByteMs: 200, firstByteLastMs: 200 }`,
      })
      for (const dialect of dialects) {
        // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its dialect
        const answer = await ask(gateway, { dialect, headers: { 'x-keyrung-fault': example } })
        if (name === 'wrong-type') {
          assert.deepEqual([answer.status, answer.model], [200, firstModel], 'a whole reply is known by its content')
          continue
        }
        assert.deepEqual([answer.status, answer.model, answer.trail.length], [200, secondModel, 2], answer.trail.join())
      }
    })
  }

  for (const name of ['error-first', 'stall-before', 'not-a-stream', 'garbage-after-0'] as const) {
    test(`in a stream, before its content, is climbed over: ${name}`, async (context) => {
      const { gateway } = await stage(context, { config: `${sandboxOn}\ndeadlines: { idleMs: 200 }` })
      const answer = await ask(gateway, { stream: true, headers: { 'x-keyrung-fault': name } })
      assert.deepEqual([answer.status, answer.model, answer.complete], [200, secondModel, true])
    })
  }

  for (const name of stops) {
    test(`that nothing can cure stops the call: ${name}`, async (context) => {
      const { gateway, second } = await stage(context, { config: sandboxOn })
      const answer = await ask(gateway, { headers: { 'x-keyrung-fault': name } })
      assert.equal(answer.status, Number(name))
      assert.equal(second.asked.length, 0)
    })
  }

  test('is climbed over as well where the ladder is in the header', async (context) => {
    const { gateway } = await stage(context, { config: sandboxOn })
    const headers = { 'x-keyrung-ladder': 'two', 'x-keyrung-fault': 'reset' }
    const answer = await ask(gateway, { model: firstModel, headers })
    assert.deepEqual([answer.status, answer.model], [200, secondModel])
  })

  test('leaves no trace in how the vendor stands', async (context) => {
    const { gateway } = await stage(context, {
      config: `${sandboxOn}\nbreaker: { failuresInRow: 1, openMs: 60000 }`,
    })
    for (const fault of ['529', '429-after-30', '401', '404']) {
      // eslint-disable-next-line no-await-in-loop -- one after the other
      assert.equal((await ask(gateway, { headers: { 'x-keyrung-fault': fault } })).model, secondModel)
    }
    const answer = await ask(gateway)
    assert.deepEqual([answer.status, answer.model], [200, firstModel])
  })

  test('is the first rung’s only: where the others fail too the call fails', async (context) => {
    const { gateway, second } = await stage(context, { config: sandboxOn })
    second.answers(fails(529))
    const answer = await ask(gateway, { headers: { 'x-keyrung-fault': '429-after-30' } })
    assert.equal(answer.status, 529)
    assert.deepEqual(answer.items[0]?.parameters['outcome'], 'vendor-limit')
  })

  test('ok is none: the simulated first rung answers', async (context) => {
    const { gateway, second } = await stage(context, { config: sandboxOn })
    const answer = await ask(gateway, { headers: { 'x-keyrung-fault': 'ok' } })
    assert.deepEqual([answer.status, answer.model, answer.headers['x-keyrung-simulated']], [200, firstModel, 'true'])
    assert.equal(second.asked.length, 0)
  })
})

describe('a fault on demand without a ladder', () => {
  for (const [says, model, headers] of [
    ['sandbox/529', 'sandbox/529', {}],
    ['a model, and the header', firstModel, { 'x-keyrung-fault': '529' }],
    ['a model whose ladder is a rule’s', secondModel, { 'x-keyrung-fault': '529' }],
  ] as const) {
    test(`is what is seen, with one try: ${says}`, async (context) => {
      const { gateway, first, second } = await stage(context, {
        config: `${sandboxOn}\nladderRules: [{ models: '*', ladder: two }]`,
      })
      const answer = await ask(gateway, { model, headers })
      assert.equal(answer.status, 529)
      assert.equal(answer.trail.length, 1)
      assert.equal(gateway.sandbox?.seen.length, 1)
      assert.deepEqual([first.asked.length, second.asked.length], [0, 0])
      const [receipt] = await receipts(gateway, 1)
      assert.deepEqual([receipt?.status, receipt?.tries.length], [529, 1])
    })
  }
})

describe('a fault of the connection on demand', () => {
  for (const fault of ['reset', 'close']) {
    test(`is one try on a kept connection too, and takes one turn: ${fault}`, async (context) => {
      const { gateway } = await stage(context, { config: sandboxOn })
      for (const model of ['sandbox/ok', `sandbox/${fault}-then-ok`]) {
        // eslint-disable-next-line no-await-in-loop -- one after the other
        const answer = await ask(gateway, { model })
        assert.equal(answer.status, model === 'sandbox/ok' ? 200 : 502)
      }
      assert.equal(gateway.sandbox?.seen.length, 2)
      assert.equal((await ask(gateway, { model: `sandbox/${fault}-then-ok` })).status, 200)
    })
  }
})

describe('with no vendor at all but the simulated ones', () => {
  const start = (): Promise<LadderGateway> => startLadderGateway({ config: sandboxOn })

  for (const { name, ...manner } of manners) {
    test(`a shipped ladder climbs for all to see: ${name}`, async (context) => {
      const gateway = await start()
      context.after(() => gateway.close())
      const answer = await ask(gateway, { ...manner, model: 'ladder/opus', headers: { 'x-keyrung-fault': '529' } })
      assert.deepEqual([answer.status, answer.model], [200, 'claude-sonnet-5-5'])
      assert.match(answer.text, /^You said: "Hello"/)
      assert.deepEqual(answer.trail, [
        'anthropic/claude-opus-5-5 529 vendor-overloaded',
        'anthropic/claude-sonnet-5-5 200 ok',
      ])
      assert.equal(answer.headers['x-keyrung-simulated'], 'true')
      assert.equal(answer.headers['x-keyrung-ladder'], 'opus')
      assert.deepEqual(gateway.faults, [])
    })
  }
})
