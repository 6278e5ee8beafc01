import type { Fault } from './fault.ts'
import * as streamed from './streamed.ts'
import * as whole from './whole.ts'

/** Whole replies that are not what they should be. A stream that is asked for meets what is nearest to it. */
export const bodyFaults: readonly Fault[] = [
  body('error-in-200', 'A 200 whose body is an error; a stream begins with the error.', {
    whole: (reply) => whole.errorBody(reply, '500'),
    streamed: (reply) => streamed.errorAfter(reply, 0),
  }),
  body('empty', 'A 200 with nothing in it; a stream without an event.', {
    whole: whole.empty,
    streamed: streamed.noEvents,
  }),
  body('cut', 'Half of the JSON, and the connection closed; a stream is closed within its second content event.', {
    whole: (reply) => whole.half(reply, 'close', 'all'),
    streamed: (reply) => streamed.cutAfter(reply, 1),
  }),
  body(
    'cut-clean',
    'Half of the JSON, with a length that agrees; a stream ends as HTTP wants it after its first content event.',
    {
      whole: (reply) => whole.half(reply, 'end', 'half'),
      streamed: (reply) => streamed.stopAfter('end')(reply, 1),
    },
  ),
  body('html', 'A page of HTML with status 200.', { whole: whole.html, streamed: whole.html }),
  body('wrong-type', 'The right reply, whole or streamed, as text/plain.', {
    whole: whole.plainText,
    streamed: streamed.plainStream,
  }),
  body('not-json', 'Plain words where JSON should be; a stream begins with an event that cannot be read.', {
    whole: whole.notJson,
    streamed: (reply) => streamed.garbageAfter(reply, 0),
  }),
  body('wrong-shape', 'JSON of another kind, which is no reply; a stream of such an event.', {
    whole: whole.wrongShape,
    streamed: streamed.foreignEvent,
  }),
  body(
    'reset-in-body',
    'Half of the JSON, and the connection reset; a stream is reset after its first content event.',
    {
      whole: (reply) => whole.half(reply, 'reset', 'all'),
      streamed: (reply) => streamed.stopAfter('reset')(reply, 1),
    },
  ),
]

function body(name: string, about: string, bends: { whole: whole.Bend; streamed: whole.Bend }): Fault {
  const answer: Fault['answer'] = (reply, count) => (reply.streamed ? bends.streamed : bends.whole)(reply, count)
  return { name, about, moment: 'body', max: 0, answer }
}
