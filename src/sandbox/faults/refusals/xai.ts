import { invalid, undeserializable } from '../../rules/xai.ts'
import type { Reply } from '../fault.ts'
import { cloudflarePage, retryAfter, tokensTooMany, type RefusalTable } from './refusal-table.ts'

const team = '5a9db0c5-0000-4000-8000-000000000001'

/** What xAI's codes are: the descriptions that its gRPC library (tonic) gives of gRPC's codes. */
const prose = {
  aborted: 'The operation was aborted',
  deadline: 'Deadline expired before operation could complete',
  exhausted: 'Some resource has been exhausted',
  internal: 'Internal error',
  permission: 'The caller does not have permission to execute the specified operation',
  unavailable: 'The service is currently unavailable',
}

/** xAI's refusals. Texts: its debugging page, and issues of clients that show what came. */
export function xaiRefusals({ vendor, model }: Reply): RefusalTable {
  const { refuse } = vendor
  const overloaded = {
    status: 503,
    type: prose.unavailable,
    message: 'Service temporarily unavailable. The model is at capacity and currently cannot serve this request.',
  }
  const credits = {
    status: 429,
    type: prose.exhausted,
    message: `Your team ${team} has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit.`,
  }
  return {
    '400': invalid('Messages cannot be empty.'),
    // A wrong key is a 400 here, and the message holds the beginning of it.
    '401': invalid('Incorrect API key provided: xa***yz. You can obtain an API key from https://console.x.ai.'),
    // It knows no 402.
    '402': {
      status: 403,
      type: prose.permission,
      message: 'You have run out of credits or need a Grok subscription. Add credits at https://console.x.ai.',
    },
    '403': {
      status: 403,
      type: prose.permission,
      message: `The API key of team ${team} is not allowed to use the model ${model}.`,
    },
    '404': refuse.model(model),
    '409': { status: 409, type: prose.aborted, message: 'The operation was aborted.' },
    '413': refuse.size(),
    '422': undeserializable('messages[0].role', 'unknown variant `robot`, expected one of `system`, `user`'),
    '500': { status: 500, type: prose.internal, message: 'An internal error occurred while processing the request.' },
    '502-html': { status: 502, message: '', raw: cloudflarePage('api.x.ai', 502, 'Bad gateway') },
    '503': overloaded,
    '504': { status: 504, type: prose.deadline, message: 'The request timed out.' },
    '529': overloaded,
    quota: credits,
    'quota-period': credits,
    region: {
      status: 403,
      type: prose.permission,
      message: `The model ${model} is not available in your region.`,
    },
    policy: {
      status: 403,
      type: prose.permission,
      message: `Content violates usage guidelines. Team: ${team}, API key ID: 5a9db0c5-0000-4000-8000-000000000002, Model: ${model}, Failed check: SAFETY_CHECK_TYPE_BIO`,
    },
    'too-long': refuse.tokens(model, tokensTooMany) ?? invalid('The prompt exceeds the maximum context length.'),
    limit: (hint) => ({
      status: 429,
      type: prose.exhausted,
      message: `Too many requests for team ${team} and model ${model}. Your team's rate limit is — Requests per Minute (actual/limit): 481/480. You can view your team rate limits at https://console.x.ai.`,
      ...(hint !== undefined && { headers: retryAfter(hint) }),
    }),
  }
}
