import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import type { TestGateway } from '../support/gateway.ts'
import type { Dialect } from './matrix.ts'

/** The ways of the SDKs to get an answer: whole, event by event, and by their streaming helper. */
export type Way = 'whole' | 'raw' | 'helper'

/** What a caller saw of one call. */
export interface Seen {
  /** What the SDK raised; undefined where it gave an answer. */
  raised: unknown
  /** The text up to there. */
  text: string
  /** Why the answer ended, once that has come: `end_turn`, `stop`, … */
  reason: string | undefined
  /** Below the SDK: the answer as HTTP had it. */
  status: number
  headers: Headers
  body: string
}

interface Question {
  dialect: Dialect
  model: string
  way: Way
  content: string
  headers: Record<string, string>
}

type Said = Pick<Seen, 'text' | 'reason'>

/** Makes one call with the official SDK of the dialect, which never retries. */
export async function ask(gateway: Pick<TestGateway, 'url' | 'key'>, question: Question): Promise<Seen> {
  const said: Said = { text: '', reason: undefined }
  const { fetch, last } = keptFetch()
  let raised: unknown
  try {
    await (question.dialect === 'anthropic' ? askAnthropic : askOpenai)(gateway, question, said, fetch)
  } catch (error) {
    raised = error
  }
  return { raised, ...said, ...(await last()) }
}

type Fetch = typeof fetch

async function askAnthropic(
  { url, key }: Pick<TestGateway, 'url' | 'key'>,
  question: Question,
  said: Said,
  fetch: Fetch,
): Promise<void> {
  const { messages } = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0, fetch })
  const { model, content, headers, way } = question
  const params = { model, max_tokens: 1000, messages: [{ role: 'user' as const, content }] }
  if (way === 'raw') {
    for await (const event of await messages.create({ ...params, stream: true }, { headers })) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') said.text += event.delta.text
      if (event.type === 'message_delta') said.reason = event.delta.stop_reason ?? undefined
    }
    return
  }
  const stream = way === 'helper' ? messages.stream(params, { headers }) : undefined
  stream?.on('text', (text) => (said.text += text))
  const message = await (stream?.finalMessage() ?? messages.create(params, { headers }))
  said.text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
  said.reason = message.stop_reason ?? undefined
}

async function askOpenai(
  { url, key }: Pick<TestGateway, 'url' | 'key'>,
  question: Question,
  said: Said,
  fetch: Fetch,
): Promise<void> {
  const { completions } = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, fetch }).chat
  const { model, content, headers, way } = question
  const params = { model, messages: [{ role: 'user' as const, content }] }
  if (way === 'raw') {
    for await (const { choices } of await completions.create({ ...params, stream: true }, { headers })) {
      said.text += choices[0]?.delta.content ?? ''
      said.reason = choices[0]?.finish_reason ?? said.reason
    }
    return
  }
  const stream = way === 'helper' ? completions.stream({ ...params, stream: true }, { headers }) : undefined
  stream?.on('content', (text) => (said.text += text))
  const completion = await (stream?.finalChatCompletion() ?? completions.create(params, { headers }))
  said.text = completion.choices[0]?.message.content ?? ''
  said.reason = completion.choices[0]?.finish_reason
}

/** A `fetch` for an SDK that keeps the answer, its body too. */
function keptFetch(): { fetch: Fetch; last: () => Promise<Pick<Seen, 'status' | 'headers' | 'body'>> } {
  let answer: { status: number; headers: Headers; body: Promise<string> } | undefined
  return {
    async fetch(input, init) {
      // Without its signal: an SDK that raises aborts, and the rest of the body would be lost to the test.
      const { signal: _, ...rest } = init ?? {}
      const response = await fetch(input, rest)
      const body = response.clone().text()
      body.catch(() => {})
      answer = { status: response.status, headers: response.headers, body }
      return response
    },
    async last() {
      if (answer === undefined) return { status: 0, headers: new Headers(), body: '' }
      return { ...answer, body: await answer.body.catch((error: unknown) => `broken: ${String(error)}`) }
    },
  }
}
