import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { IncomingMessage } from 'node:http'
import type { JsonObject } from '../../src/core/json.ts'
import { ask, dialects, manners, receipts, seen, send, type Dialect } from './support/ask.ts'
import { firstModel, secondModel, stage, thirdModel } from './support/stage.ts'
import type { Asked, Way } from './support/vendor.ts'
import { sleep } from './support/waiting.ts'
import { begin, content, ending, fails, ping, silent, well } from './support/ways.ts'

/** A deadline that is not meant to pass: were it the one in force, the test would never end. */
const neverMs = 600_000

/** Most of these only wait. */
const concurrency = 6

/** The call asks for thinking. */
const thinking: Readonly<Record<Dialect, JsonObject>> = {
  anthropic: { thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 2000 },
  openai: { reasoning_effort: 'high' },
}

/** All times to a first byte as they are not meant to pass, and those that are. */
function firstByte(said: Record<string, number>): string {
  const all = { firstByteMs: neverMs, firstByteLastMs: neverMs, thinkingMs: neverMs, thinkingLastMs: neverMs, ...said }
  return `deadlines: ${JSON.stringify(all)}`
}

describe('a vendor that is silent', { concurrency }, () => {
  for (const dialect of dialects) {
    // A second model that can think too: one that cannot take the call is no healthy rung for it.
    const ladders = `ladders: { thinkers: { rungs: [${firstModel}, ${thirdModel}] } }`
    const slow = [`anthropic/${firstModel} 0 vendor-slow`, `deepseek/${thirdModel} 200 ok`]
    const cases: [says: string, deadlines: Record<string, number>, stream: boolean, body: JsonObject][] = [
      ['firstByteMs, where it was to stream', { firstByteMs: 80 }, true, {}],
      ['firstByteLastMs, where it was not', { firstByteMs: 10, firstByteLastMs: 80 }, false, {}],
      ['thinkingMs, where it was to stream and to think', { firstByteMs: 10, thinkingMs: 80 }, true, thinking[dialect]],
      [
        'thinkingLastMs, where it was not to stream, and to think',
        { firstByteMs: 10, firstByteLastMs: 20, thinkingMs: 40, thinkingLastMs: 80 },
        false,
        thinking[dialect],
      ],
    ]
    for (const [says, deadlines, stream, body] of cases) {
      test(`is left for a healthy rung after ${says}: ${dialect}`, async (context) => {
        const { gateway, first } = await stage(context, { config: firstByte(deadlines), ladders })
        first.answers(silent)
        const startedMs = performance.now()
        const answer = await ask(gateway, { model: 'ladder/thinkers', dialect, stream, body })
        assert.deepEqual([answer.status, answer.trail], [200, slow])
        assert.ok(performance.now() - startedMs >= 79, 'and not before')
      })
    }
  }

  const alone: [says: string, model: string, spoil: boolean][] = [
    ['there is no other rung', 'ladder/one', false],
    ['the other rung rests', 'ladder/two', true],
  ]
  for (const [says, model, spoil] of alone) {
    for (const [thinks, lastMs] of [
      [false, 120],
      [true, 160],
    ] as const) {
      test(`has longer to begin a stream where ${says}${thinks ? ', and longer still to think' : ''}`, async (context) => {
        const deadlines = { firstByteMs: 20, firstByteLastMs: 120, thinkingMs: 140, thinkingLastMs: 160 }
        const { gateway, first, second } = await stage(context, {
          config: `${firstByte(deadlines)}\nretries: { triesLastRung: 1, waitMsMax: 0 }`,
        })
        second.answers(fails(429, { headers: { 'retry-after': '50' } }))
        if (spoil) await ask(gateway, { model: secondModel })
        first.answers(silent)
        const answer = await ask(gateway, { model, stream: true, ...(thinks && { body: thinking.anthropic }) })
        assert.deepEqual([answer.status, answer.headers['x-keyrung-failure']], [504, 'vendor-slow'])
        assert.match(answer.message, new RegExp(`did not answer within ${lastMs / 1000} s`))
        assert.equal(second.asked.length, spoil ? 1 : 0)
      })
    }
  }

  test('may take all the time of the call to an answer that is not streamed, where there is no other rung', async (context) => {
    const { gateway, first } = await stage(context, {
      config: `deadlines: { firstByteMs: 10, firstByteLastMs: 20, thinkingMs: 10, thinkingLastMs: 20, wholeCallMs: ${neverMs} }`,
    })
    first.answers((asked) => void setTimeout(() => well(asked), 150))
    assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 200)
    assert.equal(first.asked.length, 1)
  })

  for (const { name, ...manner } of manners) {
    test(`in the middle of its answer is given up after idleMs, and before content left for the next rung: ${name}`, async (context) => {
      const { gateway, first } = await stage(context, { config: 'deadlines: { idleMs: 150 }' })
      first.answers((asked) => {
        if (manner.stream) begin(asked)
        else asked.response.writeHead(200, { 'content-type': 'application/json' }).write('{')
      })
      const answer = await ask(gateway, manner)
      assert.deepEqual(answer.trail, [`anthropic/${firstModel} 200 vendor-slow`, `openai/${secondModel} 200 ok`])
      assert.deepEqual([answer.status, answer.model, answer.complete], [200, secondModel, true])
    })
  }
})

test('a stream of pings lives on without content past idleMs, and nothing goes to the caller before there is content', async (context) => {
  const { gateway, first, second } = await stage(context, {
    config: `deadlines: { idleMs: 1000, firstByteMs: 500, firstByteLastMs: ${neverMs} }`,
  })
  first.answers(begin)
  const request = send(gateway, { stream: true, body: thinking.anthropic })
  let begun = false
  const responded = once(request, 'response') as Promise<[IncomingMessage]>
  void responded.then(() => (begun = true))
  const asked = await first.ask(0)
  for (let pings = 0; pings < 15; pings += 1) {
    // eslint-disable-next-line no-await-in-loop -- one after the other
    await sleep(100)
    asked.response.write(ping(asked))
  }
  assert.equal(begun, false, 'not committed')
  asked.response.end(content(asked).join('') + ending(asked))
  const [response] = await responded
  const answer = await seen(response, {})
  assert.deepEqual([answer.status, answer.model, answer.complete], [200, firstModel, true])
  assert.equal(second.asked.length, 0)
})

describe('the time of a whole call', { concurrency }, () => {
  test('is for all its tries together: nobody is asked after it', async (context) => {
    const { gateway, first, second, third } = await stage(context, {
      ladders: `ladders:
  two: { rungs: [{ model: ${firstModel}, deadlines: { firstByteLastMs: 150 } }, ${secondModel}, ${thirdModel}] }`,
      config: 'deadlines: { wholeCallMs: 600 }',
    })
    for (const vendor of [first, second]) vendor.answers(silent)
    const startedMs = performance.now()
    const answer = await ask(gateway)
    assert.deepEqual([answer.status, answer.headers['x-keyrung-failure']], [504, 'vendor-slow'])
    assert.deepEqual(
      answer.items.map(({ parameters }) => parameters['outcome']),
      ['vendor-slow', 'vendor-slow'],
    )
    assert.ok(performance.now() - startedMs >= 599)
    assert.deepEqual(
      [first, second, third].map(({ asked }) => asked.length),
      [1, 1, 0],
    )
  })

  test('ends an answer that comes by drops', async (context) => {
    const { gateway, first, second } = await stage(context, { config: 'deadlines: { wholeCallMs: 300 }' })
    first.answers(dripping('{'))
    const answer = await ask(gateway)
    assert.deepEqual([answer.status, answer.headers['x-keyrung-failure']], [504, 'vendor-slow'])
    await (
      await first.ask(0)
    ).closed
    assert.equal(second.asked.length, 0)
  })

  for (const dialect of dialects) {
    test(`ends a stream that never ends, with an error event: ${dialect}`, async (context) => {
      const { gateway, first, second } = await stage(context, { config: 'deadlines: { streamedCallMs: 300 }' })
      first.answers((asked) => {
        begin(asked)
        asked.response.write(content(asked).join(''))
        drip(asked, ping(asked))
      })
      const answer = await ask(gateway, { dialect, stream: true })
      assert.deepEqual([answer.status, answer.model, answer.complete], [200, firstModel, false])
      assert.match(answer.message, /did not finish within 0\.\d+ s/)
      await (
        await first.ask(0)
      ).closed
      assert.equal(second.asked.length, 0)
      const [receipt] = await receipts(gateway, 1)
      assert.equal(receipt?.failure, 'vendor-slow')
    })
  }
})

describe('as long as the caller waits', { concurrency }, () => {
  for (const { name, ...manner } of manners) {
    test(`the SDK's timeout caps what a silent vendor has: ${name}`, async (context) => {
      const { gateway, first, second } = await stage(context)
      first.answers(silent)
      const answer = await ask(gateway, { ...manner, headers: { 'x-stainless-timeout': '0.5' } })
      assert.deepEqual([answer.status, answer.headers['x-keyrung-failure']], [504, 'vendor-slow'])
      assert.match(answer.message, /did not begin its answer within 0\.\d+ s, which is as long as the caller waits/)
      await (
        await first.ask(0)
      ).closed
      assert.deepEqual([first.asked.length, second.asked.length], [1, 0], 'and nobody else is asked for nobody')
    })
  }

  test('caps what a vendor has that only pings', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers((asked) => {
      begin(asked)
      drip(asked, ping(asked))
    })
    const answer = await ask(gateway, { stream: true, headers: { 'x-stainless-timeout': '0.5' } })
    assert.deepEqual([answer.status, answer.headers['x-keyrung-failure']], [504, 'vendor-slow'])
  })

  test('does not cap a stream that has begun', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers((asked) => {
      begin(asked)
      asked.response.write(content(asked).join(''))
      setTimeout(() => asked.response.end(ending(asked)), 1800)
    })
    const answer = await ask(gateway, { stream: true, headers: { 'x-stainless-timeout': '2' } })
    assert.deepEqual([answer.status, answer.complete], [200, true])
  })

  test('counts from the start of the call, all tries and waits included', async (context) => {
    const { gateway, first, second } = await stage(context, { config: firstByte({ firstByteMs: 200 }) })
    for (const vendor of [first, second]) vendor.answers(silent)
    const startedMs = performance.now()
    const answer = await ask(gateway, { model: 'ladder/two', stream: true, headers: { 'x-stainless-timeout': '0.75' } })
    assert.equal(answer.status, 504)
    assert.deepEqual(
      answer.items.map(({ parameters }) => parameters['outcome']),
      ['vendor-slow', 'vendor-slow'],
    )
    assert.ok(performance.now() - startedMs >= 599)
  })

  test('is no wait begun that would end after it', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(fails(429, { headers: { 'retry-after-ms': '1500' } }), well)
    const answer = await ask(gateway, { model: 'ladder/one', headers: { 'x-stainless-timeout': '1' } })
    assert.deepEqual([answer.status, first.asked.length], [429, 1])
  })
})

test('a vendor that cannot be connected to is left after connectMs, as one that was never asked', async (context) => {
  const { origin, end } = await fullServer()
  const { gateway } = await stage(context, {
    firstOrigin: origin,
    config: `deadlines: { connectMs: 150, firstByteMs: ${neverMs}, firstByteLastMs: ${neverMs} }\nretries: { triesMax: 1 }`,
  })
  context.after(end)
  const answer = await ask(gateway, { stream: true })
  assert.deepEqual(answer.trail, [`anthropic/${firstModel} 0 vendor-unreachable`, `openai/${secondModel} 200 ok`])
  const alone = await ask(gateway, { model: 'ladder/one' })
  assert.deepEqual([alone.status, alone.headers['x-keyrung-failure']], [502, 'vendor-unreachable'])
  assert.match(alone.message, /could not be reached/)
})

/** Sends a drop now and again, for as long as anybody takes it. */
function drip({ response }: Asked, drop: string): void {
  const timer = setInterval(() => response.write(drop), 20)
  response.once('close', () => clearInterval(timer))
}

function dripping(drop: string): Way {
  return (asked) => {
    asked.response.writeHead(200, { 'content-type': 'application/json' }).write(drop)
    drip(asked, ' ')
  }
}

/** A server whose queue of connections is full, since it takes none from it: one more is not answered at all. */
async function fullServer(): Promise<{ origin: string; end: () => Promise<void> }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
    const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`,
    { eval: true },
  )
  const [port] = (await once(worker, 'message')) as [number]
  const waiting = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await once(waiting[0] as (typeof waiting)[0], 'connect')
  return {
    origin: `http://127.0.0.1:${port}`,
    async end() {
      for (const socket of waiting) socket.destroy()
      await worker.terminate()
    },
  }
}
