import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, test } from 'node:test'
import { ask, dialects, manners, receipts, seen, send } from './support/ask.ts'
import { firstModel, secondModel, stage, thirdModel } from './support/stage.ts'
import { startVendor, type Way } from './support/vendor.ts'
import { begin, content, errorEvent, fails, opening, page, resets, silent, textFrom, well } from './support/ways.ts'

const twoKeys = [{}, {}]

describe('what nothing can cure', () => {
  for (const [status, message, kind] of [
    [400, 'messages.0: wrong', 'request-invalid'],
    [413, 'Request exceeds the maximum size', 'body-too-large'],
    [422, 'cannot be processed', 'request-invalid'],
  ] as const) {
    for (const { name, ...manner } of manners) {
      test(`stops the call: ${status}, ${name}`, async (context) => {
        const { gateway, first, second } = await stage(context, { keys: twoKeys })
        first.answers(fails(status, { message }))
        const answer = await ask(gateway, manner)
        // Its own words pass in its own dialect, status included.
        assert.equal(answer.status, status === 422 && manner.dialect === 'openai' ? 400 : status)
        assert.equal(answer.headers['x-keyrung-failure'], kind)
        assert.equal(answer.headers['x-should-retry'], 'false')
        assert.match(answer.message, new RegExp(message))
        assert.deepEqual([first.asked.length, second.asked.length], [1, 0])
      })
    }
  }
})

describe('what another rung may take', () => {
  for (const [says, way, kind] of [
    [
      'a prompt that is too long for the window',
      fails(400, { message: 'prompt is too long: 2 tokens > 1 maximum' }),
      'prompt-too-long',
    ],
    ['a prompt that the vendor refuses', fails(400, { message: 'It violates our usage policies' }), 'content-refused'],
    ['a conflict', fails(409, { message: 'busy' }), 'conflict'],
  ] as const) {
    for (const dialect of dialects) {
      test(`climbs, and does not try another key: ${says}, ${dialect}`, async (context) => {
        const { gateway, first } = await stage(context, { keys: twoKeys })
        first.answers(way)
        const answer = await ask(gateway, { dialect })
        assert.deepEqual([answer.status, answer.model], [200, secondModel])
        assert.equal(first.asked.length, 1)
        assert.match(answer.trail[0] ?? '', new RegExp(`${kind}$`))
      })
    }
  }
})

describe('a key that the vendor refuses', () => {
  for (const status of [401, 402, 403]) {
    for (const { name, ...manner } of manners) {
      test(`is left for the next key, and then for the next rung, and the operator is told: ${status}, ${name}`, async (context) => {
        const { gateway, first, second } = await stage(context, { keys: twoKeys })
        first.answers(fails(status), well)
        const one = await ask(gateway, manner)
        assert.deepEqual([one.status, one.model], [200, firstModel])
        const keys = first.asked.map(({ key }) => key)
        assert.equal(new Set(keys).size, 2, 'another key')
        assert.deepEqual(one.trail, [
          `anthropic/${firstModel} ${status} vendor-refuses`,
          `anthropic/${firstModel} 200 ok`,
        ])
        assert.deepEqual(gateway.told, [`anthropic (${String(keys[0]).slice('anthropic-'.length)}) vendor-refuses`])
        first.answers(fails(status))
        const other = await ask(gateway, manner)
        assert.deepEqual([other.status, other.model], [200, secondModel])
        assert.equal(first.asked[2]?.key, keys[1], 'the key that was refused is not tried again')
        assert.equal(second.asked.length, 1)
        assert.equal(gateway.told.length, 2)
      })
    }
  }

  for (const dialect of dialects) {
    test(`is told as what it is where there is no other: ${dialect}`, async (context) => {
      const { gateway, first } = await stage(context)
      first.answers(fails(401, { message: 'invalid x-api-key of org-secret' }))
      const answer = await ask(gateway, { dialect, model: 'ladder/one' })
      assert.deepEqual([answer.status, answer.headers['x-keyrung-failure']], [502, 'vendor-refuses'])
      assert.equal(answer.headers['x-should-retry'], 'false')
      assert.doesNotMatch(answer.body, /org-secret/)
      assert.equal(first.asked.length, 1)
      assert.deepEqual(gateway.told, ['anthropic (key-1) vendor-refuses'])
    })
  }

  test('is tried all the same where there is nothing better', async (context) => {
    const { gateway, first } = await stage(context)
    first.answers(fails(401), well)
    assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 502)
    assert.equal((await ask(gateway, { model: 'ladder/one' })).status, 200)
  })
})

describe('a model that the vendor does not have', () => {
  test('is looked for by the next key, and then by the next rung', async (context) => {
    const { gateway, first } = await stage(context, { keys: twoKeys })
    first.answers(fails(404, { type: 'not_found_error', message: `model: ${firstModel}` }))
    const answer = await ask(gateway)
    assert.deepEqual([answer.status, answer.model], [200, secondModel])
    assert.equal(new Set(first.asked.map(({ key }) => key)).size, 2)
    await ask(gateway)
    assert.equal(first.asked.length, 2, 'and not by the next call')
  })
})

describe('a limit', () => {
  for (const [says, headers] of [
    ['with a time', { 'retry-after': '30' }],
    ['without a time', {}],
  ] as const) {
    for (const { name, ...manner } of manners) {
      test(`${says} is left for the next key at once, and then for the next rung: ${name}`, async (context) => {
        const { gateway, first, second } = await stage(context, { keys: twoKeys })
        first.answers(fails(429, { headers }), well)
        const one = await ask(gateway, manner)
        assert.deepEqual([one.status, one.model], [200, firstModel])
        const [limited, other] = first.asked.map(({ key }) => key)
        assert.notEqual(limited, other)
        assert.deepEqual(one.trail, [`anthropic/${firstModel} 429 vendor-limit`, `anthropic/${firstModel} 200 ok`])
        assert.ok(
          one.items.every(({ parameters }) => parameters['wait'] === undefined),
          'nothing was waited for',
        )
        first.answers(fails(429, { headers }))
        const two = await ask(gateway, manner)
        assert.deepEqual([two.status, two.model], [200, secondModel])
        assert.deepEqual([first.asked.length, first.asked[2]?.key], [3, other])
        const three = await ask(gateway, manner)
        assert.deepEqual([three.status, three.model], [200, secondModel])
        assert.equal(first.asked.length, 3, 'nobody asks keys that rest')
        assert.equal(second.asked.length, 2)
      })
    }
  }

  test('is no failure that opens the breaker', async (context) => {
    const { gateway, first } = await stage(context, {
      config: 'breaker: { failuresInRow: 1, openMs: 60000 }\ncooldown: { enabled: false }',
    })
    first.answers(fails(429))
    for (let call = 0; call < 3; call += 1) {
      // eslint-disable-next-line no-await-in-loop -- one after the other
      assert.equal((await ask(gateway)).model, secondModel)
    }
    assert.equal(first.asked.length, 3)
  })
})

/** Ways in which a vendor is broken before any content. */
const broken: [says: string, way: Way, kind: string][] = [
  ['500', fails(500), 'vendor-broken'],
  ['502', fails(502), 'vendor-unreachable'],
  ['503', fails(503), 'vendor-overloaded'],
  ['504', fails(504), 'vendor-slow'],
  ['529', fails(529), 'vendor-overloaded'],
  ['a reset', resets, 'vendor-unreachable'],
  ['a page instead of an answer', page, 'vendor-unreadable'],
  [
    'an error in a 200',
    ({ response }) =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"error":{"type":"overloaded_error","message":"Overloaded"}}'),
    'vendor-overloaded',
  ],
]

describe('a vendor that is broken', () => {
  for (const [says, way, kind] of broken) {
    for (const { name, ...manner } of manners) {
      test(`is left for the next rung at once, its other key unasked: ${says}, ${name}`, async (context) => {
        const { gateway, first } = await stage(context, { keys: twoKeys })
        first.answers(way)
        const answer = await ask(gateway, manner)
        assert.deepEqual(
          [answer.status, answer.model, answer.text, answer.complete],
          [200, secondModel, textFrom(secondModel), true],
        )
        assert.equal(first.asked.length, 1)
        assert.equal(answer.items[0]?.parameters['outcome'], kind)
        assert.ok(
          answer.items.every(({ parameters }) => parameters['wait'] === undefined),
          'nothing was waited for',
        )
      })
    }

    test(`is asked once more on the last rung: ${says}`, async (context) => {
      const { gateway, first } = await stage(context, { config: 'retries: { backoffMs: 5 }' })
      first.answers(way, well)
      const good = await ask(gateway, { model: 'ladder/one' })
      assert.deepEqual([good.status, good.model, first.asked.length], [200, firstModel, 2])
      assert.deepEqual(
        good.items.map(({ parameters }) => parameters['outcome']),
        [kind, 'ok'],
      )
      first.answers(way)
      const bad = await ask(gateway, { model: 'ladder/one' })
      assert.ok(bad.status >= 500)
      assert.equal(bad.headers['x-keyrung-failure'], kind)
      assert.equal(first.asked.length, 4, 'and not a third time')
    })
  }

  test('is asked by its other key before the next rung where that is used at another address', async (context) => {
    const elsewhere = await startVendor(well)
    context.after(() => elsewhere.close())
    const { gateway, first, second } = await stage(context, { keys: [{}, { vendor: elsewhere, weight: 0 }] })
    first.answers(fails(529))
    const answer = await ask(gateway)
    assert.deepEqual([answer.status, answer.model], [200, firstModel])
    assert.deepEqual(
      answer.items.map(({ parameters }) => parameters['credential'] ?? 1),
      [1, 2],
    )
    assert.deepEqual([first.asked.length, elsewhere.asked.length, second.asked.length], [1, 1, 0])
  })

  test('of three rungs each is asked once, and the caller is told of the first', async (context) => {
    const { gateway, ...vendors } = await stage(context)
    const { first, second, third } = vendors
    for (const vendor of [first, second, third]) vendor.answers(fails(529))
    const answer = await ask(gateway, { model: 'ladder/three' })
    assert.deepEqual([answer.status, answer.headers['x-keyrung-model']], [529, firstModel])
    assert.deepEqual(answer.trail, [
      `anthropic/${firstModel} 529 vendor-overloaded`,
      `openai/${secondModel} 529 vendor-overloaded`,
      `deepseek/${thirdModel} 529 vendor-overloaded`,
    ])
    assert.deepEqual([first.asked.length, second.asked.length, third.asked.length], [1, 1, 1])
    const [receipt] = await receipts(gateway, 1)
    assert.deepEqual([receipt?.status, receipt?.failure, receipt?.tries.length], [529, 'vendor-overloaded', 3])
  })

  test('with retries off one try is all', async (context) => {
    const { gateway, first, second } = await stage(context, { config: 'retries: { enabled: false }' })
    first.answers(fails(529))
    assert.equal((await ask(gateway)).status, 529)
    assert.deepEqual([first.asked.length, second.asked.length], [1, 0])
  })

  test('five times in a row is passed over by the calls after, and the trail says so', async (context) => {
    const { gateway, first } = await stage(context, { config: 'breaker: { failuresInRow: 5, openMs: 60000 }' })
    first.answers(fails(500))
    for (let call = 0; call < 5; call += 1) {
      // eslint-disable-next-line no-await-in-loop -- one after the other
      assert.equal((await ask(gateway)).status, 200)
    }
    assert.equal(first.asked.length, 5)
    const answer = await ask(gateway)
    assert.deepEqual(answer.trail, [`anthropic/${firstModel} 0 failing`, `openai/${secondModel} 200 ok`])
    assert.equal(answer.items[0]?.parameters['passed'], true)
    assert.equal(first.asked.length, 5)
  })
})

describe('a stream that breaks before its content', () => {
  const ways: [says: string, way: Way, kind: string][] = [
    [
      'by an error as its first event, its connection left open',
      (asked) => void asked.response.writeHead(200, { 'content-type': 'text/event-stream' }).write(errorEvent(asked)),
      'vendor-overloaded',
    ],
    [
      'by an error as its first event',
      (asked) => void asked.response.writeHead(200, { 'content-type': 'text/event-stream' }).end(errorEvent(asked)),
      'vendor-overloaded',
    ],
    [
      'by an error after its head',
      (asked) => (begin(asked), void asked.response.end(errorEvent(asked))),
      'vendor-overloaded',
    ],
    ['by its end', (asked) => (begin(asked), void asked.response.end()), 'vendor-cut'],
    ['by a reset', (asked) => (begin(asked), void setImmediate(() => asked.socket.resetAndDestroy())), 'vendor-cut'],
    [
      'by nothing at all in a 200',
      ({ response }) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
      'vendor-cut',
    ],
    [
      'by half an event',
      (asked) =>
        void asked.response.writeHead(200, { 'content-type': 'text/event-stream' }).end(opening(asked).slice(0, -9)),
      'vendor-cut',
    ],
  ]
  for (const [says, way, kind] of ways) {
    for (const dialect of dialects) {
      test(`climbs, and nothing of it reaches the caller: ${says}, ${dialect}`, async (context) => {
        const { gateway, first } = await stage(context)
        first.answers(way)
        const answer = await ask(gateway, { dialect, stream: true })
        assert.deepEqual(
          [answer.status, answer.model, answer.text, answer.complete],
          [200, secondModel, textFrom(secondModel), true],
        )
        assert.ok(!answer.body.includes(firstModel))
        assert.equal(answer.items[0]?.parameters['outcome'], kind)
      })
    }
  }
})

describe('a stream that breaks after its content', () => {
  const ways: [says: string, way: Way, kind: string][] = [
    ['by an error', (asked) => void asked.response.end(errorEvent(asked)), 'vendor-overloaded'],
    ['by its end', ({ response }) => void response.end(), 'vendor-cut'],
    ['by a reset', resets, 'vendor-cut'],
    ['by a silence', silent, 'vendor-slow'],
  ]
  for (const [says, way, kind] of ways) {
    for (const dialect of dialects) {
      test(`ends with an error event, and nobody else is asked: ${says}, ${dialect}`, async (context) => {
        const { gateway, first, second } = await stage(context, { config: 'deadlines: { idleMs: 300 }' })
        first.answers((asked) => {
          begin(asked)
          asked.response.write(content(asked).slice(0, 2).join(''))
        })
        const request = send(gateway, { dialect, stream: true })
        const [response] = (await once(request, 'response')) as [IncomingMessage]
        way(await first.ask(0))
        const answer = await seen(response, { dialect })
        assert.deepEqual([answer.status, answer.model, answer.complete], [200, firstModel, false])
        assert.ok(answer.error !== undefined)
        assert.match(answer.text, /^This /)
        assert.deepEqual([first.asked.length, second.asked.length], [1, 0])
        const [receipt] = await receipts(gateway, 1)
        assert.deepEqual([receipt?.status, receipt?.failure], [200, kind])
        assert.deepEqual(
          receipt?.tries.map(({ outcome }) => outcome),
          [kind],
        )
      })
    }
  }
})
