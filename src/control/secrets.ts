import { createHmac, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from './config.ts'

/** The secret that a reference of the configuration stands for. Throws ConfigError, which names the reference only. */
export function resolveReference(reference: string, setting: string, environment: NodeJS.ProcessEnv): string {
  const value = reference.startsWith('file:')
    ? fromFile(reference, setting)
    : fromEnvironment(reference, setting, environment)
  if (value.trim() === '') throw new ConfigError([`${setting}: ${reference} is empty.`])
  return value.trim()
}

function fromFile(reference: string, setting: string): string {
  const path = reference.slice('file:'.length)
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new ConfigError([`${setting}: ${path} cannot be read.`])
  }
}

function fromEnvironment(reference: string, setting: string, environment: NodeJS.ProcessEnv): string {
  const name = reference.slice(2, -1)
  const value = environment[name]
  if (value === undefined)
    throw new ConfigError([`${setting}: the environment has no ${name}. Set it, or remove the setting.`])
  return value
}

/**
 * The pepper of callers' keys, which lies beside the database and not in it, so that neither reading nor writing the database alone
 * makes a key. A missing one is made, never assumed. Throws ConfigError.
 */
export function pepperIn(folder: string, keysExist = false): Buffer {
  const file = join(folder, 'pepper')
  let text: string
  try {
    if (!existsSync(file)) {
      if (keysExist) {
        throw new ConfigError([
          `${file}: is missing, and without it no key that was given out is known. Restore it from a backup, or move the data folder away to start anew.`,
        ])
      }
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' })
    }
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError([
      `${file}: cannot be made or read (${error instanceof Error ? error.message : String(error)}).`,
    ])
  }
  const pepper = Buffer.from(text.trim(), 'hex')
  if (pepper.length < 32) {
    throw new ConfigError([`${file}: must hold 64 hexadecimal digits; restore it, or remove it and make new keys.`])
  }
  return pepper
}

/** The digest under which callers' keys are kept: HMAC-SHA-256 under the pepper. */
export function digestUnder(pepper: Uint8Array): (key: string) => Buffer {
  return remembered((key) => createHmac('sha256', pepper).update(key).digest())
}

/** How many digests are remembered: more keys than this are seldom in use at once. */
const rememberedMax = 4096

/**
 * The same few keys come with every call, and an HMAC costs 25 us inside one, an eighth of a small call. What is remembered
 * is the digest alone: it is still looked up and compared anew each time, so that a revoked key is revoked at once.
 */
function remembered(digest: (key: string) => Buffer): (key: string) => Buffer {
  const known = new Map<string, Buffer>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= rememberedMax) known.clear()
    const made = digest(key)
    known.set(key, made)
    return made
  }
}
