import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import fc from 'fast-check'
import { routes } from '../../src/control/admin/routes.ts'
import { objectOf, textOf, type JsonObject } from '../../src/core/json.ts'
import { acts } from './support/acts.ts'
import { realControl } from './support/real-control.ts'
import { startAdmin } from './support/server.ts'

const real = realControl()
const admin = await startAdmin({ service: real.service })
after(async () => {
  await admin.close()
  real.close()
})
const document: JsonObject = (await admin.ask('GET', '/openapi.json')).json()

const ids = { owner: 'ab12cd34', key: 'ab12cd34', token: 'ab12cd34' }
const hostileTexts = ["' OR 1=1 --", '%_%_%', '\u0000', '\ud800', '__proto__', 'constructor', '../..', '*', '1e999', '']
const hostile = fc.constantFrom(...hostileTexts, '2027-13-45T99:99:99Z', '9'.repeat(400), '\u202E')
const value = fc.oneof(
  hostile,
  fc.jsonValue({ maxDepth: 3 }),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.array(hostile, { maxLength: 3 }),
)

/** Objects that are nearly right: the route's own fields with anything in them, and now and then another field. */
function bodies(route: string): fc.Arbitrary<unknown> {
  const [method = '', path = ''] = route.split(' ')
  const operation = objectOf(objectOf(objectOf(document.paths)[`/admin/v1${path}`])[method.toLowerCase()])
  const { schema } = objectOf(objectOf(objectOf(operation.requestBody).content)['application/json'])
  const fields = Object.keys(objectOf(objectOf(schema).properties))
  const right = acts.filter((act) => act.route === route).map(({ body }) => body ?? {})
  const near = fc.dictionary(fc.constantFrom(...fields, 'nonsense'), value, { maxKeys: 6 })
  return fc.oneof(
    fc.jsonValue(),
    near,
    fc.tuple(fc.constantFrom({}, ...right), near).map(([whole, over]) => ({ ...whole, ...over })),
  )
}

suite('whatever is sent, it is done or refused, and never breaks anything', () => {
  for (const { method, path } of routes.filter((route) => route.method !== 'GET')) {
    const route = `${method} ${path}`
    const at = acts.find((act) => act.route === route)?.path(ids) ?? path
    test(route, async () => {
      await fc.assert(
        fc.asyncProperty(bodies(route), async (body) => {
          const answer = await admin.ask(method, at, { body: JSON.stringify(body) })
          assert.ok(answer.status < 500, `${answer.status} ${answer.body.toString()}`)
          if (answer.status >= 400) assert.ok(answer.json<{ error: { code: string } }>().error.code)
        }),
        { numRuns: 40 },
      )
      assert.deepEqual(admin.faults, [])
    })
  }

  const texts = fc.oneof(hostile, fc.string({ maxLength: 30, unit: 'grapheme' }), fc.integer().map(String))
  for (const { path } of routes.filter((route) => route.method === 'GET')) {
    test(`the query of GET ${path}`, async () => {
      const at =
        acts
          .find((act) => act.route === `GET ${path}`)
          ?.path(ids)
          .split('?')[0] ?? path
      const operation = objectOf(objectOf(objectOf(document.paths)[`/admin/v1${path}`]).get)
      const names = (operation.parameters as JsonObject[]).flatMap((one) =>
        one.in === 'query' ? [textOf(one.name) ?? ''] : [],
      )
      const name = fc.constantFrom('nonsense', ...names)
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(name, texts), { maxLength: 4 }), async (pairs) => {
          const query = pairs.map(([one, text]) => `${one}=${encodeURIComponent(text.toWellFormed())}`).join('&')
          const answer = await admin.ask('GET', `${at}?${query}`)
          assert.ok(answer.status < 500, `${query} ${answer.status} ${answer.body.toString()}`)
        }),
        { numRuns: 25 },
      )
      assert.deepEqual(admin.faults, [])
    })
  }

  test('bytes that are no JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (body) => {
        const answer = await admin.ask('POST', '/keys', { body: body.toWellFormed() })
        assert.ok(answer.status === 400 || answer.status === 201, String(answer.status))
      }),
      { numRuns: 50 },
    )
  })
})
