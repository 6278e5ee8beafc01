import { ConfigError, readConfig, settingAt, type Config } from '../control/config.ts'
import type { CredentialSetting } from '../control/publish.ts'
import { resolveReference } from '../control/secrets.ts'
import type { Hook } from '../control/webhooks.ts'
import type { Vendor } from '../core/vendor.ts'

/** What the command line says; a flag wins over the environment, which wins over the file. */
export interface Flags {
  config?: string
  host?: string
  port?: string
  data?: string
  workers?: string
  sandbox?: boolean
}

export interface Settings {
  config: Config
  /** The file that it came from. */
  file: string
  /** The operator's keys at each vendor that has any. */
  credentials: ReadonlyMap<string, readonly CredentialSetting[]>
  origins: ReadonlyMap<string, string>
  /** Callers' keys declared in the file. */
  declaredKeys: readonly DeclaredKey[]
  /** Who is told of budgets, with the secrets that messages are signed with. */
  hooks: readonly Hook[]
}

export interface DeclaredKey {
  name: string
  key: string
  ladder?: string
  plan?: string
}

/** Joins file, environment and flags. Throws ConfigError. */
export function readSettings(flags: Flags, environment: NodeJS.ProcessEnv, vendors: readonly Vendor[]): Settings {
  const named = given(flags.config) ?? given(environment.KEYRUNG_CONFIG)
  const file = named ?? 'keyrung.yaml'
  const config = readConfig(
    file,
    named !== undefined,
    vendors.map((vendor) => vendor.name),
  )
  const { server } = config
  server.host = given(flags.host) ?? given(environment.KEYRUNG_HOST) ?? server.host
  server.port =
    port(given(flags.port), '--port') ?? port(given(environment.KEYRUNG_PORT), 'KEYRUNG_PORT') ?? server.port
  const workers =
    workersOf(given(flags.workers), '--workers') ?? workersOf(given(environment.KEYRUNG_WORKERS), 'KEYRUNG_WORKERS')
  server.workers = workers ?? server.workers
  config.data = given(flags.data) ?? given(environment.KEYRUNG_DATA) ?? config.data
  config.sandbox.enabled =
    flags.sandbox ?? onOff(given(environment.KEYRUNG_SANDBOX), 'KEYRUNG_SANDBOX') ?? config.sandbox.enabled
  const credentials = new Map<string, readonly CredentialSetting[]>()
  const origins = new Map<string, string>()
  for (const vendor of vendors) {
    const found = vendorCredentials(vendor, config, file, environment)
    if (found.length > 0) credentials.set(vendor.name, found)
    const origin = vendorOrigin(vendor, config, environment)
    if (origin !== undefined) origins.set(vendor.name, origin)
  }
  const declaredKeys = config.keys.map(({ name, key, ladder, plan }, index) => ({
    name,
    key: callerKey(key, settingAt(config, file, ['keys', index, 'key']), environment),
    ...(ladder !== undefined && { ladder }),
    ...(plan !== undefined && { plan }),
  }))
  const hooks = config.webhooks.map(({ url, secret, thresholds }, index) => ({
    url,
    secret: resolveReference(secret, settingAt(config, file, ['webhooks', index, 'secret']), environment),
    thresholds,
  }))
  for (const [alias, target] of Object.entries(config.aliases)) {
    checkAlias(target, settingAt(config, file, ['aliases', alias]), vendors)
  }
  return { config, file, credentials, origins, declaredKeys, hooks }
}

/** Empty is not set: an empty host, left behind by an unset variable, would open the gateway to the whole network. */
function given(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text
}

/** An alias must stand for something, or all lists of models would fail on it. */
function checkAlias(target: string, setting: string, vendors: readonly Vendor[]): void {
  if (vendors.some((vendor) => vendor.models.test(target) || target.startsWith(`${vendor.name}/`))) return
  const names = vendors.map((vendor) => `${vendor.name}/…`).join(', ')
  throw new ConfigError([`${setting}: no vendor has a model '${target}'; name one, or say ${names}.`])
}

/** A key that guards an account must not be guessable. */
function callerKey(reference: string, setting: string, environment: NodeJS.ProcessEnv): string {
  const key = resolveReference(reference, setting, environment)
  if (key.length < 24)
    throw new ConfigError([`${setting}: the key must have at least 24 characters; this one has ${key.length}.`])
  return key
}

/** The keys at one vendor: those of the file, else the one that the environment has under the names of the vendor's own SDKs. */
function vendorCredentials(
  vendor: Vendor,
  config: Config,
  file: string,
  environment: NodeJS.ProcessEnv,
): CredentialSetting[] {
  const settings = config.vendors[vendor.name]
  if (settings?.enabled === false) return []
  const setting = (...path: (string | number)[]): string => settingAt(config, file, ['vendors', vendor.name, ...path])
  const secretOf = (reference: string, at: string): string =>
    headerSafe(resolveReference(reference, at, environment), `${at}: ${reference}`)
  if (settings?.key !== undefined) return [found(secretOf(settings.key, setting('key')), settings.key)]
  if (settings?.keys !== undefined) {
    const names = settings.keys.map((one) => one.name)
    const twice = names.findIndex((name, index) => names.indexOf(name) !== index)
    if (twice !== -1) {
      throw new ConfigError([`${setting('keys', twice, 'name')}: there are two keys of the name '${names[twice]}'.`])
    }
    const all = settings.keys.map((one, index) => ({
      name: one.name,
      secret: secretOf(one.key, setting('keys', index, 'key')),
      from: one.key,
      weight: one.weight,
      origin: one.origin,
      callsMax: one.callsMax,
    }))
    for (const [index, one] of all.entries()) {
      const same = all.slice(0, index).find(({ secret, origin }) => secret === one.secret && origin === one.origin)
      if (same === undefined) continue
      const at = setting('keys', index, 'key')
      throw new ConfigError([`${at}: is the same secret as that of '${same.name}'. Remove one of them.`])
    }
    return all
  }
  for (const name of vendor.keyNames) {
    const value = environment[name]?.trim()
    if (value !== undefined && value !== '') return [found(headerSafe(value, name), name)]
  }
  return []
}

/** A key by itself. */
export function found(secret: string, from: string): CredentialSetting {
  return { name: 'default', secret, from, weight: 1, origin: undefined, callsMax: undefined }
}

/** A key travels in a header: one with a newline or quotes in it was pasted wrongly. */
function headerSafe(value: string, from: string): string {
  if (/^[\x21-\x7e]+$/.test(value) && !/^["']|["']$/.test(value)) return value
  throw new ConfigError([
    `${from}: the key has quotes, spaces, a newline or other characters in it that no vendor's key has.`,
  ])
}

function vendorOrigin(vendor: Vendor, config: Config, environment: NodeJS.ProcessEnv): string | undefined {
  const name = `KEYRUNG_${vendor.name.toUpperCase()}_ORIGIN`
  const value = environment[name]
  if (value === undefined || value === '') return config.vendors[vendor.name]?.origin
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new ConfigError([`${name}: must be an http or https URL, not '${value.slice(0, 100)}'.`])
  }
  return value
}

function port(text: string | undefined, setting: string): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= 65_535) return value
  throw new ConfigError([`${setting}: must be a whole number from 0 to 65535, not '${text.slice(0, 100)}'.`])
}

function workersOf(text: string | undefined, setting: string): number | 'auto' | undefined {
  if (text === undefined || text === 'auto') return text
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= 64) return value
  throw new ConfigError([`${setting}: must be auto or a whole number from 0 to 64, not '${text.slice(0, 100)}'.`])
}

function onOff(text: string | undefined, setting: string): boolean | undefined {
  if (text === undefined) return undefined
  if (['on', 'true', '1'].includes(text)) return true
  if (['off', 'false', '0'].includes(text)) return false
  throw new ConfigError([`${setting}: must be on or off, not '${text.slice(0, 100)}'.`])
}
