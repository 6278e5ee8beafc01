import { keysNowhere, leftOut, type LeftOut } from '../control/ladders.ts'
import type { Started } from './start.ts'
import type { Settings } from './settings.ts'

/** What a start prints: where it listens, who is live, and calls that work when pasted. Only the first start shows a key. */
export function banner(started: Started, settings: Settings, version: string): string {
  const { url, adminUrl, newKey, newToken, snapshot, workers } = started
  const lines = [
    `Keyrung ${version} listens on ${url}`,
    '',
    `  Data      ${settings.config.data}`,
    `  Workers   ${workers === 0 ? 'none: the main thread serves' : workers}`,
    `  Admin     ${adminUrl === undefined ? 'off' : `${adminUrl}/admin/v1`}`,
    `  Status    ${url}/status`,
  ]
  for (const { vendor, credentials, simulated } of snapshot.vendors.values()) {
    const state = isOff(settings, vendor.name)
      ? `off: vendors.${vendor.name}.enabled is false`
      : simulated
        ? `simulated by the sandbox; set ${vendor.keyNames[0]} for the real one`
        : credentials.length === 0
          ? `off: no key (set ${vendor.keyNames[0]}) and the sandbox is off`
          : `live, ${keysOf(settings, vendor.name)}`
    lines.push(`  ${vendor.title.padEnd(9)} ${state}`)
  }
  lines.push(...ladderLines(started, settings), '')
  if (newToken !== undefined) lines.push(`Your admin token (shown once):  ${newToken}`, '')
  if (newKey === undefined) {
    lines.push('Your keys are as before; they are kept as digests and cannot be shown again.')
    return `${lines.join('\n')}\n`
  }
  lines.push(`Your key (shown once):  ${newKey}`, '', 'Try it:', '', ...firstCalls(url, newKey))
  return `${lines.join('\n')}\n`
}

function isOff({ config }: Settings, vendor: string): boolean {
  return config.vendors[vendor]?.enabled === false
}

/** What of the operator's own ladders calls will not meet; nothing where all of it is as the file says. */
function ladderLines({ snapshot }: Started, { config }: Settings): string[] {
  const all = leftOut(config, snapshot)
  const missing = Map.groupBy(
    all.filter(({ ladder }) => !snapshot.ladders.has(ladder)),
    ({ ladder }) => ladder,
  )
  const lines = [...missing].map(
    ([ladder, rungs]) => `  Ladder ${ladder} is not offered: it has no usable rung (${reasons(rungs)}).`,
  )
  const single = all.filter(({ ladder }) => snapshot.ladders.has(ladder))
  if (single.length > 0) {
    const names = single.map(({ ladder, model }) => `${model} of ${ladder}`)
    lines.push(`  Rungs left out: ${[...new Set(names)].join(', ')} (${reasons(single)}).`)
  }
  const nowhere = keysNowhere(config, snapshot)
  if (nowhere.length > 0) lines.push(`  Keys that rungs name and that are not here: ${nowhere.join(', ')}.`)
  return lines.length === 0 ? [] : ['', ...lines]
}

/** Why rungs are left out, each vendor once. */
function reasons(rungs: readonly LeftOut[]): string {
  const beside = (why: LeftOut['why']): string => (why === 'is simulated' ? `${why}, and others are live` : why)
  return [...new Set(rungs.map(({ vendor, why }) => `${vendor} ${beside(why)}`))].join('; ')
}

/** Where the keys at a vendor were found. */
function keysOf({ credentials }: Settings, vendor: string): string {
  const all = (credentials.get(vendor) ?? []).map((one) => one.from)
  return all.length === 1 ? `key from ${all[0]}` : `${all.length} keys from ${all.join(', ')}`
}

/** The same three calls as in the README, with address and key filled in. */
function firstCalls(url: string, key: string): string[] {
  return [
    `curl ${url}/v1/messages -H "x-api-key: ${key}" -H "content-type: application/json" \\`,
    `  -d '{"model":"claude-sonnet-5","max_tokens":100,"messages":[{"role":"user","content":"Hello!"}]}'`,
    '',
    '# Python: pip install openai',
    'from openai import OpenAI',
    `client = OpenAI(base_url="${url}/v1", api_key="${key}")`,
    'print(client.chat.completions.create(model="gemini-3.8-flash", messages=[{"role": "user", "content": "Hello!"}]).choices[0].message.content)',
    '',
    '// TypeScript: npm install @anthropic-ai/sdk',
    "import Anthropic from '@anthropic-ai/sdk'",
    `const client = new Anthropic({ baseURL: '${url}', apiKey: '${key}' })`,
    "const message = await client.messages.create({ model: 'gpt-5.6', max_tokens: 100, messages: [{ role: 'user', content: 'Hello!' }] })",
    'console.log(message.content)',
  ]
}
