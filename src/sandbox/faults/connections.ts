import type { Fault } from './fault.ts'
import { ordinary } from './ordinary.ts'

const waitMsMax = 600_000

/** What happens to the connection before any answer. The request has been read by then. */
export const connectionFaults: readonly Fault[] = [
  {
    name: 'reset',
    about: 'Resets the connection before it answers.',
    moment: 'connection',
    max: 0,
    answer: () => ({ ending: 'reset' }),
  },
  {
    name: 'close',
    about: 'Closes the connection without an answer.',
    moment: 'connection',
    max: 0,
    answer: () => ({ ending: 'close' }),
  },
  {
    name: 'silent',
    about: 'Takes the request and never answers; the connection stays open.',
    moment: 'connection',
    max: 0,
    answer: () => ({ ending: 'silence' }),
  },
  {
    name: 'slow-MS',
    about: 'Answers as it should, after so many milliseconds.',
    moment: 'connection',
    max: waitMsMax,
    answer: (reply, count) => ({ ...ordinary(reply), waitMs: count }),
  },
]
