import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import OpenAI from 'openai'
import type { TestGateway } from '../support/gateway.ts'
import { checkAnswered, lastOf, recordingFetch, type StoredReceipt } from './calls.ts'
import { foldOpenai, type Completion } from './fold-openai.ts'

type Params = OpenAI.ChatCompletionCreateParamsNonStreaming

/** Asks one model in one of the SDK's ways and gives its answer, all of the answer's surroundings checked. */
export type AskOpenai = (params: Omit<Params, 'model'>) => Promise<Completion>

/** The ways of the SDK to get an answer: whole, by its streaming helper, and chunk by chunk, the last with usage. */
const modes = ['whole', 'helper', 'raw'] as const

/** An SDK client, and what it sees of the answers. `url` is the gateway's, without `/v1`. */
export function openaiClient(url: string, key: string) {
  const { fetch, seen } = recordingFetch()
  return { client: new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, fetch }), seen }
}

/**
 * Runs a scenario once in each way, as a subtest each, and then compares: what is streamed must be what comes whole,
 * usage included.
 */
export async function inEveryOpenaiWay(
  context: TestContext,
  gateway: TestGateway,
  at: { vendor: string; model: string },
  scenario: (ask: AskOpenai) => Promise<unknown>,
): Promise<void> {
  const told: unknown[] = []
  for (const mode of modes) {
    await context.test(mode, async () => {
      const summaries: unknown[] = []
      await scenario(async (params) => {
        const { client, seen } = openaiClient(gateway.url, gateway.key)
        const { completion, requestId } = await send(client, { ...params, model: at.model }, mode)
        const last = lastOf(seen)
        if (requestId !== undefined) assert.equal(requestId, last.headers.get('x-request-id'))
        const receipt = checkAnswered(gateway, last, { ...at, dialect: 'openai-chat', stream: mode !== 'whole' })
        checkCompletion(completion, at, receipt)
        summaries.push(summary(completion, receipt, params.messages))
        return completion
      })
      told.push(summaries)
    })
  }
  await context.test('all alike', () => {
    assert.equal(told.length, modes.length)
    for (const other of told.slice(1)) assert.deepEqual(other, told[0])
  })
}

async function send(client: OpenAI, params: Params, mode: (typeof modes)[number]) {
  switch (mode) {
    case 'whole': {
      const answer = await client.chat.completions.create(params)
      assert.equal(answer.object, 'chat.completion')
      return { completion: completionOf(answer), requestId: answer._request_id }
    }
    case 'helper': {
      const stream = client.chat.completions.stream({ ...params, stream: true })
      const completion = completionOf(await stream.finalChatCompletion())
      assert.equal(completion.usage, undefined, 'usage that was not asked for')
      return { completion, requestId: undefined }
    }
    case 'raw': {
      const wanted = { ...params, stream: true as const, stream_options: { include_usage: true } }
      const { data, request_id } = await client.chat.completions.create(wanted).withResponse()
      return { completion: await foldOpenai(data, true), requestId: request_id }
    }
  }
}

/** The SDK's own completion, as the scenarios look at it. */
export function completionOf({ id, model, created, choices, usage }: OpenAI.ChatCompletion): Completion {
  assert.equal(choices.length, 1)
  const [choice] = choices
  assert.ok(choice !== undefined)
  return {
    id,
    model,
    created,
    message: choice.message,
    finish: choice.finish_reason,
    usage: usage ?? undefined,
  }
}

function checkCompletion(completion: Completion, at: { vendor: string; model: string }, receipt: StoredReceipt): void {
  assert.match(completion.id, /^chatcmpl-/)
  assert.equal(completion.model, at.model)
  assert.equal(completion.message.role, 'assistant')
  assert.ok(Number.isInteger(completion.created) && completion.created > 1_600_000_000, 'a time')
  const { usage } = completion
  if (usage === undefined) return
  const read = receipt.cache_read + receipt.cache_write_5m + receipt.cache_write_1h
  assert.equal(usage.prompt_tokens, receipt.input + read, 'prompt tokens')
  // xAI's own format, which passes unchanged, counts reasoning beside the completion.
  const apart = at.vendor === 'xai' ? receipt.thinking : 0
  assert.equal(usage.completion_tokens, receipt.output - apart, 'completion tokens')
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens + apart, 'total tokens')
  assert.equal(usage.completion_tokens_details?.reasoning_tokens ?? 0, receipt.thinking, 'reasoning tokens')
}

/** What must be the same in every way. The tokens are the receipt's: the helper did not ask for usage. */
function summary({ message, finish }: Completion, receipt: StoredReceipt, messages: Params['messages']): unknown {
  const { content, refusal, tool_calls } = message
  // Of fields that are not OpenAI's own, the SDK's helper keeps the last delta only and sends that back.
  const shortened = messages.some((one) => 'reasoning_content' in one)
  return {
    content: content ?? '',
    refusal: refusal ?? '',
    calls: (tool_calls ?? []).map((call) => call.type === 'function' && [call.function.name, call.function.arguments]),
    finish,
    input: shortened ? undefined : receipt.input,
    output: receipt.output,
    thinking: receipt.thinking,
  }
}

/** Asks whole and streamed for what the model cannot do: a 400 that names the field as the caller wrote it. */
export async function refusedInEveryOpenaiWay(
  context: TestContext,
  gateway: TestGateway,
  { model }: { model: string },
  asked: { params: Omit<Params, 'model'>; field: RegExp },
): Promise<void> {
  const { completions } = openaiClient(gateway.url, gateway.key).client.chat
  const params = { ...asked.params, model }
  await context.test('whole', () => refusedByName(completions.create(params), asked.field))
  await context.test('streamed', () => refusedByName(completions.create({ ...params, stream: true }), asked.field))
}

/** The SDK's error of a call that must fail with a 400 whose message names the field. */
export async function refusedByName(answer: Promise<unknown>, field: RegExp): Promise<void> {
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError, String(error))
    assert.deepEqual([error.status, error.type], [400, 'invalid_request_error'])
    assert.match(error.requestID ?? '', /^req_/)
    assert.match(`${error.param ?? ''} ${error.message}`, field)
    return true
  })
}
