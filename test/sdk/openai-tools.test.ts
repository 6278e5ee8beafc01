import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { open, seal } from '../../src/core/opaque.ts'
import { startTestGateway } from '../support/gateway.ts'
import { inEveryOpenaiWay, refusedByName, refusedInEveryOpenaiWay, type AskOpenai } from './ask-openai.ts'
import type { ChatMessage } from './fold-openai.ts'
import { lines, png, tokensMax } from './matrix.ts'
import { answered, callsOf, clock, image, namedIn, textOf, user, weather } from './turns-openai.ts'

const gateway = await startTestGateway()
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})

for (const line of lines) {
  const { vendor, model, effort } = line
  const say = (name: string, scenario: (ask: AskOpenai) => Promise<unknown>): void => {
    test(name, (context) => inEveryOpenaiWay(context, gateway, line, scenario))
  }
  const refuse = (name: string, params: Parameters<AskOpenai>[0], field: RegExp): void => {
    test(name, (context) => refusedInEveryOpenaiWay(context, gateway, line, { params, field }))
  }

  describe(`the OpenAI SDK gives tools to ${vendor}'s ${model}`, { concurrency: 4 }, () => {
    const asked = [user('How is the weather?')]
    const tools = [weather]
    const both = [weather, clock]

    say('a tool is called and its result is read', async (ask) => {
      const called = await ask({ tools, messages: asked })
      assert.deepEqual(namedIn(called), [['weather', { city: 'city' }]])
      const answer = await ask({ tools, messages: [...asked, ...answered(called, '21 degrees')] })
      assert.deepEqual([textOf(answer), answer.finish], ['The tool weather says: 21 degrees', 'stop'])
    })

    say('two calls at once get their results in any order', async (ask) => {
      const messages = [user('Please use both tools.')]
      const called = await ask({ tools: both, messages })
      assert.deepEqual(namedIn(called), [
        ['weather', { city: 'city' }],
        ['clock', {}],
      ])
      const [assistant, ...results] = answered(called, '21 degrees', 'noon')
      const answer = await ask({ tools: both, messages: [...messages, assistant, ...results.toReversed()] })
      const said = textOf(answer).split('\n').toSorted()
      assert.deepEqual(said, ['The tool clock says: noon', 'The tool weather says: 21 degrees'])
    })

    say('two calls of the same tool keep their own results', async (ask) => {
      const messages = [user('Use the tool twice, in parallel.')]
      const called = await ask({ tools, messages })
      const answer = await ask({ tools, messages: [...messages, ...answered(called, 'first', 'second')] })
      assert.equal(textOf(answer), 'The tool weather says: first\nThe tool weather says: second')
    })

    say('a tool without arguments is called with none', async (ask) => {
      const messages = [user('What time is it?')]
      const called = await ask({ tools: [clock], messages })
      assert.deepEqual(namedIn(called), [['clock', {}]])
      const answer = await ask({ tools: [clock], messages: [...messages, ...answered(called, 'noon')] })
      assert.equal(textOf(answer), 'The tool clock says: noon')
    })

    say('tool_choice names, demands and forbids', async (ask) => {
      const messages = [user('Hello')]
      const named = await ask({ tools: both, messages, tool_choice: { type: 'function', function: { name: 'clock' } } })
      assert.deepEqual(namedIn(named), [['clock', {}]])
      const any = await ask({ tools: both, messages, tool_choice: 'required' })
      assert.deepEqual(namedIn(any), [['weather', { city: 'city' }]])
      const none = await ask({ tools: both, messages, tool_choice: 'none' })
      assert.equal(none.finish, 'stop')
      assert.match(textOf(none), /You said: "Hello"/)
    })

    const single = { tools: both, parallel_tool_calls: false, messages: [user('Please use both tools.')] }
    if (vendor === 'google') refuse('one call at a time is refused by name', single, /parallel_tool_calls/)
    else say('one call at a time', async (ask) => assert.equal(callsOf(await ask(single)).length, 1))

    say('an image beside a tool result', async (ask) => {
      const called = await ask({ tools, messages: asked })
      const answer = await ask({ tools, messages: [...asked, ...answered(called, 'a map'), user([image])] })
      assert.match(textOf(answer), /The tool weather says: a map/)
      assert.match(textOf(answer), png.said)
    })

    if (effort === undefined) {
      const params = { reasoning_effort: 'high' as const, messages: [user('Hello')] }
      refuse('thinking is refused by name', params, /reasoning_effort/)
      return
    }
    const thinking = { reasoning_effort: effort, max_completion_tokens: tokensMax }

    say('a thought is counted, and a conversation goes on after it', async (ask) => {
      const messages = [user('Think of three words')]
      const first = await ask({ ...thinking, messages })
      if (first.usage !== undefined) assert.ok((first.usage.completion_tokens_details?.reasoning_tokens ?? 0) > 0)
      const next = await ask({ ...thinking, messages: [...messages, first.message, user('Go on')] })
      assert.match(textOf(next), /You said: "Go on" \(with 3 turns\)/)
    })

    say('a thought goes back with the tool result that follows it', async (ask) => {
      const called = await ask({ ...thinking, tools, messages: asked })
      assert.ok(carriesThought(called.message), JSON.stringify(called.message))
      const answer = await ask({ ...thinking, tools, messages: [...asked, ...answered(called, '21 degrees')] })
      assert.equal(textOf(answer), 'The tool weather says: 21 degrees')
    })

    // DeepSeek verifies nothing, and xAI's chat format, which passes unchanged, takes no state back.
    if (vendor === 'deepseek' || vendor === 'xai') return
    say('a state that the vendor did not make reaches it and is refused', async (ask) => {
      const called = await ask({ ...thinking, tools, messages: asked })
      const forged = { ...called, message: forge(called.message) }
      assert.notDeepEqual(forged.message, called.message)
      const messages = [...asked, ...answered(forged, '21 degrees')]
      await refusedByName(ask({ ...thinking, tools, messages }), /signature|encrypted|thought/i)
    })
  })
}

/** Whatever of its thinking the message takes back to the model. */
function carriesThought(message: ChatMessage): boolean {
  const details = message.reasoning_details ?? []
  return details.length > 0 || (message.reasoning_content ?? '') !== '' || JSON.stringify(message).includes('signature')
}

/** The message with another state inside, as if a client had mixed up its conversations. */
function forge(message: ChatMessage): ChatMessage {
  const data = Buffer.from('forged').toString('base64')
  return JSON.parse(JSON.stringify(message), (key, value: unknown) => {
    if (typeof value !== 'string') return value
    if (key === 'thought_signature') return data
    return key === 'signature' || key === 'data' ? seal({ ...open(value, 'openai'), data }, 'openai') : value
  }) as ChatMessage
}
