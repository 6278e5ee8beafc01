import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { sealWith } from '../secrets-seal.ts'
import type { CredentialInput, VendorCredential } from '../service.ts'
import { by, refused, stageEach } from './support/control.ts'

const secret = 'sk-proj-canary-of-a-vendor-key-abcd'
const declared = new Map([
  [
    'anthropic',
    [
      {
        name: 'main',
        secret: 'sk-ant-of-the-file-wxyz',
        from: '${ANTHROPIC}',
        weight: 2,
        origin: undefined,
        callsMax: 3,
      },
    ],
  ],
])

suite('vendors’ keys', () => {
  const stage = stageEach({ credentials: declared })
  const put = (change: Partial<CredentialInput> = {}, version?: number): VendorCredential =>
    stage.control.credentials.put({ vendor: 'openai', name: 'main', secret, ...change }, version, by)
  const without = (change: Partial<CredentialInput>, version?: number): VendorCredential =>
    stage.control.credentials.put({ vendor: 'openai', name: 'main', ...change }, version, by)

  const wrong: [sentence: string, change: object, status: 400 | 409 | 422, says: RegExp][] = [
    ['a field that there is not', { key: 'x' }, 400, /^key: there is no such field/],
    ['a vendor that there is not', { vendor: 'opanai' }, 422, /^vendor: there is no vendor of this name/],
    ['the name of a field of all objects', { vendor: 'constructor' }, 422, /^vendor: there is no vendor/],
    ['a name with a slash', { name: 'a/b' }, 400, /^name: must be up to 50 letters/],
    ['no secret', { secret: undefined }, 422, /^secret: must be given for a new credential/],
    ['a short secret', { secret: 'short' }, 400, /^secret: must be the vendor’s key/],
    ['a secret with a new line', { secret: `${secret}\n` }, 400, /^secret: must be the vendor’s key/],
    ['an origin that is a file', { origin: 'file:///etc/passwd' }, 400, /^origin: must be an http or https URL/],
    ['an origin with a user', { origin: 'https://a:b@example.com' }, 400, /^origin: must be scheme, host/],
    ['an origin with a query', { origin: 'https://example.com/?x=1' }, 400, /^origin: must be scheme, host/],
    ['a weight below nothing', { weight: -1 }, 400, /^weight: must be at least 0/],
    ['no calls', { callsMax: 0 }, 400, /^callsMax: must be at least 1/],
    ['the name of one of the file', { vendor: 'anthropic' }, 409, /comes from \$\{ANTHROPIC\}/],
  ]
  for (const [sentence, change, status, says] of wrong) {
    test(`with ${sentence} are refused, and no message holds the secret`, () => {
      refused(() => put(change), status, says)
      refused(() => put(change), status, /^(?!.*(canary|short)).*$/s)
      assert.equal(stage.control.credentials.list().length, 1)
    })
  }

  test('are refused without a master key, with how to make one', () => {
    const control = stage.another({ seal: undefined })
    assert.throws(() => control.credentials.put({ vendor: 'openai', name: 'main', secret }, undefined, by), {
      status: 422,
      code: 'master-key-missing',
      fix: /openssl rand -hex 32/,
    })
    assert.deepEqual(control.openedCredentials().locked, [])
  })

  test('are kept, listed without their secret, and opened for the workers', () => {
    const made = put({ weight: 5, origin: 'https://proxy.example.com/v1', callsMax: 7 })
    const expected = {
      vendor: 'openai',
      name: 'main',
      last4: 'abcd',
      weight: 5,
      origin: 'https://proxy.example.com/v1',
    }
    assert.deepEqual(made, { ...expected, callsMax: 7, source: 'api', version: 1 })
    assert.deepEqual(
      stage.control.credentials.list().map(({ vendor, name, last4, source }) => [vendor, name, last4, source]),
      [
        ['anthropic', 'main', 'wxyz', '${ANTHROPIC}'],
        ['openai', 'main', 'abcd', 'api'],
      ],
    )
    const { settings, locked } = stage.another().openedCredentials()
    assert.deepEqual(locked, [])
    assert.deepEqual(settings.get('anthropic'), declared.get('anthropic'))
    const { vendor: _vendor, last4: _last4, ...own } = expected
    assert.deepEqual(settings.get('openai'), [{ ...own, secret, from: 'api', callsMax: 7 }])
    assert.deepEqual(stage.events, [{ type: 'credentials' }])
  })

  test('are nowhere in the files of the database, nor in the log', () => {
    put()
    without({ weight: 3 })
    stage.control.credentials.remove('openai', 'main', undefined, by)
    assert.equal(JSON.stringify(stage.control.audit.list({}).data).includes('canary'), false)
    const files = readdirSync(stage.folder).filter((file) => file.startsWith('keyrung.db'))
    assert.ok(files.length > 0)
    for (const file of files) assert.equal(readFileSync(join(stage.folder, file)).includes('canary'), false, file)
  })

  test('are changed without the secret, which stays', () => {
    put()
    assert.deepEqual([without({ weight: 9 }, 1).version, without({ callsMax: 2 }, 2).weight], [2, 9])
    const [setting] = stage.control.openedCredentials().settings.get('openai') ?? []
    assert.deepEqual([setting?.secret, setting?.weight, setting?.callsMax], [secret, 9, 2])
    assert.equal(without({ weight: 9 }, 3).version, 3, 'nothing changed')
  })

  test('go nowhere else: another origin wants the secret anew', () => {
    put({ origin: 'https://one.example.com' })
    refused(() => without({ origin: 'https://evil.example.com' }), 422, /^secret: must be given anew/)
    assert.equal(without({ origin: 'https://one.example.com', weight: 2 }).origin, 'https://one.example.com')
    assert.equal(put({ origin: 'https://two.example.com' }).origin, 'https://two.example.com')
    assert.equal(stage.control.openedCredentials().settings.get('openai')?.[0]?.secret, secret)
  })

  test('whose row was changed behind our back do not open', () => {
    put({ origin: 'https://one.example.com' })
    const record = stage.store.credentials.get('openai', 'main')
    assert.ok(record)
    const origin = 'https://evil.example.com'
    stage.store.credentials.put({ ...record, credential: { ...record.credential, origin } }, 0)
    const { settings, locked } = stage.control.openedCredentials()
    assert.deepEqual(locked, [{ vendor: 'openai', name: 'main' }])
    assert.equal(settings.get('openai'), undefined)
  })

  test('that an old row was put back for do not open: each secret has its number', () => {
    put()
    const old = stage.store.credentials.get('openai', 'main')
    put({ secret: `${secret}-new` })
    const now = stage.store.credentials.get('openai', 'main')
    assert.ok(old !== undefined && now !== undefined)
    stage.store.credentials.put({ ...now, sealed: old.sealed }, 0)
    assert.equal(stage.control.openedCredentials().locked.length, 1)
  })

  test('that another master key sealed are told, and the others work', () => {
    put()
    const { settings, locked } = stage.another({ seal: sealWith(randomBytes(32)) }).openedCredentials()
    assert.deepEqual(locked, [{ vendor: 'openai', name: 'main' }])
    assert.deepEqual([...settings.keys()], ['anthropic'])
    assert.equal(stage.another({ seal: undefined }).openedCredentials().locked.length, 1)
  })

  test('are changed from the version that is there only; 0 stands for none', () => {
    refused(() => put({}, 1), 412, /There is nothing there now/)
    put({}, 0)
    refused(() => put({ weight: 2 }, 0), 412, /Its version is 1 now/)
    refused(() => stage.control.credentials.remove('openai', 'main', 2, by), 412, /Its version is 1 now/)
    stage.control.credentials.remove('openai', 'main', 1, by)
    refused(() => stage.control.credentials.remove('openai', 'main', undefined, by), 404, /There is no such credential/)
    refused(() => stage.control.credentials.remove('anthropic', 'main', undefined, by), 409, /comes from/)
  })

  test('that came into the file later stand there, and the sealed one rests', () => {
    put()
    const later = new Map([
      [
        'openai',
        [{ name: 'main', secret: 'x'.repeat(20), from: 'FILE', weight: 1, origin: undefined, callsMax: undefined }],
      ],
    ])
    assert.deepEqual(
      stage.another({ credentials: later }).openedCredentials().settings.get('openai'),
      later.get('openai'),
    )
  })

  test('show no end of a secret of which it would be much', () => {
    assert.equal(put({ secret: '12345678' }).last4, '')
  })
})
