import type { ServerResponse } from 'node:http'
import type { Failure } from '../core/failure.ts'
import type { Flow, StreamedAnswer } from './attempt.ts'
import type { Capture } from './capture.ts'

interface Pumping {
  response: ServerResponse
  answer: StreamedAnswer
  /** What is sent while the vendor is silent, and after how long a silence. */
  ping: string
  pingMs: number
  /** Keeps what the caller gets, where that is asked for. */
  capture: Capture | undefined
  /** The text of an error event that ends the stream. */
  writeFailure: (failure: Failure) => string
}

/** How a stream has ended. */
interface Pumped {
  failure: Failure | undefined
  bytes: number
  /** Sends what is left: the error event of one that broke, and the end. */
  end: () => void
}

/**
 * Lets a committed stream flow to the caller until it ends, and resolves with how, before its end is sent. The vendor is
 * paused while the caller reads slower, so that one stream holds no more than a few chunks. A stream that broke
 * ends with an error event: a bare end would be taken for a whole answer.
 */
export function pump({ response, answer, ping, pingMs, capture, writeFailure }: Pumping): Promise<Pumped> {
  return new Promise((resolve) => {
    let bytes = 0
    let flow: Flow | undefined
    const write = (out: Buffer | string): boolean => {
      capture?.take(out)
      bytes += typeof out === 'string' ? Buffer.byteLength(out) : out.length
      return response.write(out)
    }
    for (const out of answer.first) write(out)
    // Looked at twice in each span: setting a timer anew for each event costs more than the event's own bookkeeping.
    let silentLooks = 0
    const silence = setInterval(() => {
      silentLooks += 1
      if (silentLooks < 2) return
      silentLooks = 0
      // Between whole events only, which is all that ever goes out.
      if (!response.writableNeedDrain) write(ping)
    }, pingMs / 2)
    const onDrain = (): void => flow?.resume()
    response.on('drain', onDrain)
    flow = answer.attach({
      data: (out) => {
        silentLooks = 0
        return write(out)
      },
      end: (failure) => {
        clearInterval(silence)
        response.off('drain', onDrain)
        const last = failure === undefined || failure.kind === 'caller-gone' ? '' : writeFailure(failure)
        capture?.take(last)
        bytes += Buffer.byteLength(last)
        resolve({ failure, bytes, end: () => response.end(last) })
      },
    })
  })
}
