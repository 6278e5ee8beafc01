import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { objectOf, textOf } from '../../src/core/json.ts'
import { ConfigError } from '../../src/control/config.ts'
import { until, within } from '../ladder/support/waiting.ts'
import { well } from '../ladder/support/ways.ts'
import { call, get, hold } from './support/calls.ts'
import { settingsOf } from './support/settings.ts'
import { by, stage, type Stage } from './support/stage.ts'
import { begins, goesOn } from './support/usage.ts'

const [first, second, third] = ['first', 'second', 'third'].map((name) => ({
  name,
  key: `the-${name}-key-of-the-operator`,
})) as [Declared, Declared, Declared]

interface Declared {
  name: string
  key: string
}

for (const workers of [0, 2]) {
  describe(`settings that are read again${workers === 0 ? '' : ', on two workers'}`, () => {
    let one: Stage
    before(async () => {
      one = await stage({ workers, declaredKeys: [first] })
    })
    after(() => one.close())

    /** How a call is answered now. */
    const status = async (key: string, model?: string): Promise<number> =>
      (await call({ url: one.url, key, ...(model !== undefined && { model }) })).status
    /** Until all workers have heard of it: many connections, all with this answer. */
    const becomes = async (wanted: number, key: string, model?: string): Promise<void> => {
      const all = async (): Promise<boolean> => {
        const seen = await Promise.all(Array.from({ length: 12 }, () => status(key, model)))
        return seen.every((each) => each === wanted)
      }
      await until(all, `${wanted} for ${model ?? 'the model'}`)
    }

    test('bring new aliases and ladders, and take old ones away', async () => {
      const { secret } = one.key()
      assert.equal(await status(secret, 'quick'), 404)
      const config = 'aliases: { quick: gpt-4.1 }\nladders: { pair: { rungs: [gpt-4.1, claude-sonnet-5] } }'
      one.gateway.reload(settingsOf(one.vendor, config, { declaredKeys: [first] }))
      await becomes(200, secret, 'quick')
      assert.equal(await status(secret, 'ladder/pair'), 200)
      one.gateway.reload(settingsOf(one.vendor, '', { declaredKeys: [first] }))
      await becomes(404, secret, 'quick')
      assert.equal(await status(secret, 'ladder/pair'), 404)
    })

    test('bring plans: new ones, other limits, and another default', async () => {
      const plans = (rate: number): string =>
        `defaultPlan: mine\nplans: { mine: { limits: { requestsPerMinute: ${rate}, requestsBurst: 1 } } }`
      one.gateway.reload(settingsOf(one.vendor, plans(1), { declaredKeys: [first] }))
      const { secret, id } = one.key()
      assert.equal(one.gateway.control.keys.get(id).plan, 'mine')
      assert.equal(one.gateway.control.plans.get('mine').source, 'file')
      await becomes(429, secret)
      one.gateway.reload(settingsOf(one.vendor, 'defaultPlan: mine\nplans: { mine: {} }', { declaredKeys: [first] }))
      await becomes(200, secret)
      one.gateway.control.keys.change(id, { plan: 'unlimited' }, undefined, by)
      one.gateway.reload(settingsOf(one.vendor, '', { declaredKeys: [first] }))
      assert.throws(() => one.gateway.control.plans.get('mine'))
      assert.equal(one.gateway.control.keys.get(one.key().id).plan, 'unlimited')
    })

    test('bring keys of the file, and end those that it has no more, with their streams', async () => {
      await becomes(200, first.key)
      assert.equal(await status(second.key), 401)
      one.vendor.answers(begins)
      const from = one.vendor.asked.length
      const held = await hold({ url: one.url, key: first.key })
      one.gateway.reload(settingsOf(one.vendor, '', { declaredKeys: [second] }))
      const over = await within(1000, held.over, 'the end of its stream')
      assert.match(over.message, /^The key was revoked/)
      one.vendor.answers(well)
      await becomes(401, first.key)
      await becomes(200, second.key)
      await one.vendor.asked[from]?.closed
      const { json } = await get(`${one.url}/v1/me`, second.key)
      assert.deepEqual([json.id, json.state], ['second', 'active'])
    })

    test('give a key of the file another secret, another plan, another ladder', async () => {
      const both = [second, { ...third, plan: 'tight', ladder: 'pair' }]
      const config =
        'plans: { tight: { models: [claude-*] } }\nladders: { pair: { rungs: [claude-sonnet-5, gpt-4.1] } }'
      one.gateway.reload(settingsOf(one.vendor, config, { declaredKeys: both }))
      await becomes(403, third.key, 'gpt-4.1')
      const answer = await call({ url: one.url, key: third.key })
      assert.equal(answer.headers['x-keyrung-ladder'], 'pair')
      one.vendor.answers(begins)
      const from = one.vendor.asked.length
      const held = await hold({ url: one.url, key: second.key })
      const next = { ...second, key: `${second.key}-anew` }
      one.gateway.reload(settingsOf(one.vendor, '', { declaredKeys: [next, third] }))
      one.vendor.answers(well)
      await becomes(401, second.key)
      await becomes(200, next.key)
      await becomes(200, third.key, 'gpt-4.1')
      goesOn(await one.vendor.ask(from))
      await held.over
      const { json } = await get(`${one.url}/v1/me`, third.key)
      assert.deepEqual([objectOf(json.plan).name, json.ladder], ['unlimited', null])
    })

    test('bring another key at a vendor', async () => {
      const { secret } = one.key()
      one.vendor.answers(well)
      one.gateway.reload(settingsOf(one.vendor, '', { declaredKeys: [first], secret: 'sk-another' }))
      await until(async () => {
        await status(secret)
        return one.vendor.asked.at(-1)?.key === 'sk-another'
      }, 'it is used')
      one.gateway.reload(settingsOf(one.vendor, '', { declaredKeys: [first] }))
    })

    const wrong: [
      what: string,
      config: string,
      declaredKeys: { name: string; key: string; plan?: string }[],
      says: RegExp,
    ][] = [
      ['a rung of nobody’s', 'ladders: { pair: { rungs: [nonsense] } }', [], /ladders\.pair\.rungs\.0.*nonsense/],
      ['a rule for a ladder that there is not', 'ladderRules: [{ models: "*", ladder: none }]', [], /ladderRules\.0/],
      ['a default plan that there is not', 'defaultPlan: none', [], /defaultPlan.*none/],
      ['a key on a plan that there is not', '', [{ ...second, plan: 'none' }], /keys.*second.*plan.*none/],
      ['a plan with a ladder that there is not', 'plans: { kept: { ladder: none } }', [], /plans\.kept\.ladder.*none/],
      ['no plan any more that keys are on', 'plans: {}', [], /plans\.kept.*keys are on this plan/],
    ]
    for (const [what, config, declaredKeys, says] of wrong) {
      test(`change nothing where something is wrong: ${what}`, async () => {
        const kept = 'aliases: { old: claude-sonnet-5 }\nplans: { kept: { models: [claude-*] } }'
        one.gateway.reload(settingsOf(one.vendor, kept, { declaredKeys: [first] }))
        const { secret, id } = one.key({ plan: 'kept' })
        await becomes(200, secret, 'old')
        const planLine = /^plans|^$/.test(config) && !says.source.includes('second') ? '' : '\nplans: { kept: {} }'
        const bad = `aliases: { new: claude-sonnet-5 }\n${config}${planLine}`
        assert.throws(
          () => one.gateway.reload(settingsOf(one.vendor, bad, { declaredKeys: [...declaredKeys, third] })),
          (error) => {
            assert.ok(error instanceof ConfigError, String(error))
            assert.match(error.message, says)
            return true
          },
        )
        // A change by the API publishes all settings once more.
        const { secret: later } = one.key({ plan: 'kept' })
        one.gateway.control.plans.put({ name: 'extra', limits: {}, ownerLimits: {} }, undefined, by)
        await becomes(200, later, 'old')
        await becomes(404, secret, 'new')
        await becomes(403, secret, 'gpt-4.1')
        await becomes(200, first.key)
        await becomes(401, third.key)
        assert.equal(one.gateway.control.plans.get('kept').source, 'file')
        const { json } = await get(`${one.url}/v1/me`, secret)
        assert.equal(textOf(json.id), id)
        one.gateway.control.keys.revoke(id, by)
        one.gateway.control.keys.revoke(later.slice(7, 15), by)
      })
    }
  })
}
