/** How a kind of failure must be told: what the project promises (docs/errors), written down once more to be held against. */
export interface Kind {
  status: number
  anthropic: string
  openai: readonly [type: string, code: string | null]
  blame: 'caller' | 'vendor' | 'gateway'
  /** Waiting can help. */
  retry: boolean
}

/** The kinds that a caller can meet through a vendor's doing. */
export const kinds = {
  'request-invalid': caller(400, 'invalid_request_error', null),
  'prompt-too-long': caller(400, 'invalid_request_error', 'context_length_exceeded'),
  'content-refused': caller(400, 'invalid_request_error', 'content_policy_violation'),
  'model-unknown': caller(404, 'not_found_error', 'model_not_found'),
  conflict: { ...caller(409, 'conflict_error', 'conflict'), retry: true },
  'body-too-large': caller(413, 'request_too_large', 'request_too_large'),
  'vendor-limit': vendor(429, 'rate_limit_error', ['rate_limit_error', 'rate_limit_exceeded']),
  'vendor-refuses': {
    ...vendor(502, 'api_error', ['server_error', 'vendor_unavailable']),
    blame: 'gateway',
    retry: false,
  },
  'vendor-broken': vendor(500, 'api_error', ['server_error', 'server_error']),
  'vendor-unreachable': vendor(502, 'api_error', ['server_error', 'bad_gateway']),
  'vendor-unreadable': vendor(502, 'api_error', ['server_error', 'bad_gateway']),
  'vendor-cut': vendor(502, 'api_error', ['server_error', 'bad_gateway']),
  'vendor-slow': vendor(504, 'timeout_error', ['server_error', 'timeout']),
  'vendor-overloaded': vendor(529, 'overloaded_error', ['service_unavailable_error', 'server_is_overloaded']),
} as const satisfies Record<string, Kind>

export type KindName = keyof typeof kinds

/** Above this wait no SDK is told to retry by itself. */
export const retrySecondsMax = 60

function caller(status: number, anthropic: string, code: string | null) {
  const openai: readonly [string, string | null] = ['invalid_request_error', code]
  return { status, anthropic, openai, blame: 'caller' as const, retry: false }
}

function vendor(status: number, anthropic: string, openai: readonly [string, string | null]) {
  return { status, anthropic, openai, blame: 'vendor' as const, retry: true }
}
