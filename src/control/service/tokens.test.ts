import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { newCallerKey } from '../../core/key.ts'
import type { Token } from '../service.ts'
import { by, hourMs, refused, stageEach, startMs } from './support/control.ts'

suite('admin tokens', () => {
  const stage = stageEach()
  const create = (input: object = {}): { token: Token; secret: string } =>
    stage.control.tokens.create({ name: 'a token', scopes: ['read'], ...input }, by)

  const wrong: [sentence: string, input: object, status: 400 | 422, says: RegExp][] = [
    ['a field that there is not', { admin: true }, 400, /^admin: there is no such field/],
    ['no scope', { scopes: [] }, 400, /^scopes: must have at least 1 entries/],
    ['a scope that there is not', { scopes: ['root'] }, 400, /^scopes\.0: must be one of read, keys, all/],
    ['a scope twice', { scopes: ['read', 'read'] }, 400, /^scopes: must name each scope once/],
    ['no name', { name: '' }, 400, /^name: must have at least/],
    ['an end in the past', { expiresAt: startMs }, 422, /^expiresAt: must be in the future/],
  ]
  for (const [sentence, input, status, says] of wrong) {
    test(`with ${sentence} are refused`, () => {
      refused(() => create(input), status, says)
      assert.deepEqual(stage.control.tokens.list(), [])
    })
  }

  test('are shown once, and then known by what was shown', () => {
    const { token, secret } = create({ scopes: ['keys', 'read'] })
    assert.match(secret, /^kra_[0-9A-Za-z]{46}$/)
    assert.ok(secret.startsWith(`kra_${token.id}`))
    assert.equal(stage.control.tokens.identify(secret)?.id, token.id)
    assert.equal(stage.another().tokens.identify(secret)?.id, token.id, 'after a restart too')
    const shown = JSON.stringify([stage.control.tokens.list(), stage.control.audit.list({}).data])
    assert.equal(shown.includes(secret.slice(12, 44)), false)
  })

  const strangers: [sentence: string, secret: (real: string) => unknown][] = [
    ['nothing', () => ''],
    ['no text', () => undefined],
    ['text without end', (real) => real.repeat(1000)],
    ['a token with one letter changed', (real) => real.slice(0, 20) + (real[20] === 'a' ? 'b' : 'a') + real.slice(21)],
    ['a token of its form that nobody has', () => newCallerKey('kra_').key],
    ['a token of a known id with another secret', (real) => newCallerKey('kra_', real.slice(4, 12)).key],
    ['a caller’s key', () => stage.control.keys.create({ name: 'k' }, by).secret],
    ['a part of it', (real) => real.slice(0, -1)],
    ['more than it', (real) => `${real}a`],
    ['white space around it', (real) => ` ${real}`],
    ['a command', () => "kra_' OR '1'='1"],
    ['the digest of nothing', () => '0'.repeat(64)],
  ]
  for (const [sentence, secret] of strangers) {
    test(`are not known by ${sentence}`, () => {
      const { secret: real } = create()
      assert.equal(stage.control.tokens.identify(secret(real) as string), undefined)
    })
  }

  test('are not known any more once they are revoked, and stay so', () => {
    const { token, secret } = create()
    assert.equal(stage.control.tokens.revoke(token.id, by).state, 'revoked')
    assert.equal(stage.control.tokens.identify(secret), undefined)
    assert.equal(stage.another().tokens.identify(secret), undefined)
    assert.equal(stage.control.tokens.revoke(token.id, by).state, 'revoked')
    assert.equal(stage.control.audit.list({}).data.length, 2, 'twice is once')
    refused(() => stage.control.tokens.revoke('nobody', by), 404, /There is no such token/)
  })

  test('are not known any more once they have expired', () => {
    const { secret } = create({ expiresAt: startMs + 5 })
    stage.nowMs = startMs + 4
    assert.ok(stage.control.tokens.identify(secret))
    stage.nowMs = startMs + 5
    assert.equal(stage.control.tokens.identify(secret), undefined)
  })

  test('have their last use written down, and no more than once a minute', () => {
    const { secret } = create()
    const lastUsed = (): (number | undefined)[] =>
      stage
        .another()
        .tokens.list()
        .map(({ lastUsedAt }) => lastUsedAt)
    assert.deepEqual(lastUsed(), [undefined])
    stage.control.tokens.identify(secret)
    stage.nowMs += 59_999
    stage.control.tokens.identify(secret)
    assert.deepEqual(lastUsed(), [startMs])
    stage.nowMs += 1
    assert.equal(stage.control.tokens.identify(secret)?.lastUsedAt, startMs + 60_000)
    assert.deepEqual(lastUsed(), [startMs + 60_000])
  })

  test('keep nobody out because their last use cannot be written', () => {
    const { secret } = create()
    const busy = Object.assign(new Error('database is locked'), { errcode: 5 })
    const transaction = (): never => {
      throw busy
    }
    const control = stage.another({ store: { ...stage.store, transaction } })
    assert.ok(control.tokens.identify(secret))
    refused(() => control.tokens.create({ name: 't', scopes: ['all'] }, by), 503, /Another process is writing/)
  })

  test('are asked of no database: a stranger costs it nothing', () => {
    create()
    stage.store.transaction(() => {
      for (let at = 0; at < 100; at += 1) stage.control.tokens.identify(newCallerKey('kra_').key)
    })
    assert.equal(stage.control.audit.list({}).data.length, 1)
    stage.nowMs += hourMs
  })
})
