import type { Call } from '../core/call.ts'
import { Failure } from '../core/failure.ts'
import type { Ladder, Rung } from '../core/ladder.ts'
import { bytesPerToken, tokensOf } from './estimate.ts'
import { promptOf } from './prepare.ts'

/** Bytes a token, more than any text has on average: what is too long even so, is too long. */
const bytesPerTokenMax = 8

/**
 * Would the prompt surely not fit into this rung's window? Asked only where another model of the ladder may have a larger one, and of bodies
 * that are large enough to doubt it. Throws Failure `prompt-too-long`.
 */
export function fits(call: Call, rung: Rung, { rungs }: Ladder): void {
  const { window, id } = rung.model
  if (window === undefined || call.body.length < window * bytesPerTokenMax) return
  if (!rungs.some((other) => other.level !== rung.level && (other.model.window ?? Infinity) > window)) return
  const tokensLeast = Math.floor((tokensOf(promptOf(call, rung)) * bytesPerToken) / bytesPerTokenMax)
  if (tokensLeast <= window) return
  throw new Failure(
    'prompt-too-long',
    `The prompt has more than ${tokensLeast} tokens, and the window of ${id} holds ${window}.`,
    { model: id, path: call.dialect.name === 'gemini' ? 'contents' : 'messages' },
  )
}
