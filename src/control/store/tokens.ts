import type { Scope, Token } from '../service.ts'
import type { Database, Row } from './database.ts'
import { bytesOf, maybeJson, maybeNumber, numberOf, textOf } from './values.ts'

export interface TokenRecord {
  readonly token: Token
  readonly digest: Uint8Array
}

/** Tokens of the admin API. */
export class TokenTable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  all(): TokenRecord[] {
    return this.#database.statement('SELECT * FROM tokens ORDER BY created_ms, id').all().map(tokenRecord)
  }

  add({ token, digest }: TokenRecord): void {
    this.#database
      .statement(
        'INSERT INTO tokens (id, name, digest, scopes, state, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(
        token.id,
        token.name,
        digest,
        JSON.stringify(token.scopes),
        token.state,
        token.createdAt,
        token.expiresAt ?? null,
      )
  }

  revoke(id: string): void {
    this.#database.statement("UPDATE tokens SET state = 'revoked' WHERE id = ?").run(id)
  }

  used(id: string, nowMs: number): void {
    this.#database.statement('UPDATE tokens SET last_used_ms = ? WHERE id = ?').run(nowMs, id)
  }
}

function tokenRecord(row: Row): TokenRecord {
  return {
    token: {
      id: textOf(row, 'id'),
      name: textOf(row, 'name'),
      scopes: maybeJson<Scope[]>(row, 'scopes') ?? [],
      createdAt: numberOf(row, 'created_ms'),
      expiresAt: maybeNumber(row, 'expires_ms'),
      lastUsedAt: maybeNumber(row, 'last_used_ms'),
      state: textOf(row, 'state') as Token['state'],
    },
    digest: bytesOf(row, 'digest'),
  }
}
