import { invalid } from '../../rules/openai.ts'
import type { Reply } from '../fault.ts'
import { cloudflarePage, retryAfter, tokensTooMany, type Hint, type RefusalTable, type Told } from './refusal-table.ts'

const quotaMessage =
  'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.'

/** OpenAI's refusals, the same for both of its formats. Texts: its error page, and issues of its SDKs and of codex. */
export function openaiRefusals({ vendor, dialect, model, requestId }: Reply): RefusalTable {
  const { refuse } = vendor
  const quota = { status: 429, type: 'insufficient_quota', code: 'insufficient_quota', message: quotaMessage }
  const overloaded = {
    status: 503,
    type: 'service_unavailable_error',
    code: 'server_is_overloaded',
    message: 'Our servers are currently overloaded. Please try again later.',
  }
  const tooLong = 'Your input exceeds the context window of this model. Please adjust your input and try again.'
  return {
    '400': invalid(
      "Invalid value: 'robot'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
      'messages[0].role',
      'invalid_value',
    ),
    '401': {
      ...invalid(
        'Incorrect API key provided: sk-proj-********************************wxyz. You can find your API key at https://platform.openai.com/account/api-keys.',
        undefined,
        'invalid_api_key',
      ),
      status: 401,
    },
    // It knows no 402.
    '402': quota,
    '403': {
      ...invalid(
        `Project \`proj_sandbox0000000000000001\` does not have access to model \`${model}\`.`,
        undefined,
        'model_not_found',
      ),
      status: 403,
    },
    '404': refuse.model(model),
    '409': {
      ...invalid(
        'Another process is currently operating on this conversation. Please retry in a few seconds.',
        undefined,
        'conversation_locked',
      ),
      status: 409,
    },
    '413': refuse.size(),
    '422': { ...invalid('The request was well-formed but could not be processed.'), status: 422 },
    '500': {
      status: 500,
      type: 'server_error',
      message: `The server had an error processing your request. Sorry about that! You can retry your request, or contact us through our help center at help.openai.com if you keep seeing this error. (Please include the request ID ${requestId} in your email.)`,
    },
    '502-html': { status: 502, message: '', raw: cloudflarePage('api.openai.com', 502, 'Bad gateway') },
    '503': overloaded,
    // Said by Cloudflare on its behalf: a number for a code.
    '504': {
      status: 504,
      message: '',
      json: { error: { code: 504, message: 'Gateway timeout.', param: null, type: 'cf_gateway_timeout' } },
    },
    '529': overloaded,
    quota,
    'quota-period': { ...quota, code: 'organization_spend_limit_exceeded' },
    region: {
      status: 403,
      type: 'request_forbidden',
      code: 'unsupported_country_region_territory',
      message: 'Country, region, or territory not supported',
    },
    policy: invalid(
      'Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt: https://platform.openai.com/docs/guides/reasoning#advice-on-prompting',
      undefined,
      'invalid_prompt',
    ),
    'too-long':
      dialect?.name === 'openai-responses'
        ? invalid(tooLong, 'input', 'context_length_exceeded')
        : (refuse.tokens(model, tokensTooMany) ?? invalid(tooLong, 'messages', 'context_length_exceeded')),
    limit: (hint) => limit(model, hint),
  }
}

function limit(model: string, hint: Hint | undefined): Told {
  const said = hint?.form === 'text' ? ` Please try again in ${goDuration(hint.ms)}.` : ''
  const message = `Rate limit reached for ${model} in organization org-sandbox00000000000000 on requests per min (RPM): Limit 500, Used 500, Requested 1.${said} Visit https://platform.openai.com/account/rate-limits to learn more.`
  const told = { status: 429, type: 'requests', code: 'rate_limit_exceeded', message }
  return hint === undefined ? told : { ...told, headers: hintHeaders(hint) }
}

function hintHeaders(hint: Hint): Record<string, string> {
  switch (hint.form) {
    case 'text':
      return {}
    case 'after-ms':
      return { 'retry-after-ms': String(hint.ms), ...retryAfter(hint) }
    case 'reset':
      return { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': goDuration(hint.ms) }
    default:
      return retryAfter(hint)
  }
}

/** `350ms`, `7s`, `1m7s`: durations as Go prints them. */
function goDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  const minutes = Math.floor(ms / 60_000)
  return `${minutes > 0 ? `${minutes}m` : ''}${(ms % 60_000) / 1000}s`
}
