import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { RawAnswer } from '../support/client.ts'
import { startAdmin } from './support/server.ts'

const admin = await startAdmin()
after(() => admin.close())

interface Made {
  id: string
  secret: string | null
  note?: string
}

function make(
  key: string,
  body: object | string = { name: 'once' },
  path = '/keys',
  token = admin.tokens.all,
): Promise<RawAnswer> {
  return admin.ask('POST', path, { token, headers: { 'idempotency-key': key }, body })
}

const made = (): number => admin.control.asked.filter((one) => /\.(create|rotate)$/.test(one)).length

suite('an Idempotency-Key', () => {
  test('makes a key once, and shows its secret once', async () => {
    const before = made()
    const first = await make('one')
    const second = await make('one')
    assert.equal(made() - before, 1)
    assert.deepEqual([first.status, second.status], [201, 201])
    const { secret, ...shown } = first.json<Made>()
    const { secret: none, note, ...again } = second.json<Made>()
    assert.match(secret ?? '', /^sk-aic-\w{46}$/)
    assert.equal(none, null)
    assert.match(note ?? '', /earlier request with the same Idempotency-Key/)
    assert.deepEqual(again, shown)
    assert.equal(second.headers.etag, first.headers.etag)
    assert.equal(second.headers.location, first.headers.location)
    assert.equal(first.headers['idempotent-replayed'], undefined)
    assert.equal(second.headers['idempotent-replayed'], 'true')
  })

  for (const [path, body] of [
    ['/owners', { name: 'Ann' }],
    ['/tokens', { name: 'console', scopes: ['read'] }],
  ] as const) {
    test(`works for POST ${path} too`, async () => {
      const [first, second] = [
        await make(`for ${path}`.replaceAll(/\W/g, ''), body, path),
        await make(`for ${path}`.replaceAll(/\W/g, ''), body, path),
      ]
      assert.equal(second.json<Made>().id, first.json<Made>().id)
    })
  }

  test('rotates once', async () => {
    const { id } = (await make('to-rotate')).json<Made>()
    const before = made()
    const first = await make('rotation', {}, `/keys/${id}/rotate`)
    const second = await make('rotation', {}, `/keys/${id}/rotate`)
    assert.equal(made() - before, 1)
    assert.match(first.json<Made>().secret ?? '', /^sk-aic-/)
    assert.equal(second.json<Made>().secret, null)
  })

  test('that comes with its first If-Match once more is answered, though the version has moved', async () => {
    const { id } = (await make('to-rotate-too')).json<Made>()
    const headers = { 'idempotency-key': 'rotation-matched', 'if-match': '"1"' }
    const rotate = () => admin.ask('POST', `/keys/${id}/rotate`, { headers, body: {} })
    assert.equal((await rotate()).status, 200)
    assert.equal((await rotate()).status, 200)
    assert.equal((await admin.ask('GET', `/keys/${id}`)).json().version, 2)
  })

  test('with another body is refused, and makes nothing', async () => {
    await make('two')
    const before = made()
    const answer = await make('two', { name: 'other' })
    assert.equal(answer.status, 409)
    assert.match(answer.body.toString(), /idempotency-conflict/)
    assert.equal(made(), before)
  })

  test('for another path is refused', async () => {
    await make('three')
    assert.equal((await make('three', { name: 'once' }, '/owners')).status, 409)
  })

  test('is another one for another token', async () => {
    const first = await make('four')
    const second = await make('four', undefined, '/keys', admin.tokens.keys)
    assert.notEqual(second.json<Made>().id, first.json<Made>().id)
  })

  test('is free again where nothing was made', async () => {
    assert.equal((await make('five', { nme: 'x' })).status, 400)
    assert.equal((await make('five')).status, 201)
  })

  test('is forgotten after 24 hours', async () => {
    const first = (await make('six')).json<Made>()
    admin.wait(24 * 3_600_000 - 1)
    assert.equal((await make('six')).json<Made>().id, first.id)
    admin.wait(1)
    assert.notEqual((await make('six')).json<Made>().id, first.id)
  })

  test('does not make up for a token that was revoked', async () => {
    const by = { type: 'program', id: 'test' } as const
    const { token, secret } = admin.control.tokens.create({ name: 'brief', scopes: ['all'] }, by)
    await make('seven', undefined, '/keys', secret)
    admin.control.tokens.revoke(token.id, by)
    assert.equal((await make('seven', undefined, '/keys', secret)).status, 401)
  })

  for (const key of ['', 'a b', 'x'.repeat(201)]) {
    test(`'${key.slice(0, 10)}' is none`, async () => {
      assert.equal((await make(key)).status, 400)
    })
  }
})
