/** What never goes to a caller: keys of vendors, and names of the operator's account. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/\b(?:sk|xai|pk)-[\w*-]{6,}|\bAIza[\w*-]{8,}/g, '[key]'],
  [/ in (?:organization|project) (?:org|proj)[-_]\w+/g, ''],
  [/\b(?:org-|proj_)\w{8,}/g, '[account]'],
  [/\borg: [\w-]+(?:, )?/g, ''],
  [/\b(team):? [0-9a-f]{8}-[0-9a-f-]{27}/gi, '$1'],
  [/,? *\bAPI key ID: [0-9a-f-]{8,}/gi, ''],
]

/**
 * A vendor's text without the operator's keys and account. Vendors name what they refuse or limit: OpenAI "in organization
 * org-…", xAI "Incorrect API key provided: xa***" and "Your team …", Anthropic "(org: …, model: …)".
 */
export function redact(text: string): string {
  return secrets.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text)
}
