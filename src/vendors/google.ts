import type { Vendor } from '../core/vendor.ts'

/** Gemini, by its native API: the OpenAI-compatible one loses error details and refuses unknown fields. */
export const google: Vendor = {
  name: 'google',
  title: 'Google',
  origin: 'https://generativelanguage.googleapis.com',
  keyNames: ['GOOGLE_API_KEY', 'GEMINI_API_KEY'],
  statusPage: { form: 'google', url: 'https://status.cloud.google.com' },
  models: /^(gemini-|gemma-|learnlm-)/,
  speaks: { gemini: '/v1beta' },
  choose: () => 'gemini',
  counts: 'gemini',
  authorize: (secret) => ({ 'x-goog-api-key': secret }),
}
