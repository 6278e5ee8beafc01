import type { Fault } from './fault.ts'
import * as streamed from './streamed.ts'
import * as whole from './whole.ts'

const eventsMax = 100_000

/**
 * Streams that go wrong. Content events are those that carry thinking, text or a tool call; where the reply has fewer, it
 * happens after its last. A whole reply that is asked for meets what is nearest to it.
 */
export const streamFaults: readonly Fault[] = [
  stream('error-first', 'The error comes first, in a 200; a whole reply is the error in a 200.', {
    streamed: (reply) => streamed.errorAfter(reply, 0),
    whole: (reply) => whole.errorBody(reply, '529'),
  }),
  stream('error-after-N', 'The error comes after N content events; a whole reply is the error in a 200.', {
    streamed: streamed.errorAfter,
    whole: (reply) => whole.errorBody(reply, '529'),
  }),
  stream(
    'error-bare-after-N',
    'The error comes after N content events as bare JSON without `data:`, as Google can send it; a whole reply is the error in a 200.',
    { streamed: streamed.bareErrorAfter, whole: (reply) => whole.errorBody(reply, '529') },
  ),
  stream(
    'cut-after-N',
    'The connection is closed within the event after N content events; a whole reply is closed at its half.',
    { streamed: streamed.cutAfter, whole: (reply) => whole.half(reply, 'close', 'all') },
  ),
  stream(
    'end-after-N',
    'The stream ends as HTTP wants it after N content events, without its last events; a whole reply ends at its half.',
    { streamed: streamed.stopAfter('end'), whole: (reply) => whole.half(reply, 'end', 'half') },
  ),
  stream(
    'no-last-event',
    'All of the stream but the very last event (message_stop, [DONE], response.completed, finishReason); a whole reply ends at its half.',
    { streamed: streamed.withoutLast, whole: (reply) => whole.half(reply, 'end', 'half') },
  ),
  stream('reset-after-N', 'The connection is reset after N content events; a whole reply is reset at its half.', {
    streamed: streamed.stopAfter('reset'),
    whole: (reply) => whole.half(reply, 'reset', 'all'),
  }),
  stream('stall-after-N', 'Nothing more comes after N content events; a whole reply stops at its half.', {
    streamed: streamed.stopAfter('silence'),
    whole: (reply) => whole.half(reply, 'silence', 'all'),
  }),
  stream('stall-before', 'Headers come and then nothing, for a whole reply too.', {
    streamed: streamed.headersAlone,
    whole: whole.headersOnly,
  }),
  stream(
    'garbage-after-N',
    'The event after N content events cannot be read, those after it can; a whole reply is plain words instead of JSON.',
    { streamed: streamed.garbageAfter, whole: whole.notJson },
  ),
  stream(
    'noise-after-N',
    'A comment and lines that mean nothing come after N content events, and all is well; a whole reply has blank lines around it.',
    { streamed: streamed.noiseAfter, whole: whole.blankLines },
  ),
  stream('not-a-stream', 'A whole reply where a stream was asked for; a stream where a whole reply was.', {
    streamed: streamed.noStream,
    whole: whole.unaskedStream,
  }),
]

function stream(name: string, about: string, bends: { whole: whole.Bend; streamed: whole.Bend }): Fault {
  const answer: Fault['answer'] = (reply, count) => (reply.streamed ? bends.streamed : bends.whole)(reply, count)
  return { name, about, moment: 'stream', max: name.endsWith('-N') ? eventsMax : 0, answer }
}
