import type { VendorError } from './dialect.ts'
import type { FailureKind } from './failure.ts'

/**
 * What a vendor's error answer means. Status first, then what its own words say, because vendors refuse the gateway's
 * key or credit under many statuses (Gemini 400, xAI 400 and 403, DeepSeek 402, OpenAI 429): such a refusal must never
 * reach the caller as their own mistake. Facts: the vendors' error pages and recorded replies; see docs/errors.
 */
export function classify(error: VendorError): FailureKind {
  const { status } = error
  const words = [error.type, error.code, ...(error.reasons ?? []), error.message].join('\n').toLowerCase()
  // A page that is no error of the API says nothing of the caller's request, whatever its status.
  if (error.foreign === true && blamesCaller.has(status)) return 'vendor-unreadable'
  if (status < 500 && policy.test(words)) return 'content-refused'
  if (refusesUs(status, words)) return 'vendor-refuses'
  if (status === 529) return 'vendor-overloaded'
  if (status === 503) return 'vendor-overloaded'
  if (status === 504 || status === 524) return 'vendor-slow'
  if (status === 408) return 'vendor-slow'
  // One request over the limit of a minute: no pause makes it smaller.
  if (status === 429 && words.includes('request too large')) return 'prompt-too-long'
  if (status === 429) return words.includes('overloaded') ? 'vendor-overloaded' : 'vendor-limit'
  if (status === 413) return tooLong.test(words) ? 'prompt-too-long' : 'body-too-large'
  if (status >= 500) {
    if (words.includes('overloaded')) return 'vendor-overloaded'
    if (status === 502) return 'vendor-unreachable'
    return 'vendor-broken'
  }
  if (status === 404) return 'model-unknown'
  if (status === 409) return 'conflict'
  if (status >= 400) {
    if (tooLong.test(words)) return 'prompt-too-long'
    if (beyond.test(words)) return 'unsupported'
    return words.includes('payload size exceeds') ? 'body-too-large' : 'request-invalid'
  }
  // An error body in a 200: its words are all there is.
  if (/overloaded|at capacity|too busy|unavailable/.test(words)) return 'vendor-overloaded'
  if (/rate_limit|rate limit|resource_exhausted/.test(words)) return 'vendor-limit'
  if (/invalid_request|invalid_argument/.test(words)) return tooLong.test(words) ? 'prompt-too-long' : 'request-invalid'
  if (/timeout|deadline_exceeded/.test(words)) return 'vendor-slow'
  return 'vendor-broken'
}

/** Statuses that would put the blame on the caller. */
const blamesCaller = new Set([400, 404, 405, 406, 409, 410, 411, 415, 422])

const tooLong =
  /context_length_exceeded|prompt is too long|exceed(s)? (the )?(context (limit|window)|maximum number of tokens)|maximum context length|exceeds the context window|input token count/

/** What this model cannot do, and another may. */
const beyond =
  /unsupported_parameter|unsupported_value|(is|are) not supported (by|with|for|on|in) (this|the|your) (selected )?model|(this|the) model does not support|not supported by (claude|gpt|gemini|grok|deepseek|o\d)/

/** Prompts refused for what they say: the caller's own, also where the vendor answers 403. */
const policy =
  /content_policy_violation|content policy|content filtering|content exists risk|usage guidelines|usage polic(y|ies)|prohibited_content/

/** Refusals of our key, organisation, region, credit or daily quota, by what they say. */
const ours =
  /api_key_invalid|api_key_expired|api_key_service_blocked|invalid_api_key|api key not valid|incorrect api key|authentication_error|authentication fails|insufficient_quota|credit_balance_exhausted|spend_limit|usage_limit_exceeded|credit balance is too low|insufficient balance|used all available credits|run out of credits|organization_on_hold|specified api usage limits|billing_error|payment_required|unsupported_country|location is not supported|unregistered callers|service_disabled|prepayment credits|perday/

function refusesUs(status: number, words: string): boolean {
  if (status === 401 || status === 402 || status === 403) return true
  return ours.test(words)
}
