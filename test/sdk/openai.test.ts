import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type OpenAI from 'openai'
import { startTestGateway } from '../support/gateway.ts'
import { inEveryOpenaiWay, refusedInEveryOpenaiWay, type AskOpenai } from './ask-openai.ts'
import { imageUrl, lines, pdf, png, reportSchema, text } from './matrix.ts'
import { document, image, textOf, user } from './turns-openai.ts'

const gateway = await startTestGateway()
after(async () => {
  await gateway.close()
  assert.deepEqual(gateway.faults, [])
})

const report = { type: 'json_schema' as const, json_schema: { name: 'report', schema: reportSchema, strict: true } }

for (const line of lines) {
  const { vendor, model } = line
  const say = (name: string, scenario: (ask: AskOpenai) => Promise<unknown>): void => {
    test(name, (context) => inEveryOpenaiWay(context, gateway, line, scenario))
  }
  const refuse = (name: string, params: Parameters<AskOpenai>[0], field: RegExp): void => {
    test(name, (context) => refusedInEveryOpenaiWay(context, gateway, line, { params, field }))
  }

  describe(`the OpenAI SDK asks ${vendor} for ${model}`, { concurrency: 4 }, () => {
    for (const role of ['system', 'developer'] as const) {
      say(`text of every kind arrives and comes back, with a ${role} message`, async (ask) => {
        const answer = await ask({ messages: [{ role, content: 'Answer briefly.' }, user(text)] })
        assert.equal(answer.finish, 'stop')
        const said = textOf(answer)
        assert.ok(said.startsWith(`You said: "${text}"`), said)
        assert.match(said, /a system prompt of 15 characters/)
        assert.ok(said.includes(`This is the sandbox's ${model}.`), said)
      })
    }

    say('a long conversation keeps its turns', async (ask) => {
      const messages: OpenAI.ChatCompletionMessageParam[] = [
        user('One'),
        { role: 'assistant', content: 'Two' },
        user('Three'),
      ]
      assert.match(textOf(await ask({ messages })), /You said: "Three" \(with 3 turns\)/)
    })

    say('an answer longer than its limit ends there', async (ask) => {
      const answer = await ask({ max_completion_tokens: 50, messages: [user('[sandbox: 500 words]')] })
      assert.equal(answer.finish, 'length')
    })

    const stops = { stop: ['four'], messages: [user('[sandbox: 20 words]')] }
    if (line.stops) {
      say('a stop text ends the answer', async (ask) => {
        const answer = await ask(stops)
        assert.deepEqual([textOf(answer), answer.finish], ['one two three ', 'stop'])
      })
    } else refuse('a stop text is refused by name', stops, /stop/)

    const warm = { temperature: 0.5, messages: [user('Hello')] }
    if (line.samples) {
      say('a temperature is taken', async (ask) => assert.match(textOf(await ask(warm)), /You said: "Hello"/))
    } else refuse('a temperature is refused by name', warm, /temperature/)

    say('images by value and by URL', async (ask) => {
      const look = { type: 'text' as const, text: 'Look' }
      const byValue = textOf(await ask({ messages: [user([look, image])] }))
      assert.match(byValue, /You said: "Look"/)
      assert.match(byValue, png.said)
      const url = { type: 'image_url' as const, image_url: { url: imageUrl } }
      const byUrl = textOf(await ask({ messages: [user([look, url])] }))
      assert.ok(byUrl.includes(`an image at ${imageUrl}`), byUrl)
    })

    const read = { messages: [user([{ type: 'text', text: 'Read' }, document])] }
    if (line.pdf) say('a PDF is read', async (ask) => assert.match(textOf(await ask(read)), pdf.said))
    else refuse('a PDF is refused by name', read, /messages(\.0|\[0\])\.content(\.1|\[1\])/)

    const reported = { response_format: report, messages: [user('Report')] }
    if (line.schema) {
      say('an answer fits its schema, and a conversation goes on after it', async (ask) => {
        const answer = await ask(reported)
        assert.equal(answer.finish, 'stop')
        assert.deepEqual(JSON.parse(textOf(answer)), { city: 'city', degrees: 1.5 })
        // The helper's message has what it parsed beside the text, and applications send it back so.
        const next = await ask({ messages: [user('Report'), answer.message, user('Go on')] })
        assert.match(textOf(next), /You said: "Go on" \(with 3 turns\)/)
      })
    } else refuse('a schema is refused by name', reported, /response_format/)

    test('the bytes of a stream end with [DONE], name no event, and tell usage only where it was asked for', async () => {
      for (const asked of [undefined, { include_usage: false }, { include_usage: true }]) {
        const response = await fetch(`${gateway.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model, stream: true, stream_options: asked, messages: [user('Hello')] }),
        })
        const body = await response.text()
        assert.ok(body.endsWith('data: [DONE]\n\n'), body.slice(-200))
        assert.doesNotMatch(body, /^(event|id|retry):/m)
        assert.equal(body.includes('"total_tokens"'), asked?.include_usage === true)
        assert.equal(body.includes('"choices":[]'), asked?.include_usage === true)
      }
    })
  })
}
