import type { Answer, Piece, Reply } from './fault.ts'
import { errorEvent } from './error-event.ts'
import { asStream, asWhole, streamType } from './ordinary.ts'
import { refusalsOf } from './refusals/index.ts'
import { halfOf, type Bend } from './whole.ts'

/** The vendor's error event after so many content events, and then the end. */
export const errorAfter: Bend = (reply, count) => {
  const { before } = split(reply, count)
  return stream([...before, errorEvent(reply, refusalsOf(reply)['529'], before.join(''))])
}

/** The same error as bare JSON: no field of a stream. */
export const bareErrorAfter: Bend = (reply, count) => {
  const { vendor, requestId } = reply
  const error = JSON.stringify(vendor.write(refusalsOf(reply)['529'], requestId))
  return stream([...split(reply, count).before, error])
}

/** Half an event after so many content events. */
export const cutAfter: Bend = (reply, count) => {
  const { before, rest } = split(reply, count)
  return stream([...before, halfOf(firstEvent(rest))], 'close')
}

/** Nothing more after so many content events. */
export function stopAfter(ending: Answer['ending']): Bend {
  return (reply, count) => stream(split(reply, count).before, ending)
}

/** All but the dialect's very last event. */
export const withoutLast: Bend = (reply) => {
  const pieces = Array.from(reply.pieces(), ({ text }) => text)
  const last = pieces.pop() ?? ''
  const at = last.trimEnd().lastIndexOf('\n\n')
  return stream([...pieces, at === -1 ? '' : last.slice(0, at + 2)])
}

/** One event whose data is half of what it should be, between others that are whole. */
export const garbageAfter: Bend = (reply, count) => {
  const { before, rest } = split(reply, count)
  const at = rest.findIndex(holdsData)
  const garbled = rest.map((text, index) =>
    index === at ? text.replace(/^data: (.*)$/m, (_, data: string) => `data: ${halfOf(data)}`) : text,
  )
  return stream([...before, ...garbled])
}

/** A comment, a line without a colon and a field of no meaning: readers pass over all three. */
export const noiseAfter: Bend = (reply, count) => {
  const { before, rest } = split(reply, count)
  return stream([...before, ': a comment\n\nthis line is no field\nnoise: of no meaning\n', ...rest])
}

/** An event of somebody else, and then the end. */
export const foreignEvent: Bend = () => stream(['data: {"status":"ok","version":"1.4.2"}\n\n'])

/** No event at all. */
export const noEvents: Bend = () => stream([])

/** Headers, and then nothing. */
export const headersAlone: Bend = () => stream([], 'silence')

/** All of the stream as plain text. */
export const plainStream: Bend = (reply) => asStream(reply, 'text/plain; charset=utf-8')

/** JSON where a stream was asked for. */
export const noStream: Bend = (reply) => asWhole(reply)

function stream(pieces: readonly string[], ending: Answer['ending'] = 'end'): Answer {
  return { head: { status: 200, contentType: streamType }, pieces, ending }
}

/**
 * Cuts before the content event after so many others, before the end events at the latest. What else stands between goes
 * with the first part: what is then lost or garbled must be something, not a ping that nobody would miss.
 */
function split({ pieces }: Reply, count: number): { before: string[]; rest: string[] } {
  const all: Piece[] = [...pieces()]
  let at = 0
  let seen = 0
  for (const { kind } of count === 0 ? [] : all) {
    if (kind === 'end' || (kind === 'content' && seen === count)) break
    if (kind === 'content') seen += 1
    at += 1
  }
  const texts = all.map(({ text }) => text)
  return { before: texts.slice(0, at), rest: texts.slice(at) }
}

function firstEvent(pieces: readonly string[]): string {
  return pieces.find(holdsData)?.split('\n\n', 1)[0] ?? ''
}

function holdsData(text: string): boolean {
  return /^data: /m.test(text)
}
