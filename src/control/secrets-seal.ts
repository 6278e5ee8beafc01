import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError } from './config.ts'

/** What a sealed secret belongs to. It opens with exactly these again, so that no row of the database can be given another's. */
export interface SealedFor {
  readonly vendor: string
  readonly name: string
  /** Where it is sent to; undefined for the vendor's own. */
  readonly origin: string | undefined
  /** Grows with each new secret: an old one cannot be put back. */
  readonly version: number
}

/** Keeps the operator's keys at vendors so that the database alone does not give them away. */
export interface Seal {
  seal(secret: string, belongs: SealedFor): Uint8Array
  /** Undefined where the master key is another one, or anything was changed. */
  open(sealed: Uint8Array, belongs: SealedFor): string | undefined
}

const [keyName, fileName] = ['KEYRUNG_MASTER_KEY', 'KEYRUNG_MASTER_KEY_FILE']

/** How a master key is made, for those who have none. */
export const masterKeyFix = `Make a key with "openssl rand -hex 32", keep a copy of it away from the database, and start with ${keyName}, or with ${fileName} naming a file that holds it.`

/**
 * The seal of this gateway, by the master key that a file or else the environment holds. Undefined where none is set. Throws
 * ConfigError for one that is no good; no message holds any of it.
 */
export function masterSeal(environment: NodeJS.ProcessEnv): Seal | undefined {
  const file = environment[fileName]?.trim() ?? ''
  const setting = file === '' ? keyName : fileName
  const text = file === '' ? (environment[keyName] ?? '').trim() : fileText(file)
  // An empty variable is one that is not set; an empty file was meant to hold a key.
  if (file === '' && text === '') return undefined
  const key = keyOf(text)
  if (key !== undefined) return sealWith(key)
  throw new ConfigError([`${setting}: must be 32 random bytes, as 64 hexadecimal digits or in base64. ${masterKeyFix}`])
}

/** The seal by a master key of 32 bytes. */
export function sealWith(masterKey: Uint8Array): Seal {
  // Of its own, so that the master key can serve for something else too.
  const wrapping = Buffer.from(hkdfSync('sha256', masterKey, '', 'keyrung vendor credentials', keyBytes))
  return {
    seal(secret, belongs) {
      const context = contextOf(belongs)
      const dataKey = randomBytes(keyBytes)
      return Buffer.concat([
        Buffer.of(form),
        encrypt(wrapping, dataKey, context),
        encrypt(dataKey, Buffer.from(secret), context),
      ])
    },
    open(sealed, belongs) {
      if (sealed[0] !== form) return undefined
      const context = contextOf(belongs)
      const dataKey = decrypt(wrapping, sealed.subarray(1, 1 + wrappedBytes), context)
      const secret = dataKey && decrypt(dataKey, sealed.subarray(1 + wrappedBytes), context)
      return secret?.toString()
    },
  }
}

/**
 * What is sealed: this number, the secret's own key encrypted by the master key, the secret encrypted by its own key. Another
 * master key then wants the first part written anew only. Each part is a nonce, what was encrypted, and its tag.
 */
const form = 1
const [keyBytes, nonceBytes, tagBytes] = [32, 12, 16]
const wrappedBytes = nonceBytes + keyBytes + tagBytes
const algorithm = 'aes-256-gcm'

/** As a list in JSON: joined by a sign, other names could come to the same text. */
function contextOf({ vendor, name, origin, version }: SealedFor): Buffer {
  return Buffer.from(JSON.stringify([vendor, name, origin ?? null, version]))
}

function encrypt(key: Uint8Array, plain: Uint8Array, context: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(context)
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: Uint8Array, sealed: Uint8Array, context: Uint8Array): Buffer | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined
  const tag = sealed.subarray(sealed.length - tagBytes)
  try {
    const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
    decipher.setAAD(context).setAuthTag(tag)
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes)), decipher.final()])
  } catch {
    // The tag does not fit: another key, or something was changed.
    return undefined
  }
}

/** A key with fewer different bytes than this was typed, not drawn. */
const differentMin = 12

function keyOf(text: string): Buffer | undefined {
  const key = /^[0-9a-f]{64}$/i.test(text)
    ? Buffer.from(text, 'hex')
    : /^[\w+/-]{43}=?$/.test(text)
      ? Buffer.from(text, 'base64')
      : undefined
  return key?.length === keyBytes && new Set(key).size >= differentMin ? key : undefined
}

function fileText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
    throw new ConfigError([`${fileName}: ${file} cannot be read (${String(code)}).`])
  }
}
