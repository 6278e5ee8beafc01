import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { isObject, parseJson } from '../../core/json.ts'
import { startSandbox, type Sandbox } from '../index.ts'
import { call, contentOf, doors, nameOf, read, type Came, type Door } from './testing.ts'

let sandbox: Sandbox
before(async () => {
  sandbox = await startSandbox()
})
after(() => sandbox.close())

/** What is seen of an answer, at any door. `whole`: the JSON that there is without a fault; `events`: as the reader reads them. */
type Check = (came: Came, door: Door) => void

interface Case {
  fault: string
  ending: Came['ending']
  /** 0: no answer. */
  status?: number
  type?: RegExp
  check?: Check
}

const json = /^application\/json$/
const stream = /^text\/event-stream/

const isWhole: Check = ({ text }, { dialect, vendor }) => {
  const reply = parseJson(text)
  assert.ok(isObject(reply))
  assert.equal(dialect.reply.unfold(reply, vendor).at(-1)?.type, 'end')
}
const isHalf: Check = ({ text }) => {
  assert.ok(text.length > 100)
  assert.equal(parseJson(text), undefined)
}
const isError: Check = ({ text }, { dialect, vendor }) => {
  const reply = parseJson(text)
  assert.ok(isObject(reply))
  assert.throws(() => dialect.reply.unfold(reply, vendor))
}
const isNone: Check = ({ text }) => assert.equal(text, '')
const isStream: Check = ({ text }, door) => {
  const { events, readable } = read(door, text)
  assert.ok(readable)
  assert.equal(events.at(-1)?.type, 'end')
  assert.ok(contentOf(events) > 3)
}
/** So many content events, then nothing that would be taken for an end. */
function stopsAfter(count: number): Check {
  return ({ text }, door) => {
    const { events, readable } = read(door, text)
    assert.ok(readable)
    assert.equal(contentOf(events), count)
    assert.ok(events.every(({ type }) => type !== 'end' && type !== 'failure'))
  }
}
function failsAfter(count: number): Check {
  return ({ text }, door) => {
    const { events, readable } = read(door, text)
    assert.ok(readable)
    assert.equal(contentOf(events), count)
    assert.equal(events.at(-1)?.type, 'failure')
    assert.ok(!text.includes('[DONE]'))
  }
}

const wholeCases: Case[] = [
  { fault: 'reset', ending: 'reset', status: 0 },
  { fault: 'close', ending: 'close', status: 0 },
  { fault: 'silent', ending: 'silence', status: 0 },
  { fault: 'slow-20', ending: 'end', type: json, check: isWhole },
  { fault: 'error-in-200', ending: 'end', type: json, check: isError },
  { fault: 'empty', ending: 'end', type: json, check: isNone },
  { fault: 'cut', ending: 'close', type: json, check: isHalf },
  { fault: 'cut-clean', ending: 'end', type: json, check: isHalf },
  { fault: 'html', ending: 'end', type: /^text\/html/, check: ({ text }) => assert.match(text, /^<!DOCTYPE html>/) },
  { fault: 'wrong-type', ending: 'end', type: /^text\/plain/, check: isWhole },
  { fault: 'not-json', ending: 'end', type: json, check: ({ text }) => assert.match(text, /^upstream connect error/) },
  { fault: 'wrong-shape', ending: 'end', type: json, check: isError },
  { fault: 'reset-in-body', ending: 'reset', type: json, check: isHalf },
  { fault: 'error-first', ending: 'end', type: json, check: isError },
  { fault: 'error-after-2', ending: 'end', type: json, check: isError },
  { fault: 'error-bare-after-2', ending: 'end', type: json, check: isError },
  { fault: 'cut-after-2', ending: 'close', type: json, check: isHalf },
  { fault: 'end-after-2', ending: 'end', type: json, check: isHalf },
  { fault: 'no-last-event', ending: 'end', type: json, check: isHalf },
  { fault: 'reset-after-2', ending: 'reset', type: json, check: isHalf },
  { fault: 'stall-after-2', ending: 'silence', type: json, check: isHalf },
  { fault: 'stall-before', ending: 'silence', type: json, check: isNone },
  { fault: 'garbage-after-2', ending: 'end', type: json, check: ({ text }) => assert.match(text, /^upstream/) },
  { fault: 'noise-after-2', ending: 'end', type: json, check: isWhole },
  { fault: 'not-a-stream', ending: 'end', type: stream, check: isStream },
]

const streamCases: Case[] = [
  { fault: 'reset', ending: 'reset', status: 0 },
  { fault: 'close', ending: 'close', status: 0 },
  { fault: 'silent', ending: 'silence', status: 0 },
  { fault: 'slow-20', ending: 'end', type: stream, check: isStream },
  { fault: 'error-in-200', ending: 'end', type: stream, check: failsAfter(0) },
  { fault: 'empty', ending: 'end', type: stream, check: isNone },
  { fault: 'cut', ending: 'close', type: stream, check: stopsAfter(1) },
  { fault: 'cut-clean', ending: 'end', type: stream, check: stopsAfter(1) },
  { fault: 'html', ending: 'end', type: /^text\/html/, check: ({ text }) => assert.match(text, /^<!DOCTYPE html>/) },
  { fault: 'wrong-type', ending: 'end', type: /^text\/plain/, check: isStream },
  { fault: 'not-json', ending: 'end', type: stream, check: ({ text }, door) => assert.ok(!read(door, text).readable) },
  {
    fault: 'wrong-shape',
    ending: 'end',
    type: stream,
    check({ text }, door) {
      assert.ok(read(door, text).events.every(({ type }) => type !== 'end'))
      assert.match(text, /^data: \{"status":"ok"/)
    },
  },
  { fault: 'reset-in-body', ending: 'reset', type: stream, check: stopsAfter(1) },
  { fault: 'error-first', ending: 'end', type: stream, check: failsAfter(0) },
  { fault: 'error-after-2', ending: 'end', type: stream, check: failsAfter(2) },
  {
    fault: 'error-bare-after-2',
    ending: 'end',
    type: stream,
    check({ text }, door) {
      assert.equal(contentOf(read(door, text).events), 2)
      assert.ok(isObject(parseJson(text.slice(text.lastIndexOf('\n\n')))))
    },
  },
  {
    fault: 'cut-after-2',
    ending: 'close',
    type: stream,
    check(came, door) {
      stopsAfter(2)(came, door)
      assert.match(came.text.slice(came.text.lastIndexOf('\n\n') + 2), /^(event: \S+\n)?data: \{.+[^}]$/)
    },
  },
  { fault: 'cut-after-0', ending: 'close', type: stream, check: stopsAfter(0) },
  { fault: 'end-after-2', ending: 'end', type: stream, check: stopsAfter(2) },
  {
    fault: 'no-last-event',
    ending: 'end',
    type: stream,
    check({ text }, door) {
      const { events, readable } = read(door, text)
      assert.ok(readable)
      assert.ok(contentOf(events) > 3)
      assert.ok(events.every(({ type }) => type !== 'end'))
    },
  },
  { fault: 'reset-after-2', ending: 'reset', type: stream, check: stopsAfter(2) },
  { fault: 'reset-after-0', ending: 'reset', type: stream, check: isNone },
  { fault: 'stall-after-2', ending: 'silence', type: stream, check: stopsAfter(2) },
  {
    fault: 'stall-after-99999',
    ending: 'silence',
    type: stream,
    check: ({ text }, door) => {
      const { events } = read(door, text)
      assert.ok(contentOf(events) > 3)
      assert.ok(events.every(({ type }) => type !== 'end'))
    },
  },
  { fault: 'stall-before', ending: 'silence', type: stream, check: isNone },
  {
    fault: 'garbage-after-2',
    ending: 'end',
    type: stream,
    check({ text }, door) {
      const { events, readable } = read(door, text)
      assert.ok(!readable)
      assert.equal(contentOf(events), 2)
    },
  },
  {
    fault: 'noise-after-2',
    ending: 'end',
    type: stream,
    check(came, door) {
      isStream(came, door)
      assert.match(came.text, /\n\n: a comment\n\nthis line is no field\nnoise: of no meaning\n/)
    },
  },
  { fault: 'not-a-stream', ending: 'end', type: json, check: isWhole },
]

for (const [streamed, cases] of [
  [false, wholeCases],
  [true, streamCases],
] as const) {
  suite(streamed ? 'a stream' : 'a whole reply', () => {
    for (const { fault, ending, status = 200, type, check } of cases) {
      test(`${fault}: at every door it stops with ${ending}`, async () => {
        const all = await Promise.all(
          doors.map(async (door) => ({ door, came: await call(sandbox, door, { streamed, fault }) })),
        )
        for (const { door, came } of all) {
          const where = `${nameOf(door)} ${came.status} ${came.text}`
          assert.deepEqual([came.status, came.ending], [status, ending], where)
          if (type !== undefined) assert.match(String(came.headers['content-type']), type, where)
          try {
            check?.(came, door)
          } catch (error) {
            throw new Error(where, { cause: error })
          }
        }
      })
    }
  })
}

test('a cut whole reply promises the length of all of it, a clean one that of what comes', async () => {
  for (const door of doors) {
    const cut = await call(sandbox, door, { fault: 'cut' })
    assert.ok(Number(cut.headers['content-length']) > Buffer.byteLength(cut.text))
    const clean = await call(sandbox, door, { fault: 'cut-clean' })
    assert.equal(Number(clean.headers['content-length']), Buffer.byteLength(clean.text))
  }
})

test('what is cut or garbled is a part of the answer, never a ping', async () => {
  const [door] = doors as [Door]
  for (const fault of ['cut-after-1', 'garbage-after-1']) {
    const { text } = await call(sandbox, door, { streamed: true, fault })
    assert.match(text, /event: ping\ndata: \{"type": "ping"\}\n\nevent: content_block_delta\ndata: \{[^\n]+[^}](\n|$)/)
  }
})

test('OpenAI’s error in a Responses stream is nested and counted, and the response fails', async () => {
  const door = doors.find(({ vendor, dialect }) => vendor === 'openai' && dialect.name === 'openai-responses') as Door
  const { text } = await call(sandbox, door, { streamed: true, fault: 'error-after-2' })
  const numbers = [...text.matchAll(/"sequence_number":(\d+)/g)].map(([, number]) => Number(number))
  assert.deepEqual(numbers, Array.from(numbers.keys()))
  assert.match(text, /event: error\ndata: \{"type":"error","sequence_number":\d+,"error":\{"message"/)
  assert.match(text, /event: response\.failed\ndata: .*"status":"failed".*"error":\{"code":"server_is_overloaded"/)
})

suite('faults that go away again', () => {
  test('one call meets it, the next is answered, by turns', async () => {
    const [door] = doors as [Door]
    const statuses: number[] = []
    for (let count = 0; count < 4; count += 1) {
      statuses.push((await call(sandbox, door, { fault: '529-then-ok', caller: 'turns' })).status)
    }
    assert.deepEqual(statuses, [529, 200, 529, 200])
  })

  test('so many calls meet it, and each caller has turns of its own', async () => {
    const [door] = doors as [Door]
    const statuses: string[] = []
    for (const caller of ['a', 'a', 'b', 'a', 'b', 'b']) {
      const { status } = await call(sandbox, door, { fault: '429-after-1-2-times-then-ok', caller })
      statuses.push(`${caller} ${status}`)
    }
    assert.deepEqual(statuses, ['a 429', 'a 429', 'b 429', 'a 200', 'b 429', 'b 200'])
  })

  test('streams and connections too', async () => {
    for (const door of doors) {
      const cut = { streamed: true, fault: 'cut-after-1-then-ok', caller: nameOf(door) }
      assert.equal((await call(sandbox, door, cut)).ending, 'close')
      assert.equal((await call(sandbox, door, cut)).ending, 'end')
    }
  })
})
