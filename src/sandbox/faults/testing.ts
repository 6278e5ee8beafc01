import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialect } from '../../core/dialect.ts'
import type { ReplyEvent } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import { eachEvent, normalLines } from '../../core/sse.ts'
import { anthropic } from '../../dialects/anthropic/index.ts'
import { gemini } from '../../dialects/gemini/index.ts'
import { openaiChat } from '../../dialects/openai-chat/index.ts'
import { openaiResponses } from '../../dialects/openai-responses/index.ts'
import type { Sandbox } from '../index.ts'

/** For tests: one way to call a simulated vendor, in one of the formats that it speaks. */
export interface Door {
  readonly vendor: string
  readonly dialect: Dialect
  readonly path: (streamed: boolean) => string
  readonly body: (streamed: boolean) => JsonObject
}

const words = '[sandbox: 40 words]'
const messages = [{ role: 'user', content: words }]

/** Every format of every simulated vendor. */
export const doors: readonly Door[] = [
  door('anthropic', anthropic, '/v1/messages', { model: 'claude-sonnet-4-5', max_tokens: 1000, messages }),
  door('openai', openaiChat, '/v1/chat/completions', { model: 'gpt-4.1', messages }),
  door('openai', openaiResponses, '/v1/responses', { model: 'gpt-5', input: words }),
  {
    vendor: 'google',
    dialect: gemini,
    path: (streamed) =>
      `/v1beta/models/gemini-2.5-pro:${streamed ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: () => ({ contents: [{ role: 'user', parts: [{ text: words }] }] }),
  },
  door('xai', openaiChat, '/v1/chat/completions', { model: 'grok-4.5', messages }),
  door('xai', openaiResponses, '/v1/responses', { model: 'grok-4.5', input: words }),
  door('deepseek', openaiChat, '/chat/completions', { model: 'deepseek-flash', messages }),
  door('deepseek', anthropic, '/anthropic/v1/messages', { model: 'deepseek-flash', max_tokens: 1000, messages }),
]

function door(vendor: string, dialect: Dialect, path: string, json: JsonObject): Door {
  return { vendor, dialect, path: () => path, body: (streamed) => ({ ...json, stream: streamed }) }
}

/** The door's name in a test. */
export function nameOf({ vendor, dialect }: Door): string {
  return `${vendor}/${dialect.name}`
}

/** What came back, and how it stopped. */
export interface Came {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  ending: 'end' | 'close' | 'reset' | 'silence'
}

/** After so long without a byte a connection counts as silent. */
const silenceMs = 250

/** Calls a vendor over a connection of its own, and looks at how that ends. */
export function call(
  sandbox: Sandbox,
  { vendor, path, body }: Door,
  { streamed = false, fault, caller }: { streamed?: boolean; fault?: string; caller?: string },
): Promise<Came> {
  const came: Came = { status: 0, headers: {}, text: '', ending: 'silence' }
  return new Promise((resolve) => {
    const outgoing = request(sandbox.origin(vendor) + path(streamed), {
      method: 'POST',
      agent: false,
      headers: {
        authorization: 'Bearer sandbox',
        'x-goog-api-key': 'sandbox',
        'anthropic-version': '2023-06-01',
        'content-type': 'application/json',
        ...(fault !== undefined && { 'x-sandbox-fault': fault }),
        ...(caller !== undefined && { 'x-sandbox-caller': caller }),
      },
    })
    let reset = false
    let settled = false
    const settle = (ending: Came['ending']): void => {
      if (settled) return
      settled = true
      clearTimeout(silence)
      came.ending = ending
      outgoing.destroy()
      resolve(came)
    }
    const broken = (): void => settle(reset ? 'reset' : 'close')
    const silence = setTimeout(settle, silenceMs, 'silence')
    outgoing.on('socket', (socket) => {
      socket.on('data', () => silence.refresh())
      socket.on('error', (error: NodeJS.ErrnoException) => {
        reset ||= error.code === 'ECONNRESET' && error.syscall === 'read'
      })
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // Without a system call it is Node's own word for a FIN that came too early.
      reset ||= error.syscall === 'read'
      if (came.status === 0) broken()
    })
    outgoing.on('response', (incoming) => {
      came.status = incoming.statusCode ?? 0
      came.headers = incoming.headers
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        came.text = Buffer.concat(chunks).toString()
      })
      incoming.on('end', () => settle('end'))
      // The socket's own error comes just before or just after.
      incoming.on('error', () => void sleep(5).then(broken))
    })
    outgoing.end(JSON.stringify(body(streamed)))
  })
}

/** What the gateway's own reader makes of a stream: its events, and whether it could be read. */
export function read({ vendor, dialect }: Door, text: string): { events: ReplyEvent[]; readable: boolean } {
  const events: ReplyEvent[] = []
  const reader = dialect.stream.reader(vendor)
  const emit = (event: ReplyEvent): void => void events.push(event)
  const at = text.lastIndexOf('\n\n') + 2
  try {
    eachEvent(normalLines(text.slice(0, at)), (name, data) => reader.read(name, data, emit))
    reader.end(text.slice(at), emit)
    return { events, readable: true }
  } catch {
    return { events, readable: false }
  }
}

/** How many of the events are content. */
export function contentOf(events: readonly ReplyEvent[]): number {
  return events.filter(({ type }) => ['text', 'thinking', 'tool-start', 'tool-delta'].includes(type)).length
}
