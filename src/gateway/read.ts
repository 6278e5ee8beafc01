import type { IncomingMessage } from 'node:http'
import { isUtf8 } from 'node:buffer'
import { Body } from '../core/body.ts'
import { Failure } from '../core/failure.ts'
import { lazyObject } from '../core/fields.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { deeperThan, jsonErrorAt } from '../core/json-error.ts'
import type { BodyLimit } from './rights.ts'

/** How long the body of a request may stand still. */
const bodyIdleMs = 30_000

/** Step 2: the body, whole. Throws Failure `body-too-large`, `body-slow`, `content-type-wrong` or `caller-gone`. */
export function readBody(request: IncomingMessage, { bytesMax, tooLarge }: BodyLimit): Promise<Body> {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    return Promise.reject(
      new Failure('content-type-wrong', `The content-encoding '${encoding.slice(0, 20)}' is not read here.`),
    )
  }
  const type = request.headers['content-type']
  if (type !== undefined && !/^application\/([\w.+-]+\+)?json\b/i.test(type)) {
    return Promise.reject(
      new Failure('content-type-wrong', `The content-type '${type.slice(0, 40)}' is not read here.`),
    )
  }
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > bytesMax) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const idle = setTimeout(() => fail(new Failure('body-slow', 'The body of the request stopped coming.')), bodyIdleMs)
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > bytesMax) {
        fail(tooLarge())
        return
      }
      chunks.push(chunk)
      idle.refresh()
    }
    const onEnd = (): void => {
      stop()
      resolve(new Body(chunks))
    }
    const onClose = (): void => fail(new Failure('caller-gone', 'The caller left while sending the request.'))
    const stop = (): void => {
      clearTimeout(idle)
      request.off('data', onData)
      request.off('end', onEnd)
      request.off('close', onClose)
      request.off('error', onClose)
    }
    const fail = (failure: Failure): void => {
      stop()
      // What still comes is let run out, so that the answer is not lost in a reset of the connection.
      request.on('error', () => {})
      request.resume()
      reject(failure)
    }
    request.on('data', onData)
    request.on('end', onEnd)
    request.on('close', onClose)
    request.on('error', onClose)
  })
}

/** Larger bodies are parsed field by field, as far as anybody asks: most pass on unread, and parsing costs more than relaying. */
export const parsedWholeMax = 32 * 1024

/**
 * The body as a JSON object. Throws Failure `request-invalid` that tells line and column, and nothing of the text. In a
 * large body a mistake inside a field shows when that field is read; passed on unread, it is the vendor's to tell.
 */
export function readJson(body: Body): JsonObject {
  if (body.length > parsedWholeMax) {
    const lazy = lazyObject(body, depthMax, () => parseWhole(body) as never)
    if (lazy !== undefined) return lazy
  }
  return parseWhole(body)
}

/** No request of a client is nested a tenth as deep; what is would reach the end of somebody's stack. */
const depthMax = 128

function tooDeep(): Failure {
  return new Failure('request-invalid', `The request body is nested too deeply: more than ${depthMax} levels.`, {
    fix: 'Send a flatter one.',
  })
}

function parseWhole(body: Body): JsonObject {
  // Bytes that are no UTF-8 would be read as other characters than were sent.
  if (!isUtf8(body.bytes))
    throw new Failure('request-invalid', 'The request body is not valid UTF-8.', { fix: 'Send JSON in UTF-8.' })
  const text = body.toString()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new Failure('request-invalid', `The request body is not valid JSON${place(text)}.`, {
      cause: error,
      fix: 'Send one JSON object.',
    })
  }
  if (isObject(json)) {
    if (deeperThan(json, depthMax)) throw tooDeep()
    return json
  }
  throw new Failure('request-invalid', 'The request body must be a JSON object.', { fix: 'Send one JSON object.' })
}

/** Where the parser stopped: its own message is not passed on, since it quotes the text. */
function place(text: string): string {
  if (text.trim() === '') return ': it is empty'
  const at = jsonErrorAt(text)
  const before = text.slice(0, at).split('\n')
  const ends = at >= text.length ? ', where it ends too soon' : ''
  return `: line ${before.length}, column ${(before.at(-1) ?? '').length + 1}${ends}`
}
