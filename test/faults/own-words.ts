import type { Expected, OwnWords, Place } from './matrix.ts'

type Own = Readonly<Record<string, OwnWords>>

/** Anthropic's own errors, as its callers get them through the gateway too. */
const anthropic = {
  '400': own(400, 'invalid_request_error', /^max_tokens: Field required$/),
  '404': own(404, 'not_found_error', /^model: claude-sonnet-5$/),
  '409': own(409, 'conflict_error', /^The resource was changed by another request\.$/),
  '413': own(413, 'request_too_large', /^Request exceeds the maximum size$/),
  '422': own(422, 'invalid_request_error', /^The request could not be processed\.$/),
  '500': own(500, 'api_error', /^Internal server error$/),
  '504': own(504, 'timeout_error', /^Request timeout$/),
  '529': own(529, 'overloaded_error', /^Overloaded$/),
  policy: own(400, 'invalid_request_error', /^Output blocked by content filtering policy$/),
  'too-long': own(400, 'invalid_request_error', /^prompt is too long: \d+ tokens > \d+ maximum$/),
}

/** OpenAI's own errors, likewise. Overloaded is a 503 there. */
const openai = {
  '400': own(
    400,
    'invalid_request_error',
    /^Invalid value: 'robot'\. .*'developer'\.$/,
    'invalid_value',
    'messages[0].role',
  ),
  '404': own(404, 'invalid_request_error', /does not exist/, 'model_not_found'),
  '409': own(409, 'invalid_request_error', /^Another process is currently operating/, 'conversation_locked'),
  '413': own(413, 'invalid_request_error', /too large/),
  '422': own(422, 'invalid_request_error', /^The request was well-formed but could not be processed\.$/),
  '504': own(504, 'cf_gateway_timeout', /^Gateway timeout\.$/, 504),
  '529': own(
    503,
    'service_unavailable_error',
    /^Our servers are currently overloaded\. Please try again later\.$/,
    'server_is_overloaded',
  ),
  policy: own(400, 'invalid_request_error', /^Invalid prompt: [^]*advice-on-prompting$/, 'invalid_prompt'),
  'too-long': own(400, 'invalid_request_error', /maximum context length/, 'context_length_exceeded', 'messages'),
}

/** The errors that pass, by the vendor whose own they are and the fault that gives them. */
export const ownTables: Readonly<Record<'anthropic' | 'openai', Own>> = { anthropic, openai }

/**
 * A vendor's error in the caller's own dialect passes with its status and body. Not what would blame the caller for the
 * gateway's account, nor what names it or the vendor's own request (rate limits of both, OpenAI's 500), and not a page
 * or text of something on the way.
 */
export function ownWords(at: Omit<Place, 'expected'>, { kind, late }: Expected): OwnWords | undefined {
  const table: Own | undefined =
    at.vendor === 'anthropic' && at.dialect === 'anthropic'
      ? anthropic
      : at.vendor === 'openai' && at.dialect === 'openai'
        ? openai
        : undefined
  if (table === undefined || kind === 'ok' || kind === 'vendor-refuses') return undefined
  // In a 200: its words pass as an event, but a status is the kind's.
  if (late) return kind === 'vendor-overloaded' ? table['529'] : undefined
  if (at.fault === '503') return at.vendor === 'openai' ? table['529'] : undefined
  if (at.fault === 'overloaded') return table['529']
  return table[at.fault]
}

function own(
  status: number,
  type: string,
  message: RegExp,
  code: OwnWords['code'] = null,
  param: string | null = null,
): OwnWords {
  return { status, type, code, param, message }
}
