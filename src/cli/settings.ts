import { ConfigError, readConfig, type Config } from '../control/config.ts'
import { resolveReference } from '../control/secrets.ts'
import type { Vendor } from '../core/vendor.ts'

/** What the command line says; a flag wins over the environment, which wins over the file. */
export interface Flags {
  config?: string
  host?: string
  port?: string
  data?: string
  sandbox?: boolean
}

export interface Settings {
  config: Config
  /** The secret of each vendor that has one, and where it was found. */
  secrets: ReadonlyMap<string, string>
  foundIn: ReadonlyMap<string, string>
  origins: ReadonlyMap<string, string>
  /** Callers' keys declared in the file. */
  declaredKeys: readonly { name: string; key: string }[]
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
  config.data = given(flags.data) ?? given(environment.KEYRUNG_DATA) ?? config.data
  config.sandbox.enabled =
    flags.sandbox ?? onOff(given(environment.KEYRUNG_SANDBOX), 'KEYRUNG_SANDBOX') ?? config.sandbox.enabled
  const secrets = new Map<string, string>()
  const foundIn = new Map<string, string>()
  const origins = new Map<string, string>()
  for (const vendor of vendors) {
    const secret = vendorSecret(vendor, config, file, environment)
    if (secret !== undefined) {
      secrets.set(vendor.name, secret.value)
      foundIn.set(vendor.name, secret.from)
    }
    const origin = vendorOrigin(vendor, config, environment)
    if (origin !== undefined) origins.set(vendor.name, origin)
  }
  const declaredKeys = config.keys.map(({ name, key }, index) => ({
    name,
    key: callerKey(resolveReference(key, `${file}: keys.${index}.key`, environment), `${file}: keys.${index}.key`),
  }))
  for (const [alias, target] of Object.entries(config.aliases)) checkAlias(alias, target, file, vendors)
  return { config, secrets, foundIn, origins, declaredKeys }
}

/** Empty is not set: an empty host, left behind by an unset variable, would open the gateway to the whole network. */
function given(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text
}

/** An alias must stand for something, or all lists of models would fail on it. */
function checkAlias(alias: string, target: string, file: string, vendors: readonly Vendor[]): void {
  if (vendors.some((vendor) => vendor.models.test(target) || target.startsWith(`${vendor.name}/`))) return
  const names = vendors.map((vendor) => `${vendor.name}/…`).join(', ')
  throw new ConfigError([`${file}: aliases.${alias}: no vendor has a model '${target}'; name one, or say ${names}.`])
}

/** A key that guards an account must not be guessable. */
function callerKey(key: string, setting: string): string {
  if (key.length < 24)
    throw new ConfigError([`${setting}: the key must have at least 24 characters; this one has ${key.length}.`])
  return key
}

function vendorSecret(
  vendor: Vendor,
  config: Config,
  file: string,
  environment: NodeJS.ProcessEnv,
): { value: string; from: string } | undefined {
  const reference = config.vendors[vendor.name]?.key
  if (reference !== undefined) {
    return {
      value: headerSafe(resolveReference(reference, `${file}: vendors.${vendor.name}.key`, environment), reference),
      from: reference,
    }
  }
  for (const name of vendor.keyNames) {
    const value = environment[name]?.trim()
    if (value !== undefined && value !== '') return { value: headerSafe(value, name), from: name }
  }
  return undefined
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

function onOff(text: string | undefined, setting: string): boolean | undefined {
  if (text === undefined) return undefined
  if (['on', 'true', '1'].includes(text)) return true
  if (['off', 'false', '0'].includes(text)) return false
  throw new ConfigError([`${setting}: must be on or off, not '${text.slice(0, 100)}'.`])
}
