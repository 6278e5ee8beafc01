import type { EndReason, ReplyEvent } from '../../core/event.ts'
import { Failure, failures } from '../../core/failure.ts'

/** What a `finishReason` means: an end, or a failure that must not pass for one. */
export function readFinish(finish: {
  reason: string
  message: string | undefined
  called: boolean
  vendor: string
}): ReplyEvent {
  const { reason, message, called, vendor } = finish
  // Google says STOP where its model calls tools, too.
  if (reason === 'STOP') return { type: 'end', reason: called ? 'tool' : 'end' }
  if (reason === 'MAX_TOKENS' || reason === 'CONTINUATION') return { type: 'end', reason: 'length' }
  if (declines.test(reason)) {
    return { type: 'end', reason: 'refusal', explanation: message ?? `The model stopped with ${reason}.` }
  }
  if (reason === 'PUP_LIMITED_DISABLED') {
    return failed(new Failure('vendor-refuses', failures['vendor-refuses'].cause, { vendor }))
  }
  // MALFORMED_FUNCTION_CALL, OTHER and their like. An unknown reason is no clean end either: it is told by its name.
  const detail = message === undefined ? '' : `: ${message}`
  return failed(new Failure('vendor-broken', `The model stopped with ${reason}${detail}`.slice(0, 500), { vendor }))
}

/** The end of a prompt that Google did not let through to the model. */
export function readBlock(reason: string, message: string | undefined): ReplyEvent {
  return { type: 'end', reason: 'refusal', explanation: message ?? `The prompt was blocked: ${reason}.` }
}

/** The core's reasons as `finishReason`. `pause` has no word here. */
export const finishReasons: Readonly<Record<EndReason, string>> = {
  end: 'STOP',
  stop: 'STOP',
  tool: 'STOP',
  pause: 'STOP',
  length: 'MAX_TOKENS',
  window: 'MAX_TOKENS',
  refusal: 'SAFETY',
}

const declines =
  /^(SAFETY|RECITATION|LANGUAGE|BLOCKLIST|PROHIBITED_CONTENT|SPII|MODEL_ARMOR|ESCALATION|NO_IMAGE|IMAGE_\w+)$/

function failed(failure: Failure): ReplyEvent {
  return { type: 'failure', failure }
}
