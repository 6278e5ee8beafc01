import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { by, refused, stageEach, startMs } from './support/control.ts'

suite('owners', () => {
  const stage = stageEach()

  const wrong: [sentence: string, input: Record<string, unknown>, says: RegExp][] = [
    ['a field that there is not', { admin: true }, /^admin: there is no such field/],
    ['no name', { name: undefined }, /^name: must be text/],
    ['an address that is none', { email: 'nobody' }, /^email: must be an e-mail address/],
    ['a limit below nothing', { limits: { tokensPerDay: -1 } }, /^limits\.tokensPerDay: must be at least 0/],
    ['metadata of objects', { metadata: { a: {} } }, /^metadata\.a: must be text/],
  ]
  for (const [sentence, input, says] of wrong) {
    test(`with ${sentence} are refused`, () => {
      refused(() => stage.control.owners.create({ name: 'o', ...input }, by), 400, says)
      assert.deepEqual(stage.control.owners.list({}).data, [])
    })
  }

  test('are made, read and changed; null and undefined remove, what is left out stays', () => {
    const { owners } = stage.control
    const made = owners.create(
      { name: "O'Neil %", email: 'o@example.com', limits: { callsAtOnce: 1 }, metadata: { a: 'b' } },
      by,
    )
    assert.match(made.id, /^own_[0-9A-Za-z]{12}$/)
    assert.deepEqual(made, {
      id: made.id,
      name: "O'Neil %",
      email: 'o@example.com',
      limits: { callsAtOnce: 1 },
      metadata: { a: 'b' },
      keys: 0,
      createdAt: startMs,
      changedAt: startMs,
      version: 1,
    })
    assert.deepEqual(owners.get(made.id), made)
    assert.equal(owners.change(made.id, { name: 'new' }, 1, by).email, 'o@example.com')
    const changed = owners.change(made.id, { email: null, limits: undefined, metadata: null }, 2, by)
    const { name, email, limits, metadata, version } = changed
    assert.deepEqual(
      { name, email, limits, metadata, version },
      { name: 'new', email: undefined, limits: undefined, metadata: {}, version: 3 },
    )
    assert.equal(owners.change(made.id, { name: 'new' }, 3, by).version, 3, 'nothing changed')
  })

  test('are changed from the version that is there only', () => {
    const { id } = stage.control.owners.create({ name: 'o' }, by)
    stage.control.owners.change(id, { name: 'first' }, 1, by)
    refused(() => stage.another().owners.change(id, { name: 'second' }, 1, by), 412, /Its version is 2 now/)
    refused(() => stage.control.owners.remove(id, 1, by), 412, /Its version is 2 now/)
    refused(() => stage.control.owners.change(id, { name: 'x' }, -1, by), 400, /^version: must be at least 0/)
    assert.equal(stage.control.owners.get(id).name, 'first')
  })

  test('whose limits change are told to the workers with each of their keys, and else are not', () => {
    const { id } = stage.control.owners.create({ name: 'o' }, by)
    const keys = ['a', 'b'].map((name) => stage.control.keys.create({ name, owner: id }, by).key.id)
    stage.control.keys.create({ name: 'of nobody' }, by)
    stage.events.length = 0
    stage.control.owners.change(id, { name: 'new' }, 1, by)
    assert.equal(stage.events.length, 0)
    stage.control.owners.change(id, { limits: { callsAtOnce: 4 } }, 2, by)
    const told = stage.events.map(
      (event) => event.type === 'caller' && [event.caller.id, event.caller.ownerLimits?.callsAtOnce],
    )
    assert.deepEqual(new Set(told.map(String)), new Set(keys.map((key) => `${key},4`)))
  })

  test('all have their keys counted in one place', () => {
    const { id } = stage.control.owners.create({ name: 'o' }, by)
    for (const name of ['a', 'b']) stage.control.keys.create({ name, owner: id }, by)
    assert.deepEqual(new Set([...stage.control.callers()].map(({ ownerSlot }) => ownerSlot)).size, 1)
    assert.equal(stage.control.owners.get(id).keys, 2)
    assert.deepEqual(
      stage.control.owners.list({ prefix: 'o' }).data.map(({ keys }) => keys),
      [2],
    )
  })

  test('go only when their keys are revoked, which stay without them', () => {
    const { id } = stage.control.owners.create({ name: 'o' }, by)
    const { key } = stage.control.keys.create({ name: 'a', owner: id }, by)
    refused(() => stage.control.owners.remove(id, undefined, by), 409, /has 1 keys that are not revoked/)
    stage.control.keys.revoke(key.id, by)
    stage.control.owners.remove(id, 1, by)
    refused(() => stage.control.owners.get(id), 404, /There is no such owner/)
    assert.equal(stage.control.keys.get(key.id).owner, undefined)
    assert.deepEqual(
      stage.control.audit.list({ target: `owner:${id}` }).data.map(({ action }) => action),
      ['owner.remove', 'owner.create'],
    )
  })

  test('are listed by name, page by page', () => {
    for (const name of ['b', 'a', 'c']) stage.control.owners.create({ name }, by)
    const first = stage.control.owners.list({ limit: 2 })
    const second = stage.control.owners.list({ limit: 2, cursor: first.next ?? '' })
    assert.deepEqual(
      [...first.data, ...second.data].map(({ name }) => name),
      ['a', 'b', 'c'],
    )
    assert.equal(second.next, undefined)
  })
})
