import type { Call } from '../core/call.ts'
import { Failure } from '../core/failure.ts'
import type { Rung } from '../core/ladder.ts'
import { tokensOf } from './estimate.ts'
import { promptOf } from './prepare.ts'

/** Bytes a token, fewer than any text has on average: what is too long by this is too long. */
const bytesPerTokenMax = 8

/**
 * Would the prompt fit into this rung's window? Asked where another rung may have a larger one, and only of bodies that are large enough to
 * doubt it. Throws Failure `prompt-too-long`.
 */
export function fits(call: Call, rung: Rung): void {
  const { window, id } = rung.model
  if (window === undefined || call.body.length / bytesPerTokenMax < window / 2) return
  const tokens = tokensOf(promptOf(call, rung))
  if (tokens <= window) return
  throw new Failure(
    'prompt-too-long',
    `The prompt has some ${tokens} tokens, and the window of ${id} holds ${window}.`,
    { model: id, path: call.dialect.name === 'gemini' ? 'contents' : 'messages' },
  )
}
