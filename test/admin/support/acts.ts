/** One request of each kind that the API knows, in an order in which all of them succeed. */
export interface Act {
  /** The route, as it stands in the list. */
  readonly route: string
  /** What in its path is named in braces; a function of the answers so far, for ids that were given then. */
  readonly path: (ids: Readonly<Record<string, string>>) => string
  readonly body?: object
  readonly status: number
  /** The name under which the id of the answer is remembered. */
  readonly keep?: string
}

const limits = { requestsPerMinute: 10, dollarsPerDay: '2.5', nanoDollarsPerDay: 2_500_000_000, tokensPerMonth: 0 }

export const acts: readonly Act[] = [
  { route: 'GET /openapi.json', path: () => '/openapi.json', status: 200 },
  {
    route: 'POST /owners',
    path: () => '/owners',
    body: { name: 'Ann', email: 'ann@example.com', limits, metadata: { team: 'red' } },
    status: 201,
    keep: 'owner',
  },
  { route: 'POST /owners', path: () => '/owners', body: { name: 'Bob' }, status: 201, keep: 'bob' },
  { route: 'GET /owners', path: () => '/owners?prefix=A&limit=1', status: 200 },
  { route: 'GET /owners/{id}', path: ({ owner }) => `/owners/${owner}`, status: 200 },
  {
    route: 'PATCH /owners/{id}',
    path: ({ owner }) => `/owners/${owner}`,
    body: { name: 'Anna', email: null },
    status: 200,
  },
  {
    route: 'PUT /plans/{name}',
    path: () => '/plans/team',
    body: { limits, models: ['claude-*'], tokensMax: 9 },
    status: 201,
  },
  {
    route: 'PUT /plans/{name}',
    path: () => '/plans/team',
    body: { ladder: 'best', upgradeUrl: 'https://a.example/' },
    status: 200,
  },
  { route: 'GET /plans', path: () => '/plans', status: 200 },
  { route: 'GET /plans/{name}', path: () => '/plans/team', status: 200 },
  {
    route: 'POST /keys',
    path: () => '/keys',
    body: {
      name: 'ci',
      expiresAt: '2027-01-01T00:00:00+01:00',
      models: ['gpt-*'],
      networks: ['10.0.0.0/8'],
      metadata: { a: 'b' },
    },
    status: 201,
    keep: 'key',
  },
  { route: 'POST /keys', path: () => '/keys', body: { name: 'cd', owner: null }, status: 201, keep: 'other' },
  { route: 'GET /keys', path: () => '/keys?state=active&prefix=c&limit=1', status: 200 },
  { route: 'GET /keys/{id}', path: ({ key }) => `/keys/${key}`, status: 200 },
  {
    route: 'PATCH /keys/{id}',
    path: ({ key }) => `/keys/${key}`,
    body: { limits, sandbox: true, models: null },
    status: 200,
  },
  { route: 'POST /keys/{id}/disable', path: ({ key }) => `/keys/${key}/disable`, body: {}, status: 200 },
  { route: 'POST /keys/{id}/enable', path: ({ key }) => `/keys/${key}/enable`, status: 200 },
  { route: 'POST /keys/{id}/rotate', path: ({ key }) => `/keys/${key}/rotate`, body: { graceMs: 1000 }, status: 200 },
  { route: 'POST /keys/{id}/revoke', path: ({ key }) => `/keys/${key}/revoke`, status: 200 },
  {
    route: 'POST /tokens',
    path: () => '/tokens',
    body: { name: 'console', scopes: ['read'], expiresAt: '2027-01-01T00:00:00Z' },
    status: 201,
    keep: 'token',
  },
  { route: 'GET /tokens', path: () => '/tokens', status: 200 },
  { route: 'POST /tokens/{id}/revoke', path: ({ token }) => `/tokens/${token}/revoke`, status: 200 },
  {
    route: 'PUT /credentials/{vendor}/{name}',
    path: () => '/credentials/openai/first',
    body: { secret: 'sk-of-the-vendor', weight: 2, origin: 'https://api.example', callsMax: 3 },
    status: 201,
  },
  { route: 'GET /credentials', path: () => '/credentials', status: 200 },
  { route: 'DELETE /credentials/{vendor}/{name}', path: () => '/credentials/openai/first', status: 204 },
  { route: 'GET /usage', path: () => '/usage', status: 200 },
  {
    route: 'GET /usage',
    path: () => '/usage?groupBy=key,status,day&from=2026-11-01&to=2026-12-01&limit=2',
    status: 200,
  },
  { route: 'GET /receipts', path: () => '/receipts?limit=2&status=200', status: 200 },
  { route: 'GET /receipts/{id}', path: () => '/receipts/req_1', status: 200 },
  { route: 'GET /receipts/{id}/content', path: () => '/receipts/req_1/content', status: 200 },
  { route: 'GET /receipts.csv', path: () => '/receipts.csv?from=2026-11-01T00:00:00Z', status: 200 },
  { route: 'GET /receipts.jsonl', path: () => '/receipts.jsonl', status: 200 },
  { route: 'GET /audit', path: () => '/audit?limit=5', status: 200 },
  { route: 'DELETE /plans/{name}', path: () => '/plans/team', status: 204 },
  { route: 'DELETE /owners/{id}', path: ({ owner }) => `/owners/${owner}`, status: 204 },
]
