import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import fc from 'fast-check'
import { sendBytes } from '../support/client.ts'
import { startAdmin } from './support/server.ts'

const admin = await startAdmin()
after(() => admin.close())

/** Asks with a target that no client would send, and a token of this scope. */
async function ask(
  method: string,
  target: string,
  token: string,
  headers = '',
): Promise<{ status: number; text: string }> {
  admin.control.asked.length = 0
  const text = await sendBytes(
    admin.url,
    `${method} ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n` +
      `content-type: application/json\r\n${headers}content-length: 0\r\n\r\n`,
  )
  return { status: Number(text.split(' ', 2)[1]), text }
}

/** What was asked of the control plane, but for who asks. */
function asked(): string[] {
  return admin.control.asked.filter((one) => one !== 'tokens.identify')
}

suite('a path has one spelling', () => {
  const targets = [
    '//admin/v1/keys',
    '/admin//v1/keys',
    '/admin/v1//keys',
    '/admin/v1/keys/',
    '/admin/v1/keys//',
    '/admin/v1/./keys',
    '/admin/v1/plans/../keys',
    '/admin/v1/%6beys',
    '/admin/v1%2fkeys',
    '/admin/v1/keys%2f',
    '/admin/v1/keys%00',
    '/admin/v1/keys;a=b',
    '/admin/v1;a=b/keys',
    '/admin/v1/Keys',
    '/ADMIN/v1/keys',
    '/admin/V1/keys',
    '/admin/v1/keys.json',
    '/admin/v1/receipts.CSV',
    '/admin/v2/keys',
    '/admin/v1',
    '/admin/v1/',
    '/',
    '*',
    String.raw`/admin/v1\keys`,
  ]
  for (const target of targets) {
    test(`${target} leads nowhere`, async () => {
      const { status, text } = await ask('GET', target, admin.tokens.all)
      assert.equal(status, 404, text)
      assert.deepEqual(asked(), [])
    })
  }

  test('an absolute target is taken by its path, whatever host it names', async () => {
    const { status } = await ask('GET', 'http://evil.example/admin/v1/keys', admin.tokens.read)
    assert.equal(status, 200)
    assert.deepEqual(asked(), ['keys.list'])
  })

  test('a fragment is no part of a path that exists', async () => {
    assert.equal((await ask('GET', '/admin/v1/keys#/tokens', admin.tokens.all)).status, 404)
  })
})

suite('an id in a path', () => {
  for (const id of [
    '..',
    '.',
    '%2e%2e',
    'a%2fb',
    'a;b',
    '-',
    'x'.repeat(101),
    "'",
    '%27%20OR%201=1',
    '__proto__',
    '%',
  ]) {
    test(`${id.slice(0, 20)} is refused before anything is looked up`, async () => {
      const { status, text } = await ask('GET', `/admin/v1/keys/${id}`, admin.tokens.all)
      assert.equal(status, 400, text)
      assert.match(text, /"path":"id"/)
      assert.deepEqual(asked(), [])
    })
  }
})

suite('headers that speak of another path', () => {
  for (const name of [
    'x-original-url',
    'x-rewrite-url',
    'x-forwarded-uri',
    'x-forwarded-prefix',
    'x-http-method-override',
  ]) {
    test(`${name} is not read`, async () => {
      const { status } = await ask('GET', '/admin/v1/keys', admin.tokens.read, `${name}: /admin/v1/tokens\r\n`)
      assert.equal(status, 200)
      assert.deepEqual(asked(), ['keys.list'])
    })
  }
})

suite('methods', () => {
  const cases: [method: string, path: string, allow: string][] = [
    ['DELETE', '/keys', 'GET, HEAD, POST'],
    ['PUT', '/keys/ab12cd34', 'GET, HEAD, PATCH'],
    ['GET', '/keys/ab12cd34/revoke', 'POST'],
    ['OPTIONS', '/keys', 'GET, HEAD, POST'],
    ['TRACE', '/keys', 'GET, HEAD, POST'],
    ['HEAD', '/keys/ab12cd34/revoke', 'POST'],
    ['POST', '/receipts.csv', 'GET, HEAD'],
  ]
  for (const [method, path, allow] of cases) {
    test(`${method} ${path} is told to use ${allow}`, async () => {
      const { status, text } = await ask(method, `/admin/v1${path}`, admin.tokens.all)
      assert.equal(status, 405, text)
      assert.match(text, new RegExp(`^allow: ${allow}\r$`, 'im'))
      assert.deepEqual(asked(), [])
    })
  }

  test('HEAD is a GET without its body', async () => {
    const get = await admin.ask('GET', '/plans/basic')
    const head = await admin.ask('HEAD', '/plans/basic')
    assert.equal(head.status, 200)
    assert.equal(head.body.length, 0)
    assert.equal(head.headers['content-length'], get.headers['content-length'])
    assert.equal(head.headers.etag, get.headers.etag)
  })
})

suite('whatever the target, what runs is what the token may do', () => {
  /** Methods of the control plane that a token which may only read is entitled to. */
  const reading = /^(keys|owners|plans)\.(list|get)$|^usage\./
  const words = ['admin', 'v1', 'keys', 'tokens', 'audit', 'credentials', 'plans', 'ab12cd34', 'revoke', 'openai']
  const odd = ['..', '.', '', '%2e', '%2e%2e', '%2f', ';', ';x=y', 'KEYS', 'keys;', '%6beys', 'receipts.csv', '?', '@']
  const part = fc.constantFrom(...words, ...odd)
  const separator = fc.constantFrom('/', '//', '%2f', '\\', ';/', '/./')
  const target = fc
    .tuple(
      fc.constantFrom('/admin/v1', '//admin/v1', '/admin/v1/keys/..', 'http://h/admin/v1', '/'),
      fc.array(fc.tuple(separator, part), { maxLength: 5 }),
    )
    .map(([start, parts]) => start + parts.flat().join(''))

  test('for a token that may read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'), target, async (method, to) => {
        const { status } = await ask(method, to, admin.tokens.read)
        assert.ok(status < 500, String(status))
        for (const one of asked()) assert.match(one, reading)
      }),
      { numRuns: 150 },
    )
  })

  test('for none', async () => {
    await fc.assert(
      fc.asyncProperty(target, async (to) => {
        const { status } = await ask('GET', to, '')
        assert.ok(status === 401 || status === 404 || status === 400, String(status))
        assert.deepEqual(admin.control.asked, [])
      }),
      { numRuns: 100 },
    )
  })
})
