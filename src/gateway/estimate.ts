import type { ServerResponse } from 'node:http'
import type { Call } from '../core/call.ts'
import type { Rung } from '../core/ladder.ts'
import type { Prompt } from '../core/prompt.ts'
import { answerHeaders } from './headers.ts'
import { promptOf } from './prepare.ts'
import type { Tab } from './tab.ts'

/** Rough sizes where a vendor counts nothing itself. */
export const bytesPerToken = 4
const tokensPerImage = 1000

/**
 * Answers a token count for a vendor that has no call for it: bytes of text by four. The header
 * `x-keyrung-estimate` says that it is no exact count.
 */
export function estimate(call: Call, rung: Rung, tab: Tab): Estimated {
  const tokens = tokensOf(promptOf(call, rung))
  tab.on(rung)
  tab.status = 200
  tab.firstByteMs = Date.now()
  const body = JSON.stringify(call.dialect.count?.fold(tokens) ?? {})
  tab.replyBytes = Buffer.byteLength(body)
  const headers = {
    ...answerHeaders(tab),
    'content-type': 'application/json',
    'content-length': tab.replyBytes,
    'x-keyrung-estimate': 'bytes/4',
  }
  return { type: 'estimated', send: (response) => response.writeHead(200, headers).end(body) }
}

/** An answer of our own, and what sends it. */
export interface Estimated {
  type: 'estimated'
  send(response: ServerResponse): void
}

/** A prompt's tokens, roughly: bytes of text by four, and a number for each image or file. */
export function tokensOf(prompt: Prompt): number {
  let images = 0
  const text = JSON.stringify([prompt.system, prompt.turns, prompt.tools], (key, value: unknown) => {
    if (key === 'source') images += 1
    return key === 'path' || key === 'source' ? undefined : value
  })
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken) + images * tokensPerImage
}
