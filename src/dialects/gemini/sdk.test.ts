import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ApiError, type GenerateContentResponse, GoogleGenAI } from '@google/genai'
import type { Head, ReplyContext } from '../../core/dialect.ts'
import { noUsage, type ReplyEvent } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Prompt } from '../../core/prompt.ts'
import { gemini } from './index.ts'

// Google's own client reads what the writers write, and what it sends is read as it was meant.

const context: ReplyContext = { id: 'r1', model: 'gemini-x', createdMs: 0, request: {}, streamUsage: true }

const answer: ReplyEvent[] = [
  { type: 'start', model: 'gemini-y' },
  { type: 'thinking', text: 'Let me see.' },
  { type: 'thinking-end' },
  { type: 'text', text: 'Hello ' },
  { type: 'ping' },
  { type: 'text', text: 'there.' },
  { type: 'tool-start', id: 'c1', name: 'look', state: { vendor: 'google', data: 'U0lH' } },
  { type: 'tool-delta', json: '{"at":"sky"}' },
  { type: 'tool-end' },
  { type: 'usage', usage: { ...noUsage, input: 5, output: 7, thinking: 2 } },
  { type: 'end', reason: 'tool' },
]

interface Asked {
  head: Head
  json: JsonObject
  prompt: Prompt
}

/** Runs `use` with a client whose server answers with `listen`. */
async function withClient(listen: RequestListener, use: (client: GoogleGenAI) => Promise<void>): Promise<void> {
  const server = createServer(listen)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    await use(new GoogleGenAI({ apiKey: 'key', httpOptions: { baseUrl: `http://127.0.0.1:${port}` } }))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Answers every call with `answer`, whole or streamed, and notes what was asked. */
function answering(asked: Asked[]): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const json = JSON.parse(Buffer.concat(chunks).toString()) as JsonObject
      const head = gemini.request.head(json, request.url ?? '')
      asked.push({ head, json, prompt: gemini.request.read(json, head) })
      if (!head.stream) {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(gemini.reply.fold(answer, context)))
        return
      }
      response.setHeader('content-type', 'text/event-stream')
      const writer = gemini.stream.writer(context)
      for (const event of answer) response.write(writer.write(event))
      response.end()
    })
  }
}

test('reads a whole reply', async () => {
  await withClient(answering([]), async (client) => {
    const reply = await client.models.generateContent({ model: 'gemini-x', contents: 'Hi' })
    assert.equal(reply.text, 'Hello there.')
    assert.deepEqual(reply.functionCalls, [{ id: 'c1', name: 'look', args: { at: 'sky' } }])
    assert.equal(reply.candidates?.[0]?.finishReason, 'STOP')
    assert.equal(reply.usageMetadata?.thoughtsTokenCount, 2)
    assert.equal(reply.usageMetadata?.totalTokenCount, 12)
    assert.equal(reply.modelVersion, 'gemini-y')
    assert.equal(reply.responseId, 'r1')
  })
})

test('reads a streamed reply, pings between its events', async () => {
  await withClient(answering([]), async (client) => {
    const chunks: GenerateContentResponse[] = []
    const stream = await client.models.generateContentStream({ model: 'gemini-x', contents: 'Hi' })
    for await (const chunk of stream) chunks.push(chunk)
    assert.equal(chunks.length, 5)
    const texts = chunks.map((chunk) => chunk.text ?? '').join('')
    assert.equal(texts, 'Hello there.')
    assert.equal(chunks[3]?.functionCalls?.[0]?.name, 'look')
    assert.equal(chunks[3]?.candidates?.[0]?.content?.parts?.[0]?.thoughtSignature, 'U0lH')
    assert.equal(chunks[4]?.candidates?.[0]?.finishReason, 'STOP')
    assert.equal(chunks[4]?.usageMetadata?.promptTokenCount, 5)
  })
})

test('keeps a streamed reply in its history, and what it sends back is read with its states', async () => {
  const asked: Asked[] = []
  await withClient(answering(asked), async (client) => {
    const chat = client.chats.create({ model: 'gemini-x' })
    const stream = await chat.sendMessageStream({ message: 'Hi' })
    for await (const chunk of stream) assert.ok(chunk.candidates !== undefined)
    const part = { functionResponse: { id: 'c1', name: 'look', response: { output: 'blue' } } }
    await chat.sendMessage({ message: [part] })
  })
  const turns = asked[1]?.prompt.turns ?? []
  assert.deepEqual(asked[1]?.prompt.extras, [])
  const parts = turns.flatMap((turn) => turn.parts)
  assert.deepEqual(
    parts.map((part) => part.type),
    ['text', 'thinking', 'text', 'text', 'tool-call', 'tool-result'],
  )
  const [call, result] = parts.slice(-2)
  assert.ok(call?.type === 'tool-call' && call.state?.data === 'U0lH' && call.id === 'c1')
  assert.ok(result?.type === 'tool-result' && result.callId === 'c1')
})

test('sends options that are read in full', async () => {
  const asked: Asked[] = []
  await withClient(answering(asked), async (client) => {
    await client.models.generateContent({
      model: 'gemini-x',
      contents: [{ role: 'user', parts: [{ text: 'Hi' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }],
      config: {
        systemInstruction: 'Be brief.',
        temperature: 0.5,
        topK: 40,
        maxOutputTokens: 100,
        stopSequences: ['END'],
        responseMimeType: 'application/json',
        responseSchema: { type: 'OBJECT' as never, properties: { a: { type: 'STRING' as never, nullable: true } } },
        thinkingConfig: { includeThoughts: true, thinkingBudget: 2048 },
        tools: [{ functionDeclarations: [{ name: 'f', parametersJsonSchema: { type: 'object' } }] }],
        toolConfig: { functionCallingConfig: { mode: 'ANY' as never } },
      },
    })
  })
  const prompt = asked[0]?.prompt
  assert.deepEqual(prompt?.extras, [])
  assert.deepEqual(prompt.system[0]?.text, 'Be brief.')
  assert.deepEqual(prompt.sampling, { temperature: 0.5, topK: 40 })
  assert.equal(prompt.tokensMax, 100)
  assert.deepEqual(prompt.stops, ['END'])
  assert.deepEqual(prompt.thinking, { type: 'on', budgetTokens: 2048, show: true })
  assert.deepEqual(prompt.toolChoice, { type: 'any' })
  assert.deepEqual(prompt.format, {
    type: 'json-schema',
    name: 'response',
    schema: { type: 'object', properties: { a: { type: ['string', 'null'] } } },
  })
})

test('throws an ApiError with our status, whole and in mid-stream', async () => {
  const failure = new Failure('vendor-overloaded', 'The vendor is overloaded.')
  const whole: RequestListener = (_request, response) => {
    response.writeHead(failure.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(gemini.failure.write(failure, 'req_1')))
  }
  await withClient(whole, async (client) => {
    const asked = client.models.generateContent({ model: 'gemini-x', contents: 'Hi' })
    await assert.rejects(asked, (thrown) => thrown instanceof ApiError && thrown.status === 529)
  })
  const streamed: RequestListener = (_request, response) => {
    response.setHeader('content-type', 'text/event-stream')
    response.write(gemini.stream.writer(context).write({ type: 'text', text: 'Hel' }))
    response.end(gemini.failure.writeEvent(failure, 'req_1'))
  }
  await withClient(streamed, async (client) => {
    const stream = await client.models.generateContentStream({ model: 'gemini-x', contents: 'Hi' })
    const read = async (): Promise<void> => {
      for await (const chunk of stream) assert.equal(chunk.text, 'Hel')
    }
    await assert.rejects(read, (thrown) => thrown instanceof ApiError && thrown.status === 529)
  })
})

function counting(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(gemini.count?.fold(31)))
}

test('reads a count', async () => {
  await withClient(counting, async (client) => {
    const counted = await client.models.countTokens({ model: 'gemini-x', contents: 'Hi' })
    assert.equal(counted.totalTokens, 31)
  })
})
