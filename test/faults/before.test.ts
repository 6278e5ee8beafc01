import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { after, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { fetchRaw } from '../support/client.ts'
import { startTestGateway } from '../support/gateway.ts'
import type { Dialect } from './matrix.ts'
import { refusalOf } from './refusal.ts'

const bodyBytesMax = 400_000
const gateway = await startTestGateway({ config: `server: { bodyBytesMax: ${bodyBytesMax} }` })
const { url, key } = gateway
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})

const dialects: readonly Dialect[] = ['anthropic', 'openai']
const models = ['claude-sonnet-5', 'gpt-4.1', 'gemini-3.8-flash']
const messages = [{ role: 'user' as const, content: 'Hello' }]

function bodyFor(model: string, more: object = {}): string {
  return JSON.stringify({ model, max_tokens: 100, messages, ...more })
}

/** A body's `error.type` and `error.code`, by dialect. */
function told(dialect: Dialect, { type, code }: { type: unknown; code: unknown }): unknown {
  return dialect === 'anthropic' ? type : [type, code]
}

describe('a body that is no request', () => {
  const bodies: [says: string, body: string | Buffer, message: RegExp][] = [
    ['nothing', '', /not valid JSON: it is empty/],
    ['blanks', ' \n ', /not valid JSON: it is empty/],
    ['no JSON', 'model=gpt-4.1', /not valid JSON: line 1, column 1\b/],
    ['a comma too many', '{"model": "gpt-4.1",\n  "messages": [],}', /not valid JSON: line 2, column 18\b/],
    ['a quote too few', '{\n  "model": "gpt-4.1,\n  "messages": []\n}', /not valid JSON: line 2, column 21\b/],
    ['single quotes', "{'model': 'gpt-4.1'}", /not valid JSON: line 1, column 2\b/],
    ['a cut', '{"model": "gpt-4.1", "messages": [', /not valid JSON: line 1, column 35\b/],
    [
      'a mistake behind characters of several bytes',
      '{"model": "Grüße 世界",\n"x": tru}',
      /not valid JSON: line 2, column 9\b/,
    ],
    [
      'a mistake far into a large body',
      `{"model": "gpt-4.1",\n"messages": [{"role": "user", "content": "${'x'.repeat(50_000)}"}],\n"x": }`,
      /not valid JSON: line 3, column 6\b/,
    ],
    ['a list', '[]', /must be a JSON object/],
    ['a text', '"Hello"', /must be a JSON object/],
    ['null', 'null', /must be a JSON object/],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from('{"model": "'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      /UTF-8/,
    ],
  ]
  for (const dialect of dialects) {
    for (const [says, body, message] of bodies) {
      test(`${says} is a 400 that says where (${dialect})`, async () => {
        const refusal = await refusalOf(gateway, dialect, { body })
        assert.deepEqual([refusal.status, refusal.kind], [400, 'request-invalid'])
        assert.deepEqual(
          told(dialect, refusal),
          dialect === 'anthropic' ? 'invalid_request_error' : ['invalid_request_error', null],
        )
        assert.match(refusal.message, message)
        for (const quoted of ['Grüße', 'xxxx', 'tru}']) assert.ok(!refusal.message.includes(quoted), 'quotes the body')
      })
    }

    for (const model of models) {
      test(`nested too deeply is a 400 (${dialect}, to ${model})`, async () => {
        const depth = 50_000
        const schema = `${'{"type":"object","properties":{"a":'.repeat(depth / 10)}{}${'}}'.repeat(depth / 10)}`
        const tool =
          dialect === 'anthropic'
            ? `{"name":"deep","input_schema":${schema}}`
            : `{"type":"function","function":{"name":"deep","parameters":${schema}}}`
        const body = `${bodyFor(model).slice(0, -1)},"tools":[${tool}]}`
        const refusal = await refusalOf(gateway, dialect, { body })
        assert.deepEqual([refusal.status, refusal.kind], [400, 'request-invalid'])
        assert.match(refusal.message, /nested too deeply/)
      })
    }

    test(`too large is a 413, announced or not (${dialect})`, async () => {
      const body = bodyFor('gpt-4.1', { messages: [{ role: 'user', content: 'x'.repeat(bodyBytesMax) }] })
      for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
        // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its request
        const refusal = await refusalOf(gateway, dialect, { body, headers })
        assert.deepEqual([refusal.status, refusal.kind], [413, 'body-too-large'])
        assert.deepEqual(
          told(dialect, refusal),
          dialect === 'anthropic' ? 'request_too_large' : ['invalid_request_error', 'request_too_large'],
        )
        assert.match(refusal.message, /larger than 400000 bytes/)
      }
    })
  }
})

describe('headers that cannot be served', () => {
  const body = bodyFor('gpt-4.1')
  const wrong: [says: string, headers: Record<string, string>, body: string | Buffer, message: RegExp][] = [
    ['text/plain', { 'content-type': 'text/plain' }, body, /content-type 'text\/plain'.*application\/json/s],
    [
      'a form',
      { 'content-type': 'application/x-www-form-urlencoded' },
      body,
      /content-type 'application\/x-www-form-urlencoded'/,
    ],
    [
      'a form of several parts',
      { 'content-type': 'multipart/form-data; boundary=x' },
      body,
      /content-type 'multipart\/form-data/,
    ],
    ['gzip', { 'content-encoding': 'gzip' }, gzipSync(body), /content-encoding 'gzip'/],
    ['an encoding that nobody knows', { 'content-encoding': 'zip' }, body, /content-encoding 'zip'/],
  ]
  for (const dialect of dialects) {
    for (const [says, headers, sentBody, message] of wrong) {
      test(`${says} is a 415 (${dialect})`, async () => {
        const refusal = await refusalOf(gateway, dialect, { body: sentBody, headers })
        assert.deepEqual([refusal.status, refusal.kind], [415, 'content-type-wrong'])
        assert.deepEqual(
          told(dialect, refusal),
          dialect === 'anthropic' ? 'invalid_request_error' : ['invalid_request_error', 'unsupported_content_type'],
        )
        assert.match(refusal.message, message)
      })
    }

    for (const headers of [
      { 'content-type': '' },
      { 'content-type': 'application/json; charset=utf-8' },
      { 'content-encoding': 'identity' },
    ]) {
      test(`${JSON.stringify(headers)} is served (${dialect})`, async () => {
        const path = dialect === 'anthropic' ? '/v1/messages' : '/v1/chat/completions'
        const answer = await fetch(url + path, {
          method: 'POST',
          body: new TextEncoder().encode(body),
          headers: Object.fromEntries([
            ['x-api-key', key],
            ...Object.entries(headers).filter(([, value]) => value !== ''),
          ]),
        })
        assert.equal(answer.status, 200, await answer.text())
      })
    }
  }
})

describe('an unknown model', () => {
  const names: [asked: string, meant: string | undefined][] = [
    ['cluade-sonnet-5', 'claude-sonnet-5'],
    ['Claude-Sonnet-5', 'claude-sonnet-5'],
    ['gtp-4.1', 'gpt-4.1'],
    ['gemni-3.8-flash', 'gemini-3.8-flash'],
    ['gork-4.7', 'grok-4.7'],
    ['depseek-flash', 'deepseek-flash'],
    ['nothing-like-any-of-them', undefined],
  ]
  for (const [asked, meant] of names) {
    test(`${asked} is a 404 that ${meant === undefined ? 'says where the names are' : `asks whether ${meant} was meant`}`, async () => {
      for (const dialect of dialects) {
        // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its dialect
        const refusal = await refusalOf(gateway, dialect, { body: bodyFor(asked) })
        assert.deepEqual([refusal.status, refusal.kind], [404, 'model-unknown'])
        assert.deepEqual(
          told(dialect, refusal),
          dialect === 'anthropic' ? 'not_found_error' : ['invalid_request_error', 'model_not_found'],
        )
        assert.match(refusal.message, new RegExp(asked.replaceAll('.', '\\.')))
        assert.match(
          refusal.message,
          meant === undefined ? /GET \/v1\/models/ : new RegExp(`Did you mean .*'${meant.replaceAll('.', '\\.')}'`),
        )
        if (meant === undefined) assert.doesNotMatch(refusal.message, /Did you mean/)
        if (dialect === 'openai') assert.equal(refusal.param, 'model')
      }
    })
  }

  test('a fault that there is not is a 400 that names the nearest', async () => {
    for (const dialect of dialects) {
      // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its dialect
      const byName = await refusalOf(gateway, dialect, { body: bodyFor('sandbox/cut-afer-3') })
      // eslint-disable-next-line no-await-in-loop -- likewise
      const byHeader = await refusalOf(gateway, dialect, {
        body: bodyFor('gpt-4.1'),
        headers: { 'x-keyrung-fault': 'cut-afer-3' },
      })
      for (const refusal of [byName, byHeader]) {
        assert.equal(refusal.status, 400)
        assert.match(refusal.message, /no fault 'cut-afer-3'.*cut-after-N.*\/sandbox\/faults/s)
        assert.doesNotMatch(refusal.message, /x-sandbox/)
      }
    }
  })
})

describe('a wrong key', () => {
  const mistyped = `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`
  const wrong: [says: string, key: string, message: RegExp][] = [
    ['mistyped', mistyped, new RegExp(`'${key.slice(0, 7)}…' \\(${key.length} characters\\) is mistyped`)],
    ['cut', key.slice(0, 20), /\(20 characters\)/],
    ['of nobody', 'something-else', /'somethi…' \(14 characters\) is not known here/],
    ['of Anthropic', 'sk-ant-api03-abcdefghijklmnop', /an Anthropic key \(it begins with 'sk-ant-'\)/],
    ['of OpenAI', 'sk-proj-abcdefghijklmnopqrst', /an OpenAI key \(it begins with 'sk-proj-'\)/],
    ['of Google', 'AIzaSyAbcdefghijklmnopqrstuv', /a Google key \(it begins with 'AIza'\)/],
    ['of xAI', 'xai-abcdefghijklmnopqrstuvwx', /an xAI key \(it begins with 'xai-'\)/],
  ]
  const places: [header: string, value: (key: string) => string][] = [
    ['x-api-key', (value) => value],
    ['authorization', (value) => `Bearer ${value}`],
    ['x-goog-api-key', (value) => value],
  ]
  const types = { anthropic: 'authentication_error', openai: ['invalid_request_error', 'invalid_api_key'] }
  for (const [says, wrongKey, message] of wrong) {
    for (const [header, value] of places) {
      test(`${says}, in ${header}: its beginning and length at most, and where it came`, async () => {
        for (const dialect of dialects) {
          const headers = { authorization: '', [header]: value(wrongKey) }
          // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its dialect
          const refusal = await refusalOf(gateway, dialect, { body: bodyFor('gpt-4.1'), headers })
          assert.deepEqual([refusal.status, refusal.kind], [401, 'key-wrong'])
          assert.deepEqual(told(dialect, refusal), types[dialect])
          assert.match(refusal.message, message)
          assert.match(refusal.message, new RegExp(`header ${header}\\b`))
          assert.ok(!refusal.body.includes(wrongKey.slice(0, 10)), 'more of the key than its beginning')
        }
      })
    }

    test(`${says}: both SDKs raise an AuthenticationError`, async () => {
      const one = new Anthropic({ baseURL: url, apiKey: wrongKey, maxRetries: 0 })
      await assert.rejects(
        one.messages.create({ model: 'gpt-4.1', max_tokens: 10, messages }),
        Anthropic.AuthenticationError,
      )
      const other = new OpenAI({ baseURL: `${url}/v1`, apiKey: wrongKey, maxRetries: 0 })
      await assert.rejects(other.chat.completions.create({ model: 'gpt-4.1', messages }), OpenAI.AuthenticationError)
    })
  }

  const refused: [says: string, headers: Record<string, string>, kind: string, message: RegExp][] = [
    ['none', { authorization: '' }, 'key-missing', /No key was sent.*x-api-key.*Authorization: Bearer/s],
    ['an empty one', { authorization: '', 'x-api-key': ' ' }, 'key-missing', /No key was sent/],
    ['Bearer alone', { authorization: 'Bearer ' }, 'key-missing', /No key was sent/],
    ['one without Bearer', { authorization: key }, 'key-wrong', /not of the form "Bearer KEY"/],
    [
      'two different ones',
      { 'x-api-key': 'something-else' },
      'key-wrong',
      /headers authorization and x-api-key carry different keys/,
    ],
  ]
  for (const [says, headers, kind, message] of refused) {
    test(`${says} is told`, async () => {
      for (const dialect of dialects) {
        // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its dialect
        const refusal = await refusalOf(gateway, dialect, { body: bodyFor('gpt-4.1'), headers })
        assert.deepEqual([refusal.status, refusal.kind], [401, kind])
        assert.deepEqual(told(dialect, refusal), types[dialect])
        assert.match(refusal.message, message)
      }
    })
  }
})

describe('a path that is nearly right', () => {
  const works: [path: string, body: string][] = [
    ['/v1/v1/messages', bodyFor('gpt-4.1')],
    ['/v1/v1/chat/completions', bodyFor('gpt-4.1')],
    ['/chat/completions', bodyFor('gpt-4.1')],
    ['/api/proxy/v1/messages', bodyFor('gpt-4.1')],
    ['/v1/messages?beta=true', bodyFor('gpt-4.1')],
  ]
  for (const [path, body] of works) {
    test(`POST ${path} works`, async () => {
      const answer = await fetchRaw(url + path, { body, headers: { 'x-api-key': key } })
      assert.equal(answer.status, 200, answer.body.toString())
    })
  }

  const hints: [path: string, dialect: Dialect, hint: RegExp][] = [
    ['/messages', 'anthropic', /Did you mean POST \/v1\/messages\?/],
    ['/api/v1/messages', 'anthropic', /Did you mean POST \/v1\/messages\?/],
    ['/v1/messages/', 'anthropic', /Did you mean POST \/v1\/messages\?/],
    ['/v1/message', 'anthropic', /Did you mean POST \/v1\/messages\?/],
    ['/anthropic/v1/messages', 'anthropic', /Did you mean POST \/v1\/messages\?/],
    ['/messages/count_tokens', 'anthropic', /Did you mean POST \/v1\/messages\/count_tokens\?/],
    ['/v1/complete', 'anthropic', /POST \/v1\/messages/],
    ['/v1/messages/batches', 'anthropic', /not offered here/],
    ['/v1/chat/completion', 'openai', /Did you mean POST \/v1\/chat\/completions\?/],
    ['/v1/chat/completions/', 'openai', /Did you mean POST \/v1\/chat\/completions\?/],
    ['/openai/v1/chat/completions', 'openai', /Did you mean POST \/v1\/chat\/completions\?/],
    ['/v1/chat', 'openai', /Did you mean POST \/v1\/chat\/completions\?/],
    ['/v1/completions', 'openai', /POST \/v1\/chat\/completions/],
    ['/v1/responses', 'openai', /Responses API is not offered here; POST \/v1\/chat\/completions is/],
    ['/v1/embeddings', 'openai', /not offered here/],
    [
      '/v1beta/models/gemini-3.8-flash:generateContent',
      'openai',
      /Gemini's API is not offered to callers; POST \/v1\/chat\/completions is/,
    ],
    ['/nowhere', 'openai', /base URL/],
  ]
  for (const [path, dialect, hint] of hints) {
    test(`POST ${path} is a 404 that says which would be right`, async () => {
      const refusal = await refusalOf(gateway, dialect, {
        path,
        body: bodyFor('gpt-4.1'),
        headers: dialect === 'anthropic' ? { 'anthropic-version': '2023-06-01' } : {},
      })
      assert.deepEqual([refusal.status, refusal.kind], [404, 'path-unknown'])
      assert.deepEqual(
        told(dialect, refusal),
        dialect === 'anthropic' ? 'not_found_error' : ['invalid_request_error', 'unknown_url'],
      )
      assert.ok(refusal.message.includes(`POST ${path}`), refusal.message)
      assert.match(refusal.message, hint)
    })
  }

  test('a wrong method is a 405 that says which is right', async () => {
    for (const dialect of dialects) {
      // eslint-disable-next-line no-await-in-loop -- in order, so that a failure names its dialect
      const refusal = await refusalOf(gateway, dialect, { method: 'PUT', body: bodyFor('gpt-4.1') })
      assert.deepEqual([refusal.status, refusal.kind, refusal.headers.allow], [405, 'method-wrong', 'POST'])
      assert.match(refusal.message, /use POST/)
    }
  })

  test('the SDKs raise a NotFoundError with the hint at a wrong base URL', async () => {
    const one = new Anthropic({ baseURL: `${url}/api`, apiKey: key, maxRetries: 0 })
    await assert.rejects(one.messages.create({ model: 'gpt-4.1', max_tokens: 10, messages }), (error) => {
      assert.ok(error instanceof Anthropic.NotFoundError, String(error))
      assert.match(error.message, /Did you mean POST \/v1\/messages\?/)
      return true
    })
    const other = new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: key, maxRetries: 0 })
    await assert.rejects(other.chat.completions.create({ model: 'gpt-4.1', messages }), (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError, String(error))
      assert.match(error.message, /Did you mean POST \/v1\/chat\/completions\?/)
      return true
    })
  })
})
