import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serialize } from 'node:v8'
import type { Caller } from './caller.ts'

const full: Caller = {
  id: 'ab12cd34',
  name: 'the nightly reports of the sales team',
  digest: new Uint8Array(32),
  former: { digest: new Uint8Array(32), untilMs: 1_800_000_000_000 },
  state: 'active',
  expiresMs: 1_800_000_000_000,
  owner: 'own_0123456789ab',
  plan: 'basic',
  limits: { requestsPerMinute: 20, tokensPerDay: 1_000_000 },
  models: ['claude-*', 'gpt-*'],
  networks: ['10.0.0.0/8'],
  sandbox: false,
  ladder: 'best',
  keySlot: 12_345,
  ownerSlot: 678,
}

test('a caller goes to another thread as it is', () => {
  assert.deepEqual(structuredClone(full), full)
})

test('a caller with most of what it can have is under 600 bytes, so that a hundred thousand are no matter', () => {
  assert.ok(serialize(full).length < 600, `${serialize(full).length} bytes`)
})
