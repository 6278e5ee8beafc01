import type { VendorCredential } from '../service.ts'
import type { Database, Row } from './database.ts'
import { bytesOf, maybeNumber, maybeText, numberOf, textOf } from './values.ts'

/** A key of the operator's at a vendor, sealed. */
export interface CredentialRecord {
  readonly credential: Omit<VendorCredential, 'source'>
  readonly sealed: Uint8Array
  /** Grows with each new secret; a sealed one fits to its own only. */
  readonly secretVersion: number
}

export class CredentialTable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  all(): CredentialRecord[] {
    return this.#database.statement('SELECT * FROM credentials ORDER BY vendor, name').all().map(credentialRecord)
  }

  get(vendor: string, name: string): CredentialRecord | undefined {
    const row = this.#database.statement('SELECT * FROM credentials WHERE vendor = ? AND name = ?').get(vendor, name)
    return row === undefined ? undefined : credentialRecord(row)
  }

  put({ credential, sealed, secretVersion }: CredentialRecord, nowMs: number): void {
    const { vendor, name, last4, weight, origin, callsMax, version } = credential
    this.#database
      .statement(
        `INSERT OR REPLACE INTO credentials
           (vendor, name, sealed, secret_version, last4, weight, origin, calls_max, changed_ms, version)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(vendor, name, sealed, secretVersion, last4, weight, origin ?? null, callsMax ?? null, nowMs, version)
  }

  remove(vendor: string, name: string): void {
    this.#database.statement('DELETE FROM credentials WHERE vendor = ? AND name = ?').run(vendor, name)
  }
}

function credentialRecord(row: Row): CredentialRecord {
  return {
    credential: {
      vendor: textOf(row, 'vendor'),
      name: textOf(row, 'name'),
      last4: textOf(row, 'last4'),
      weight: numberOf(row, 'weight'),
      origin: maybeText(row, 'origin'),
      callsMax: maybeNumber(row, 'calls_max'),
      version: numberOf(row, 'version'),
    },
    sealed: bytesOf(row, 'sealed'),
    secretVersion: numberOf(row, 'secret_version'),
  }
}
