import type { JsonObject } from '../../../core/json.ts'
import { invalid, unknownName } from '../../rules/google-names.ts'
import type { Reply } from '../fault.ts'
import { page, tokensTooMany, type Hint, type RefusalTable, type Told } from './refusal-table.ts'

/** Google's refusals. Texts: its troubleshooting page, google.rpc, and issues of gemini-cli and its SDKs. */
export function googleRefusals({ vendor, model, requestId }: Reply): RefusalTable {
  const { refuse } = vendor
  const depleted =
    'Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.'
  const overloaded = {
    status: 503,
    type: 'UNAVAILABLE',
    message: 'The model is overloaded. Please try again later.',
  }
  return {
    '400': unknownName('temprature', 'generation_config'),
    // A wrong key is a 400 here.
    '401': {
      ...invalid('API key not valid. Please pass a valid API key.'),
      details: [
        rpc('ErrorInfo', {
          reason: 'API_KEY_INVALID',
          domain: 'googleapis.com',
          metadata: { service: 'generativelanguage.googleapis.com' },
        }),
      ],
    },
    '402': { status: 402, type: 'FAILED_PRECONDITION', message: depleted },
    '403': {
      status: 403,
      type: 'PERMISSION_DENIED',
      message: 'Your API key was reported as leaked. Please use another API key.',
    },
    '404': refuse.model(model),
    '409': { status: 409, type: 'ABORTED', message: 'The operation was aborted.' },
    '413': refuse.size(),
    // google.rpc has no code for a 422: what cannot be processed is an invalid argument.
    '422': invalid('Request contains an invalid argument.'),
    '500': {
      status: 500,
      type: 'INTERNAL',
      message:
        'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
    },
    '502-html': {
      status: 502,
      message: '',
      raw: page('Error 502 (Server Error)!!1', [
        'The server encountered a temporary error and could not complete your request.',
        'Please try again in 30 seconds.',
      ]),
    },
    '503': overloaded,
    '504': {
      status: 504,
      type: 'DEADLINE_EXCEEDED',
      message: 'Deadline expired before operation could complete.',
    },
    '529': overloaded,
    // Seen as a 429, though its newer documentation gives 402.
    quota: { status: 429, type: 'RESOURCE_EXHAUSTED', message: depleted },
    // The delay is of no use: the quota is that of a day. Google does send it.
    'quota-period': exceeded(model, 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', 22_000),
    region: {
      status: 400,
      type: 'FAILED_PRECONDITION',
      message: 'User location is not supported for the API use.',
    },
    // No error to Google: an answer without candidates.
    policy: {
      status: 200,
      message: '',
      json: {
        promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
        usageMetadata: { promptTokenCount: 8, totalTokenCount: 8 },
        modelVersion: model,
        responseId: requestId,
      },
    },
    'too-long': refuse.tokens(model, tokensTooMany) ?? invalid('The input token count exceeds the maximum.'),
    // Whatever the form asked for: Google tells it in the body, and in no header.
    limit: (hint: Hint | undefined) =>
      exceeded(model, 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier', hint?.ms),
  }
}

function exceeded(model: string, quotaId: string, retryMs: number | undefined): Told {
  const said = retryMs === undefined ? '' : `\nPlease retry in ${retryMs / 1000}s.`
  const violation = {
    quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests',
    quotaId,
    quotaDimensions: { location: 'global', model },
    quotaValue: '10',
  }
  const url = 'https://ai.google.dev/gemini-api/docs/rate-limits'
  return {
    status: 429,
    type: 'RESOURCE_EXHAUSTED',
    message: `You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: ${url}.${said}`,
    details: [
      rpc('QuotaFailure', { violations: [violation] }),
      rpc('Help', { links: [{ description: 'Learn more about Gemini API quotas', url }] }),
      ...(retryMs === undefined ? [] : [rpc('RetryInfo', { retryDelay: `${retryMs / 1000}s` })]),
    ],
  }
}

function rpc(type: string, value: JsonObject): JsonObject {
  return { '@type': `type.googleapis.com/google.rpc.${type}`, ...value }
}
