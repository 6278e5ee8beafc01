import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { ask, manners, seen, send, type Seen } from './support/ask.ts'
import { crowd } from './support/crowd.ts'
import type { LadderGateway } from './support/gateway.ts'
import { firstModel, secondModel, stage } from './support/stage.ts'
import type { Asked, Vendor } from './support/vendor.ts'
import { until } from './support/waiting.ts'
import { begin, content, ending, fails, resets, silent, well } from './support/ways.ts'

/** How often each key was used. */
function uses({ asked }: Vendor): number[] {
  return ['anthropic-key-1', 'anthropic-key-2', 'anthropic-key-3'].map(
    (key) => asked.filter((one) => one.key === key).length,
  )
}

describe('calls are spread over the keys of a vendor', () => {
  test('by their weights', async (context) => {
    const { gateway, first } = await stage(context, { keys: [{ weight: 3 }, { weight: 1 }, { weight: 0 }] })
    const calls = 600
    await crowd(calls, 10, () => ask(gateway, { model: 'ladder/one' }))
    const [heavy = 0, light = 0, none] = uses(first)
    assert.deepEqual([heavy + light, none], [calls, 0])
    // Three quarters of them; further off by chance less often than once in 10^9 (Hoeffding: 2·exp(-2·600·0.14²) is 1.2·10^-10).
    assert.ok(Math.abs(heavy / calls - 3 / 4) < 0.14, `${heavy} of ${calls}`)
  })

  test('and one of weight 0 is used where all others fail, and before the next rung', async (context) => {
    const { gateway, first, second } = await stage(context, { keys: [{}, {}, { weight: 0 }] })
    first.answers(fails(429), fails(429), well)
    const answer = await ask(gateway)
    assert.deepEqual([answer.status, answer.model, uses(first)], [200, firstModel, [1, 1, 1]])
    assert.equal(first.asked[2]?.key, 'anthropic-key-3')
    assert.equal(second.asked.length, 0)
    assert.deepEqual(answer.items[2]?.parameters['credential'], 3)
  })

  test('and a ladder may name some of them only', async (context) => {
    const { gateway, first } = await stage(context, {
      keys: [{}, {}, {}],
      ladders: `ladders: { some: { rungs: [{ model: ${firstModel}, credentials: [key-2, key-3] }] } }`,
    })
    first.answers(fails(429))
    assert.equal((await ask(gateway, { model: 'ladder/some' })).status, 429)
    const [never, ...others] = uses(first)
    assert.equal(never, 0)
    assert.ok(others.every((count) => count > 0))
  })
})

describe('a key that has as many calls as it may', () => {
  test('is passed over for the next key, then for the next rung, and is used again when a call has ended', async (context) => {
    const { gateway, first, second } = await stage(context, { keys: [{ callsMax: 1 }, { callsMax: 1 }] })
    first.answers(silent)
    const calls = [ask(gateway), ask(gateway)]
    const held = [await first.ask(0), await first.ask(1)]
    assert.deepEqual(uses(first), [1, 1, 0])
    const climbing = await ask(gateway)
    assert.deepEqual(climbing.trail, [`anthropic/${firstModel} 0 full`, `openai/${secondModel} 200 ok`])
    assert.equal(climbing.items[0]?.parameters['passed'], true)
    first.answers(well)
    for (const one of held) well(one)
    assert.deepEqual(
      (await Promise.all(calls)).map(({ model }) => model),
      [firstModel, firstModel],
    )
    assert.equal((await ask(gateway)).model, firstModel)
    assert.equal(second.asked.length, 1)
  })

  for (const { name, ...manner } of manners) {
    test(`and no other to turn to is a 529 that says so: ${name}`, async (context) => {
      const { gateway, first } = await stage(context, { keys: [{ callsMax: 1 }] })
      first.answers(silent)
      const holding = ask(gateway, { model: 'ladder/one' })
      const held = await first.ask(0)
      const answer = await ask(gateway, { ...manner, model: 'ladder/one' })
      assert.deepEqual(
        [answer.status, answer.headers['x-keyrung-failure'], answer.headers['retry-after']],
        [529, 'gateway-full', '1'],
      )
      assert.equal(answer.headers['x-keyrung-blame'], 'gateway')
      assert.deepEqual(answer.trail, [`anthropic/${firstModel} 0 full`])
      well(held)
      assert.equal((await holding).status, 200)
    })
  }

  test('has it for all models and ladders together', async (context) => {
    const { gateway, first } = await stage(context, { keys: [{ callsMax: 1 }] })
    first.answers(silent)
    const holding = ask(gateway, { model: 'claude-opus-5' })
    const held = await first.ask(0)
    assert.equal((await ask(gateway)).model, secondModel)
    assert.equal((await ask(gateway, { model: 'claude-haiku-4-5' })).status, 529)
    well(held)
    await holding
  })

  const ends: [says: string, end: (gateway: LadderGateway, first: Vendor) => Promise<void>][] = [
    ['well', async (gateway) => void (await ask(gateway))],
    ['well, streamed', async (gateway) => void (await ask(gateway, { stream: true }))],
    [
      'with the request’s own fault',
      async (gateway, first) => {
        first.answers(fails(400))
        await ask(gateway)
      },
    ],
    [
      'with a failure',
      async (gateway, first) => {
        first.answers(fails(529))
        await ask(gateway, { model: 'ladder/one' })
      },
    ],
    [
      'with a reset',
      async (gateway, first) => {
        first.answers(resets)
        await ask(gateway)
      },
    ],
    [
      'with a stale connection',
      async (gateway, first) => {
        first.answers(well, resets, well)
        await ask(gateway)
        await ask(gateway)
      },
    ],
    [
      'with a request that cannot be written',
      async (gateway) => void (await ask(gateway, { body: { max_tokens: -1 } })),
    ],
    [
      'with an error event',
      async (gateway, first) => {
        first.answers((asked) => {
          begin(asked)
          asked.response.end(content(asked).join(''))
        })
        await ask(gateway, { stream: true })
      },
    ],
    [
      'because the caller left',
      async (gateway, first) => {
        first.answers(silent)
        const request = send(gateway, {})
        request.on('error', () => {})
        const asked = await first.ask(0)
        request.destroy()
        await asked.closed
      },
    ],
    [
      'because the caller left in the middle of a stream',
      async (gateway, first) => {
        first.answers((asked) => {
          begin(asked)
          asked.response.write(content(asked).join(''))
        })
        const request = send(gateway, { stream: true })
        const [response] = await once(request, 'response')
        response.on('error', () => {})
        request.destroy()
        await (
          await first.ask(0)
        ).closed
      },
    ],
  ]
  for (const [says, end] of ends) {
    test(`has a place again, and one only, when a call has ended ${says}`, async (context) => {
      const { gateway, first, second } = await stage(context, {
        keys: [{ callsMax: 1 }],
        config: 'retries: { backoffMs: 5 }',
      })
      await end(gateway, first)
      first.answers(silent)
      second.answers(well)
      const before = [first.asked.length, second.asked.length]
      const holding = ask(gateway)
      const held = await first.ask(first.asked.length)
      assert.equal((await ask(gateway)).model, secondModel)
      assert.deepEqual([first.asked.length, second.asked.length], [Number(before[0]) + 1, Number(before[1]) + 1])
      well(held)
      assert.equal((await holding).model, firstModel)
    })
  }

  test('holds its place until the end of a stream', async (context) => {
    const { gateway, first } = await stage(context, { keys: [{ callsMax: 1 }] })
    first.answers((asked) => {
      begin(asked)
      asked.response.write(content(asked).join(''))
    })
    const request = send(gateway, { stream: true })
    const [response] = await once(request, 'response')
    assert.equal((await ask(gateway)).model, secondModel)
    const asked = await first.ask(0)
    asked.response.end(ending(asked))
    assert.equal((await seen(response, {})).complete, true)
    first.answers(well)
    assert.equal((await ask(gateway)).model, firstModel)
  })
})

describe('how many calls a key takes at once', () => {
  /** The vendor takes so many at once, and more than that are too many. */
  const takes = 6

  test('is found by trying, and no call fails meanwhile', async (context) => {
    const { gateway, first, second } = await stage(context, {
      config: `adaptiveConcurrency: { enabled: true, start: 16, least: 2, most: 64, factor: 0.5 }\ncooldown: { enabled: false }`,
    })
    const open = new Set<Asked>()
    first.answers((asked) => {
      if (open.size >= takes) {
        fails(429)(asked)
        return
      }
      open.add(asked)
      setTimeout(() => {
        open.delete(asked)
        well(asked)
      }, 100)
    })
    // It is changed once a second at most: 16, 8, then about as many as there may be.
    const untilMs = performance.now() + 3200
    const answers: Seen[] = []
    await crowd(20, 20, async () => {
      // eslint-disable-next-line no-await-in-loop -- until the time is over
      while (performance.now() < untilMs) answers.push(await ask(gateway))
    })
    assert.ok(answers.every(({ status }) => status === 200))
    assert.ok(answers.some(({ model }) => model === secondModel))
    first.answers(silent)
    second.answers(well)
    const before = first.asked.length
    let answered = 0
    const asking = Array.from({ length: 40 }, () => ask(gateway).then(() => (answered += 1)))
    const held = (): number => first.asked.length - before
    await until(() => held() + answered === asking.length, 'what the first does not hold is answered by the second')
    const found = held()
    for (const asked of first.asked.slice(before)) well(asked)
    await Promise.all(asking)
    assert.ok(found >= takes / 2 - 1 && found <= takes + 3, `${found} at once`)
  })

  test('is not looked for where it is off, which it is', async (context) => {
    const { gateway, first } = await stage(context, { config: 'cooldown: { enabled: false }' })
    first.answers(silent)
    const asking = Array.from({ length: 100 }, () => ask(gateway, { model: 'ladder/one' }))
    await first.ask(99)
    for (const asked of first.asked) well(asked)
    assert.ok((await Promise.all(asking)).every(({ status }) => status === 200))
  })
})
