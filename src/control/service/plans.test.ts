import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Plan } from '../../core/plan.ts'
import { ConfigError } from '../config.ts'
import { by, refused, stageEach } from './support/control.ts'

const gold: Plan = { name: 'gold', limits: { requestsPerMinute: 5 }, ownerLimits: {} }
const fixed: Plan = { name: 'fixed', limits: {}, ownerLimits: { callsAtOnce: 9 } }

suite('plans', () => {
  const stage = stageEach({ plans: [fixed, { name: 'pro', limits: { callsAtOnce: 1 }, ownerLimits: {} }] })

  const wrong: [sentence: string, plan: Record<string, unknown>, says: RegExp][] = [
    ['a field that there is not', { price: 5 }, /^price: there is no such field/],
    ['a limit that there is not', { limits: { perDay: 1 } }, /^limits\.perDay: there is no such field/],
    ['a name with a slash', { name: 'a/b' }, /^name: must be up to 50 small letters/],
    ['the name of a field of all objects, in its spelling', { name: '__proto__' }, /^name: must be up to 50/],
    ['no limits at all', { limits: undefined }, /^limits: must be an object/],
    ['a burst of none', { ownerLimits: { requestsBurst: 0 } }, /^ownerLimits\.requestsBurst: must be at least 1/],
    ['no model', { models: [] }, /^models: must have at least 1 entries/],
    ['no bytes', { bodyBytesMax: 0 }, /^bodyBytesMax: must be at least 1/],
    ['a script for a page', { upgradeUrl: 'javascript:alert(1)' }, /^upgradeUrl: must be an http or https URL/],
  ]
  for (const [sentence, change, says] of wrong) {
    test(`with ${sentence} are refused`, () => {
      refused(() => stage.control.plans.put({ ...gold, ...change }, undefined, by), 400, says)
    })
  }

  test('with a ladder that there is not are refused', () => {
    refused(
      () => stage.control.plans.put({ ...gold, ladder: 'worst' }, undefined, by),
      422,
      /^ladder: there is no ladder/,
    )
  })

  test('that are shipped are there, the smallest for trying things, the default without limits', () => {
    const { keys, ...plan } = stage.control.plans.get('basic')
    assert.deepEqual([plan.source, plan.version, keys], ['shipped', 0, 0])
    assert.deepEqual(plan.limits, {
      requestsPerMinute: 60,
      requestsBurst: 20,
      inputTokensPerMinute: 200_000,
      outputTokensPerMinute: 40_000,
      callsAtOnce: 8,
      tokensPerDay: 5_000_000,
    })
    assert.deepEqual(stage.control.plans.get('unlimited').limits, {})
    assert.equal(stage.control.keys.create({ name: 'k' }, by).key.plan, 'unlimited')
  })

  test('of the file stand before those that are shipped', () => {
    assert.deepEqual(
      stage.control.plans.list().map(({ name, source }) => [name, source]),
      [
        ['basic', 'shipped'],
        ['fixed', 'file'],
        ['pro', 'file'],
        ['unlimited', 'shipped'],
      ],
    )
    assert.equal(stage.control.plans.get('pro').limits.callsAtOnce, 1)
  })

  for (const name of ['basic', 'fixed', 'pro']) {
    test(`such as ${name} are not changed here`, () => {
      refused(() => stage.control.plans.put({ ...gold, name }, undefined, by), 409, /stands in the conf|comes with/)
      refused(() => stage.control.plans.remove(name, undefined, by), 409, /stands in the conf|comes with/)
    })
  }

  test('are made, written over and removed, and the workers see what was told', () => {
    const { control, events } = stage
    const seen: number[] = []
    control.onChange(() =>
      seen.push(control.allPlans().find(({ name }) => name === 'gold')?.limits.requestsPerMinute ?? 0),
    )
    assert.deepEqual(control.plans.put(gold, 0, by), { ...gold, source: 'api', version: 1, keys: 0 })
    assert.equal(control.plans.put({ ...gold, limits: { requestsPerMinute: 6 } }, 1, by).version, 2)
    assert.equal(control.plans.put({ ...gold, limits: { requestsPerMinute: 6 } }, 2, by).version, 2, 'nothing changed')
    control.plans.remove('gold', 2, by)
    assert.deepEqual(seen, [5, 6, 0])
    assert.deepEqual(events, [{ type: 'plans' }, { type: 'plans' }, { type: 'plans' }])
    refused(() => control.plans.get('gold'), 404, /There is no such plan/)
    refused(() => control.plans.remove('gold', undefined, by), 404, /There is no such plan/)
  })

  test('outlive a restart', () => {
    stage.control.plans.put({ ...gold, models: ['claude-*'], upgradeUrl: 'https://example.com' }, undefined, by)
    assert.deepEqual(stage.another().plans.get('gold'), stage.control.plans.get('gold'))
  })

  test('are changed from the version that is there only; 0 stands for none', () => {
    const { plans } = stage.control
    refused(() => plans.put(gold, 1, by), 412, /There is nothing there now/)
    plans.put(gold, 0, by)
    refused(() => plans.put({ ...gold, tokensMax: 5 }, 0, by), 412, /Its version is 1 now/)
    refused(() => plans.remove('gold', 2, by), 412, /Its version is 1 now/)
  })

  test('do not go while keys are on them', () => {
    stage.control.plans.put(gold, undefined, by)
    const { key } = stage.control.keys.create({ name: 'k', plan: 'gold' }, by)
    assert.equal(stage.control.plans.get('gold').keys, 1)
    refused(() => stage.control.plans.remove('gold', undefined, by), 409, /1 keys are on this plan/)
    stage.control.keys.revoke(key.id, by)
    stage.control.plans.remove('gold', undefined, by)
  })

  test('that are the default do not go', () => {
    stage.control.plans.put(gold, undefined, by)
    const control = stage.another({ defaultPlan: 'gold' })
    assert.equal(control.keys.create({ name: 'k' }, by).key.plan, 'gold')
    control.keys.revoke(control.keys.list({}).data[0]?.id ?? '', by)
    refused(() => control.plans.remove('gold', undefined, by), 409, /This is the default plan/)
  })

  test('that are missing are told at the start', () => {
    const says = (message: RegExp) => (thrown: unknown) => thrown instanceof ConfigError && message.test(thrown.message)
    assert.throws(() => stage.another({ defaultPlan: 'none' }), says(/^defaultPlan: there is no plan 'none'\. Known: /))
    stage.control.keys.create({ name: 'k', plan: 'fixed' }, by)
    assert.throws(() => stage.another({ plans: [] }), says(/^plans\.fixed: 1 keys are on this plan, which there is no/))
  })
})
