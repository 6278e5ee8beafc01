import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Failure } from '../../src/core/failure.ts'
import type { CallLog } from './simulator/log.ts'
import { check, traceOf } from './simulator/replay.ts'
import { callAt, callsEvery, sceneWith, vendorWith, type Scene } from './simulator/scene.ts'
import { sceneOf } from './simulator/scene-of-seed.ts'
import type { State, Timeline } from './simulator/vendors.ts'

/*
 * The ladder in virtual time: the real climb, policy, seats and health, with vendors that do as they are told and a clock that leaps.
 *
 * KEYRUNG_SEEDS=1000 plays so many scenes of chance instead of the usual number. KEYRUNG_SEED=7 plays one of them and prints what happens.
 */

/** Some 25 s on one core. */
const seedsUsual = 150

/** So many are one test, so that the first that fails is not the only one that is heard of. */
const seedsEach = 25

const seeds = Number(process.env['KEYRUNG_SEEDS'] ?? seedsUsual)
const only = process.env['KEYRUNG_SEED']

if (only !== undefined) {
  test(`seed ${only}`, async () => {
    const scene = sceneOf(Number(only))
    console.log((await traceOf(scene)).join('\n'))
    await check(scene)
  })
} else {
  suite('in scenes of chance, all invariants hold of every call', () => {
    for (let first = 1; first <= seeds; first += seedsEach) {
      const last = Math.min(first + seedsEach - 1, seeds)
      test(`seeds ${first} to ${last}`, async (t) => {
        let calls = 0
        let tries = 0
        let answers = 0
        for (let seed = first; seed <= last; seed += 1) {
          // eslint-disable-next-line no-await-in-loop -- each is work for the whole processor
          for (const call of await check(sceneOf(seed))) {
            calls += 1
            tries += call.tries.length
            if (call.answer !== undefined) answers += 1
          }
          // eslint-disable-next-line no-await-in-loop -- virtual time lets no real event through
          await setImmediate()
        }
        t.diagnostic(`${calls} calls, ${tries} tries, ${answers} answers`)
        // Scenes of nothing but failures, or of none, would prove little.
        if (last - first + 1 === seedsEach) assert.ok(answers > calls / 3 && answers < calls * 0.95)
      })
    }
  })
}

const healthy: State = { type: 'healthy' }
const broken: State = { type: 'failing', kind: 'vendor-broken' }
const always = (state: State): Timeline => [{ untilMs: Infinity, state }]
const until = (untilMs: number, state: State): Timeline => [
  { untilMs, state },
  { untilMs: Infinity, state: { type: 'healthy' } },
]
const flapping = (everyMs: number, [first, second]: [State, State]): Timeline =>
  Array.from({ length: 200 }, (_, index) => ({
    untilMs: (index + 1) * everyMs,
    state: index % 2 === 0 ? first : second,
  }))

const two = [vendorWith('alpha'), vendorWith('beta')]
const three = [...two, vendorWith('gamma')]

/** What became of a call, in words: its tries, and what the caller got. `alpha#1 529, beta#1 ok: answered` */
function told({ tab, answer, failure }: CallLog): string {
  const tries = tab.tries.map(({ vendor, credential, outcome, unfit, hedge }) => {
    return `${vendor}#${credential} ${unfit ? `unfit (${outcome})` : outcome}${hedge ? ' beside' : ''}`
  })
  return [...tries, endOf(answer !== undefined, failure?.failure)].join('; ')
}

function endOf(isAnswered: boolean, failure: Failure | undefined): string {
  if (failure === undefined) return 'answered'
  if (isAnswered) return `answered, then ${failure.kind}`
  return failure.retryAfterMs === undefined
    ? failure.kind
    : `${failure.kind}, back in ${Math.ceil(failure.retryAfterMs)} ms`
}

/** Plays a scene of a few calls, and says what became of each. */
const became = async (scene: Partial<Scene>): Promise<string[]> => (await check(sceneWith(scene))).map(told)

const allTries = (calls: readonly CallLog[]): number => calls.reduce((sum, { tries }) => sum + tries.length, 0)

const unanswered = (calls: readonly CallLog[]): CallLog[] => calls.filter(({ failure }) => failure !== undefined)

suite('many calls', () => {
  test('one vendor with three keys, of which two are limited for a minute: each of those is asked once, and nobody waits', async () => {
    const calls = await check(
      sceneWith({
        vendors: [vendorWith('alpha', [{}, {}, {}])],
        places: {
          'alpha/alpha-1#key-1': until(60_000, { type: 'limited', retryAfterMs: 'end' }),
          'alpha/alpha-1#key-2': until(60_000, { type: 'limited', retryAfterMs: 'end' }),
        },
        calls: callsEvery(400, 149),
      }),
    )
    assert.equal(unanswered(calls).length, 0)
    assert.equal(allTries(calls), calls.length + 2)
    assert.ok(calls.every(({ tab }) => tab.tries.every(({ waitMs }) => waitMs === undefined)))
  })

  test('a vendor that goes up and down each second, and another that is well: every call is answered', async () => {
    const servers = { 'https://alpha.test': flapping(1000, [healthy, broken]) }
    const calls = await check(sceneWith({ vendors: two, servers, calls: callsEvery(20, 3000) }))
    assert.equal(unanswered(calls).length, 0)
  })

  test('two vendors that go up and down by turns: every call is answered but for those that find each of them down', async () => {
    const servers = {
      'https://alpha.test': flapping(1000, [healthy, broken]),
      'https://beta.test': flapping(1000, [broken, healthy]),
    }
    const calls = await check(sceneWith({ vendors: two, servers, calls: callsEvery(20, 3000) }))
    const lost = unanswered(calls)
    assert.ok(lost.length < calls.length / 50, `${lost.length} calls`)
    assert.deepEqual(new Set(lost.map(told)), new Set(['alpha#1 vendor-broken; beta#1 vendor-broken; vendor-broken']))
  })

  for (const [name, down] of [
    ['answers with 500', broken],
    ['is overloaded', { type: 'overloaded' }],
    ['cannot be reached', { type: 'unreachable' }],
    ['refuses the key', { type: 'failing', kind: 'vendor-refuses' }],
    ['is limited without a time', { type: 'limited' }],
  ] satisfies [string, State][]) {
    test(`a vendor that ${name} for ten minutes, and another: every call is answered, with a tenth more tries at most`, async () => {
      const calls = await check(
        sceneWith({ vendors: two, servers: { 'https://alpha.test': always(down) }, calls: callsEvery(250, 2400) }),
      )
      assert.equal(unanswered(calls).length, 0)
      assert.ok(allTries(calls) <= 1.1 * calls.length, `${allTries(calls)} tries`)
    })
  }

  test('the only vendor is down for ten minutes: it is still asked by every call, and hardly ever twice', async () => {
    const calls = await check(
      sceneWith({ servers: { 'https://alpha.test': always(broken) }, calls: callsEvery(250, 2400) }),
    )
    assert.ok(allTries(calls) >= calls.length && allTries(calls) <= 1.1 * calls.length, `${allTries(calls)} tries`)
  })

  test('callers who wait for a second only do not close a slow model to those who have the time', async () => {
    const servers = { 'https://alpha.test': always({ type: 'slow', ms: 2000 }) } as const
    const mixed = callsEvery(200, 1500).map((one, index) => (index % 2 === 0 ? { ...one, patienceMs: 1000 } : one))
    const calls = await check(sceneWith({ vendors: two, servers, calls: mixed }))
    const patient = calls.filter(({ spec }) => spec.patienceMs === undefined)
    assert.ok(patient.every(({ tab }) => tab.tries.length === 1 && tab.vendor === 'alpha'))
  })

  for (const stream of [false, true]) {
    test(`a vendor that was down for a minute has all its calls again within half a minute${stream ? ', streamed ones too' : ''}`, async (t) => {
      const calls = await check(
        sceneWith({
          vendors: two,
          servers: { 'https://alpha.test': until(60_000, broken) },
          calls: callsEvery(200, 600, { stream }),
        }),
      )
      const last = calls.findLast(({ tries }) =>
        tries.some(({ at, outcome }) => at.vendor.name === 'beta' && !(outcome instanceof Failure)),
      )
      const backMs = (last?.startedMs ?? 0) - 60_000
      t.diagnostic(`back after ${(backMs / 1000).toFixed(1)} s`)
      assert.equal(unanswered(calls).length, 0)
      assert.ok(backMs <= 30_000, `after ${backMs} ms`)
    })
  }
})

/** Says so 50 ms after it was asked. */
const limited = (retryAfterMs: number): State => ({ type: 'limited', retryAfterMs, afterMs: 50 })

suite('few calls', () => {
  test('all rungs are limited: the first call hears the soonest time, those after it ask nobody and hear what is left of it, until it has come', async () => {
    const seen = await became({
      vendors: three,
      servers: {
        'https://alpha.test': always(limited(30_000)),
        'https://beta.test': until(4000, limited(5000)),
        'https://gamma.test': always(limited(12_000)),
      },
      // A call waits for two seconds at most.
      calls: [callAt(0), callAt(1000), callAt(2500), callAt(6000)],
    })
    assert.deepEqual(seen, [
      'alpha#1 vendor-limit; beta#1 vendor-limit; gamma#1 vendor-limit; vendor-limit, back in 4950 ms',
      'alpha#1 cooling; beta#1 cooling; gamma#1 cooling; vendor-limit, back in 4100 ms',
      'alpha#1 cooling; beta#1 cooling; gamma#1 cooling; vendor-limit, back in 2600 ms',
      'alpha#1 cooling; beta#1 ok; answered',
    ])
  })

  test('a short pause is waited for, and told in the trail', async () => {
    const [call] = await check(sceneWith({ servers: { 'https://alpha.test': until(200, limited(1000)) } }))
    assert.ok(call !== undefined)
    assert.equal(told(call), 'alpha#1 vendor-limit; alpha#1 ok; answered')
    const waitMs = call.tab.tries[1]?.waitMs ?? 0
    assert.ok(waitMs >= 1000 && waitMs <= 1111, `${waitMs} ms`)
  })

  test('a longer pause that another call has heard of meanwhile is kept to and told, also where the key is full', async () => {
    const alpha = vendorWith('alpha', [{ callsMax: 2 }])
    const seen = await became({
      vendors: [{ ...alpha, models: [{ id: 'alpha-1' }, { id: 'alpha-2' }] }],
      places: {
        'alpha/alpha-1#key-1': [
          { untilMs: 0.5, state: limited(1000) },
          { untilMs: Infinity, state: limited(5000) },
        ],
        'alpha/alpha-2#key-1': always({ type: 'slow', ms: 10_000 }),
      },
      // The first waits for its second, and holds one of the key's two calls; then comes the longer pause, and then the other place is taken.
      calls: [callAt(0), callAt(1), callAt(300, { model: 'alpha-2' })],
    })
    // A second and up to a tenth later: what is left of the five seconds then.
    assert.match(seen[0] ?? '', /^alpha#1 vendor-limit; vendor-limit, back in (39\d\d|4000) ms$/)
    assert.equal(seen[1], 'alpha#1 vendor-limit; vendor-limit, back in 5000 ms')
  })

  test('a silent rung gets a second one beside it, and is cancelled when that one answers', async () => {
    const scene = { vendors: three, hedgeAfterMs: 500, servers: { 'https://alpha.test': always({ type: 'stalling' }) } }
    assert.deepEqual(await became(scene), ['alpha#1 cancelled; beta#1 ok beside; answered'])
  })

  test('a rung that answers in time gets none', async () => {
    assert.deepEqual(await became({ vendors: two, hedgeAfterMs: 500 }), ['alpha#1 ok; answered'])
  })

  test('where the second one fails, the first is still waited for', async () => {
    const servers = {
      'https://alpha.test': always({ type: 'slow', ms: 3000 }),
      'https://beta.test': always(broken),
    } as const
    assert.deepEqual(await became({ vendors: two, hedgeAfterMs: 500, servers }), [
      'alpha#1 ok; beta#1 vendor-broken beside; answered',
    ])
  })

  test('where the first one ends the call with a failure that nothing cures, the second is waited for, and no third is tried', async () => {
    const servers = {
      'https://alpha.test': always({ type: 'failing', kind: 'request-invalid', afterMs: 800 }),
      'https://beta.test': always({ type: 'failing', kind: 'vendor-broken', afterMs: 800 }),
    } as const
    const [seen] = await became({ vendors: three, hedgeAfterMs: 500, servers })
    assert.equal(seen, 'alpha#1 request-invalid; beta#1 vendor-broken beside; vendor-broken')
  })

  test('a caller who leaves two tries ends both, and both are recorded as left', async () => {
    const servers = {
      'https://alpha.test': always({ type: 'stalling' }),
      'https://beta.test': always({ type: 'stalling' }),
    } as const
    const calls = [callAt(0), callAt(1, { leavesAfterMs: 1000 })]
    const [, left] = await became({ vendors: two, hedgeAfterMs: 500, servers, calls })
    assert.equal(left, 'alpha#1 caller-gone; beta#1 caller-gone beside; caller-gone')
  })

  test('a rung that rests is passed over for a second one, and the trail says so', async () => {
    const servers = {
      'https://alpha.test': always({ type: 'slow', ms: 3000 }),
      'https://beta.test': always({ type: 'failing', kind: 'vendor-refuses' }),
    } as const
    const calls = [callAt(0, { model: 'beta-1' }), callAt(1000)]
    const [, second] = await became({ vendors: three, hedgeAfterMs: 500, servers, calls })
    assert.equal(second, 'alpha#1 cancelled; beta#1 refused; gamma#1 ok beside; answered')
  })

  test('two silent rungs are both given the long time where there is no third', async () => {
    const silent = always({ type: 'slow', ms: 150_000 })
    const servers = { 'https://alpha.test': silent, 'https://beta.test': always({ type: 'stalling' }) }
    const calls = [callAt(0, { stream: true })]
    // 120 s is the short time, 300 s the long one.
    assert.deepEqual(await became({ vendors: two, hedgeAfterMs: 500, servers, calls }), [
      'alpha#1 ok; beta#1 cancelled beside; answered',
    ])
  })

  test('a connection that was closed is made anew at once, but only once', async () => {
    const servers = { 'https://alpha.test': until(10, { type: 'stale', afterMs: 1 }) } as const
    assert.deepEqual(await became({ vendors: two, servers }), [
      'alpha#1 vendor-unreachable; alpha#1 vendor-unreachable; beta#1 ok; answered',
    ])
  })

  test('nor where another call has heard meanwhile that the vendor wants a pause', async () => {
    const servers = {
      'https://alpha.test': [
        { untilMs: 0.5, state: { type: 'stale', afterMs: 900 } },
        { untilMs: Infinity, state: limited(5000) },
      ],
    } as const
    const [first] = await became({ vendors: two, servers, calls: [callAt(0), callAt(1)] })
    assert.equal(first, 'alpha#1 vendor-unreachable; beta#1 ok; answered')
  })

  test('where one key is full and the other must be left alone for an hour, the caller is told to come back soon', async () => {
    const vendors = [vendorWith('alpha', [{}, { callsMax: 1 }])]
    const places = {
      'alpha/alpha-1#key-1': always(limited(3_600_000)),
      'alpha/alpha-1#key-2': always({ type: 'slow', ms: 10_000 }),
    } as const
    const calls = [callAt(0), callAt(1000), callAt(2000)]
    const seen = await became({ vendors, places, calls })
    assert.equal(seen.at(-1), 'alpha#1 cooling; gateway-full, back in 1000 ms')
  })

  test('a rung that was not asked may be back sooner than those that were', async () => {
    const servers = { 'https://alpha.test': always(limited(60_000)), 'https://beta.test': always(limited(5000)) }
    const calls = [callAt(0, { model: 'beta-1' }), callAt(1000)]
    const [, second] = await became({ vendors: two, servers, calls })
    assert.equal(second, 'alpha#1 vendor-limit; vendor-limit, back in 4000 ms')
  })

  test('but not where its request could not be written for that rung', async () => {
    const vendors = [vendorWith('alpha'), vendorWith('beta', [{}], { plain: true })]
    const servers = { 'https://alpha.test': always(limited(60_000)), 'https://beta.test': always(limited(5000)) }
    const calls = [callAt(0, { model: 'beta-1' }), callAt(1000, { tools: true })]
    const [, second] = await became({ vendors, servers, calls })
    assert.equal(second, 'alpha#1 vendor-limit; beta#1 unfit (unsupported); vendor-limit, back in 60000 ms')
  })

  test('nobody waits for a rung that the request cannot be written for', async () => {
    const vendors = [vendorWith('alpha', [{}], { plain: true })]
    const servers = { 'https://alpha.test': until(10, limited(1000)) }
    const calls = [callAt(0), callAt(200, { tools: true })]
    const [, second] = await check(sceneWith({ vendors, servers, calls }))
    assert.equal(second?.failure?.failure.kind, 'unsupported')
    assert.equal(second.endedMs, second.startedMs)
  })

  test('what an only rung’s own rules refuse does not end a call that began below the model asked for', async () => {
    const vendors = [vendorWith('alpha'), vendorWith('beta', [{}], { strict: true })]
    const servers = { 'https://alpha.test': until(500, { type: 'failing', kind: 'vendor-refuses' }) } as const
    const calls = [callAt(0), callAt(1000, { seed: true })]
    assert.deepEqual(await became({ vendors, servers, calls }), [
      'alpha#1 vendor-refuses; beta#1 ok; answered',
      'alpha#1 refused; beta#1 unfit (request-invalid); alpha#1 ok; answered',
    ])
  })

  test('where retries are off, what was never sent is not sent again either', async () => {
    const config = { retries: { enabled: false } as never }
    const servers = { 'https://alpha.test': always({ type: 'unreachable' }) } as const
    assert.deepEqual(await became({ vendors: two, config, servers }), [
      'alpha#1 vendor-unreachable; vendor-unreachable',
    ])
  })

  test('a stream that breaks after its first content is not tried again', async () => {
    const servers = { 'https://alpha.test': always({ type: 'breaking' }) } as const
    const [seen = ''] = await became({ vendors: two, servers, calls: [callAt(0, { stream: true })] })
    assert.match(seen, /^alpha#1 vendor-(cut|broken); answered, then vendor-(cut|broken)$/)
  })
})
