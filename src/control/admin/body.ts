import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { deeperThan, jsonErrorAt } from '../../core/json-error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { Refusal } from './refusal.ts'
import type { Method } from './route.ts'

/** The largest body; nothing that is changed here is a hundredth of it. */
const bytesMax = 256 * 1024

/** How long a whole body may take. */
const wholeMs = 30_000

const depthMax = 32

export interface ReadBody {
  readonly bytes: Buffer
  /** Empty where nothing was sent. */
  readonly json: JsonObject
}

/**
 * The body, whole, as a JSON object. POST, PUT and PATCH must call it JSON even where it is empty: no form of a web
 * page can send that. Throws Refusal 400, 408, 413 or 415.
 */
export async function readBody(request: IncomingMessage, method: Method): Promise<ReadBody> {
  const sent = request.headers['transfer-encoding'] !== undefined || (request.headers['content-length'] ?? '0') !== '0'
  if (method !== 'GET' && (sent || method !== 'DELETE')) checkType(request)
  const bytes = await readBytes(request)
  return { bytes, json: bytes.length === 0 ? {} : parsed(bytes) }
}

function checkType(request: IncomingMessage): void {
  const { 'content-encoding': encoding, 'content-type': type } = request.headers
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Refusal(415, 'content-type-wrong', 'An encoded body is not read here.', {
      fix: 'Leave out content-encoding.',
    })
  }
  if (type !== undefined && /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) return
  throw new Refusal(415, 'content-type-wrong', 'The body must be JSON, and be called so.', {
    fix: 'Send content-type: application/json.',
  })
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const over = (settle: () => void) => (): void => {
      clearTimeout(late)
      request.off('data', onData)
      request.off('end', onEnd)
      request.off('close', onClose)
      settle()
    }
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > bytesMax) over(() => reject(tooLarge()))()
      else chunks.push(chunk)
    }
    const onEnd = over(() => resolve(Buffer.concat(chunks)))
    const onClose = over(() => reject(new Refusal(400, 'body-cut', 'The body broke off.')))
    const late = setTimeout(
      over(() => reject(new Refusal(408, 'body-slow', `The body did not come within ${wholeMs / 1000} seconds.`))),
      wholeMs,
    )
    request.on('data', onData)
    request.on('end', onEnd)
    request.on('close', onClose)
    request.on('error', () => {})
  })
}

function tooLarge(): Refusal {
  return new Refusal(413, 'body-too-large', `The body is larger than ${bytesMax} bytes, the most that is read here.`)
}

function parsed(bytes: Buffer): JsonObject {
  // Bytes that are no UTF-8 would be read as other characters than were sent.
  if (!isUtf8(bytes)) throw wrongJson('The body is not valid UTF-8.')
  const text = bytes.toString()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, in which a secret may stand.
    throw wrongJson(`The body is not valid JSON${place(text)}.`)
  }
  if (!isObject(json)) throw wrongJson('The body must be a JSON object.')
  if (deeperThan(json, depthMax)) throw wrongJson(`The body is nested more than ${depthMax} levels deep.`)
  // JSON may name a field so; as a key of an object it would be something else, or be lost without a word.
  if (text.includes('__proto__') && namesPrototype(json)) {
    throw new Refusal(400, 'field-unknown', 'No field here is called __proto__.', { path: '__proto__' })
  }
  return json
}

function wrongJson(message: string): Refusal {
  return new Refusal(400, 'json-invalid', message, { fix: 'Send one JSON object in UTF-8.' })
}

/** Where the parser stopped. */
function place(text: string): string {
  const before = text.slice(0, jsonErrorAt(text)).split('\n')
  return `: line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`
}

function namesPrototype(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(namesPrototype)
}
