import * as z from 'zod'
import type { CredentialSetting } from '../publish.ts'
import { masterKeyFix, type Seal, type SealedFor } from '../secrets-seal.ts'
import { ControlError, type ControlService, type CredentialInput, type VendorCredential } from '../service.ts'
import type { CredentialRecord } from '../store/credentials.ts'
import type { Store } from '../store/index.ts'
import { conflict, fits, notFound, type Changes } from './changes.ts'
import { checked, unfit } from './check.ts'
import { reference } from './fields.ts'

const origin = z
  .url({ protocol: /^https?$/ })
  .max(300)
  .refine((value) => {
    // Told as no URL by the check before.
    if (!URL.canParse(value)) return true
    const { username, password, search, hash } = new URL(value)
    return `${username}${password}${search}${hash}` === ''
  }, 'must be scheme, host and at most a path: no user, no query')

const credentialInput = z.strictObject({
  vendor: reference,
  name: z.string().regex(/^[A-Za-z0-9][\w.-]{0,49}$/, 'must be up to 50 letters, digits, ., _ or -'),
  secret: z
    .string()
    .regex(/^[\x21-\x7e]{8,4096}$/, 'must be the vendor’s key, 8 to 4096 visible characters')
    .optional(),
  weight: z.int().min(0).max(1000).optional(),
  origin: origin.optional(),
  callsMax: z.int().min(1).max(1_000_000).optional(),
})

/** How many there can be at one vendor. */
const perVendorMax = 50

/** By vendor. */
export type CredentialSettings = ReadonlyMap<string, readonly CredentialSetting[]>

interface Needs {
  readonly store: Store
  readonly changes: Changes
  readonly seal: Seal | undefined
  readonly vendors: readonly string[]
  /** Those of the file and the environment. */
  readonly declared: CredentialSettings
  readonly nowMs: () => number
}

/** The operator's keys at vendors. */
export function credentialService(needs: Needs): ControlService['credentials'] {
  const { store, changes, declared, nowMs } = needs
  /** Throws ControlError where it is not to be changed here. */
  const changeable = (vendor: string, name: string): void => {
    const one = declared.get(vendor)?.find((setting) => setting.name === name)
    if (one === undefined) return
    throw conflict(
      'credential-fixed',
      `This credential comes from ${one.from}.`,
      'Change it there, or take another name.',
    )
  }
  return {
    list: () => [...declaredViews(declared), ...store.credentials.all().map(({ credential }) => view(credential))],
    put(input, wanted, by) {
      const given = checked(credentialInput, input) as CredentialInput
      const { vendor, name } = given
      if (!needs.vendors.includes(vendor)) {
        throw unfit('vendor', 'there is no vendor of this name', `Known: ${needs.vendors.join(', ')}.`)
      }
      changeable(vendor, name)
      return changes.make(() => {
        const before = store.credentials.get(vendor, name)
        fits(wanted, before?.credential.version ?? 0)
        const record = before === undefined ? made(given, needs) : changed(before, given, needs)
        if (record === before) return view(before.credential)
        store.credentials.put(record, nowMs())
        changes.note(by, 'credential.put', `credential:${vendor}/${name}`, before?.credential, record.credential)
        changes.tell({ type: 'credentials' })
        return view(record.credential)
      })
    },
    remove(vendor, name, wanted, by) {
      changeable(vendor, name)
      changes.make(() => {
        const before = store.credentials.get(vendor, name)
        if (before === undefined) throw notFound('credential', 'List the credentials to see their names.')
        fits(wanted, before.credential.version)
        store.credentials.remove(vendor, name)
        changes.note(by, 'credential.remove', `credential:${vendor}/${name}`, before.credential, undefined)
        changes.tell({ type: 'credentials' })
      })
    },
  }
}

/**
 * All of them, opened, those of the file first. `locked`: those that the master key there is does not open, or that lie here
 * without one.
 */
export function openedCredentials({ store, seal, declared }: Pick<Needs, 'store' | 'seal' | 'declared'>): {
  settings: CredentialSettings
  locked: readonly { readonly vendor: string; readonly name: string }[]
} {
  const settings = new Map([...declared].map(([vendor, list]) => [vendor, [...list]]))
  const locked: { vendor: string; name: string }[] = []
  for (const record of store.credentials.all()) {
    const { vendor, name, weight, origin: place, callsMax } = record.credential
    // One of the same name in the file came later, and stands before it.
    if (declared.get(vendor)?.some((setting) => setting.name === name) === true) continue
    const secret = seal?.open(record.sealed, sealedFor(record))
    if (secret === undefined) locked.push({ vendor, name })
    else
      settings.set(vendor, [
        ...(settings.get(vendor) ?? []),
        { name, secret, from: 'api', weight, origin: place, callsMax },
      ])
  }
  return { settings, locked }
}

function made(given: CredentialInput, { store, seal }: Needs): CredentialRecord {
  const { vendor, name, secret, weight = 1, origin: place, callsMax } = given
  if (secret === undefined) throw unfit('secret', 'must be given for a new credential')
  if (store.credentials.all().filter(({ credential }) => credential.vendor === vendor).length >= perVendorMax) {
    throw conflict('credentials-full', `There are ${perVendorMax} credentials of ${vendor}.`, 'Remove one.')
  }
  const credential = { vendor, name, last4: last4(secret), weight, origin: place, callsMax, version: 1 }
  return sealed({ credential, sealed: new Uint8Array(), secretVersion: 1 }, secret, seal)
}

/** What is left out stays. The same record where that is all. */
function changed(before: CredentialRecord, given: CredentialInput, { seal }: Needs): CredentialRecord {
  const { secret, weight, origin: place, callsMax } = given
  const old = before.credential
  const credential = {
    ...old,
    weight: weight ?? old.weight,
    origin: place ?? old.origin,
    callsMax: callsMax ?? old.callsMax,
    version: old.version + 1,
  }
  if (secret !== undefined) {
    const record = { ...before, credential: { ...credential, last4: last4(secret) } }
    return sealed({ ...record, secretVersion: before.secretVersion + 1 }, secret, seal)
  }
  if (credential.origin !== old.origin) {
    throw unfit(
      'secret',
      'must be given anew with another origin',
      'It was given for the origin there is, and goes nowhere else.',
    )
  }
  const stays = credential.weight === old.weight && credential.callsMax === old.callsMax
  return stays ? before : { ...before, credential }
}

/** Throws ControlError where there is no master key. */
function sealed(record: CredentialRecord, secret: string, seal: Seal | undefined): CredentialRecord {
  if (seal !== undefined) return { ...record, sealed: seal.seal(secret, sealedFor(record)) }
  throw new ControlError(422, 'master-key-missing', 'This gateway has no master key to seal a vendor’s key with.', {
    path: 'secret',
    fix: masterKeyFix,
  })
}

function sealedFor({ credential: { vendor, name, origin: place }, secretVersion }: CredentialRecord): SealedFor {
  return { vendor, name, origin: place, version: secretVersion }
}

/** Of a short secret four characters would be too much of it. */
function last4(secret: string): string {
  return secret.length < 16 ? '' : secret.slice(-4)
}

function view(credential: CredentialRecord['credential']): VendorCredential {
  return { ...credential, source: 'api' }
}

function declaredViews(declared: CredentialSettings): VendorCredential[] {
  return [...declared].flatMap(([vendor, settings]) =>
    settings.map(({ name, secret, from, weight, origin: place, callsMax }) => {
      return { vendor, name, last4: last4(secret), weight, origin: place, callsMax, source: from, version: 0 }
    }),
  )
}
