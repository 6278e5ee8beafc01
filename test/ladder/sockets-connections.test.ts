import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, manners, outcomes, receipts, type Manner } from './support/ask.ts'
import { firstModel, secondModel, stage } from './support/stage.ts'
import type { Vendor, Way } from './support/vendor.ts'
import { well } from './support/ways.ts'

/** A connection that serves one request and is gone when the next comes on it, so soon. */
function oneRequestEach(afterMs = 0): Way {
  const served = new Set<unknown>()
  return (asked) => {
    if (served.has(asked.socket)) {
      if (afterMs === 0) asked.socket.destroy()
      else setTimeout(() => asked.socket.destroy(), afterMs)
      return
    }
    served.add(asked.socket)
    well(asked)
  }
}

describe('a connection that was kept and is closed when the next request comes', () => {
  for (const { name, ...manner } of manners) {
    test(`costs nothing: the request goes out on a fresh one, and it is no try and no failure: ${name}`, async (context) => {
      const { gateway, first, second } = await stage(context, {
        // One failure would open it, and one try is all there is.
        config: 'breaker: { failuresInRow: 1, openMs: 60000 }\nretries: { triesMax: 1 }',
      })
      first.answers(oneRequestEach())
      assert.equal((await ask(gateway, manner)).status, 200)
      for (let call = 1; call <= 3; call += 1) {
        // eslint-disable-next-line no-await-in-loop -- one after the other
        await checkFresh(gateway, first, manner)
      }
      assert.equal(second.asked.length, 0)
    })
  }

  test('is nothing that the operator has to know', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(oneRequestEach())
    await ask(gateway)
    await checkFresh(gateway, first, { dialect: 'anthropic', stream: false })
    assert.deepEqual(gateway.told, [])
  })

  test('is that where retries are off too', async (context) => {
    const { gateway, first } = await stage(context, { config: 'retries: { enabled: false }' })
    first.answers(oneRequestEach())
    for (let call = 0; call < 3; call += 1) {
      // eslint-disable-next-line no-await-in-loop -- one after the other
      assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 200)
    }
  })

  test('is a failure after more than a second, since the vendor may have begun the work', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(oneRequestEach(1100))
    assert.equal((await ask(gateway)).model, firstModel)
    const answer = await ask(gateway)
    assert.deepEqual(answer.trail, [`anthropic/${firstModel} 0 vendor-unreachable`, `openai/${secondModel} 200 ok`])
  })

  test('is a failure where it had been fresh', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(({ socket }) => void socket.destroy())
    const answer = await ask(gateway)
    assert.deepEqual(answer.trail, [`anthropic/${firstModel} 0 vendor-unreachable`, `openai/${secondModel} 200 ok`])
    assert.equal(first.asked.length, 1)
  })
})

async function checkFresh(gateway: Parameters<typeof ask>[0], first: Vendor, manner: Manner): Promise<void> {
  const before = first.asked.length
  const answer = await ask(gateway, manner)
  assert.deepEqual([answer.status, answer.model, answer.complete], [200, firstModel, true])
  const [stale, fresh] = first.asked.slice(before)
  assert.notEqual(stale?.socket, fresh?.socket)
  assert.equal(first.asked.length, before + 2)
}

describe('a vendor where nobody listens', () => {
  for (const { name, ...manner } of manners) {
    test(`costs no try: the next rung is asked where one try is all there is: ${name}`, async (context) => {
      const { gateway, first } = await stage(context, { config: 'retries: { triesMax: 1 }' })
      await first.kill()
      const answer = await ask(gateway, manner)
      assert.deepEqual([answer.status, answer.model], [200, secondModel])
      assert.deepEqual(answer.trail, [`anthropic/${firstModel} 0 vendor-unreachable`, `openai/${secondModel} 200 ok`])
      assert.deepEqual(gateway.told, ['anthropic (key-1) vendor-unreachable'])
    })
  }

  test('answers again once it has come back', async (context) => {
    const { gateway, first } = await stage(context, { config: 'retries: { backoffMs: 5 }' })
    assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 200)
    await first.kill()
    assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 502)
    await first.revive()
    assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 200)
  })

  test('is a 502 in the end, and both tries are in the receipt', async (context) => {
    const { gateway, first } = await stage(context, { config: 'retries: { backoffMs: 5 }' })
    await first.kill()
    const answer = await ask(gateway, { model: 'ladder/one' })
    assert.deepEqual([answer.status, answer.headers['x-keyrung-failure']], [502, 'vendor-unreachable'])
    const [receipt] = await receipts(gateway, 1)
    assert.deepEqual(outcomes(receipt), ['anthropic 0 vendor-unreachable', 'anthropic 0 vendor-unreachable'])
  })
})
