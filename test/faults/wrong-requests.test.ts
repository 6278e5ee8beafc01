import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { startTestGateway } from '../support/gateway.ts'
import { refusalOf } from './refusal.ts'
import { anthropicWrongs, openaiWrongs, tooMany, type Wrong } from './wrong-requests.ts'

const gateway = await startTestGateway()
const { sandbox, url, key } = gateway
assert.ok(sandbox !== undefined)
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})

const messages = [{ role: 'user', content: 'Hello' }]
const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0, timeout: 60_000 })
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 })
/** The dialect's own vendor, and two who are spoken to in another one. */
const own = { anthropic: 'claude-sonnet-5', openai: 'gpt-4.1' }
const others = { anthropic: ['gemini-3.8-flash', 'deepseek-flash'], openai: ['claude-sonnet-5', 'gemini-3.8-flash'] }

function modelsFor(dialect: 'anthropic' | 'openai', wrong: Wrong): string[] {
  return wrong.elsewhere === true ? others[dialect] : [own[dialect], ...others[dialect]]
}

describe("a wrong request in Anthropic's dialect is a 400 before anybody is asked", () => {
  for (const wrong of anthropicWrongs) {
    for (const model of modelsFor('anthropic', wrong)) {
      test(`${wrong.says}, to ${model}`, () =>
        anthropicRefuses({ model, max_tokens: 100, messages, ...wrong.changes }, wrong))
    }
  }
  const { model, changes, message } = tooMany.anthropic
  test('max_tokens above the largest', () => anthropicRefuses({ model, messages, ...changes }, { message }))
})

describe("a wrong request in OpenAI's dialect is a 400 before anybody is asked", () => {
  for (const wrong of openaiWrongs) {
    for (const model of modelsFor('openai', wrong)) {
      test(`${wrong.says}, to ${model}`, () => openaiRefuses({ model, messages, ...wrong.changes }, wrong))
    }
  }
  const { model, changes, message } = tooMany.openai
  test('max_tokens above the largest', () =>
    openaiRefuses({ model, messages, ...changes }, { message, param: 'max_tokens' }))
})

type Told = Pick<Wrong, 'message' | 'kind' | 'unsendable'>

async function anthropicRefuses(body: object, { message, kind, unsendable }: Told): Promise<void> {
  const refusal = await refusalOf(gateway, 'anthropic', { body: JSON.stringify(body) })
  assert.deepEqual(
    [refusal.status, refusal.type, refusal.kind],
    [400, 'invalid_request_error', kind ?? 'request-invalid'],
  )
  assert.match(refusal.message, message)
  if (unsendable === true) return
  await assert.rejects(Promise.resolve(anthropic.messages.create(body as never)), (error) => {
    assert.ok(error instanceof Anthropic.BadRequestError, String(error))
    assert.equal(error.type, 'invalid_request_error')
    assert.match(error.apiMessage ?? '', message)
    return true
  })
}

async function openaiRefuses(
  body: object,
  { message, param, code }: Pick<Wrong, 'message' | 'param' | 'code'>,
): Promise<void> {
  const refusal = await refusalOf(gateway, 'openai', { body: JSON.stringify(body) })
  assert.deepEqual([refusal.status, refusal.type, refusal.kind], [400, 'invalid_request_error', 'request-invalid'])
  assert.match(refusal.message, message)
  if (param !== undefined) assert.equal(refusal.param, param)
  if (code !== undefined) assert.equal(refusal.code, code)
  await assert.rejects(Promise.resolve(openai.chat.completions.create(body as never)), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError, String(error))
    assert.deepEqual([error.type, error.param, error.code], ['invalid_request_error', refusal.param, refusal.code])
    return true
  })
}
