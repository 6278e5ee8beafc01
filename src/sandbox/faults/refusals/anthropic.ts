import type { Reply } from '../fault.ts'
import { cloudflarePage, retryAfter, tokensTooMany, type Hint, type RefusalTable, type Told } from './refusal-table.ts'

const retry = { 'x-should-retry': 'true' }

/** Anthropic's refusals. Texts: its error page and API description, and issues of anthropics/claude-code. */
export function anthropicRefusals({ vendor, model }: Reply): RefusalTable {
  const { refuse } = vendor
  return {
    '400': refuse.request('max_tokens: Field required'),
    '401': { status: 401, type: 'authentication_error', message: 'invalid x-api-key' },
    '402': {
      status: 402,
      type: 'billing_error',
      message: 'There is a problem with the billing of the linked organization.',
      details: { error_code: 'linked_organization_billing_unavailable' },
    },
    '403': {
      status: 403,
      type: 'permission_error',
      message: 'Your API key does not have permission to use the specified resource.',
    },
    '404': refuse.model(model),
    '409': { status: 409, type: 'conflict_error', message: 'The resource was changed by another request.' },
    '413': refuse.size(),
    '422': { status: 422, type: 'invalid_request_error', message: 'The request could not be processed.' },
    '500': { status: 500, type: 'api_error', message: 'Internal server error', headers: retry },
    '502-html': {
      status: 502,
      message: '',
      raw: cloudflarePage('api.anthropic.com', 502, 'Bad gateway'),
    },
    // Its network's words: the API itself answers an overload with 529.
    '503': {
      status: 503,
      message: '',
      raw: {
        contentType: 'text/plain',
        body: 'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
      },
    },
    '504': { status: 504, type: 'timeout_error', message: 'Request timeout' },
    '529': { status: 529, type: 'overloaded_error', message: 'Overloaded', headers: retry },
    quota: refuse.request(
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
    ),
    'quota-period': {
      status: 429,
      type: 'rate_limit_error',
      message: 'Your organization has reached its spend limit. You will regain access on the first of next month.',
      details: { error_code: 'enforced_spend_limit_reached' },
    },
    // Said by the network's edge: no outer type, no request id.
    region: { status: 403, message: '', json: { error: { type: 'forbidden', message: 'Request not allowed' } } },
    policy: refuse.request('Output blocked by content filtering policy'),
    'too-long': refuse.tokens(model, tokensTooMany) ?? refuse.request('prompt is too long'),
    limit: (hint) => limit(model, hint),
  }
}

function limit(model: string, hint: Hint | undefined): Told {
  const message = `This request would exceed your organization's rate limit of 30,000 input tokens per minute (org: 5a9db0c5-0000-4000-8000-000000000000, model: ${model}). For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later.`
  const told = { status: 429, type: 'rate_limit_error', message }
  if (hint === undefined) return { ...told, headers: retry }
  return { ...told, headers: { ...retry, ...(hint.form === 'reset' ? bucket(hint) : retryAfter(hint)) } }
}

/** The bucket that is empty and when it is full again. */
function bucket({ ms, nowMs }: Hint): Record<string, string> {
  const second = Math.floor(nowMs / 1000) * 1000
  return {
    date: new Date(second).toUTCString(),
    'anthropic-ratelimit-input-tokens-remaining': '0',
    'anthropic-ratelimit-input-tokens-reset': new Date(second + ms).toISOString().replace(/\.\d+/, ''),
  }
}
