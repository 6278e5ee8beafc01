import type { ServerResponse } from 'node:http'
import { pause } from '../send.ts'
import type { Answer } from './fault.ts'

/** A break overtakes what the client has not yet read, and many drop it then: a pause lets them see what came before. */
const breakPauseMs = 20

/**
 * Brings an answer to its end, once everything before has been written. `gone` tells that the client has left. After
 * `silence` nothing is held here: the connection stays open until the client or the sandbox closes it.
 */
export async function endAnswer(response: ServerResponse, ending: Answer['ending'], gone: AbortSignal): Promise<void> {
  if (ending === 'end') {
    response.end()
    return
  }
  if (response.headersSent) response.flushHeaders()
  if (ending === 'silence') return
  if (response.headersSent) await pause(breakPauseMs, gone)
  if (ending === 'close') response.socket?.destroySoon()
  else response.socket?.resetAndDestroy()
}
