import type { Vendor } from '../core/vendor.ts'

/** Claude. */
export const anthropic: Vendor = {
  name: 'anthropic',
  title: 'Anthropic',
  origin: 'https://api.anthropic.com',
  keyNames: ['ANTHROPIC_API_KEY'],
  statusPage: { form: 'statuspage', url: 'https://status.claude.com' },
  models: /^claude-/,
  speaks: { anthropic: '' },
  choose: () => 'anthropic',
  counts: 'anthropic',
  authorize: (secret) => ({ 'x-api-key': secret }),
  headers: {
    // Claude Code's contract: `anthropic-beta` and what may come after it travel as they are. The workspace is not the
    // caller's to choose, since the credential is the operator's.
    pass: /^anthropic-(?!workspace-id$|dangerous-)/,
    defaults: { 'anthropic-version': '2023-06-01' },
  },
}
