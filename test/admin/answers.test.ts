import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { routes } from '../../src/control/admin/routes.ts'
import { objectOf, textOf, type JsonObject } from '../../src/core/json.ts'
import type { RawAnswer } from '../support/client.ts'
import { acts } from './support/acts.ts'
import { schemaFaults } from './support/json-schema.ts'
import { realControl } from './support/real-control.ts'
import { startAdmin } from './support/server.ts'

const admin = await startAdmin()
after(() => admin.close())
const document: JsonObject = (await admin.ask('GET', '/openapi.json')).json()

/** What the document says of a route. */
function operation(route: string): JsonObject {
  const [method = '', path = ''] = route.split(' ')
  return objectOf(objectOf(objectOf(document.paths)[`/admin/v1${path}`])[method.toLowerCase()])
}

/** What the document says of the answer with this status; it may stand elsewhere. */
function responseOf(route: string, status: number): JsonObject {
  const response = objectOf(objectOf(operation(route).responses)[status])
  const name = (textOf(response.$ref) ?? '').replace('#/components/responses/', '')
  return name === '' ? response : objectOf(objectOf(objectOf(document.components).responses)[name])
}

function assertAsPromised(route: string, answer: RawAnswer): void {
  const response = responseOf(route, answer.status)
  assert.ok(response.description !== undefined, `${route} may answer with ${answer.status}`)
  if (answer.status === 204) {
    assert.equal(answer.body.length, 0)
    return
  }
  const [type = ''] = (answer.headers['content-type'] ?? '').split(';')
  const { schema } = objectOf(objectOf(response.content)[type])
  assert.ok(schema !== undefined, `${route} may answer in ${type}`)
  if (type !== 'application/json') return
  assert.deepEqual(schemaFaults(answer.json(), schema, document), [], route)
}

const real = realControl()
const overReal = await startAdmin({ service: real.service })
after(async () => {
  await overReal.close()
  real.close()
})

for (const [over, server] of [
  ['in memory', admin],
  ['in a database', overReal],
] as const)
  suite(`every route over a control plane ${over} answers as the document promises`, () => {
    const ids: Record<string, string> = {}
    for (const { route, path, body, status, keep } of acts) {
      test(`${route} ${body === undefined ? '' : JSON.stringify(body).slice(0, 60)}`, async () => {
        const sent = objectOf(
          objectOf(objectOf(objectOf(operation(route).requestBody).content)['application/json']).schema,
        )
        if (body !== undefined) assert.deepEqual(schemaFaults(body, sent, document), [], 'the body is as promised too')
        const method = route.split(' ')[0] ?? ''
        const answer = await server.ask(method, path(ids), body === undefined ? {} : { body })
        assert.equal(answer.status, status, answer.body.toString())
        assertAsPromised(route, answer)
        assert.equal(answer.headers['cache-control'], 'no-store')
        assert.equal(answer.headers['access-control-allow-origin'], undefined)
        assert.match(String(answer.headers['x-request-id']), /^req_\w{24}$/)
        if (keep !== undefined) ids[keep] = answer.json<{ id: string }>().id
      })
    }

    test('no route was left out', () => {
      const asked = new Set(acts.map(({ route }) => route))
      assert.deepEqual(
        routes.map(({ method, path }) => `${method} ${path}`).filter((route) => !asked.has(route)),
        [],
      )
    })
  })

suite('errors are as the document promises', () => {
  const cases: [name: string, method: string, path: string, options: object, status: number][] = [
    ['no token', 'GET', '/keys', { token: undefined }, 401],
    ['a narrow scope', 'POST', '/keys', { token: admin.tokens.read }, 403],
    ['nothing of this id', 'GET', '/keys/nobody00', {}, 404],
    ['a wrong field', 'GET', '/keys?limit=0', {}, 400],
    ['a version that has passed', 'PUT', '/plans/basic', { body: {}, headers: { 'if-match': '"9"' } }, 412],
    ['something that is not ours to change', 'PUT', '/plans/basic', { body: {} }, 409],
    ['something that cannot be', 'POST', '/keys', { body: { name: 'x', plan: 'no-such-plan' } }, 422],
    ['another type of content', 'POST', '/keys', { headers: { 'content-type': 'text/plain' }, body: '{}' }, 415],
    ['too much', 'POST', '/keys', { body: { name: 'x'.repeat(300_000) } }, 413],
  ]
  for (const [name, method, path, options, status] of cases) {
    test(name, async () => {
      const answer = await admin.ask(method, path, options)
      assert.equal(answer.status, status, answer.body.toString())
      const route = routes.find((one) => one.method === method && fits(one.path, path))
      assertAsPromised(`${method} ${route?.path}`, answer)
      const { requestId } = answer.json()
      assert.equal(requestId, answer.headers['x-request-id'])
    })
  }
})

function fits(route: string, path: string): boolean {
  return new RegExp(`^${route.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path.split('?')[0] ?? '')
}

suite('the document', () => {
  test('names the version, the scope of each route, and every route', () => {
    assert.equal(objectOf(document.info).version, '1.2.3')
    for (const { method, path, scope } of routes) {
      const { security } = operation(`${method} ${path}`)
      assert.deepEqual(security, scope === 'open' ? [] : [{ adminToken: [scope] }], path)
    }
  })

  test('gives each route a name of its own', () => {
    const names = routes.map(({ method, path }) => operation(`${method} ${path}`).operationId)
    assert.equal(new Set(names).size, routes.length)
  })

  test('refers to nothing that is not in it', () => {
    for (const [, target = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      let at: unknown = document
      for (const part of target.split('/')) at = objectOf(at)[part]
      assert.ok(at !== undefined, target)
    }
  })

  test('has no expressions that only some languages know', () => {
    assert.doesNotMatch(JSON.stringify(document), /\\[pP]\{/)
  })

  test('describes every parameter that a path has', () => {
    for (const { method, path } of routes) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const parameters = (operation(`${method} ${path}`).parameters as JsonObject[]).filter((one) => one.in === 'path')
      assert.deepEqual(
        parameters.map(({ name }) => name),
        named,
      )
    }
  })
})
