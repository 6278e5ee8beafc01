import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ReplyEvent } from '../core/event.ts'
import type { OpaqueState, Part, Prompt, Tool, Turn } from '../core/prompt.ts'
import { persona, type Voice } from './persona.ts'
import { countPrompt, tokensOf } from './tokens.ts'

const weather: Tool = {
  name: 'weather',
  schema: { type: 'object', properties: { city: { type: 'string' } } },
  path: 'tools.0',
}
const clock: Tool = { name: 'clock', schema: { type: 'object' }, path: 'tools.1' }
const call: Part = { type: 'tool-call', id: 'call_1', name: 'weather', arguments: '{}', path: '' }
const image: Part = { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' }, path: '' }

suite('the persona', () => {
  const echoes: { name: string; turns: Turn[]; text: string; fields?: Partial<Prompt> }[] = [
    {
      name: 'says what was said, and who it is',
      turns: [user(text('Hello'))],
      text: 'You said: "Hello"\nThis is the sandbox\'s model-1.',
    },
    {
      name: 'notes images, turns and the system prompt',
      turns: [user(text('Hi')), { role: 'assistant', parts: [text('Yes?')], path: '' }, user(text('Look'), image)],
      fields: { system: [{ type: 'text', text: 'Be kind.', path: 'system' }] },
      text: 'You said: "Look" (with an image of type image/png and 3 bytes, 3 turns, a system prompt of 8 characters)\nThis is the sandbox\'s model-1.',
    },
    {
      name: 'gives as many words as it is asked for',
      turns: [user(text('[sandbox: 12 words]'))],
      text: 'one two three four five six seven eight nine ten one two',
    },
    {
      name: 'quotes the results of tools, failures as such, images counted',
      turns: [
        user(text('Weather?')),
        { role: 'assistant', parts: [call], path: '' },
        user(
          { type: 'tool-result', callId: 'call_1', parts: [text('Rain')], failed: false, path: '' },
          { type: 'tool-result', callId: 'call_2', parts: [text('No')], failed: true, path: '' },
          image,
        ),
      ],
      fields: { tools: [weather] },
      text: 'The tool weather says: Rain\nThe tool call_2 reported an error: No (with an image of type image/png and 3 bytes)',
    },
    {
      name: 'fits a schema',
      turns: [user(text('Hi'))],
      fields: { format: { type: 'json-schema', name: 'x', schema: weather.schema } },
      text: '{"city":"city"}',
    },
    {
      name: 'echoes as JSON',
      turns: [user(text('Hi'))],
      fields: { format: { type: 'json' } },
      text: '{"echo":"Hi"}',
    },
    {
      name: 'does not call tools that it may not call',
      turns: [user(text('Hi'))],
      fields: { tools: [weather], toolChoice: { type: 'none' } },
      text: 'You said: "Hi"\nThis is the sandbox\'s model-1.',
    },
  ]
  for (const { name, turns, fields, text: expected } of echoes) {
    test(name, () => {
      const events = persona(prompt(turns, fields), voice())
      assert.equal(textOf(events), expected)
      assert.deepEqual(events.at(-1), { type: 'end', reason: 'end' })
    })
  }

  const calls: { name: string; said: string; fields: Partial<Prompt>; names: string[] }[] = [
    { name: 'calls the first tool', said: 'Hi', fields: {}, names: ['weather'] },
    {
      name: 'calls the tool chosen',
      said: 'Hi',
      fields: { toolChoice: { type: 'tool', name: 'clock' } },
      names: ['clock'],
    },
    { name: 'calls every tool in parallel', said: 'Use both tools', fields: {}, names: ['weather', 'clock'] },
    { name: 'calls one tool twice', said: 'in parallel', fields: { tools: [clock] }, names: ['clock', 'clock'] },
    {
      name: 'calls one where only one is allowed',
      said: 'in parallel',
      fields: { toolsParallel: false },
      names: ['weather'],
    },
  ]
  for (const { name, said, fields, names } of calls) {
    test(name, () => {
      const events = persona(prompt([user(text(said))], { tools: [weather, clock], ...fields }), voice())
      const started = events.flatMap((event) => (event.type === 'tool-start' ? [event.name] : []))
      assert.deepEqual(started, names)
      assert.deepEqual(events.at(-1), { type: 'end', reason: 'tool' })
    })
  }

  test('arguments come in pieces that are JSON together', () => {
    const long: Tool = {
      ...weather,
      schema: { type: 'object', properties: { place_name: { enum: ['🦊'.repeat(30)] } } },
    }
    const events = persona(prompt([user(text('Hi'))], { tools: [long] }), voice())
    const pieces = events.flatMap((event) => (event.type === 'tool-delta' ? [event.json] : []))
    assert.ok(pieces.length > 2)
    assert.ok(pieces.every((piece) => piece.isWellFormed()))
    assert.deepEqual(JSON.parse(pieces.join('')), { place_name: '🦊'.repeat(30) })
  })

  test('a limit cuts the text and is used up', () => {
    const events = persona(prompt([user(text('[sandbox: 100 words]'))], { tokensMax: 5 }), voice())
    assert.equal(tokensOf(textOf(events)), 5)
    assert.equal(outputOf(events), 5)
    assert.deepEqual(events.at(-1), { type: 'end', reason: 'length' })
  })

  test('a limit never cuts a character', () => {
    const events = persona(prompt([user(text('🦊🦊🦊🦊🦊🦊🦊🦊'))], { tokensMax: 4 }), voice())
    assert.equal(textOf(events), 'You said: "🦊')
  })

  test('a stop ends the text before it', () => {
    const events = persona(prompt([user(text('Hi'))], { stops: ['sandbox', 'is the'] }), voice())
    assert.equal(textOf(events), 'You said: "Hi"\nThis ')
    assert.deepEqual(events.at(-1), { type: 'end', reason: 'stop', stop: 'is the' })
  })

  test('thinking comes before the answer, is signed, and counts', () => {
    const events = persona(prompt([user(text('Hi'))]), { ...voice(), thinking: 'shown', sign })
    const thought = events.flatMap((event) => (event.type === 'thinking' ? [event.text] : [])).join('')
    assert.equal(thought, 'The last message has 1 word. I will say what arrived.')
    assert.ok(events.some((event) => event.type === 'thinking-end' && event.state?.data === `signed ${thought.length}`))
    assert.equal(outputOf(events), tokensOf(thought) + tokensOf(textOf(events)))
  })

  test('sealed thinking shows its state alone, counted thinking nothing', () => {
    const sealed = persona(prompt([user(text('Hi'))]), { ...voice(), thinking: 'sealed', sign })
    assert.deepEqual(sealed.map((event) => event.type).slice(0, 4), ['start', 'usage', 'thinking-end', 'text'])
    const counted = persona(prompt([user(text('Hi'))]), { ...voice(), thinking: 'counted' })
    assert.ok(!counted.some((event) => event.type.startsWith('thinking')))
    assert.equal(outputOf(counted), outputOf(sealed))
  })

  test('where calls are signed, the first one is', () => {
    const signing: Voice = { ...voice(), thinking: 'counted', sign, signsCalls: true }
    const events = persona(prompt([user(text('parallel'))], { tools: [weather, clock] }), signing)
    const states = events.flatMap((event) => (event.type === 'tool-start' ? [event.state] : []))
    assert.deepEqual(states, [sign('weather'), undefined])
  })

  test('an equal prompt gets an equal answer', () => {
    const asked = prompt([user(text('Hi'), image)], { tools: [weather] })
    assert.deepEqual(persona(asked, voice()), persona(asked, voice()))
    assert.equal(countPrompt(asked), countPrompt(structuredClone(asked)))
  })
})

function sign(thought: string): OpaqueState {
  return { vendor: 'google', data: `signed ${thought.length}` }
}

function text(content: string): Part & { type: 'text' } {
  return { type: 'text', text: content, path: '' }
}

function user(...parts: Part[]): Turn {
  return { role: 'user', parts, path: '' }
}

function prompt(turns: Turn[], fields: Partial<Prompt> = {}): Prompt {
  return {
    model: 'model-1',
    stream: false,
    system: [],
    turns,
    tools: [],
    stops: [],
    sampling: {},
    extras: [],
    ...fields,
  }
}

function voice(): Voice {
  return { callId: 'call_', thinking: 'none', input: { input: 1, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 } }
}

function textOf(events: readonly ReplyEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('')
}

function outputOf(events: readonly ReplyEvent[]): number {
  const last = events.findLast((event) => event.type === 'usage')
  return last?.usage.output ?? 0
}
