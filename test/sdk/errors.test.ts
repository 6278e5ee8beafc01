import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { isObject, parseJson, textOf } from '../../src/core/json.ts'
import { startTestGateway } from '../support/gateway.ts'

const bodyBytesMax = 4096
const gateway = await startTestGateway({ config: `server: { bodyBytesMax: ${bodyBytesMax} }` })
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})
const { url, key } = gateway
const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 })
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'Hello' }]

/** The paths of the two dialects, and where each keeps what an error says. */
const dialects = [
  { name: 'Anthropic', path: '/v1/messages', headers: { 'x-api-key': key, 'anthropic-version': '2023-06-01' } },
  { name: 'OpenAI', path: '/v1/chat/completions', headers: { authorization: `Bearer ${key}` } },
] as const

describe('a wrong key', () => {
  const wrong = [
    'sk-ant-api03-abcdef',
    'sk-proj-abcdef',
    'nonsense',
    `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`,
  ]
  for (const apiKey of wrong) {
    test(`${apiKey.slice(0, 8)}… is an AuthenticationError in both SDKs`, async () => {
      const one = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 })
      await assert.rejects(one.messages.create({ model: 'gpt-4.1', max_tokens: 10, messages }), (error) => {
        assert.ok(error instanceof Anthropic.AuthenticationError, String(error))
        assert.deepEqual([error.status, error.type], [401, 'authentication_error'])
        assert.ok(!error.message.includes(apiKey), 'the message does not repeat the key')
        return true
      })
      const other = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
      for (const stream of [false, true]) {
        await assert.rejects(other.chat.completions.create({ model: 'gpt-4.1', messages, stream }), (error) => {
          assert.ok(error instanceof OpenAI.AuthenticationError, String(error))
          assert.deepEqual([error.status, error.code], [401, 'invalid_api_key'])
          assert.ok(!error.message.includes(apiKey), 'the message does not repeat the key')
          return true
        })
      }
    })
  }

  test('opens no list of models', async () => {
    const one = new Anthropic({ baseURL: url, apiKey: 'wrong', maxRetries: 0 })
    await assert.rejects(one.models.list(), Anthropic.AuthenticationError)
    const other = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'wrong', maxRetries: 0 })
    await assert.rejects(other.models.list(), OpenAI.AuthenticationError)
  })

  test('a missing one is told which headers would do', async () => {
    for (const { path } of dialects) {
      const { status, text } = await post(path, {}, '{}')
      assert.equal(status, 401)
      assert.match(text, /x-api-key.*Authorization: Bearer/)
    }
  })
})

describe('an unknown model', () => {
  test('is a NotFoundError with a hint in the Anthropic SDK', async () => {
    for (const stream of [false, true]) {
      await assert.rejects(
        anthropic.messages.create({ model: 'cloude-sonnet-5', max_tokens: 10, messages, stream }),
        (error) => {
          assert.ok(error instanceof Anthropic.NotFoundError, String(error))
          assert.equal(error.type, 'not_found_error')
          assert.match(error.message, /cloude-sonnet-5.*claude-sonnet-5/)
          assert.equal(error.headers.get('x-should-retry'), 'false')
          return true
        },
      )
    }
  })

  test('is a NotFoundError with a hint in the OpenAI SDK', async () => {
    for (const stream of [false, true]) {
      await assert.rejects(openai.chat.completions.create({ model: 'gtp-4.1', messages, stream }), (error) => {
        assert.ok(error instanceof OpenAI.NotFoundError, String(error))
        assert.deepEqual([error.code, error.param], ['model_not_found', 'model'])
        assert.match(error.message, /gtp-4\.1.*gpt-4\.1/)
        return true
      })
    }
  })
})

describe('what HTTP alone can get wrong', () => {
  for (const { name, path, headers } of dialects) {
    const shape = (text: string): { type: string; message: string } => errorIn(text, name === 'Anthropic')

    for (const body of ['{"model": "gpt-4.1", oops', '', '[]', 'null', '"text"', '{"model":1}', '{}']) {
      test(`${name}: ${JSON.stringify(body)} is a 400 that says where`, async () => {
        const { status, text } = await post(path, headers, body)
        assert.equal(status, 400)
        const { message, type } = shape(text)
        assert.equal(type, 'invalid_request_error')
        assert.match(message, /JSON|model/)
        assert.doesNotMatch(message, /oops/)
      })
    }

    test(`${name}: a body over the limit is a 413`, async () => {
      const large = JSON.stringify({
        model: 'gpt-4.1',
        messages: [{ role: 'user', content: 'x'.repeat(bodyBytesMax) }],
      })
      const { status, text } = await post(path, headers, large)
      assert.equal(status, 413)
      assert.match(shape(text).message, /4096 bytes/)
    })

    test(`${name}: a body over the limit that does not tell its length is a 413`, async () => {
      const chunk = new TextEncoder().encode(' '.repeat(1024))
      const body = ReadableStream.from(Array.from({ length: 8 }, () => chunk))
      const response = await fetch(url + path, { method: 'POST', headers, body, duplex: 'half' })
      assert.equal(response.status, 413)
      shape(await response.text())
    })

    for (const method of ['GET', 'PUT', 'DELETE']) {
      test(`${name}: ${method} is a 405 that says what is allowed`, async () => {
        const response = await fetch(url + path, { method, headers })
        assert.equal(response.status, 405)
        assert.equal(response.headers.get('allow'), 'POST')
        assert.match(shape(await response.text()).message, /POST/)
      })
    }

    test(`${name}: an unknown path is a 404 that speaks of the base URL`, async () => {
      const { status, text } = await post('/v2/nowhere', headers, '{}')
      assert.equal(status, 404)
      assert.match(shape(text).message, /\/v2\/nowhere.*base URL/)
    })
  }

  test('the SDKs know a 413 by its class', async () => {
    const large = [{ role: 'user' as const, content: 'x'.repeat(bodyBytesMax) }]
    await assert.rejects(anthropic.messages.create({ model: 'gpt-4.1', max_tokens: 10, messages: large }), (error) => {
      assert.ok(error instanceof Anthropic.APIError, String(error))
      assert.deepEqual([error.status, error.constructor.name], [413, 'ContentTooLargeError'])
      return true
    })
    await assert.rejects(openai.chat.completions.create({ model: 'gpt-4.1', messages: large }), (error) => {
      assert.ok(error instanceof OpenAI.APIError && error.status === 413, String(error))
      return true
    })
  })
})

describe("a vendor's refusal", () => {
  // A result without its call.
  const orphan: Anthropic.MessageParam[] = [
    { role: 'user', content: 'How is the weather?' },
    { role: 'assistant', content: 'Let me see.' },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'sun' }] },
  ]
  const orphanChat: OpenAI.ChatCompletionMessageParam[] = [
    { role: 'user', content: 'How is the weather?' },
    { role: 'assistant', content: 'Let me see.' },
    { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
  ]
  for (const model of ['claude-sonnet-5', 'gpt-4.1', 'gpt-5.6', 'gemini-3.8-flash', 'grok-4.7', 'deepseek-flash']) {
    test(`of a request to ${model} has the shape that each SDK knows`, async () => {
      const asked = anthropic.messages.create({ model, max_tokens: 100, messages: orphan })
      await assert.rejects(asked, (error) => {
        assert.ok(error instanceof Anthropic.BadRequestError, String(error))
        assert.equal(errorIn(JSON.stringify(error.error), true).type, 'invalid_request_error')
        assert.equal(error.headers.get('x-should-retry'), 'false')
        return true
      })
      await assert.rejects(openai.chat.completions.create({ model, messages: orphanChat }), (error) => {
        assert.ok(error instanceof OpenAI.BadRequestError, String(error))
        assert.equal(errorIn(JSON.stringify({ error: error.error }), false).type, 'invalid_request_error')
        return true
      })
    })
  }
})

async function post(
  path: string,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; text: string }> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  assert.match(response.headers.get('request-id') ?? '', /^req_/)
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  return { status: response.status, text: await response.text() }
}

/** The error of a body, which must have the whole shape of its dialect. */
function errorIn(text: string, anthropicShape: boolean): { type: string; message: string } {
  const body = parseJson(text)
  assert.ok(isObject(body) && isObject(body['error']), text)
  if (anthropicShape) {
    assert.equal(body['type'], 'error')
    assert.match(textOf(body['request_id']) ?? '', /^req_/)
  } else {
    assert.deepEqual(Object.keys(body['error']).toSorted(), ['code', 'message', 'param', 'type'])
  }
  const { type, message } = body['error']
  assert.ok(typeof type === 'string' && typeof message === 'string', text)
  return { type, message }
}
