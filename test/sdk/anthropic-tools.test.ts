import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type Anthropic from '@anthropic-ai/sdk'
import { open, seal } from '../../src/core/opaque.ts'
import { startTestGateway } from '../support/gateway.ts'
import { inEveryAnthropicWay, refusedByName, refusedInEveryAnthropicWay, type AskAnthropic } from './ask-anthropic.ts'
import { lines, png } from './matrix.ts'
import { answered, callsOf, clock, image, namesOf, textOf, user, weather } from './turns-anthropic.ts'

const gateway = await startTestGateway()
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})

for (const line of lines) {
  const { vendor, model, thinking } = line
  const say = (name: string, scenario: (ask: AskAnthropic) => Promise<unknown>): void => {
    test(name, (context) => inEveryAnthropicWay(context, gateway, line, scenario))
  }
  const refuse = (name: string, params: Parameters<AskAnthropic>[0], field: RegExp): void => {
    test(name, (context) => refusedInEveryAnthropicWay(context, gateway, line, { params, field }))
  }

  describe(`the Anthropic SDK gives tools to ${vendor}'s ${model}`, { concurrency: 4 }, () => {
    const asked = [user('How is the weather?')]
    const tools = [weather]
    const both = [weather, clock]

    say('a tool is called and its result is read', async (ask) => {
      const called = await ask({ tools, messages: asked })
      assert.deepEqual(
        callsOf(called).map(({ name, input }) => [name, input]),
        [['weather', { city: 'city' }]],
      )
      const answer = await ask({ tools, messages: [...asked, ...answered(called, { content: '21 degrees' })] })
      assert.equal(answer.stop_reason, 'end_turn')
      assert.equal(textOf(answer), 'The tool weather says: 21 degrees')
    })

    say('two calls at once get their results in any order', async (ask) => {
      const messages = [user('Please use both tools.')]
      const called = await ask({ tools: both, messages })
      assert.deepEqual(
        callsOf(called).map(({ name, input }) => [name, input]),
        [
          ['weather', { city: 'city' }],
          ['clock', {}],
        ],
      )
      const [assistant, { content }] = answered(called, { content: '21 degrees' }, { content: 'noon' })
      const answer = await ask({ tools: both, messages: [...messages, assistant, user(content.toReversed())] })
      const said = textOf(answer).split('\n').toSorted()
      assert.deepEqual(said, ['The tool clock says: noon', 'The tool weather says: 21 degrees'])
    })

    say('two calls of the same tool keep their own results', async (ask) => {
      const messages = [user('Use the tool twice, in parallel.')]
      const called = await ask({ tools, messages })
      const results = answered(called, { content: 'first' }, { content: 'second' })
      const answer = await ask({ tools, messages: [...messages, ...results] })
      assert.equal(textOf(answer), 'The tool weather says: first\nThe tool weather says: second')
    })

    say('a tool without arguments is called with none', async (ask) => {
      const messages = [user('What time is it?')]
      const called = await ask({ tools: [clock], messages })
      assert.deepEqual(callsOf(called)[0]?.input, {})
      const answer = await ask({ tools: [clock], messages: [...messages, ...answered(called, { content: 'noon' })] })
      assert.equal(textOf(answer), 'The tool clock says: noon')
    })

    say('tool_choice names, demands and forbids', async (ask) => {
      const messages = [user('Hello')]
      const named = await ask({ tools: both, messages, tool_choice: { type: 'tool', name: 'clock' } })
      assert.deepEqual(namesOf(named), ['clock'])
      const any = await ask({ tools: both, messages, tool_choice: { type: 'any' } })
      assert.deepEqual(namesOf(any), ['weather'])
      const none = await ask({ tools: both, messages, tool_choice: { type: 'none' } })
      assert.equal(none.stop_reason, 'end_turn')
      assert.match(textOf(none), /You said: "Hello"/)
    })

    const single = {
      tools: both,
      tool_choice: { type: 'auto', disable_parallel_tool_use: true } as const,
      messages: [user('Please use both tools.')],
    }
    if (vendor === 'google') {
      refuse('one call at a time is refused by name', single, /tool_choice\.disable_parallel_tool_use/)
    } else say('one call at a time', async (ask) => assert.deepEqual(namesOf(await ask(single)), ['weather']))

    say('a tool that failed is told as failed', async (ask) => {
      const called = await ask({ tools, messages: asked })
      const results = answered(called, { content: 'no such city', is_error: true })
      const answer = await ask({ tools, messages: [...asked, ...results] })
      // OpenAI's formats, which DeepSeek and xAI speak too, have no field for it.
      const words = vendor === 'anthropic' || vendor === 'google' ? 'reported an error:' : 'says: Error:'
      assert.equal(textOf(answer), `The tool weather ${words} no such city`)
    })

    say('a tool result with an image', async (ask) => {
      const called = await ask({ tools, messages: asked })
      const results = answered(called, { content: [{ type: 'text', text: 'a map' }, image] })
      const said = textOf(await ask({ tools, messages: [...asked, ...results] }))
      assert.match(said, /The tool weather says: a map/)
      assert.match(said, png.said)
    })

    if (thinking === undefined) {
      const params = { thinking: { type: 'enabled' as const, budget_tokens: 2048 }, messages: [user('Hello')] }
      refuse('thinking is refused by name', params, /thinking/)
      return
    }

    say('a thought is shown and signed', async (ask) => {
      const messages = [user('Think of three words')]
      const message = await ask({ thinking, messages })
      assert.ok(message.content.some(isSigned), 'a signature')
      // Google signs the end of an answer: a state on its own.
      const [thought, ...rest] = message.content.filter((block) => block.type !== 'thinking' || block.thinking !== '')
      assert.ok(thought?.type === 'thinking', `begins with a thought: ${JSON.stringify(message.content)}`)
      assert.match(thought.thinking, /The last message has 4 words/)
      assert.ok(rest.length === 1 && rest[0]?.type === 'text', JSON.stringify(rest))
      const back: Anthropic.MessageParam = { role: 'assistant', content: message.content }
      const next = await ask({ thinking, messages: [...messages, back, user('Go on')] })
      assert.match(textOf(next), /You said: "Go on" \(with 3 turns\)/)
    })

    say('a thought goes back with the tool result that follows it', async (ask) => {
      const called = await ask({ thinking, tools, messages: asked })
      assert.ok(called.content.some(isSigned), 'a thought')
      const results = answered(called, { content: '21 degrees' })
      const answer = await ask({ thinking, tools, messages: [...asked, ...results] })
      assert.equal(textOf(answer), 'The tool weather says: 21 degrees')
    })

    // DeepSeek verifies nothing.
    if (vendor === 'deepseek') return
    say('a state that the vendor did not make reaches it and is refused', async (ask) => {
      const called = await ask({ thinking, tools, messages: asked })
      const forged = { ...called, content: called.content.map((block) => forge(block)) }
      assert.notDeepEqual(forged.content, called.content)
      const results = answered(forged, { content: '21 degrees' })
      await refusedByName(ask({ thinking, tools, messages: [...asked, ...results] }), /signature|encrypted|thought/i)
    })
  })
}

function isSigned(block: Anthropic.ContentBlock): boolean {
  return block.type === 'thinking' && block.signature !== ''
}

/** The block with another state inside, as if a client had mixed up its conversations. */
function forge(block: Anthropic.ContentBlock): Anthropic.ContentBlock {
  if (block.type !== 'thinking') return block
  const state = open(block.signature, 'anthropic')
  return { ...block, signature: seal({ ...state, data: Buffer.from('forged').toString('base64') }, 'anthropic') }
}
