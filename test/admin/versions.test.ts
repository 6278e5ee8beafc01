import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { ControlError } from '../../src/control/service.ts'
import { startAdmin } from './support/server.ts'

const admin = await startAdmin()
after(() => admin.close())

interface Made {
  id: string
  version: number
}

async function makeKey(): Promise<string> {
  return (await admin.ask('POST', '/keys', { body: { name: 'key' } })).json<Made>().id
}

suite('the version of what is read or changed is its ETag', () => {
  test('through the life of a key', async () => {
    const made = await admin.ask('POST', '/keys', { body: { name: 'key' } })
    const { id } = made.json<Made>()
    assert.equal(made.headers.etag, '"1"')
    assert.equal(made.headers.location, `keys/${id}`)
    assert.equal((await admin.ask('GET', `/keys/${id}`)).headers.etag, '"1"')
    assert.equal((await admin.ask('PATCH', `/keys/${id}`, { body: { name: 'k' } })).headers.etag, '"2"')
    assert.equal((await admin.ask('POST', `/keys/${id}/disable`)).headers.etag, '"3"')
    assert.equal((await admin.ask('POST', `/keys/${id}/rotate`)).headers.etag, '"4"')
  })

  test('of a plan and a credential that were put', async () => {
    assert.equal((await admin.ask('PUT', '/plans/tagged', { body: {} })).headers.etag, '"1"')
    const body = { secret: 'sk-of-the-vendor' }
    assert.equal((await admin.ask('PUT', '/credentials/openai/tagged', { body })).headers.etag, '"1"')
  })
})

suite('If-Match', () => {
  /** Each as a change to a thing at version 2. */
  const changes: [name: string, make: () => Promise<string>, method: string, rest: string, body: object | undefined][] =
    [
      ['a change of a key', makeKeyTwice, 'PATCH', '', { name: 'new' }],
      ['disabling', makeKeyTwice, 'POST', '/disable', undefined],
      ['enabling', makeKeyTwice, 'POST', '/enable', undefined],
      ['revoking', makeKeyTwice, 'POST', '/revoke', undefined],
      ['rotating', makeKeyTwice, 'POST', '/rotate', undefined],
      ['a change of an owner', makeOwnerTwice, 'PATCH', '', { name: 'new' }],
      ['removing an owner', makeOwnerTwice, 'DELETE', '', undefined],
      ['a plan written over', putPlanTwice, 'PUT', '', {}],
      ['removing a plan', putPlanTwice, 'DELETE', '', undefined],
      ['a credential written over', putCredentialTwice, 'PUT', '', { weight: 1 }],
      ['removing a credential', putCredentialTwice, 'DELETE', '', undefined],
    ]
  for (const [name, make, method, rest, body] of changes) {
    test(`${name} that was made for an older version is refused and changes nothing`, async () => {
      const path = await make()
      const before = JSON.stringify(await everything())
      const options = { headers: { 'if-match': '"1"' }, ...(body !== undefined && { body }) }
      const answer = await admin.ask(method, path + rest, options)
      assert.equal(answer.status, 412, answer.body.toString())
      assert.equal(answer.headers.etag, '"2"')
      assert.match(answer.body.toString(), /version-stale.*version is 2 now/)
      assert.equal(JSON.stringify(await everything()), before)
    })

    test(`${name} for the version that is there is made`, async () => {
      const path = await make()
      const options = { headers: { 'if-match': '"2"' }, ...(body !== undefined && { body }) }
      const { status } = await admin.ask(method, path + rest, options)
      assert.ok(status === 200 || status === 204, String(status))
    })
  }

  const tags: [tag: string, status: number][] = [
    ['"1"', 200],
    ['*', 200],
    ['"2"', 412],
    ['"01"', 412],
    ['""', 412],
    ['W/"1"', 412],
    ['1', 400],
    ['"1", "2"', 400],
    ['"1', 400],
    ['', 400],
  ]
  for (const [tag, status] of tags) {
    test(`${tag === '' ? 'an empty one' : tag} for version 1 is a ${status}`, async () => {
      const id = await makeKey()
      const answer = await admin.ask('PATCH', `/keys/${id}`, { headers: { 'if-match': tag }, body: { name: 'new' } })
      assert.equal(answer.status, status, answer.body.toString())
    })
  }

  test('a plan that is not there has no version that could fit', async () => {
    for (const tag of ['"1"', '*']) {
      const answer = await admin.ask('PUT', '/plans/nowhere', { headers: { 'if-match': tag }, body: {} })
      assert.equal(answer.status, 412)
      assert.equal(answer.headers.etag, undefined)
    }
  })

  test('is refused where there is nothing to hold it against', async () => {
    const answer = await admin.ask('POST', '/keys', { headers: { 'if-match': '"1"' }, body: { name: 'x' } })
    assert.equal(answer.status, 400)
  })

  test('a change that another process overtakes is told with the version that is there', async () => {
    const id = await makeKey()
    admin.control.meddle = (method) => {
      if (method !== 'keys.change') return
      admin.control.meddle = undefined
      admin.control.keys.change(id, { name: 'overtaken' }, undefined, { type: 'program', id: 'test' })
    }
    const answer = await admin.ask('PATCH', `/keys/${id}`, { headers: { 'if-match': '"1"' }, body: { name: 'new' } })
    assert.equal(answer.status, 412)
    assert.equal(answer.headers.etag, '"2"')
  })
})

suite('If-None-Match', () => {
  test('* puts a plan only where there is none', async () => {
    const put = () => admin.ask('PUT', '/plans/once', { headers: { 'if-none-match': '*' }, body: {} })
    assert.equal((await put()).status, 201)
    const again = await put()
    assert.equal(again.status, 412)
    assert.equal(again.headers.etag, '"1"')
  })

  test('with a version, or beside If-Match, is refused', async () => {
    const wrong: Record<string, string>[] = [{ 'if-none-match': '"1"' }, { 'if-none-match': '*', 'if-match': '*' }]
    for (const headers of wrong) {
      assert.equal((await admin.ask('PUT', '/plans/x', { headers, body: {} })).status, 400)
    }
  })
})

suite('what the control plane cannot do is told as it says it', () => {
  const cases: [error: Error, status: number, code: string][] = [
    [new ControlError(409, 'plan-in-use', 'Keys are on it.', { fix: 'Move them.' }), 409, 'plan-in-use'],
    [new ControlError(422, 'limit-wider', 'It is wider.', { path: 'limits.tokensPerDay' }), 422, 'limit-wider'],
    [new ControlError(503, 'busy', 'The database is busy.'), 503, 'busy'],
    [new TypeError('secret-canary is not a function'), 500, 'fault'],
  ]
  for (const [error, status, code] of cases) {
    test(`${status}`, async () => {
      admin.control.trouble = error
      admin.faults.length = 0
      const answer = await admin.ask('GET', '/keys')
      admin.control.trouble = undefined
      assert.equal(answer.status, status)
      const told = answer.json<{ error: { code: string; message: string; path?: string; fix?: string } }>().error
      assert.equal(told.code, code)
      if (error instanceof ControlError) {
        assert.deepEqual([told.message, told.path, told.fix], [error.message, error.path, error.fix])
      }
      assert.equal(answer.headers['retry-after'], status === 503 ? '1' : undefined)
      assert.ok(!answer.body.includes('canary'), 'a bug tells nothing of itself')
      assert.deepEqual(admin.faults, status === 500 ? [error] : [], 'a bug is logged, nothing else is')
    })
  }
})

async function everything(): Promise<unknown[]> {
  const lists = ['/keys', '/owners', '/plans', '/credentials', '/audit']
  return Promise.all(lists.map(async (path) => (await admin.ask('GET', `${path}?limit=200`)).json()))
}

async function makeKeyTwice(): Promise<string> {
  const path = `/keys/${await makeKey()}`
  await admin.ask('PATCH', path, { body: { name: 'second' } })
  return path
}

async function makeOwnerTwice(): Promise<string> {
  const { id } = (await admin.ask('POST', '/owners', { body: { name: 'owner' } })).json<Made>()
  await admin.ask('PATCH', `/owners/${id}`, { body: { name: 'second' } })
  return `/owners/${id}`
}

let plans = 0
async function putPlanTwice(): Promise<string> {
  plans += 1
  const path = `/plans/plan-${plans}`
  for (let times = 0; times < 2; times += 1) await admin.ask('PUT', path, { body: {} })
  return path
}

async function putCredentialTwice(): Promise<string> {
  plans += 1
  const path = `/credentials/openai/credential-${plans}`
  for (let times = 0; times < 2; times += 1) await admin.ask('PUT', path, { body: { secret: 'sk-of-the-vendor' } })
  return path
}
