import { asStream, asWhole, jsonType } from './ordinary.ts'
import type { Answer, Reply } from './fault.ts'
import { refused } from './refused.ts'
import { refusalsOf } from './refusals/index.ts'
import { page } from './refusals/refusal-table.ts'

/** What can become of a whole reply. */
export type Bend = (reply: Reply, count: number) => Answer

/** A 200 whose body is the vendor's error: a bug of its own, or with `overloaded` that it has too much to do. */
export function errorBody(reply: Reply, name: '500' | '529'): Answer {
  const { raw: _, ...told } = refusalsOf(reply)[name]
  return { ...refused(reply, told), head: { status: 200, contentType: jsonType } }
}

/** Half of the reply; the length promised is that of all of it, or of what comes. */
export function half(reply: Reply, ending: Answer['ending'], promised: 'all' | 'half'): Answer {
  const text = reply.whole()
  const piece = halfOf(text)
  return body(piece, { ending, length: Buffer.byteLength(promised === 'all' ? text : piece) })
}

/** No body at all. */
export const empty: Bend = () => body('', { ending: 'end', length: 0 })

/** Headers, and then nothing. */
export const headersOnly: Bend = ({ whole }) => body('', { ending: 'silence', length: Buffer.byteLength(whole()) })

/** A page of a network that wants its user to sign in. */
export const html: Bend = () => {
  const { contentType, body } = page('Sign in to the network', ['You must sign in before you can use the internet.'])
  return { head: { status: 200, contentType }, pieces: [body], ending: 'end' }
}

/** Text that is not even the beginning of JSON. */
export const notJson: Bend = () =>
  body('upstream connect error or disconnect/reset before headers\n', { ending: 'end' })

/** JSON that is somebody else's. */
export const wrongShape: Bend = () => body('{"status":"ok","version":"1.4.2"}', { ending: 'end' })

/** All of the reply as plain text. */
export const plainText: Bend = (reply) => asWhole(reply, 'text/plain; charset=utf-8')

/** All of the reply, between blank lines that JSON's readers pass over. */
export const blankLines: Bend = (reply) => ({ ...asWhole(reply), pieces: ['\n\n  \r\n', reply.whole(), '\n\n'] })

/** A stream where none was asked for. */
export const unaskedStream: Bend = (reply) => asStream(reply)

/** The first half of a text, cut between two characters. */
export function halfOf(text: string): string {
  const at = Math.ceil(text.length / 2)
  const code = text.charCodeAt(at - 1)
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? at - 1 : at)
}

function body(text: string, { ending, length }: { ending: Answer['ending']; length?: number }): Answer {
  const headers = length === undefined ? {} : { 'content-length': String(length) }
  return { head: { status: 200, contentType: jsonType, headers }, pieces: [text], ending }
}
