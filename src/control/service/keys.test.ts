import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { noSlot, type Caller } from '../../core/caller.ts'
import { callerKeyParts } from '../../core/key.ts'
import type { Plan } from '../../core/plan.ts'
import { digestUnder, pepperIn } from '../secrets.ts'
import type { Key, KeyChange, KeyInput } from '../service.ts'
import { by, hourMs, refused, stageEach, startMs } from './support/control.ts'

const tight: Plan = {
  name: 'tight',
  limits: { requestsPerMinute: 60, tokensPerDay: 1000, nanoDollarsPerMonth: 0 },
  ownerLimits: {},
}

suite('keys', () => {
  const stage = stageEach({ plans: [tight] })
  const create = (input: Partial<KeyInput> = {}): { key: Key; secret: string } =>
    stage.control.keys.create({ name: 'a key', ...input }, by)
  const caller = (id: string): Caller | undefined => [...stage.control.callers()].find((one) => one.id === id)
  const told = (): Caller | undefined => {
    const event = stage.events.at(-1)
    return event?.type === 'caller' ? event.caller : undefined
  }

  suite('what a key may not be', () => {
    const wrong: [sentence: string, input: Record<string, unknown>, says: RegExp][] = [
      ['a field that there is not', { admin: true }, /^admin: there is no such field\.$/],
      ['a limit that there is not', { limits: { requestsPerHour: 1 } }, /^limits\.requestsPerHour: there is no such/],
      ['a name that is a field of all objects', { constructor: 1 }, /^constructor: there is no such field/],
      ['no name', { name: undefined }, /^name: must be text/],
      ['an empty name', { name: '' }, /^name: must have at least 1 characters/],
      ['a name without end', { name: 'n'.repeat(101) }, /^name: must have at most 100 characters/],
      ['a name over two lines', { name: 'a\nb' }, /^name: must not hold control characters/],
      ['a name with a zero', { name: 'a\0b' }, /^name: must not hold control characters/],
      ['a name that runs backwards', { name: 'abc\u202Ecba' }, /^name: must not hold signs that turn/],
      ['a name with half a character', { name: 'a\ud800' }, /^name: must not hold halves of characters/],
      ['a name that is a number', { name: 5 }, /^name: must be text/],
      [
        'a limit below nothing',
        { limits: { requestsPerMinute: -1 } },
        /^limits\.requestsPerMinute: must be at least 0/,
      ],
      ['half a request', { limits: { requestsPerMinute: 0.5 } }, /^limits\.requestsPerMinute: must be a whole number/],
      ['endless requests', { limits: { requestsPerMinute: Infinity } }, /^limits\.requestsPerMinute: must be/],
      ['more than can be counted', { limits: { tokensPerDay: 2 ** 53 } }, /^limits\.tokensPerDay: must be/],
      ['a burst of none', { limits: { requestsBurst: 0 } }, /^limits\.requestsBurst: must be at least 1/],
      ['limits that are a list', { limits: [] }, /^limits: must be an object/],
      ['no models', { models: [] }, /^models: must have at least 1 entries/],
      ['too many models', { models: Array.from({ length: 101 }, () => 'm') }, /^models: must have at most 100/],
      ['an address that is none', { networks: ['10.0.0'] }, /^networks\.0: must be an address or a network/],
      ['a network that is too narrow', { networks: ['10.0.0.0/33'] }, /^networks\.0: must be an address/],
      ['a network of six with too much', { networks: ['::/129'] }, /^networks\.0: must be an address/],
      ['a network with a mask', { networks: ['10.0.0.0/255.0.0.0'] }, /^networks\.0: must be an address/],
      ['a network cut twice', { networks: ['10.0.0.0/8/8'] }, /^networks\.0: must be an address/],
      ['a network with an empty prefix', { networks: ['10.0.0.0/'] }, /^networks\.0: must be an address/],
      ['a host by name', { networks: ['example.com'] }, /^networks\.0: must be an address/],
      ['an address with a zone', { networks: ['fe80::1%eth0'] }, /^networks\.0: must be an address/],
      ['a ladder with a path in it', { ladder: '../best' }, /^ladder: must be up to 50 small letters/],
      ['captures for ever', { captureMs: 1e12 }, /^captureMs: must be at most/],
      ['metadata that is a list', { metadata: ['a'] }, /^metadata: must be/],
      ['metadata of numbers', { metadata: { a: 1 } }, /^metadata\.a: must be text/],
      ['too much metadata', { metadata: many(21) }, /^metadata: must have at most 20 entries/],
      ['an end that is a date', { expiresAt: '2030-01-01' }, /^expiresAt: must be a (whole )?number/],
    ]
    for (const [sentence, input, says] of wrong) {
      test(`${sentence} is refused, and the field is named`, () => {
        refused(() => create(input), 400, says)
        assert.deepEqual(stage.control.keys.list({}).data, [])
        assert.deepEqual(stage.control.audit.list({}).data, [])
      })
    }

    const unfit: [sentence: string, input: Partial<KeyInput>, says: RegExp][] = [
      ['an owner that there is not', { owner: 'own_nobody' }, /^owner: there is no owner of this id/],
      ['a plan that there is not', { plan: 'gold' }, /^plan: there is no plan of this name/],
      ['a plan of the name of a field of all objects', { plan: 'constructor' }, /^plan: there is no plan/],
      ['a ladder that there is not', { ladder: 'worst' }, /^ladder: there is no ladder of this name/],
      ['an end in the past', { expiresAt: startMs }, /^expiresAt: must be in the future/],
      [
        'more than its plan gives',
        { plan: 'tight', limits: { tokensPerDay: 1001 } },
        /^limits\.tokensPerDay: must be at most 1000, which is what the plan 'tight' gives/,
      ],
      ['money where its plan gives none', { plan: 'tight', limits: { nanoDollarsPerMonth: 1 } }, /must be at most 0/],
      [
        'a larger burst than follows from its plan',
        { plan: 'tight', limits: { requestsBurst: 11 } },
        /must be at most 10/,
      ],
    ]
    for (const [sentence, input, says] of unfit) {
      test(`${sentence} is refused`, () => {
        refused(() => create(input), 422, says)
        assert.deepEqual(stage.control.keys.list({}).data, [])
      })
    }

    test('a hidden prototype in its metadata does nothing', () => {
      const metadata = JSON.parse('{"__proto__": {"x": "y"}, "a": "b"}') as Record<string, string>
      try {
        const { key } = create({ metadata })
        assert.deepEqual(key.metadata, { a: 'b' })
      } catch (error) {
        assert.match(String(error), /metadata/)
      }
      assert.equal(Reflect.get({}, 'x'), undefined)
    })

    test('what was sent as a field is not repeated where its name could be a secret', () => {
      refused(() => create({ 'sk-ant-api03 secret': 1 } as never), 400, /^\(another name\): there is no such field/)
    })
  })

  suite('making one', () => {
    test('gives a key of its form once, and keeps its digest only', () => {
      const { key, secret } = create()
      assert.deepEqual(callerKeyParts(secret, 'sk-aic-'), { id: key.id, intact: true })
      const digest = digestUnder(pepperIn(stage.folder))(secret)
      assert.deepEqual(caller(key.id)?.digest, Uint8Array.from(digest))
      assert.equal(JSON.stringify(stage.control.keys.get(key.id)).includes(secret.slice(15, 40)), false)
    })

    test('has what was asked for, and else what it has where nothing is said', () => {
      assert.deepEqual(create().key, {
        id: stage.control.keys.list({}).data[0]?.id,
        name: 'a key',
        owner: undefined,
        plan: 'unlimited',
        state: 'active',
        expiresAt: undefined,
        models: undefined,
        networks: undefined,
        limits: undefined,
        sandbox: false,
        ladder: undefined,
        captureMs: undefined,
        metadata: {},
        createdAt: startMs,
        changedAt: startMs,
        formerUntil: undefined,
        lastUsedAt: undefined,
        version: 1,
      })
      const owner = stage.control.owners.create({ name: 'o' }, by).id
      const input: KeyInput = {
        name: "Robert'); DROP TABLE keys;-- 🦉",
        owner,
        plan: 'basic',
        expiresAt: startMs + 1,
        models: ['claude-*'],
        networks: ['10.0.0.0/8', '::1', '192.168.1.7', 'fd00::/8', '0.0.0.0/0'],
        limits: { requestsPerMinute: 60, nanoDollarsPerDay: 5 },
        sandbox: true,
        ladder: 'best',
        captureMs: hourMs,
        metadata: { team: "a'b", 'with space': '%_\n' },
      }
      const { key } = stage.control.keys.create(input, by)
      for (const [field, value] of Object.entries(input)) assert.deepEqual(key[field as keyof Key], value, field)
      assert.deepEqual(stage.control.keys.get(key.id), key)
    })

    test('tells the workers, with all that they need and nothing that two threads would share', () => {
      const owner = stage.control.owners.create({ name: 'o', limits: { callsAtOnce: 3 } }, by).id
      const { key } = create({ owner, limits: { callsAtOnce: 2 }, expiresAt: startMs + 5, captureMs: 7 })
      const one = told()
      assert.ok(one)
      const { digest, ...others } = one
      assert.deepEqual(others, {
        id: key.id,
        name: 'a key',
        state: 'active',
        expiresMs: startMs + 5,
        owner,
        plan: 'unlimited',
        limits: { callsAtOnce: 2 },
        ownerLimits: { callsAtOnce: 3 },
        sandbox: false,
        captureMs: 7,
        keySlot: 0,
        ownerSlot: 1,
      })
      assert.equal(digest.buffer.byteLength, 32)
      assert.deepEqual([...stage.control.callers()], [one])
      assert.deepEqual(structuredClone(one), one)
    })

    test('is written to the log, without the secret', () => {
      const { key, secret } = create()
      const [entry] = stage.control.audit.list({}).data
      assert.deepEqual(
        [entry?.action, entry?.target, entry?.actor, entry?.at, entry?.before],
        ['key.create', `key:${key.id}`, by, startMs, undefined],
      )
      assert.equal((entry?.after as Key | undefined)?.name, 'a key')
      assert.equal(JSON.stringify(entry).includes(secret.slice(15, 40)), false)
    })

    test('is refused where there is no more room for its limits, and leaves nothing', () => {
      const small = stage.another({ slotsMax: 1 })
      small.keys.create({ name: 'first' }, by)
      refused(() => small.keys.create({ name: 'second' }, by), 409, /room for the limits of 1 keys/)
      assert.deepEqual(
        small.keys.list({}).data.map(({ name }) => name),
        ['first'],
      )
    })
  })

  suite('changing one', () => {
    test('leaves what is left out, and null removes', () => {
      const { key } = create({
        models: ['a'],
        ladder: 'best',
        captureMs: 5,
        sandbox: true,
        plan: 'basic',
        metadata: { a: 'b' },
      })
      const { keys } = stage.control
      assert.deepEqual(keys.change(key.id, { name: 'new' }, 1, by), { ...key, name: 'new', version: 2 })
      const nothing = { models: null, ladder: null, captureMs: null, sandbox: null, plan: null, metadata: null }
      const changed = keys.change(key.id, nothing, 2, by)
      const { models, ladder, captureMs, sandbox, plan, metadata } = changed
      assert.deepEqual(
        { models, ladder, captureMs, sandbox, plan, metadata },
        { models: undefined, ladder: undefined, captureMs: undefined, sandbox: false, plan: 'unlimited', metadata: {} },
      )
      assert.deepEqual(keys.get(key.id), changed)
    })

    test('that changes nothing is no change: no version, no line in the log, no word to the workers', () => {
      const { key } = create({ limits: { tokensPerDay: 1, callsAtOnce: 1 } })
      stage.nowMs += 1
      const same = stage.control.keys.change(
        key.id,
        { name: 'a key', limits: { tokensPerDay: 1, callsAtOnce: 1 } },
        1,
        by,
      )
      assert.deepEqual(same, key)
      assert.equal(stage.control.audit.list({}).data.length, 1)
      assert.equal(stage.events.length, 1)
    })

    test('from a version that is over is refused: of two changes of one version the second has to look again', () => {
      const { key } = create()
      const beside = stage.another()
      stage.control.keys.change(key.id, { name: 'first' }, 1, by)
      for (const control of [stage.control, beside]) {
        refused(() => control.keys.change(key.id, { name: 'second' }, 1, by), 412, /Its version is 2 now/)
      }
      assert.equal(beside.keys.change(key.id, { name: 'second' }, 2, by).version, 3)
      assert.equal(stage.control.keys.get(key.id).name, 'second')
    })

    test('without a version writes over what is there', () => {
      const { key } = create()
      stage.control.keys.change(key.id, { name: 'first' }, undefined, by)
      assert.equal(stage.control.keys.change(key.id, { sandbox: true }, undefined, by).version, 3)
    })

    const wrong: [sentence: string, change: KeyChange, status: 400 | 422, says: RegExp][] = [
      ['a name that is removed', { name: null }, 400, /^name: must be text/],
      ['its state', { state: 'active' } as never, 400, /^state: there is no such field/],
      ['its id', { id: 'other' } as never, 400, /^id: there is no such field/],
      ['its version', { version: 9 } as never, 400, /^version: there is no such field/],
      ['a plan that gives less than it has', { plan: 'tight' }, 422, /^limits\.tokensPerDay: must be at most 1000/],
      ['a plan that there is not', { plan: 'gold' }, 422, /^plan: there is no plan/],
    ]
    for (const [sentence, change, status, says] of wrong) {
      test(`by ${sentence} is refused, and nothing is changed`, () => {
        const { key } = create({ limits: { tokensPerDay: 2000 } })
        refused(() => stage.control.keys.change(key.id, { sandbox: true, ...change }, 1, by), status, says)
        assert.deepEqual(stage.control.keys.get(key.id), key)
      })
    }

    test('is not held up by what was right once: a plan that became tighter, an end that has come', () => {
      stage.control.plans.put({ name: 'mine', limits: { callsAtOnce: 9 }, ownerLimits: {} }, undefined, by)
      const { key } = create({ plan: 'mine', limits: { callsAtOnce: 9 }, expiresAt: startMs + 5 })
      stage.control.plans.put({ name: 'mine', limits: { callsAtOnce: 1 }, ownerLimits: {} }, undefined, by)
      stage.nowMs += 10
      assert.equal(stage.control.keys.change(key.id, { name: 'new' }, 1, by).name, 'new')
    })

    test('takes effect: the workers are told, and the log has before and after', () => {
      const { key } = create()
      stage.control.keys.change(key.id, { models: ['claude-*'] }, 1, by)
      assert.deepEqual(told()?.models, ['claude-*'])
      const [entry] = stage.control.audit.list({}).data
      assert.equal(entry?.action, 'key.change')
      assert.equal((entry?.before as Key | undefined)?.models, undefined)
      assert.deepEqual((entry?.after as Key | undefined)?.models, ['claude-*'])
    })

    test('of a key that there is not is told as such', () => {
      const { keys } = stage.control
      for (const id of ['nobody00', "' OR 1=1;--", '%', '']) {
        refused(() => keys.get(id), 404, /There is no such key/)
        refused(() => keys.change(id, { name: 'x' }, 1, by), 404, /There is no such key/)
        refused(() => keys.revoke(id, by), 404, /There is no such key/)
        refused(() => keys.rotate(id, 1, by), 404, /There is no such key/)
      }
    })

    test('is undone as a whole where the log cannot be written', () => {
      const { key } = create()
      const broken = stage.another({
        store: { ...stage.store, audit: { add: () => assert.fail('the log') } as never },
      })
      assert.throws(() => broken.keys.change(key.id, { name: 'new' }, 1, by), /the log/)
      assert.deepEqual(stage.control.keys.get(key.id), key)
    })
  })

  suite('its state', () => {
    test('can be disabled and enabled again, each told once', () => {
      const { key } = create()
      const { keys } = stage.control
      assert.equal(keys.disable(key.id, by).state, 'disabled')
      assert.equal(told()?.state, 'disabled')
      assert.equal(keys.disable(key.id, by).version, 2, 'twice is once')
      assert.equal(keys.enable(key.id, by).state, 'active')
      assert.equal(told()?.state, 'active')
      assert.equal(stage.events.length, 3)
    })

    test('is revoked for good', () => {
      const { key } = create()
      const { keys } = stage.control
      assert.equal(keys.revoke(key.id, by).state, 'revoked')
      assert.equal(told()?.state, 'revoked')
      assert.equal(keys.revoke(key.id, by).version, 2, 'twice is once')
      refused(() => keys.enable(key.id, by), 409, /for good/)
      refused(() => keys.disable(key.id, by), 409, /for good/)
      refused(() => keys.change(key.id, { name: 'x' }, undefined, by), 409, /for good/)
      refused(() => keys.rotate(key.id, 0, by), 409, /for good/)
    })

    test('keeps its place for limits while calls of it may be under way, and has none after a restart', () => {
      const [first, second] = [create().key, create().key]
      assert.equal(told()?.keySlot, 1)
      stage.control.keys.revoke(first.id, by)
      assert.equal(told()?.keySlot, 0)
      assert.equal(create().key.version, 1)
      assert.equal(told()?.keySlot, 2, 'a place is not given to another before the next start')
      const slots = new Map([...stage.another().callers()].map(({ id, keySlot }) => [id, keySlot]))
      assert.equal(slots.get(first.id), noSlot)
      assert.deepEqual(
        [...slots.values()].toSorted((one, other) => one - other),
        [noSlot, 0, 1],
      )
      assert.ok((slots.get(second.id) ?? noSlot) >= 0)
    })

    test('as revoked is told for a month, so that whoever still uses the key learns why it does not work', () => {
      const { key } = create()
      stage.control.keys.revoke(key.id, by)
      stage.nowMs += 30 * 24 * hourMs
      assert.equal(caller(key.id)?.state, 'revoked')
      stage.nowMs += 1
      assert.equal(caller(key.id), undefined)
      assert.equal(stage.control.keys.get(key.id).state, 'revoked')
    })
  })

  suite('rotating one', () => {
    test('gives the same id a new secret, and the former works for a day', () => {
      const { key, secret } = create()
      const before = caller(key.id)
      const rotated = stage.control.keys.rotate(key.id, undefined, by)
      assert.notEqual(rotated.secret, secret)
      assert.deepEqual(callerKeyParts(rotated.secret, 'sk-aic-'), { id: key.id, intact: true })
      assert.equal(rotated.key.formerUntil, startMs + 24 * hourMs)
      const digest = digestUnder(pepperIn(stage.folder))
      assert.deepEqual(told()?.former, { digest: before?.digest, untilMs: startMs + 24 * hourMs })
      assert.deepEqual(told()?.digest, Uint8Array.from(digest(rotated.secret)))
      assert.deepEqual(caller(key.id), told())
    })

    test('with no time to go over ends the former at once', () => {
      const { key } = create()
      assert.equal(stage.control.keys.rotate(key.id, 0, by).key.formerUntil, undefined)
      assert.equal(told()?.former, undefined)
    })

    test('twice leaves the last two secrets', () => {
      const { key } = create()
      const second = stage.control.keys.rotate(key.id, hourMs, by)
      stage.control.keys.rotate(key.id, hourMs, by)
      assert.deepEqual(told()?.former?.digest, Uint8Array.from(digestUnder(pepperIn(stage.folder))(second.secret)))
    })

    test('ends with the key: when it is revoked there is no former secret', () => {
      const { key } = create()
      stage.control.keys.rotate(key.id, hourMs, by)
      assert.equal(stage.control.keys.revoke(key.id, by).formerUntil, undefined)
      assert.equal(told()?.former, undefined)
    })

    for (const grace of [-1, 0.5, 31 * 24 * hourMs, Number.NaN]) {
      test(`for ${grace} ms is refused`, () => {
        const { key } = create()
        refused(() => stage.control.keys.rotate(key.id, grace, by), 400, /^graceMs: must be/)
        assert.equal(stage.control.keys.get(key.id).version, 1)
      })
    }
  })

  suite('lists', () => {
    const names = ['b', 'a', 'c%', 'c_', 'c', "c'", 'ä', '🦉', '\uffee', 'B']

    test('are by name, page by page, each key once', () => {
      for (const name of [...names, 'a']) create({ name })
      for (const limit of [1, 3, 50]) {
        const found: string[] = []
        let cursor: string | undefined
        do {
          const page = stage.control.keys.list({ limit, ...(cursor !== undefined && { cursor }) })
          found.push(...page.data.map(({ id }) => id))
          cursor = page.next
        } while (cursor !== undefined)
        assert.equal(new Set(found).size, names.length + 1)
        const ordered = found.map((id) => Buffer.from(stage.control.keys.get(id).name))
        assert.deepEqual(
          ordered,
          ordered.toSorted((one, other) => Buffer.compare(one, other)),
        )
      }
    })

    const prefixes: [sentence: string, prefix: string, expected: string[]][] = [
      ['a letter', 'c', ['c', 'c%', "c'", 'c_']],
      ['a sign that stands for any text elsewhere', 'c%', ['c%']],
      ['a sign that stands for any letter elsewhere', 'c_', ['c_']],
      ['nothing but such signs', '%_%_%', []],
      ['a quote', "c'", ["c'"]],
      ['a command', "c'; DROP TABLE keys;--", []],
      ['a backslash', '\\', []],
      ['an owl', '🦉', ['🦉']],
    ]
    for (const [sentence, prefix, expected] of prefixes) {
      test(`by how a name begins: ${sentence}`, () => {
        for (const name of names) create({ name })
        const found = stage.control.keys.list({ prefix }).data
        assert.deepEqual(
          found.map(({ name }) => name).filter((name) => name.startsWith(prefix)),
          expected,
        )
        assert.ok(found.every(({ name, id }) => name.startsWith(prefix) || id.startsWith(prefix)))
      })
    }

    test('by how an id begins, with the same key once', () => {
      const { key } = create({ name: 'x' })
      stage.control.keys.change(key.id, { name: key.id }, 1, by)
      create({ name: 'y' })
      assert.deepEqual(
        stage.control.keys.list({ prefix: key.id.slice(0, 6) }).data.map(({ id }) => id),
        [key.id],
      )
    })

    test('by how it begins go on from page to page', () => {
      for (let at = 0; at < 9; at += 1) create({ name: `n${at}` })
      create({ name: 'other' })
      const first = stage.control.keys.list({ prefix: 'n', limit: 5 })
      const second = stage.control.keys.list({ prefix: 'n', limit: 5, cursor: first.next ?? '' })
      const found = [...first.data, ...second.data].map(({ name }) => name)
      assert.deepEqual(
        found.filter((name) => name !== 'other'),
        ['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8'],
      )
    })

    test('by owner, plan and state', () => {
      const owner = stage.control.owners.create({ name: 'o' }, by).id
      const one = create({ name: '1', owner, plan: 'basic' }).key
      const two = create({ name: '2', plan: 'basic' }).key
      stage.control.keys.disable(two.id, by)
      const ids = (query: object): string[] => stage.control.keys.list(query).data.map(({ id }) => id)
      assert.deepEqual(ids({ owner }), [one.id])
      assert.deepEqual(ids({ plan: 'basic' }), [one.id, two.id])
      assert.deepEqual(ids({ plan: 'basic', state: 'disabled' }), [two.id])
      assert.deepEqual(ids({ plan: '%' }), [])
    })

    const wrong: [sentence: string, query: object, says: RegExp][] = [
      ['a cursor that is none', { cursor: 'x' }, /^cursor: must be what/],
      ['a cursor of another list', { cursor: Buffer.from('[1,2]').toString('base64url') }, /^cursor: must be what/],
      ['a cursor that is an object', { cursor: Buffer.from('{"length":2}').toString('base64url') }, /^cursor: must be/],
      ['too many at once', { limit: 201 }, /^limit: must be at most 200/],
      ['none', { limit: 0 }, /^limit: must be at least 1/],
      ['a state that there is not', { state: 'gone' }, /^state: must be one of active, disabled, revoked/],
      ['a long prefix', { prefix: 'a'.repeat(101) }, /^prefix: must have at most 100/],
      ['what cannot be asked for', { name: 'x' }, /^name: there is no such field/],
    ]
    for (const [sentence, query, says] of wrong) {
      test(`by ${sentence} are refused`, () => {
        refused(() => stage.control.keys.list(query), 400, says)
      })
    }
  })
})

function many(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`name${at}`, 'x']))
}
