import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import type { TestGateway } from '../support/gateway.ts'
import { checkAnswered, lastOf, recordingFetch, type StoredReceipt } from './calls.ts'
import { foldAnthropic } from './fold-anthropic.ts'
import { tokensMax } from './matrix.ts'

type Params = Anthropic.MessageCreateParamsNonStreaming
/** What is asked of a model; `max_tokens` is enough for anything unless it is said. */
type Asked = Omit<Params, 'model' | 'max_tokens'> & { max_tokens?: number }

/** Asks one model in one of the SDK's ways and gives its message, all of the answer's surroundings checked. */
export type AskAnthropic = (params: Asked) => Promise<Anthropic.Message>

/** The ways of the SDK to get a message: whole, by its streaming helper, and event by event. */
const modes = ['whole', 'helper', 'raw'] as const

/** An SDK client, and what it sees of the answers. */
export function anthropicClient(url: string, key: string) {
  const { fetch, seen } = recordingFetch()
  return { client: new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0, fetch }), seen }
}

/**
 * Runs a scenario once in each way, as a subtest each, and then compares: what is streamed must be what comes whole,
 * usage included.
 */
export async function inEveryAnthropicWay(
  context: TestContext,
  gateway: TestGateway,
  at: { vendor: string; model: string },
  scenario: (ask: AskAnthropic) => Promise<unknown>,
): Promise<void> {
  const told: unknown[] = []
  for (const mode of modes) {
    await context.test(mode, async () => {
      const summaries: unknown[] = []
      await scenario(async (params) => {
        const { client, seen } = anthropicClient(gateway.url, gateway.key)
        const { message, requestId } = await send(client, { max_tokens: tokensMax, ...params, model: at.model }, mode)
        const last = lastOf(seen)
        assert.equal(requestId, last.headers.get('request-id'))
        const receipt = checkAnswered(gateway, last, { ...at, dialect: 'anthropic', stream: mode !== 'whole' })
        checkMessage(message, at.model, receipt)
        summaries.push(summary(message))
        return message
      })
      told.push(summaries)
    })
  }
  await context.test('all alike', () => {
    assert.equal(told.length, modes.length)
    for (const other of told.slice(1)) assert.deepEqual(other, told[0])
  })
}

async function send(client: Anthropic, params: Params, mode: (typeof modes)[number]) {
  switch (mode) {
    case 'whole': {
      const message = await client.messages.create(params)
      return { message, requestId: message._request_id }
    }
    case 'helper': {
      const stream = client.messages.stream(params)
      const message = await stream.finalMessage()
      return { message, requestId: stream.request_id }
    }
    case 'raw': {
      const { data, request_id } = await client.messages.create({ ...params, stream: true }).withResponse()
      return { message: await foldAnthropic(data), requestId: request_id }
    }
  }
}

function checkMessage(message: Anthropic.Message, model: string, receipt: StoredReceipt): void {
  assert.match(message.id, /^msg_/)
  assert.deepEqual([message.type, message.role, message.model], ['message', 'assistant', model])
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = message.usage
  const written = receipt.cache_write_5m + receipt.cache_write_1h
  assert.deepEqual(
    [input_tokens, cache_read_input_tokens ?? 0, cache_creation_input_tokens ?? 0, output_tokens],
    [receipt.input, receipt.cache_read, written, receipt.output],
    'the receipt holds the usage that was told',
  )
}

/** What must be the same in every way: ids differ, and so may opaque states. */
function summary({ content, stop_reason, stop_sequence, usage }: Anthropic.Message): unknown {
  return {
    content: content.map((block) => {
      if (block.type === 'tool_use') return { type: block.type, name: block.name, input: block.input }
      if (block.type === 'thinking') return { ...block, signature: block.signature !== '' }
      return block.type === 'text' ? { type: block.type, text: block.text } : { type: block.type }
    }),
    stop_reason,
    stop_sequence,
    input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
    output: usage.output_tokens,
  }
}

/** Asks whole and streamed for what the model cannot do: a 400 that names the field as the caller wrote it. */
export async function refusedInEveryAnthropicWay(
  context: TestContext,
  gateway: TestGateway,
  { model }: { model: string },
  asked: { params: Asked; field: RegExp },
): Promise<void> {
  const { client } = anthropicClient(gateway.url, gateway.key)
  const params = { max_tokens: tokensMax, ...asked.params, model }
  await context.test('whole', () => refusedByName(client.messages.create(params), asked.field))
  await context.test('streamed', () => refusedByName(client.messages.stream(params).finalMessage(), asked.field))
}

/** The SDK's error of a call that must fail with a 400 whose message names the field. */
export async function refusedByName(answer: Promise<unknown>, field: RegExp): Promise<void> {
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof Anthropic.BadRequestError, String(error))
    assert.deepEqual([error.status, error.type], [400, 'invalid_request_error'])
    assert.match(error.requestID ?? '', /^req_/)
    assert.match(error.message, field)
    return true
  })
}
