import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type Anthropic from '@anthropic-ai/sdk'
import type OpenAI from 'openai'
import { startTestGateway } from '../support/gateway.ts'
import { anthropicClient } from './ask-anthropic.ts'
import { completionOf, openaiClient } from './ask-openai.ts'
import { foldAnthropic } from './fold-anthropic.ts'
import { foldOpenai, type Completion } from './fold-openai.ts'
import { thinkers, tokensMax, type Line } from './matrix.ts'
import * as anthropicTurns from './turns-anthropic.ts'
import * as openaiTurns from './turns-openai.ts'

const gateway = await startTestGateway()
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})
const { client: anthropic } = anthropicClient(gateway.url, gateway.key)
const { completions } = openaiClient(gateway.url, gateway.key).client.chat

type Way = 'whole' | 'helper' | 'raw'
const ways: readonly Way[] = ['whole', 'helper', 'raw']
const pairs = thinkers.flatMap((from) => thinkers.flatMap((to) => (from.vendor === to.vendor ? [] : [{ from, to }])))

/** A conversation as its caller keeps it: whatever the SDK gave goes back as it is. */
interface Conversation {
  say(text: string): void
  /** The model calls its tool, and the result is added. */
  call(line: Line): Promise<void>
  /** The model answers; its text. */
  answer(line: Line): Promise<string>
}

/** Each vendor begins a tool loop that the other one ends, each with its own and the other's thinking in the history. */
async function changeVendors(conversation: Conversation, from: Line, to: Line): Promise<void> {
  const said = 'The tool weather says: 21 degrees'
  conversation.say('How is the weather?')
  await conversation.call(from)
  assert.equal(await conversation.answer(to), said)
  conversation.say('And now?')
  await conversation.call(to)
  assert.equal(await conversation.answer(from), said)
  conversation.say('And later?')
  await conversation.call(from)
  assert.equal(await conversation.answer(from), said)
}

describe('a conversation that changes vendor in the middle of a tool loop', { concurrency: 4 }, () => {
  for (const { from, to } of pairs) {
    for (const way of ways) {
      test(`Anthropic's SDK: ${from.model} to ${to.model} and back, ${way}`, async () => {
        await changeVendors(anthropicConversation(way), from, to)
      })
      test(`OpenAI's SDK: ${from.model} to ${to.model} and back, ${way}`, async () => {
        await changeVendors(openaiConversation(way), from, to)
      })
    }
  }
})

function anthropicConversation(way: Way): Conversation {
  const { answered, textOf, user, weather } = anthropicTurns
  const messages: Anthropic.MessageParam[] = []
  const ask = async ({ model, thinking }: Line): Promise<Anthropic.Message> => {
    assert.ok(thinking !== undefined)
    const params = { model, thinking, max_tokens: tokensMax, tools: [weather], messages }
    if (way === 'whole') return anthropic.messages.create(params)
    if (way === 'helper') return anthropic.messages.stream(params).finalMessage()
    return foldAnthropic(await anthropic.messages.create({ ...params, stream: true }))
  }
  return {
    say: (text) => void messages.push(user(text)),
    async call(line) {
      messages.push(...answered(await ask(line), { content: '21 degrees' }))
    },
    async answer(line) {
      const message = await ask(line)
      messages.push({ role: 'assistant', content: message.content })
      return textOf(message)
    },
  }
}

function openaiConversation(way: Way): Conversation {
  const { answered, textOf, user, weather } = openaiTurns
  const messages: OpenAI.ChatCompletionMessageParam[] = []
  const ask = async ({ model, effort }: Line): Promise<Completion> => {
    assert.ok(effort !== undefined)
    const params = { model, reasoning_effort: effort, max_completion_tokens: tokensMax, tools: [weather], messages }
    if (way === 'whole') return completionOf(await completions.create(params))
    if (way === 'helper') {
      return completionOf(await completions.stream({ ...params, stream: true }).finalChatCompletion())
    }
    return foldOpenai(await completions.create({ ...params, stream: true }), false)
  }
  return {
    say: (text) => void messages.push(user(text)),
    async call(line) {
      messages.push(...answered(await ask(line), '21 degrees'))
    },
    async answer(line) {
      const completion = await ask(line)
      messages.push(completion.message)
      return textOf(completion)
    },
  }
}
