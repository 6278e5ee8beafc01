import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { DialectName, ReplyContext } from '../src/core/dialect.ts'
import type { ReplyEvent } from '../src/core/event.ts'
import { Passthrough, Translation, type Transcoder } from '../src/core/transcoder.ts'
import { dialects } from '../src/dialects/index.ts'

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url))

const context: ReplyContext = {
  id: 'x'.repeat(24),
  model: 'asked',
  createdMs: 1_700_000_000_000,
  // Asked for, so that callers get the thoughts too.
  request: { thinking: { type: 'adaptive' } },
  streamUsage: true,
}

interface Recorded {
  name: string
  dialect: DialectName
  vendor: string
  bytes: Buffer
}

const native: Record<DialectName, string> = {
  anthropic: 'anthropic',
  'openai-chat': 'openai',
  'openai-responses': 'openai',
  gemini: 'google',
}

/** Every stream that was recorded from a vendor and ended well. */
const streams = globSync('*/*.sse', { cwd: fixtures })
  .filter((path) => !path.includes('error'))
  .map((path): Recorded => {
    const dialect = dirname(path) as DialectName
    const vendor = ['deepseek', 'xai'].find((name) => basename(path).startsWith(name)) ?? native[dialect]
    return { name: path, dialect, vendor, bytes: readFileSync(join(fixtures, path)) }
  })
  .toSorted((one, other) => one.name.localeCompare(other.name))

const callers: readonly DialectName[] = ['anthropic', 'openai-chat', 'openai-responses', 'gemini']

function transcoder(recorded: Recorded, caller: DialectName): Transcoder {
  const from = dialects[recorded.dialect]
  return recorded.dialect === caller
    ? new Passthrough(from, context)
    : new Translation(from, dialects[caller], recorded.vendor, context)
}

interface Outcome {
  text: string
  complete: boolean
  begun: boolean
  usage: unknown
  model: unknown
}

function run(recorded: Recorded, caller: DialectName, chunks: Iterable<Buffer>): Outcome {
  const one = transcoder(recorded, caller)
  const out: (Buffer | string)[] = []
  for (const chunk of chunks) out.push(one.push(chunk))
  out.push(one.end())
  const text = Buffer.concat(out.map((piece) => Buffer.from(piece))).toString()
  return { text, complete: one.complete, begun: one.begun, usage: one.usage, model: one.model }
}

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The ids that a dialect mints for itself differ from run to run. */
function comparable(outcome: Outcome): Outcome {
  return { ...outcome, text: outcome.text.replaceAll(/(call_|toolu_)[0-9A-Za-z]{24}/g, '$1…') }
}

/** The events of a written stream, read back: what a caller would fold. Runs of text become one. */
function readBack(text: string, caller: DialectName): ReplyEvent[] {
  const events: ReplyEvent[] = []
  const reader = dialects[caller].stream.reader(native[caller])
  const emit = (event: ReplyEvent): void => {
    const last = events.at(-1)
    if (event.type === 'text' && last?.type === 'text')
      events[events.length - 1] = { type: 'text', text: last.text + event.text }
    else if (event.type === 'thinking' && last?.type === 'thinking')
      events[events.length - 1] = { type: 'thinking', text: last.text + event.text }
    else events.push(event)
  }
  for (const block of text.split('\n\n')) {
    const name = /^event: (.*)$/m.exec(block)?.[1] ?? 'message'
    const data = /^data: (.*)$/m.exec(block)?.[1]
    if (data !== undefined) reader.read(name, data, emit)
  }
  reader.end('', emit)
  return events
}

suite('recorded streams', () => {
  for (const recorded of streams) {
    for (const caller of callers) {
      test(`${recorded.name} reads the same for a ${caller} caller, however it is cut`, () => {
        const whole = comparable(run(recorded, caller, [recorded.bytes]))
        assert.equal(whole.complete, true)
        assert.equal(whole.begun, true)
        if (recorded.dialect === caller)
          assert.equal(run(recorded, caller, [recorded.bytes]).text, recorded.bytes.toString())

        for (const size of [1, 2, 3, 5, 17, 250, 4096]) {
          assert.deepEqual(comparable(run(recorded, caller, pieces(recorded.bytes, size))), whole, `pieces of ${size}`)
        }
        // At every byte of short streams, at every byte of the first events of long ones.
        const places = Math.min(recorded.bytes.length, recorded.bytes.length > 5000 ? 400 : 5000)
        for (let cut = 1; cut < places; cut += 1) {
          const halves = [recorded.bytes.subarray(0, cut), recorded.bytes.subarray(cut)]
          assert.deepEqual(comparable(run(recorded, caller, halves)), whole, `cut at ${cut}`)
        }
        const crlf = Buffer.from(recorded.bytes.toString().replaceAll('\n', '\r\n'))
        const windows = comparable(run({ ...recorded, bytes: crlf }, caller, pieces(crlf, 7)))
        assert.deepEqual({ ...windows, text: windows.text.replaceAll('\r\n', '\n') }, whole, 'CRLF')
      })

      test(`${recorded.name} is never complete for a ${caller} caller without its end`, () => {
        const text = recorded.bytes.toString()
        const blocks = text.split('\n\n').filter((block) => block !== '')
        // Gemini's end is its last chunk with a finishReason; of the others the very last event is what counts.
        const from =
          recorded.dialect === 'gemini' ? text.lastIndexOf('data: ') : text.length - (blocks.at(-1)?.length ?? 0) - 2
        const cut = Buffer.from(text.slice(0, from))
        for (const upTo of [cut.length, cut.length - 5, Math.floor(cut.length / 2)]) {
          assert.equal(run(recorded, caller, pieces(cut.subarray(0, upTo), 64)).complete, false)
        }
      })

      if (recorded.dialect !== caller) {
        test(`${recorded.name} says to a ${caller} caller what it said to its own`, () => {
          const said = (events: readonly ReplyEvent[]): unknown => ({
            text: events.map((event) => (event.type === 'text' ? event.text : '')).join(''),
            thinking: events.map((event) => (event.type === 'thinking' ? event.text : '')).join(''),
            calls: events.filter((event) => event.type === 'tool-start').map((event) => event.name),
            arguments: events.map((event) => (event.type === 'tool-delta' ? event.json : '')).join(''),
            end: events.findLast((event) => event.type === 'end')?.reason,
            output: events.findLast((event) => event.type === 'usage')?.usage.output,
          })
          const own = readBack(recorded.bytes.toString(), recorded.dialect)
          const theirs = readBack(run(recorded, caller, [recorded.bytes]).text, caller)
          const wanted = said(own) as { arguments: string; end: string }
          const got = said(theirs) as { arguments: string; end: string }
          const json = (text: string): unknown => (text === '' ? {} : JSON.parse(text))
          assert.deepEqual({ ...got, arguments: json(got.arguments) }, { ...wanted, arguments: json(wanted.arguments) })
        })
      }
    }
  }
})
