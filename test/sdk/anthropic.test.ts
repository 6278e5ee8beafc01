import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type Anthropic from '@anthropic-ai/sdk'
import { startTestGateway } from '../support/gateway.ts'
import { inEveryAnthropicWay, refusedInEveryAnthropicWay, type AskAnthropic } from './ask-anthropic.ts'
import { imageUrl, lines, pdf, png, reportSchema, text } from './matrix.ts'
import { document, image, textOf, user } from './turns-anthropic.ts'

const gateway = await startTestGateway()
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})

const report = { format: { type: 'json_schema' as const, schema: reportSchema } }

for (const line of lines) {
  const { vendor, model } = line
  const say = (name: string, scenario: (ask: AskAnthropic) => Promise<unknown>): void => {
    test(name, (context) => inEveryAnthropicWay(context, gateway, line, scenario))
  }
  const refuse = (name: string, params: Parameters<AskAnthropic>[0], field: RegExp): void => {
    test(name, (context) => refusedInEveryAnthropicWay(context, gateway, line, { params, field }))
  }

  describe(`the Anthropic SDK asks ${vendor} for ${model}`, { concurrency: 4 }, () => {
    say('text of every kind arrives and comes back', async (ask) => {
      const message = await ask({ system: 'Answer briefly.', messages: [user(text)] })
      assert.equal(message.stop_reason, 'end_turn')
      const said = textOf(message)
      assert.ok(said.startsWith(`You said: "${text}"`), said)
      assert.match(said, /a system prompt of 15 characters/)
      assert.ok(said.includes(`This is the sandbox's ${model}.`), said)
    })

    say('a long conversation keeps its turns', async (ask) => {
      const messages: Anthropic.MessageParam[] = [user('One'), { role: 'assistant', content: 'Two' }, user('Three')]
      assert.match(textOf(await ask({ messages })), /You said: "Three" \(with 3 turns\)/)
    })

    say('an answer longer than max_tokens ends there', async (ask) => {
      const message = await ask({ max_tokens: 50, messages: [user('[sandbox: 500 words]')] })
      assert.deepEqual([message.stop_reason, message.usage.output_tokens], ['max_tokens', 50])
    })

    const stops = { stop_sequences: ['four'], messages: [user('[sandbox: 20 words]')] }
    if (line.stops) {
      say('a stop sequence ends the answer', async (ask) => {
        const message = await ask(stops)
        assert.equal(textOf(message), 'one two three ')
        // OpenAI's format, which DeepSeek speaks too, and Google's do not tell a stop from an end.
        const told = vendor === 'anthropic' ? ['stop_sequence', 'four'] : ['end_turn', null]
        assert.deepEqual([message.stop_reason, message.stop_sequence], told)
      })
    } else refuse('a stop sequence is refused by name', stops, /stop_sequences/)

    say('a marked prefix is cached where there is such a thing, and harms nowhere', async (ask) => {
      const system = [
        { type: 'text' as const, text: `Answer ${model} briefly.`, cache_control: { type: 'ephemeral' as const } },
      ]
      const first = await ask({ system, messages: [user('Hello')] })
      const second = await ask({ system, messages: [user('Hello')] })
      assert.equal(textOf(second), textOf(first))
      if (vendor === 'anthropic') assert.ok((second.usage.cache_read_input_tokens ?? 0) > 0, 'read from the cache')
    })

    say('images by value and by URL', async (ask) => {
      const look = { type: 'text' as const, text: 'Look' }
      const byValue = textOf(await ask({ messages: [user([look, image])] }))
      assert.match(byValue, /You said: "Look"/)
      assert.match(byValue, png.said)
      const url: Anthropic.ImageBlockParam = { type: 'image', source: { type: 'url', url: imageUrl } }
      const byUrl = textOf(await ask({ messages: [user([look, url])] }))
      assert.ok(byUrl.includes(`an image at ${imageUrl}`), byUrl)
    })

    const read = { messages: [user([{ type: 'text', text: 'Read' }, document])] }
    if (line.pdf) say('a PDF is read', async (ask) => assert.match(textOf(await ask(read)), pdf.said))
    else refuse('a PDF is refused by name', read, /messages\.0\.content\.1/)

    const reported = { output_config: report, messages: [user('Report')] }
    if (line.schema) {
      say('an answer fits its schema', async (ask) => {
        const message = await ask(reported)
        assert.equal(message.stop_reason, 'end_turn')
        assert.deepEqual(JSON.parse(textOf(message)), { city: 'city', degrees: 1.5 })
      })
    } else refuse('a schema is refused by name', reported, /output_config\.format/)
  })
}
