import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { masterSeal, sealWith, type SealedFor } from './secrets-seal.ts'

const masterKey = randomBytes(32)
const belongs: SealedFor = { vendor: 'openai', name: 'main', origin: undefined, version: 1 }
const secret = 'sk-proj-canary-0123456789'

suite('a sealed secret', () => {
  test('opens for what it was sealed for, and shows nothing before', () => {
    const sealed = sealWith(masterKey).seal(secret, belongs)
    assert.equal(sealWith(masterKey).open(sealed, belongs), secret)
    assert.equal(Buffer.from(sealed).includes('canary'), false)
  })

  test('looks another way each time', () => {
    const seal = sealWith(masterKey)
    assert.notDeepEqual(seal.seal(secret, belongs), seal.seal(secret, belongs))
  })

  test('does not open with another master key', () => {
    const sealed = sealWith(masterKey).seal(secret, belongs)
    assert.equal(sealWith(randomBytes(32)).open(sealed, belongs), undefined)
  })

  const others: [sentence: string, change: Partial<SealedFor>][] = [
    ['another vendor', { vendor: 'xai' }],
    ['another name', { name: 'other' }],
    ['another origin', { origin: 'https://evil.example' }],
    ['another version', { version: 2 }],
  ]
  for (const [sentence, change] of others) {
    test(`does not open for ${sentence}`, () => {
      const seal = sealWith(masterKey)
      assert.equal(seal.open(seal.seal(secret, belongs), { ...belongs, ...change }), undefined)
    })
  }

  test('does not open for other names that come to the same text when joined', () => {
    const seal = sealWith(masterKey)
    const sealed = seal.seal(secret, { ...belongs, vendor: 'a|b', name: 'c' })
    assert.equal(seal.open(sealed, { ...belongs, vendor: 'a', name: 'b|c' }), undefined)
  })

  test('does not open with any of its bits turned, nor with any part of it cut off', () => {
    const seal = sealWith(masterKey)
    const sealed = seal.seal(secret, belongs)
    for (let at = 0; at < sealed.length; at += 1) {
      const turned = Uint8Array.from(sealed)
      turned[at] = (turned[at] ?? 0) ^ 1
      assert.equal(seal.open(turned, belongs), undefined, `byte ${at}`)
      assert.equal(seal.open(sealed.subarray(0, at), belongs), undefined, `cut at ${at}`)
    }
  })
})

suite('the master key', () => {
  const sealed = sealWith(masterKey).seal(secret, belongs)
  const good: [sentence: string, text: string][] = [
    ['in hexadecimal digits', masterKey.toString('hex')],
    ['in capital ones, with space around', ` ${masterKey.toString('hex').toUpperCase()}\n`],
    ['in base64', masterKey.toString('base64')],
    ['in base64 for URLs', masterKey.toString('base64url')],
  ]
  for (const [sentence, text] of good) {
    test(`may be given ${sentence}`, () => {
      assert.equal(masterSeal({ KEYRUNG_MASTER_KEY: text })?.open(sealed, belongs), secret)
    })
  }

  test('may stand in a file, which wins over the environment', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyrung-seal-'))
    const file = join(folder, 'key')
    writeFileSync(file, `${masterKey.toString('hex')}\n`)
    const environment = { KEYRUNG_MASTER_KEY_FILE: file, KEYRUNG_MASTER_KEY: randomBytes(32).toString('hex') }
    assert.equal(masterSeal(environment)?.open(sealed, belongs), secret)
    writeFileSync(file, '')
    assert.throws(() => masterSeal(environment), {
      name: 'ConfigError',
      message: /^KEYRUNG_MASTER_KEY_FILE: must be 32/,
    })
    rmSync(folder, { recursive: true })
    assert.throws(() => masterSeal(environment), { name: 'ConfigError', message: /cannot be read \(ENOENT\)/ })
  })

  for (const [sentence, text] of [
    ['not set', undefined],
    ['empty', ''],
    ['blank', ' \n'],
  ] as const) {
    test(`that is ${sentence} is none, and nothing is sealed`, () => {
      assert.equal(masterSeal(text === undefined ? {} : { KEYRUNG_MASTER_KEY: text }), undefined)
    })
  }

  const bad: [sentence: string, text: string][] = [
    ['too short', masterKey.toString('hex').slice(2)],
    ['too long', `${masterKey.toString('hex')}00`],
    ['no hexadecimal', `${masterKey.toString('hex').slice(1)}g`],
    ['a password', 'correct horse battery staple'],
    ['typed and not drawn', '0123456789abcdef'.repeat(4)],
    ['nothing but zeros', '0'.repeat(64)],
  ]
  for (const [sentence, text] of bad) {
    test(`that is ${sentence} is refused, with how to make one, and is not repeated`, () => {
      assert.throws(
        () => masterSeal({ KEYRUNG_MASTER_KEY: text }),
        ({ name, message }: Error) => {
          assert.equal(name, 'ConfigError')
          assert.match(message, /openssl rand -hex 32/)
          return !message.includes(text)
        },
      )
    })
  }
})
