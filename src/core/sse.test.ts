import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Failure } from './failure.ts'
import { eachEvent, eventBytesMax, normalLines, SseFramer, utf8 } from './sse.ts'

function eventsOf(chunks: readonly Buffer[]): [name: string, data: string][] {
  const framer = new SseFramer()
  const events: [string, string][] = []
  const take = (name: string, data: string): void => void events.push([name, data])
  for (const chunk of chunks) eachEvent(normalLines(framer.push(chunk).toString()), take)
  eachEvent(normalLines(framer.rest().toString()), take)
  return events
}

const cases: [sentence: string, text: string, events: [string, string][]][] = [
  ['an event has a name and data', 'event: ping\ndata: {"a":1}\n\n', [['ping', '{"a":1}']]],
  ['an event without a name is a message', 'data: x\n\n', [['message', 'x']]],
  ['data lines are joined by a line feed', 'data: a\ndata: b\n\n', [['message', 'a\nb']]],
  ['the space after the colon may be missing', 'event:e\ndata:x\n\n', [['e', 'x']]],
  ['only one space after the colon is taken away', 'data:  x\n\n', [['message', ' x']]],
  ['comments are passed over', ': keep-alive\n\ndata: x\n\n', [['message', 'x']]],
  ['unknown fields are passed over', 'id: 7\nretry: 5\nfoo\ndata: x\n\n', [['message', 'x']]],
  ['an event without data is none', 'event: e\n\ndata: x\n\n', [['message', 'x']]],
  [
    'lines may end with CR LF',
    'event: e\r\ndata: x\r\n\r\ndata: y\r\n\r\n',
    [
      ['e', 'x'],
      ['message', 'y'],
    ],
  ],
  [
    'lines may end with CR alone',
    'event: e\rdata: x\r\rdata: y\r\r',
    [
      ['e', 'x'],
      ['message', 'y'],
    ],
  ],
  [
    'line ends may be mixed',
    'data: x\r\n\ndata: y\n\r\n',
    [
      ['message', 'x'],
      ['message', 'y'],
    ],
  ],
  ['a byte order mark at the start is passed over', '\uFEFFdata: x\n\n', [['message', 'x']]],
  ['U+2028 and U+2029 end no line', 'data: a\u2028b\u2029c\n\n', [['message', 'a\u2028b\u2029c']]],
  ['characters of several bytes stay whole', 'data: Grüße 🦊 日本\n\n', [['message', 'Grüße 🦊 日本']]],
  [
    'the last event may lack its blank line',
    'data: x\n\ndata: y\n',
    [
      ['message', 'x'],
      ['message', 'y'],
    ],
  ],
  ['empty data is data', 'data:\n\n', [['message', '']]],
]

for (const [sentence, text, events] of cases) {
  test(`sse: ${sentence}, however the bytes are cut`, () => {
    const bytes = Buffer.from(text)
    assert.deepEqual(eventsOf([bytes]), events)
    assert.deepEqual(eventsOf([...bytes].map((byte) => Buffer.of(byte))), events)
    for (let cut = 1; cut < bytes.length; cut += 1) {
      assert.deepEqual(eventsOf([bytes.subarray(0, cut), bytes.subarray(cut)]), events, `cut at ${cut}`)
    }
  })
}

test('sse: a chunk that ends where an event ends comes back as the very same object', () => {
  const framer = new SseFramer()
  const chunk = Buffer.from('data: x\n\n')
  assert.equal(framer.push(chunk), chunk)
})

test('sse: any events in any line ends and any cuts are read the same', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll(/[\r\n\uFEFF]/g, ''))
  const end = fc.constantFrom('\n', '\r\n', '\r')
  const event = fc.tuple(fc.array(line, { minLength: 1, maxLength: 3 }), end)
  fc.assert(
    fc.property(fc.array(event, { maxLength: 6 }), fc.array(fc.nat(200), { maxLength: 8 }), (list, cuts) => {
      const text = list.map(([lines, eol]) => lines.map((one) => `data: ${one}${eol}`).join('') + eol).join('')
      const bytes = Buffer.from(text)
      const places = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].toSorted(
        (a, b) => a - b,
      )
      const chunks = places.slice(1).map((to, index) => bytes.subarray(places[index], to))
      assert.deepEqual(
        eventsOf(chunks),
        list.map(([lines]) => ['message', lines.join('\n')]),
      )
    }),
  )
})

test('sse: an event over the limit is a failure and not memory', () => {
  const framer = new SseFramer()
  const chunk = Buffer.alloc(eventBytesMax / 4, 'x')
  assert.throws(
    () => {
      for (let count = 0; count < 6; count += 1) framer.push(chunk)
    },
    (thrown) => thrown instanceof Failure && thrown.kind === 'vendor-unreadable',
  )
})

test('sse: data that was cut out of Latin-1 text gets its own characters back', () => {
  assert.equal(utf8(Buffer.from('Grüße 🦊').toString('latin1')), 'Grüße 🦊')
})
